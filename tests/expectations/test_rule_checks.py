"""One fault a lake, and the sentence that the loader says of it: rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.loader import load_lake
from tests.expectations.conftest import BRONZE_SALES, SILVER_SALES, Change, Refusal, write_lake

RULES = [
    pytest.param(
        {SILVER_SALES: ("to_be_between, column", "to_be_betwen, column")},
        (
            "expectations/silver/sales.yaml:16: there is no expectation 'expect_column_values_to_be_betwen'. Did you mean "
            '"expect_column_values_to_be_between"?'
        ),
        id="an unknown expectation",
    ),
    pytest.param(
        {SILVER_SALES: ("column: cents, min_value: 0, on_fail: quarantine", "column: cents, min_valu: 0")},
        (
            "expectations/silver/sales.yaml:16: expect_column_values_to_be_between takes no 'min_valu'; it takes column, "
            "condition_parser, max_value, min_value, mostly, row_condition, strict_max, strict_min. Did you mean "
            '"min_value"?'
        ),
        id="an unknown argument",
    ),
    pytest.param(
        {SILVER_SALES: ("column: cents, min_value: 0, on_fail: quarantine", "min_value: 0")},
        "expectations/silver/sales.yaml:16: expect_column_values_to_be_between needs 'column'; add it.",
        id="a missing argument",
    ),
    pytest.param(
        {SILVER_SALES: ("column: cents, min_value: 0, on_fail: quarantine", "column: cent, min_value: 0")},
        ("expectations/silver/sales.yaml:16: expect_column_values_to_be_between names the column 'cent', which the table has not. Did you mean \"cents\"?"),
        id="a rule on a column that is not there",
    ),
    pytest.param(
        {SILVER_SALES: ("column: cents, min_value: 0, on_fail: quarantine", "column: 7, min_value: 0")},
        ("expectations/silver/sales.yaml:16: expect_column_values_to_be_between names the column '7', which the table has not."),
        id="a rule on a number",
    ),
    pytest.param(
        {SILVER_SALES: ("row_count_to_be_between, min_value: 1", "row_count_to_be_between, min_value: 1, on_fail: quarantine")},
        (
            "expectations/silver/sales.yaml:17: expect_table_row_count_to_be_between judges a day as a whole, so it cannot "
            "quarantine rows; write on_fail: stop, ask or warn."
        ),
        id="rows quarantined by a rule over the whole day",
    ),
    pytest.param(
        {SILVER_SALES: ("on_fail: quarantine", "on_fail: quarantene")},
        (
            "expectations/silver/sales.yaml:16: rules.0.on_fail: Input should be 'quarantine', 'drop', 'stop', 'warn' or 'ask' "
            "(found 'quarantene'). Did you mean \"quarantine\"?"
        ),
        id="an unknown on_fail",
    ),
    pytest.param(
        {SILVER_SALES: ("expect_table_row_count_to_be_between, min_value: 1", "expect_column_values_to_be_between, column: cents, max_value: 9")},
        ("expectations/silver/sales.yaml:17: a second rule 'column_values_to_be_between(cents)'; give one of them a name."),
        id="two rules of one name",
    ),
    pytest.param(
        {SILVER_SALES: ("min_value: 1", "min_value: 1, name: late")},
        ("expectations/silver/sales.yaml:17: 'late' is the name of a rule that the engine adds; choose another."),
        id="a name of the engine's rules",
    ),
    pytest.param(
        {
            SILVER_SALES: (
                "min_value: 1",
                (
                    "min_value: 1, name: "
                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                ),
            )
        },
        ("expectations/silver/sales.yaml:17: the rule is called by 301 characters, at most 300 fit; give it a name."),
        id="a name too long for the ledger",
    ),
    pytest.param(
        {SILVER_SALES: ("column: cents, min_value: 0, on_fail: quarantine", "column: cents, min_value: 0, mostly: 95")},
        ("expectations/silver/sales.yaml:16: expect_column_values_to_be_between: mostly is a share from 0 to 1, found 95; write 0.95 for 95 percent."),
        id="mostly in percent",
    ),
    pytest.param(
        {SILVER_SALES: ("column: cents, min_value: 0, on_fail: quarantine", "column: cents, min_value: 9, max_value: 0")},
        ("expectations/silver/sales.yaml:16: expect_column_values_to_be_between: min_value 9 is more than max_value 0, so nothing could pass; swap them."),
        id="bounds that nothing can pass",
    ),
    pytest.param(
        {SILVER_SALES: ("column: cents, min_value: 0, on_fail: quarantine", "column: cents")},
        ("expectations/silver/sales.yaml:16: expect_column_values_to_be_between needs min_value or max_value, or both; add one."),
        id="no bounds at all",
    ),
    pytest.param(
        {SILVER_SALES: ("expect_table_row_count_to_be_between, min_value: 1", "expect_compound_columns_to_be_unique, column_list: item")},
        ("expectations/silver/sales.yaml:17: expect_compound_columns_to_be_unique: column_list must be a list of texts, found 'item'; write it in brackets."),
        id="a text where a rule wants a list",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), RULES)
def test_a_fault_of_rules_is_told_in_one_sentence(refusal: Refusal, changes: dict[str, Change], sentence: str) -> None:
    assert refusal(changes) == sentence


BETWEEN, LENGTHS, IN_SET = "expect_column_values_to_be_between", "expect_column_value_lengths_to_be_between", "expect_column_values_to_be_in_set"
REGEX, GREATER = "expect_column_values_to_match_regex", "expect_column_pair_values_a_to_be_greater_than_b"
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


def test_bronze_keeps_texts_so_a_rule_on_it_judges_texts(refusal: Refusal) -> None:
    rules = f"cents: {{type: int}}\nrules: [{{expect: {BETWEEN}, column: cents, min_value: 1}}]"

    sentence = refusal({BRONZE_SALES: ("cents: {type: int}", rules)})

    assert sentence == f"expectations/bronze/sales.yaml:8: {BETWEEN}: min_value has the number 1, but cents is string; judge its length or a pattern."
