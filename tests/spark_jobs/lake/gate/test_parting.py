"""Rows that break a quarantine or drop rule leave; the rest stays."""

from __future__ import annotations

from datetime import date

import pytest

from expectations.errors import ContractError
from expectations.rule import Rule
from spark_jobs.lake.gate import DayCounts, judge

pytestmark = pytest.mark.spark
FIRST, SECOND = date(2013, 1, 1), date(2013, 1, 2)


def rule(expect, on_fail="quarantine", **arguments):
    return Rule.model_validate({"expect": expect, "on_fail": on_fail, **arguments})


BREAKS_FOR_ONE = [
    (rule("expect_column_values_to_not_be_null", column="given"), {"given": ("string", "AA", None)}),
    (rule("expect_column_values_to_be_null", column="note"), {"note": ("string", None, "x")}),
    (rule("expect_column_values_to_be_between", column="within", min_value=1, max_value=9), {"within": ("int", 5, 99)}),
    (rule("expect_column_values_to_be_between", column="above", min_value=1, strict_min=True), {"above": ("int", 5, 1)}),
    (rule("expect_column_values_to_be_in_set", column="known", value_set=["AA", "BB"]), {"known": ("string", "AA", "CC")}),
    (rule("expect_column_values_to_not_be_in_set", column="unknown", value_set=["CC"]), {"unknown": ("string", "AA", "CC")}),
    (rule("expect_column_values_to_match_regex", column="letters", regex="^[A-Z]{2}$"), {"letters": ("string", "AA", "A1")}),
    (rule("expect_column_values_to_not_match_regex", column="no_digit", regex="[0-9]"), {"no_digit": ("string", "AA", "A1")}),
    (
        rule("expect_column_values_to_match_regex_list", column="begins", regex_list=["^A", "^B"], match_on="any"),
        {"begins": ("string", "AA", "C")},
    ),
    (rule("expect_column_values_to_not_match_regex_list", column="begins_not", regex_list=["^C", "^D"]), {"begins_not": ("string", "AA", "C")}),
    (rule("expect_column_value_lengths_to_equal", column="two_long", value=2), {"two_long": ("string", "AA", "AAA")}),
    (rule("expect_column_value_lengths_to_be_between", column="short", min_value=1, max_value=2), {"short": ("string", "AA", "")}),
    (rule("expect_column_values_to_match_strftime_format", column="hour", strftime_format="%H"), {"hour": ("string", "12", "99")}),
    (rule("expect_column_values_to_be_json_parseable", column="document"), {"document": ("string", "{}", "{")}),
    (rule("expect_column_pair_values_to_be_equal", column_A="a", column_B="same"), {"a": ("int", 5, 5), "same": ("int", 5, 6)}),
    (
        rule("expect_column_pair_values_a_to_be_greater_than_b", column_A="more", column_B="less", or_equal=True),
        {"more": ("int", 5, 5), "less": ("int", 5, 6)},
    ),
    (
        rule("expect_column_pair_values_to_be_in_set", column_A="left", column_B="right", value_pairs_set=[[5, 5], [4, 4]]),
        {"left": ("int", 5, 5), "right": ("int", 5, 6)},
    ),
    (rule("expect_multicolumn_sum_to_equal", column_list=["part", "rest"], sum_total=10), {"part": ("int", 5, 5), "rest": ("int", 5, 6)}),
    (rule("expect_multicolumn_values_to_be_equal", column_list=["one", "other"]), {"one": ("int", 5, 5), "other": ("int", 5, 6)}),
    (
        rule("expect_select_column_values_to_be_unique_within_record", column_list=["this", "that"]),
        {"this": ("string", "AA", "x"), "that": ("string", None, "x")},
    ),
]
"""Each rule with its own columns: their type, a value that it takes and one that it does not."""


def test_for_every_rule_the_row_that_breaks_it_leaves_with_its_name_and_the_clean_row_stays(spark):
    columns = {name: values for _, own in BREAKS_FOR_ONE for name, values in own.items()}
    clean = {name: value for name, (_, value, _) in columns.items()}
    planted = [{**clean, **{name: value for name, (_, _, value) in own.items()}} for _, own in BREAKS_FOR_ONE]
    schema = ", ".join(f"{name} {kind}" for name, (kind, _, _) in columns.items())
    staged = spark.createDataFrame([tuple(row.values()) for row in (clean, *planted)], schema)

    judgement = judge(staged, "silver.t", [broken for broken, _ in BREAKS_FOR_ONE], None)

    assert judgement.counts == {"all": DayCounts(rows=21, good=1, quarantined=20, dropped=0)}
    assert [row.asDict() for row in judgement.good(staged).collect()] == [clean]
    left = {tuple(row["_rules"]): row.asDict() for row in judgement.quarantined(staged).collect()}
    assert left == {(broken.label,): {**row, "_rules": [broken.label]} for (broken, _), row in zip(BREAKS_FOR_ONE, planted, strict=True)}
    told = [(verdict.rule, verdict.success, verdict.rows_judged, verdict.rows_broken) for verdict in judgement.verdicts]
    assert told == [(broken.label, False, 21, 1) for broken, _ in BREAKS_FOR_ONE]
    assert judgement.held == {}


def test_a_null_breaks_no_rule_about_values(spark):
    staged = spark.createDataFrame([(None, None, None)], "code string, a int, b int")
    rules = [
        rule("expect_column_values_to_be_between", column="a", min_value=1),
        rule("expect_column_values_to_match_regex", column="code", regex="x"),
        rule("expect_column_pair_values_a_to_be_greater_than_b", column_A="a", column_B="b"),
        rule("expect_column_values_to_be_unique", column="code"),
    ]

    assert judge(staged, "silver.t", rules, None).counts["all"].good == 1


def test_every_broken_quarantine_rule_is_named_and_a_drop_rule_is_not(spark):
    staged = spark.createDataFrame([(-1, None), (1, None), (2, "x")], "a int, code string")
    rules = [
        rule("expect_column_values_to_be_between", name="positive", column="a", min_value=0),
        rule("expect_column_values_to_be_between", name="above zero", column="a", min_value=0, strict_min=True),
        rule("expect_column_values_to_not_be_null", "drop", column="code"),
    ]

    judgement = judge(staged, "silver.t", rules, None)

    assert judgement.counts["all"] == DayCounts(rows=3, good=1, quarantined=1, dropped=1)
    assert [tuple(row) for row in judgement.quarantined(staged).collect()] == [(-1, None, ["positive", "above zero"])]
    assert [tuple(row) for row in judgement.good(staged).collect()] == [(2, "x")]


def test_doubled_values_of_one_day_go_and_the_same_value_on_another_day_stays(spark):
    staged = spark.createDataFrame([(FIRST, "x"), (FIRST, "x"), (FIRST, "y"), (SECOND, "x")], "day date, code string")

    judgement = judge(staged, "silver.t", [rule("expect_column_values_to_be_unique", column="code")], "day")

    assert judgement.counts == {"2013-01-01": DayCounts(3, 1, 2, 0), "2013-01-02": DayCounts(1, 1, 0, 0)}
    assert sorted(row["code"] for row in judgement.good(staged).collect()) == ["x", "y"]


def test_a_row_outside_of_the_row_condition_is_not_parted(spark):
    staged = spark.createDataFrame([("AA", -1), ("BB", -1)], "code string, a int")
    asked = rule("expect_column_values_to_be_between", column="a", min_value=0, row_condition="code = 'AA'")

    judgement = judge(staged, "silver.t", [asked], None)

    assert [row["code"] for row in judgement.good(staged).collect()] == ["BB"]
    assert (judgement.verdicts[0].rows_judged, judgement.verdicts[0].rows_broken) == (1, 1)


def test_rows_outside_of_the_row_condition_make_no_value_double(spark):
    staged = spark.createDataFrame([("x", True), ("x", False)], "code string, counts boolean")
    asked = rule("expect_column_values_to_be_unique", column="code", row_condition="counts")

    assert judge(staged, "silver.t", [asked], None).counts["all"].good == 2


def test_a_day_whose_rows_all_left_is_still_counted_and_a_row_without_day_has_the_key_null(spark):
    staged = spark.createDataFrame([(FIRST, -1), (None, 1)], "day date, a int")

    judgement = judge(staged, "silver.t", [rule("expect_column_values_to_be_between", column="a", min_value=0)], "day")

    assert judgement.counts == {"2013-01-01": DayCounts(1, 0, 1, 0), "null": DayCounts(1, 1, 0, 0)}


def test_where_no_row_leaves_the_rows_are_published_as_they_were_staged(spark):
    staged = spark.createDataFrame([(1,), (2,)], "a int")

    judgement = judge(staged, "silver.t", [rule("expect_column_values_to_be_between", column="a", min_value=0)], None)

    assert judgement.good(staged) is staged


def test_without_parting_rules_everything_stays(spark):
    staged = spark.createDataFrame([(1,)], "a int")

    judgement = judge(staged, "silver.t", [], None)

    assert judgement.counts == {"all": DayCounts(1, 1, 0, 0)}
    assert judgement.good(staged).count() == 1
    assert judgement.quarantined(staged).schema.simpleString() == "struct<a:int,_rules:array<string>>"
    assert judgement.quarantined(staged).count() == 0


@pytest.mark.parametrize(
    "broken",
    [
        rule("expect_column_values_to_be_increasing", column="a"),
        rule("expect_column_value_z_scores_to_be_less_than", column="a", threshold=3, double_sided=True),
        rule("expect_column_values_to_be_of_type", column="a", type_="IntegerType"),
        rule("expect_column_mean_to_be_between", column="a", min_value=1),
    ],
)
def test_a_rule_that_cannot_tell_single_rows_cannot_part_them(spark, broken):
    staged = spark.createDataFrame([(1,)], "a int")
    with pytest.raises(ContractError, match=rf"silver\.t: the rule .*{broken.expect}.*on_fail: stop or warn"):
        judge(staged, "silver.t", [broken], None)


@pytest.mark.parametrize("on_fail", ["quarantine", "warn"])
def test_an_expectation_that_great_expectations_has_not_on_spark_is_an_error(spark, on_fail):
    staged = spark.createDataFrame([("x",)], "code string")
    with pytest.raises(ContractError, match=r"silver\.t: the rule .*like_pattern.* no way to compute it on Spark"):
        judge(staged, "silver.t", [rule("expect_column_values_to_match_like_pattern", on_fail, column="code", like_pattern="x%")], None)


@pytest.mark.parametrize(
    "broken",
    [
        rule("expect_column_values_to_be_between", column="a", min_value=5, max_value=1),
        rule("expect_column_values_to_be_between", column="a"),
        rule("expect_column_values_to_be_between", column="a", min_value="many"),
        rule("expect_column_values_to_be_between", column="code", min_value=1),
        rule("expect_column_values_to_be_in_set", column="a", value_set="AA"),
        rule("expect_column_values_to_be_between", column="a", min_value=1, mostly=7),
        rule("expect_column_values_to_match_regex", column="code", regex="["),
        rule("expect_column_values_to_be_between", column="a", min_value=1, row_condition="there is no such"),
        rule("expect_column_mean_to_be_between", "stop", column="code", min_value=1),
        rule("expect_column_median_to_be_between", "stop", column="code", min_value=1),
    ],
    ids=lambda broken: f"{broken.expect[7:]}-{list(broken.arguments.values())[1:]}",
)
def test_arguments_of_the_wrong_kind_are_an_error_that_names_table_and_rule(spark, broken):
    staged = spark.createDataFrame([(1, "x"), (2, "y")], "a int, code string")
    well = rule("expect_column_values_to_be_between", name="well", column="a", min_value=0)
    with pytest.raises(ContractError, match=r"silver\.t: the rule ") as raised:
        judge(staged, "silver.t", [well, broken], None)
    assert broken.expect in str(raised.value)
    assert "\n" not in str(raised.value)
