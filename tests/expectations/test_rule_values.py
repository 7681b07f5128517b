"""One fault a lake, and the sentence that the loader says of it: what rules give to their expectations, and what they may give."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.loader import load_lake
from tests.expectations.conftest import BRONZE_SALES, SILVER_SALES, Change, Refusal, write_lake

BETWEEN, LENGTHS, IN_SET = "expect_column_values_to_be_between", "expect_column_value_lengths_to_be_between", "expect_column_values_to_be_in_set"
REGEX, GREATER = "expect_column_values_to_match_regex", "expect_column_pair_values_a_to_be_greater_than_b"
PAIRS = "expect_column_pair_values_to_be_in_set"
QUANTILES, TYPE = "expect_column_quantile_values_to_be_between, column: cents, quantile_ranges", "expect_column_values_to_be_of_type, column: cents"
SHARE, NON_NULL = "expect_column_proportion_of_unique_values_to_be_between", "expect_column_proportion_of_non_null_values_to_be_between"
FAULTS = [
    (f"{BETWEEN}, column: cents, min_value: abc", "min_value must be a date like 2024-05-01 or a number, found 'abc'; mend it."),
    (f'{BETWEEN}, column: cents, min_value: "5"', "min_value must be a date like 2024-05-01 or a number, found '5'; write it without quotes."),
    (f"{BETWEEN}, column: cents, min_value: .nan", "min_value must be a date like 2024-05-01 or a number, found nan; mend it."),
    (f'{BETWEEN}, column: cents, min_value: 1, strict_min: "true"', "strict_min must be true or false, found 'true'; write it without quotes."),
    (f"{BETWEEN}, column: cents, min_value: 1, mostly: most", "mostly is a share from 0 to 1, found 'most'; write 0.95 for 95 percent."),
    (f"{BETWEEN}, column: item, min_value: 5", "min_value has the number 5, but item is string; judge its length or a pattern."),
    (f"{BETWEEN}, column: item, min_value: 2024-05-01", "min_value has the date 2024-05-01, but item is string; judge its length or a pattern."),
    (f"{BETWEEN}, column: sold_on, min_value: 5", "min_value has the number 5, but sold_on is date; write a date like 2024-05-01."),
    (f"{BETWEEN}, column: cents, max_value: 2024-05-01", "max_value has the date 2024-05-01, but cents is int; write a number."),
    (f"{BETWEEN}, column: dear, max_value: 1", "max_value has the number 1, but dear is boolean; take another expectation."),
    (
        f"{BETWEEN}, column: sold_on, min_value: 2024-06-01, max_value: 2024-05-01",
        "min_value 2024-06-01 is more than max_value 2024-05-01, so nothing could pass; swap them.",
    ),
    (
        f"{BETWEEN}, column: cents, min_value: 3, max_value: 3, strict_max: true",
        "nothing lies strictly between 3 and 3, so nothing could pass; widen the bounds, or take strict away.",
    ),
    (f"{IN_SET}, column: item, value_set: tea", "value_set must be a list, found 'tea'; write it in brackets."),
    (f"{IN_SET}, column: item, value_set: [tea, NO]", "value_set has the flag False, but item is string; put it into quotes."),
    (f"{IN_SET}, column: item, value_set: [1, 2]", "value_set has the number 1, but item is string; put it into quotes."),
    (f"{IN_SET}, column: cents, value_set: ['1']", "value_set has the text '1', but cents is int; write it without quotes."),
    (f"{IN_SET}, column: sold_on, value_set: [May]", "value_set has the text 'May', but sold_on is date; write a date like 2024-05-01."),
    (f"{LENGTHS}, column: item, min_value: 1.5", "min_value must be a whole number, found 1.5; mend it."),
    (f"{REGEX}, column: item, regex: 7", "regex must be a text, found 7; put it into quotes."),
    (f'{REGEX}, column: item, regex: "[a-z"', "regex '[a-z' is no pattern: unterminated character set; mend it."),
    ("expect_column_values_to_match_regex_list, column: item, regex_list: [(a]", "regex_list '(a' is no pattern: missing ), unterminated subpattern; mend it."),
    (
        "expect_column_values_to_match_regex_list, column: item, regex_list: [a], match_on: al",
        "match_on is one of any, all, found 'al'. Did you mean \"all\"?",
    ),
    (
        "expect_column_pair_values_to_be_in_set, column_A: item, column_B: cents, value_pairs_set: [tea, 3]",
        "value_pairs_set must be a list of pairs, found ['tea', 3]; write [[a, b], [c, d]].",
    ),
    (f"{PAIRS}, column_A: cents, column_B: cents, value_pairs_set: [[x, 1]]", "value_pairs_set has the text 'x', but cents is int; write a number."),
    (f"{PAIRS}, column_A: item, column_B: cents, value_pairs_set: [[x, y]]", "value_pairs_set has the text 'y', but cents is int; write a number."),
    (
        f"{BETWEEN}, column: sold_on, min_value: 2024-05-01T00:30:00+02:00, max_value: 2024-04-30T22:00:00Z",
        "min_value 2024-05-01 00:30:00+02:00 is more than max_value 2024-04-30 22:00:00+00:00, so nothing could pass; swap them.",
    ),
    (f"{SHARE}, column: item, min_value: 95", "min_value is a share from 0 to 1, found 95; write 0.95 for 95 percent."),
    (f"{NON_NULL}, column: item, max_value: -0.1", "max_value is a share from 0 to 1, found -0.1; write 0.95 for 95 percent."),
    (f"{LENGTHS}, column: item, min_value: -1", "min_value is -1, but a length is never negative; write 0 or more."),
    ("expect_column_value_lengths_to_equal, column: item, value: -2", "value is -2, but a length is never negative; write 0 or more."),
    ("expect_column_value_lengths_to_equal, column: item, value: 2.5", "value is 2.5, but a length is a whole number; write one."),
    ("expect_table_row_count_to_equal, value: -1", "value is -1, but a number of rows is never negative; write 0 or more."),
    ("expect_table_row_count_to_be_between, max_value: 2024-05-01", "max_value has the date 2024-05-01, but it bounds a figure; write a number."),
    (
        "expect_column_unique_value_count_to_be_between, column: item, max_value: -1",
        "max_value is -1, but a number of values is never negative; write 0 or more.",
    ),
    ("expect_column_stdev_to_be_between, column: cents, max_value: -1", "max_value is -1, but a standard deviation is never negative; write 0 or more."),
    ("expect_column_mean_to_be_between, column: cents, min_value: 2024-01-01", "min_value has the date 2024-01-01, but it bounds a figure; write a number."),
    (f"{IN_SET}, column: item, value_set: []", "value_set is empty; name at least one, or take the rule away."),
    (f"{PAIRS}, column_A: item, column_B: cents, value_pairs_set: []", "value_pairs_set is empty; name at least one, or take the rule away."),
    (f"{REGEX}_list, column: item, regex_list: []", "regex_list is empty; name at least one, or take the rule away."),
    ("expect_compound_columns_to_be_unique, column_list: []", "column_list is empty; name at least one, or take the rule away."),
    (f"{QUANTILES}: {{quantiles: [0.5]}}", "quantile_ranges takes two lists; write {quantiles: [0.5], value_ranges: [[1, 9]]}."),
    (
        f"{QUANTILES}: {{quantiles: [0.5], value_ranges: [[1, 9], [2, 9]]}}",
        "quantile_ranges has 1 quantiles and 2 value_ranges; give each quantile one range.",
    ),
    (f"{QUANTILES}: {{quantiles: [50], value_ranges: [[1, 9]]}}", "a quantile is a share from 0 to 1, found 50; write 0.95 for 95 percent."),
    (f"{QUANTILES}: {{quantiles: [0.5], value_ranges: [7]}}", "a range of values is two numbers, or null for no bound, found 7; write [1, 9]."),
    (f"{QUANTILES}: {{quantiles: [0.5], value_ranges: [[9, 1]]}}", "the range [9, 1] begins above its end, so nothing could pass; swap them."),
    (f"{TYPE}, type_: IntegrType", "type_ names Spark's types, like IntegerType or StringType, found 'IntegrType'. Did you mean \"IntegerType\"?"),
    (f"{TYPE}, type_: bigint", "type_ names Spark's types, like IntegerType or StringType, found 'bigint'. Did you mean \"LongType\"?"),
    (
        "expect_column_values_to_be_in_type_list, column: cents, type_list: [LongType, Intgr]",
        "type_list names Spark's types, like IntegerType or StringType, found 'Intgr'. Did you mean \"IntegerType\"?",
    ),
    ("expect_column_to_exist, column: cents, column_index: 5", "column_index is 5, but the table has 5 columns, counted from 0; write 2."),
    ("expect_table_column_count_to_equal, value: 4", "the table has 5 columns, so it never has 4 or fewer; mend the number, or the columns."),
    ("expect_table_column_count_to_be_between, max_value: 4", "the table has 5 columns, so it never has 4 or fewer; mend the number, or the columns."),
    (f"{BETWEEN}, column: cents, min_value: 1e3", "min_value must be a date like 2024-05-01 or a number, found '1e3'; write 1000.0."),
    (f"{IN_SET}, column: cents, value_set: [1e30]", "value_set has the text '1e30', but cents is int; write 1.0e+30."),
    (f"{BETWEEN}, column: cents, min_value: 1, row_condition: 'price > 1'", "row_condition names 'price', which the table has not."),
    (f"{BETWEEN}, column: cents, min_value: 1, row_condition: '`prices` IS NOT NULL AND cents > 1'", "row_condition names 'prices', which the table has not."),
    (
        f"{BETWEEN}, column: cents, min_value: 1, condition_parser: great_expectations, row_condition: 'col(\"itm\").notNull()'",
        "row_condition names 'itm', which the table has not. Did you mean \"item\"?",
    ),
    (
        f"{BETWEEN}, column: cents, min_value: 1, severity: warning",
        "the engine keeps 'severity' of Great Expectations for itself; say it with name or on_fail, or in a comment.",
    ),
]
WHOLE_FAULTS = [
    (
        "expect_column_mean_to_be_between, column: item, min_value: 1",
        "expect_column_mean_to_be_between judges numbers, but item is string; name another column.",
    ),
    (
        "expect_column_values_to_match_strftime_format, column: sold_on, strftime_format: '%Y'",
        "expect_column_values_to_match_strftime_format judges texts, but sold_on is date; name another column.",
    ),
    (f"{GREATER}, column_A: cents, column_B: item", f"{GREATER} compares cents (int) and item (string), which are of different kinds; name columns of one."),
    (
        f"{GREATER}, column_A: sold_on, column_B: item",
        f"{GREATER} compares sold_on (date) and item (string), which are of different kinds; name columns of one.",
    ),
    (f"{GREATER}, column_A: dear, column_B: cents", f"{GREATER} compares dear (boolean) and cents (int), which are of different kinds; name columns of one."),
    (
        f"{GREATER}, column_A: tags, column_B: item",
        f"{GREATER} compares tags (array<string>) and item (string), which are of different kinds; name columns of one.",
    ),
    (f"{REGEX}, column: tags, regex: a", f"{REGEX} judges texts, but tags is array<string>; name another column."),
    (f"{LENGTHS}, column: tags, min_value: 1", f"{LENGTHS} judges texts, but tags is array<string>; name another column."),
    (f"{REGEX}, column: item", f"{REGEX} needs 'regex'; without it Great Expectations lets everything pass; add it."),
    (
        f"{IN_SET}, column: item, value_set: [tea], onfail: quarantine",
        f"{IN_SET} takes no 'onfail'; it takes column, condition_parser, mostly, row_condition, value_set. Did you mean \"on_fail\"?",
    ),
    (
        f"{IN_SET}, column: item, value_set: [tea], atmost: 3",
        f"{IN_SET} takes no 'atmost'; it takes column, condition_parser, mostly, row_condition, value_set. Did you mean \"at_most\"?",
    ),
    (f"{BETWEEN}, column: cents, min_value: 1, at_most: true", "rules.1.at_most: Input should be a valid integer (found True)."),
    (
        "expect_column_values_to_match_like_pattern, column: item, like_pattern: t%",
        "expect_column_values_to_match_like_pattern is not for rules: Great Expectations has no way to compute it on Spark; take another "
        "(docs/expectations.md). expect_column_values_to_match_regex can say the same.",
    ),
    (
        "unexpected_rows_expectation, unexpected_rows_query: SELECT 1",
        "unexpected_rows_expectation is not for rules: it runs SQL of its own, which is no fact of a contract; take another (docs/expectations.md).",
    ),
    (
        "expect_column_values_to_be_increasing, column: cents, on_fail: quarantine",
        "expect_column_values_to_be_increasing cannot tell single rows, so it cannot quarantine rows; write on_fail: stop, ask or warn.",
    ),
    (
        "expect_column_mean_to_be_between, column: cents, min_value: 1, at_most: 3",
        "expect_column_mean_to_be_between judges a day as a whole, so at_most has no rows to count; take at_most away.",
    ),
    (
        f"{BETWEEN}, column: cents, min_value: 1, row_condition: \"itme = 'tea'\"",
        f"{BETWEEN}: row_condition names 'itme', which the table has not. Did you mean \"item\"?",
    ),
]
WELL = [
    f"{BETWEEN}, column: sold_on, min_value: 2024-05-01, max_value: '2024-06-01'",
    f"{BETWEEN}, column: cents, min_value: 0, mostly: 0.9, at_most: 3, on_fail: quarantine",
    f"{BETWEEN}, column: cents, min_value: 0, max_value: null",
    f"{BETWEEN}, column: cents, min_value: 0, row_condition: \"item RLIKE 'tae' AND size(tags) > 0 AND sold_on >= DATE'2024-05-01' + INTERVAL 1 DAY\"",
    f"{IN_SET}, column: sold_on, value_set: [2024-05-01, '2024-05-02']",
    f"{IN_SET}, column: dear, value_set: [true]",
    f"{REGEX}, column: item, regex: '^\\p{{L}}+(?<rest>[a-z&&[^x]]*)$'",
    "expect_column_mean_to_be_between, column: cents, min_value: 1, on_fail: ask",
    "expect_column_max_to_be_between, column: sold_on, max_value: 2024-05-01",
    f"{PAIRS}, column_A: cents, column_B: item, value_pairs_set: [[1, a], [2, null]]",
    f"{BETWEEN}, column: sold_on, min_value: 2024-05-01T00:30:00+02:00, max_value: 2024-04-30T23:00:00Z",
    f"{BETWEEN}, column: sold_on, min_value: 2024-05-01T00:30:00+02:00, max_value: 2024-04-30",
    f"{SHARE}, column: item, min_value: 0, max_value: 1",
    f"{QUANTILES}: {{quantiles: [0, 0.5, 1], value_ranges: [[null, 1], [1, 1], [2, 9.5]]}}",
    f"{TYPE}, type_: IntegerType",
    "expect_column_to_exist, column: cents, column_index: 2",
    "expect_table_column_count_to_equal, value: 6",
    "expect_table_column_count_to_be_between, min_value: 3, max_value: 5",
    f"{REGEX}, column: sold_on, regex: '^2024'",
    f"{REGEX}, column: item, regex: '[a-z[(]]'",
    f"{BETWEEN}, column: cents, min_value: 1, row_condition: \"exists(tags, item2 -> item2 = 'a') OR CAST(item AS timestamp_ntz) > now()\"",
    f"{BETWEEN}, column: cents, min_value: 1, row_condition: \"_day = '2024-05-01' AND current_date > sold_on AND extract(QUARTER FROM sold_on) = 1\"",
    f"{BETWEEN}, column: cents, min_value: 1, row_condition: \"item COLLATE utf8_lcase = 'tea' AND item::short IN (1) AND tags[0] NOT LIKE 'it''s > %'\"",
    f'{BETWEEN}, column: cents, min_value: 1, row_condition: "CASE WHEN dear THEN cents ELSE 3 END > 2 AND Item IS NOT NULL AND dear IS NOT UNKNOWN"',
    f"{BETWEEN}, column: cents, min_value: 1, condition_parser: great_expectations, row_condition: 'col(\"item\").notNull()'",
    "expect_column_values_to_be_null, column: item, row_condition: NOT dear",
    "expect_table_row_count_to_be_between, min_value: 1, max_value: 9",
]


def rule_17(text: str) -> dict[str, Change]:
    return {SILVER_SALES: ("expect_table_row_count_to_be_between, min_value: 1", f"{text}, name: x")}


@pytest.mark.parametrize(("text", "sentence"), FAULTS)
def test_a_value_of_the_wrong_kind_is_told_with_what_to_write(refusal: Refusal, text: str, sentence: str) -> None:
    assert refusal(rule_17(text)) == f"expectations/silver/sales.yaml:17: {text.partition(',')[0]}: {sentence}"


@pytest.mark.parametrize(("text", "sentence"), WHOLE_FAULTS)
def test_an_expectation_that_cannot_judge_what_it_is_asked_to_is_told(refusal: Refusal, text: str, sentence: str) -> None:
    assert refusal(rule_17(text)) == f"expectations/silver/sales.yaml:17: {sentence}"


@pytest.mark.parametrize("text", WELL)
def test_what_great_expectations_takes_is_not_refused(tmp_path: Path, text: str) -> None:
    write_lake(tmp_path, rule_17(text))

    assert load_lake(tmp_path).table("silver.sales").contract.rules[1].name == "x"


def test_a_pattern_that_python_may_read_otherwise_one_day_prints_no_warning(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    write_lake(tmp_path, rule_17(f"{REGEX}, column: item, regex: '[a-z&&b--c]'"))

    load_lake(tmp_path)

    assert not recwarn.list


def test_bronze_keeps_texts_so_a_rule_on_it_judges_texts(refusal: Refusal) -> None:
    rules = f"cents: {{type: int}}\nrules: [{{expect: {BETWEEN}, column: cents, min_value: 1}}]"

    sentence = refusal({BRONZE_SALES: ("cents: {type: int}", rules)})

    assert sentence == (
        f"expectations/bronze/sales.yaml:8: {BETWEEN}: min_value has the number 1, but cents is string; judge its length or a pattern "
        "(bronze keeps texts; judge the typed column in silver)."
    )
