"""Each day is judged on its own, over the rows that stay."""

from __future__ import annotations

from datetime import date

import pytest

from expectations.rule import Rule
from spark_jobs.lake.gate import DayCounts, judge

pytestmark = pytest.mark.spark
FIRST, SECOND, THIRD = date(2013, 1, 1), date(2013, 1, 2), date(2013, 1, 3)
FRAME = "day date, code string, a int"


def rule(expect, on_fail="stop", **arguments):
    return Rule.model_validate({"expect": expect, "on_fail": on_fail, **arguments})


def test_of_two_days_the_broken_one_is_held_and_the_other_is_not(spark):
    staged = spark.createDataFrame([(FIRST, "x", 1), (FIRST, "y", 2), (SECOND, "x", 3)], FRAME)

    judgement = judge(staged, "silver.t", [rule("expect_table_row_count_to_be_between", min_value=2)], "day")

    assert judgement.held == {"2013-01-02": ["table_row_count_to_be_between: found 1, expected expect_table_row_count_to_be_between (min_value 2)."]}
    assert [(v.day, v.success, v.observed, v.rows_judged) for v in judgement.verdicts] == [
        ("2013-01-01", True, "2", 2),
        ("2013-01-02", False, "1", 1),
    ]


def test_a_stop_rule_sees_only_the_rows_that_quarantine_left(spark):
    staged = spark.createDataFrame([(FIRST, "x", -100), (FIRST, "y", 2), (FIRST, "y", -3)], FRAME)
    rules = [
        rule("expect_column_values_to_be_between", "quarantine", column="a", min_value=0),
        rule("expect_column_min_to_be_between", column="a", min_value=0),
        rule("expect_column_values_to_be_unique", column="code"),
        rule("expect_table_row_count_to_be_between", min_value=2),
    ]

    judgement = judge(staged, "silver.t", rules, "day")

    assert judgement.counts == {"2013-01-01": DayCounts(3, 1, 2, 0)}
    assert [(v.rule, v.success, v.rows_judged) for v in judgement.verdicts] == [
        ("column_values_to_be_between(a)", False, 3),
        ("column_min_to_be_between(a)", True, 1),
        ("column_values_to_be_unique(code)", True, 1),
        ("table_row_count_to_be_between", False, 1),
    ]
    assert len(judgement.held["2013-01-01"]) == 1


def test_a_day_that_lost_all_its_rows_is_judged_on_none(spark):
    staged = spark.createDataFrame([(FIRST, "x", -1), (SECOND, "x", 1)], FRAME)
    rules = [
        rule("expect_column_values_to_be_between", "quarantine", column="a", min_value=0),
        rule("expect_column_mean_to_be_between", column="a", min_value=0),
    ]

    judgement = judge(staged, "silver.t", rules, "day")

    assert judgement.held == {"2013-01-01": ["column_mean_to_be_between(a): found nothing, expected expect_column_mean_to_be_between (column a, min_value 0)."]}


def test_a_key_is_unique_within_its_day(spark):
    staged = spark.createDataFrame([(FIRST, "x", 1), (SECOND, "x", 1), (THIRD, "x", 1), (THIRD, "x", 1)], FRAME)
    rules = [
        rule("expect_column_values_to_be_unique", column="code"),
        rule("expect_compound_columns_to_be_unique", column_list=["code", "a"], ignore_row_if="never"),
    ]

    judgement = judge(staged, "silver.t", rules, "day")

    assert judgement.held == {
        "2013-01-03": [
            'column_values_to_be_unique(code): 2 of 2 rows break expect_column_values_to_be_unique (column code), for example code = "x".',
            "compound_columns_to_be_unique(code, a): 2 of 2 rows break expect_compound_columns_to_be_unique "
            '(column_list ["code", "a"], ignore_row_if never), for example code = "x", a = 1.',
        ]
    }


def test_a_key_of_nulls_is_a_key_where_nothing_is_ignored(spark):
    staged = spark.createDataFrame([(FIRST, None, None), (FIRST, None, None), (SECOND, None, None)], FRAME)
    ignoring = rule("expect_compound_columns_to_be_unique", name="ignoring", column_list=["code", "a"])
    strict = rule("expect_compound_columns_to_be_unique", name="strict", column_list=["code", "a"], ignore_row_if="never")

    judgement = judge(staged, "silver.t", [ignoring, strict], "day")

    assert [(v.day, v.rule, v.rows_broken) for v in judgement.verdicts if not v.success] == [("2013-01-01", "strict", 2)]


def test_a_failed_row_rule_shows_at_most_five_different_examples(spark):
    rows = [(FIRST, "x", -n) for n in range(1, 9)] + [(FIRST, "x", 1), (SECOND, None, -7)]
    asked = rule("expect_column_values_to_be_between", column="a", min_value=0, mostly=0.5)

    judgement = judge(spark.createDataFrame(rows, FRAME), "silver.t", [asked], "day")

    assert [len(sentences) for sentences in judgement.held.values()] == [1, 1]
    first, second = judgement.held["2013-01-01"][0], judgement.held["2013-01-02"][0]
    assert first.startswith("column_values_to_be_between(a): 8 of 9 rows break expect_column_values_to_be_between (column a, ")
    assert first.count("a = ") == 5
    assert second.endswith("for example a = -7.")


def test_at_most_is_a_number_of_rows_that_a_day_may_have(spark):
    staged = spark.createDataFrame([(FIRST, "x", -1), (FIRST, "x", -2), (SECOND, "x", -1), (SECOND, "x", -2), (SECOND, "x", -3)], FRAME)
    asked = [rule("expect_column_values_to_be_between", on_fail, name=on_fail, column="a", min_value=0, at_most=2) for on_fail in ("stop", "quarantine")]

    judgement = judge(staged, "silver.t", asked[:1], "day")
    parting = judge(staged, "silver.t", asked[1:], "day")

    limits = "break expect_column_values_to_be_between (column a, min_value 0, at_most 2), for example a = -1; a = -2; a = -3."
    assert judgement.held == {"2013-01-02": [f"stop: 3 of 3 rows {limits}"]}
    assert parting.held == {"2013-01-02": [f"quarantine: 3 of 3 rows {limits}"]}
    assert [verdict.success for verdict in (*judgement.verdicts, *parting.verdicts)] == [True, False] * 2


def test_a_warning_holds_nothing(spark):
    staged = spark.createDataFrame([(FIRST, "x", -1)], FRAME)

    judgement = judge(staged, "silver.t", [rule("expect_column_values_to_be_between", "warn", column="a", min_value=0)], "day")

    assert (judgement.held, [v.success for v in judgement.verdicts]) == ({}, [False])


def test_rules_that_do_not_fit_the_pass_are_judged_for_each_day_too(spark):
    staged = spark.createDataFrame([(FIRST, "x", 1), (FIRST, "y", 2), (FIRST, "z", -9), (SECOND, "x", 30), (SECOND, "x", 31)], FRAME)
    rules = [
        rule("expect_column_values_to_be_between", "quarantine", column="a", min_value=0),
        rule("expect_column_median_to_be_between", column="a", max_value=5),
        rule("expect_column_quantile_values_to_be_between", column="a", quantile_ranges={"quantiles": [0, 1], "value_ranges": [[0, 9], [0, 9]]}),
        rule("expect_column_distinct_values_to_be_in_set", column="code", value_set=["x", "y"]),
        rule("expect_column_distinct_values_to_equal_set", column="code", value_set=["x", "y"]),
        rule("expect_column_most_common_value_to_be_in_set", column="code", value_set=["x"], ties_okay=True),
        rule("expect_column_value_z_scores_to_be_less_than", column="a", threshold=3, double_sided=True),
        rule("expect_column_values_to_be_increasing", column="a"),
    ]

    judgement = judge(staged, "silver.t", rules, "day")

    assert {day: [sentence.split("(")[0] for sentence in sentences] for day, sentences in judgement.held.items()} == {
        "2013-01-02": ["column_median_to_be_between", "column_quantile_values_to_be_between", "column_distinct_values_to_equal_set"]
    }
    assert {v.rows_judged for v in judgement.verdicts if v.on_fail == "stop"} == {2}


def test_an_empty_candidate_without_days_is_judged_on_no_rows(spark):
    staged = spark.createDataFrame([], FRAME)
    rules = [rule("expect_table_row_count_to_be_between", min_value=1), rule("expect_column_values_to_be_unique", column="code")]

    judgement = judge(staged, "silver.t", rules, None)

    assert judgement.counts == {"all": DayCounts(0, 0, 0, 0)}
    assert [(v.rule, v.success) for v in judgement.verdicts] == [
        ("table_row_count_to_be_between", False),
        ("column_values_to_be_unique(code)", True),
    ]
    assert list(judgement.held) == ["all"]


def test_an_empty_candidate_with_days_has_no_day(spark):
    judgement = judge(spark.createDataFrame([], FRAME), "silver.t", [rule("expect_table_row_count_to_be_between", min_value=1)], "day")

    assert (judgement.counts, judgement.verdicts, judgement.held) == ({}, [], {})


def test_nested_columns_are_shown_and_counted(spark):
    staged = spark.createDataFrame([(FIRST, {"k": "v"}), (FIRST, None)], "day date, parameters map<string,string>")

    judgement = judge(staged, "silver.t", [rule("expect_column_values_to_not_be_null", column="parameters")], "day")

    assert judgement.held["2013-01-01"] == [
        "column_values_to_not_be_null(parameters): 1 of 2 rows break expect_column_values_to_not_be_null (column parameters), for example parameters = null."
    ]
