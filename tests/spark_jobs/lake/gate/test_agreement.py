"""What the one pass finds is what stock Great Expectations finds."""

from __future__ import annotations

import logging
from datetime import date, datetime
from decimal import Decimal
from importlib.metadata import version

import pytest

from expectations.errors import ContractError
from expectations.rule import Rule
from spark_jobs.lake.gate import agreement, judge
from spark_jobs.lake.gate.agreement import REPRESENTATIVE, ROWS, SCHEMA
from spark_jobs.lake.gate.great_expectations_rules import judge_of
from spark_jobs.lake.gate.lanes import WHOLE, lay_out
from spark_jobs.lake.gate.stock import judge_stock
from tests.spark_jobs.lake.gate.comparing import NO_EXAMPLES, differences, pass_findings, stock_results

pytestmark = pytest.mark.spark
NAN = float("nan")
FRAME = "code string, a int, b int, x double, big bigint, price decimal(10,2), at timestamp, day date, yes boolean"
WILD = [
    ("AA", 1, 1, 1.5, 10, None, datetime(2013, 1, 1, 5), date(2013, 1, 1), True),
    ("AA", 2, 1, NAN, 10, Decimal("1"), datetime(2013, 1, 1, 6), date(2013, 1, 1), True),
    ("", 3, None, None, 2**62, Decimal("2"), None, date(2013, 1, 2), False),
    (None, None, None, -0.0, 2**62, Decimal("3"), datetime(2013, 3, 10, 2), None, None),
    (" b ", None, 4, 0.0, -1, Decimal("4"), datetime(2013, 3, 10, 2), date(2013, 2, 1), True),
    ("été", -5, -5, NAN, None, Decimal("4"), datetime(2014, 1, 1), date(2014, 1, 1), False),
    ("12", 6, 7, float("inf"), 0, Decimal("5"), datetime(2014, 1, 1), date(2014, 1, 1), False),
    (None, None, None, None, None, None, None, None, None),
]
ASKED = [
    ("column_values_to_not_be_null", {"column": "code"}),
    ("column_values_to_not_be_null", {"column": "code", "mostly": 0.7}),
    ("column_values_to_be_null", {"column": "code"}),
    ("column_values_to_be_between", {"column": "x", "min_value": 0, "max_value": 2}),
    ("column_values_to_be_between", {"column": "x", "max_value": 2, "mostly": 0.5}),
    ("column_values_to_be_between", {"column": "price", "min_value": 1.5, "strict_min": True}),
    ("column_values_to_be_between", {"column": "day", "min_value": date(2013, 1, 1), "max_value": date(2013, 12, 31)}),
    ("column_values_to_be_between", {"column": "day", "min_value": "2013-01-01", "max_value": "2013-12-31"}),
    ("column_values_to_be_between", {"column": "at", "min_value": datetime(2013, 1, 1, 5, 30), "max_value": "2013-12-31 12:00"}),
    ("column_values_to_be_in_set", {"column": "code", "value_set": ["AA", "", "12"]}),
    ("column_values_to_be_in_set", {"column": "day", "value_set": [date(2013, 1, 1), "2013-01-02"]}),
    ("column_values_to_be_in_set", {"column": "yes", "value_set": [True]}),
    ("column_values_to_not_be_in_set", {"column": "a", "value_set": [1, 6]}),
    ("column_values_to_match_regex", {"column": "code", "regex": "^[A-Z]+$"}),
    ("column_values_to_match_regex", {"column": "code", "regex": "A", "row_condition": "a > 1"}),
    ("column_values_to_not_match_regex", {"column": "code", "regex": "[0-9]", "mostly": 0.9}),
    ("column_value_lengths_to_be_between", {"column": "code", "min_value": 1, "max_value": 3}),
    ("column_value_lengths_to_equal", {"column": "code", "value": 2}),
    ("column_values_to_be_unique", {"column": "code"}),
    ("column_values_to_be_unique", {"column": "x"}),
    ("column_values_to_be_unique", {"column": "code", "row_condition": "x is null or x < 1", "mostly": 0.4}),
    ("compound_columns_to_be_unique", {"column_list": ["code", "b"]}),
    ("compound_columns_to_be_unique", {"column_list": ["code", "b"], "ignore_row_if": "never"}),
    ("compound_columns_to_be_unique", {"column_list": ["code", "b"], "ignore_row_if": "any_value_is_missing"}),
    ("compound_columns_to_be_unique", {"column_list": ["x", "yes"], "row_condition": "a is null"}),
    ("select_column_values_to_be_unique_within_record", {"column_list": ["a", "b"]}),
    ("multicolumn_sum_to_equal", {"column_list": ["a", "b"], "sum_total": 2}),
    ("column_pair_values_to_be_equal", {"column_A": "a", "column_B": "b", "ignore_row_if": "neither"}),
    ("column_pair_values_to_be_equal", {"column_A": "a", "column_B": "b", "ignore_row_if": "both_values_are_missing"}),
    ("column_pair_values_a_to_be_greater_than_b", {"column_A": "a", "column_B": "b", "ignore_row_if": "either_value_is_missing"}),
    ("column_pair_values_to_be_in_set", {"column_A": "a", "column_B": "b", "value_pairs_set": [[1, 1], [3, None]]}),
    ("column_mean_to_be_between", {"column": "a", "min_value": 1, "max_value": 2}),
    ("column_mean_to_be_between", {"column": "x", "min_value": 1, "max_value": 2}),
    ("column_mean_to_be_between", {"column": "a", "min_value": 2, "row_condition": "code = 'AA'"}),
    ("column_mean_to_be_between", {"column": "a", "min_value": 2, "row_condition": "false"}),
    ("column_sum_to_be_between", {"column": "big", "min_value": 1}),
    ("column_sum_to_be_between", {"column": "price", "max_value": 19}),
    ("column_stdev_to_be_between", {"column": "a", "min_value": 1, "max_value": 4}),
    ("column_min_to_be_between", {"column": "day", "min_value": date(2013, 1, 1)}),
    ("column_max_to_be_between", {"column": "at", "max_value": "2013-12-31"}),
    ("column_max_to_be_between", {"column": "x", "max_value": 100}),
    ("column_unique_value_count_to_be_between", {"column": "code", "min_value": 5, "max_value": 5}),
    ("column_proportion_of_unique_values_to_be_between", {"column": "code", "min_value": 0.9}),
    ("column_proportion_of_unique_values_to_be_between", {"column": "code", "min_value": 0.9, "row_condition": "a > 1"}),
    ("column_proportion_of_non_null_values_to_be_between", {"column": "x", "min_value": 0.7}),
    ("column_proportion_of_non_null_values_to_be_between", {"column": "x", "min_value": 0.7, "row_condition": "code is not null"}),
    ("table_row_count_to_be_between", {"min_value": 1, "max_value": 7}),
    ("table_row_count_to_equal", {"value": 3, "row_condition": "a > 1"}),
    ("table_column_count_to_equal", {"value": 9}),
    ("table_columns_to_match_set", {"column_set": ["code", "a"], "exact_match": False}),
    ("column_to_exist", {"column": "yes"}),
    ("column_values_to_be_of_type", {"column": "a", "type_": "IntegerType"}),
    ("column_values_to_be_in_type_list", {"column": "a", "type_list": ["StringType"]}),
]


def rules(on_fail="warn"):
    return [
        Rule.model_validate({"expect": f"expect_{name}", "on_fail": on_fail, "name": f"{number} {name}", **arguments})
        for number, (name, arguments) in enumerate(ASKED)
    ]


def wrong(spark, rows):
    """The rules of which the pass and stock Great Expectations do not find the same; stock judges all of them in one validation."""
    staged, asked = spark.createDataFrame(rows, FRAME), rules()
    fast, stock = pass_findings(staged, asked, None, [WHOLE]), stock_results(staged, asked, NO_EXAMPLES)
    return [(rule.name, rule.arguments, found) for rule in asked if (found := differences(rule, fast[WHOLE, rule.name], stock[rule.name]))]


def test_the_pass_judges_a_wild_frame_as_stock_great_expectations_does(spark):
    assert wrong(spark, WILD) == []


def test_the_pass_judges_rows_without_any_value_as_stock_great_expectations_does(spark):
    assert wrong(spark, [(None,) * 9, (None,) * 9]) == []


def test_the_pass_judges_no_rows_at_all_as_stock_great_expectations_does(spark):
    assert wrong(spark, []) == []


@pytest.mark.parametrize(
    "asked",
    [
        {"expect": "expect_column_values_to_match_json_schema", "column": "code", "json_schema": {"type": "array"}},
        {"expect": "expect_column_values_to_match_strftime_format", "column": "day", "strftime_format": "%Y"},
        {"expect": "expect_column_values_to_be_between", "column": "code", "min_value": date(2013, 1, 1)},
        {"expect": "expect_column_mean_to_be_between", "column": "code", "min_value": 1},
    ],
    ids=lambda asked: asked["expect"],
)
def test_where_great_expectations_raises_on_the_rows_the_pass_refuses_too(spark, asked):
    staged = spark.createDataFrame(WILD, FRAME)
    rule = Rule.model_validate({**asked, "on_fail": "warn"})

    with pytest.raises(ContractError, match=r"silver\.t: the rule .* cannot be judged"):
        judge(staged, "silver.t", [rule], None)
    with pytest.raises(ContractError, match=r"silver\.t: the rule .* cannot be judged"):
        judge_stock(staged, [judge_of("silver.t", rule)])


def test_the_locked_version_is_the_one_that_these_tests_compare():
    assert version("great-expectations") == agreement.VERSION


def test_another_version_is_compared_on_ten_rows_once_a_process(spark, monkeypatch):
    monkeypatch.setattr(agreement, "version", lambda _: "9.9.9")

    assert len(ROWS) == 10
    assert agreement.pass_is_trusted(spark)
    assert agreement._self_check.cache_info().currsize == 1


def test_where_the_comparison_fails_stock_great_expectations_judges_everything(spark, monkeypatch, caplog):
    monkeypatch.setattr(agreement, "version", lambda _: "9.9.10")
    monkeypatch.setattr(agreement, "agree", lambda fast, stock: False)
    staged = spark.createDataFrame([(date(2013, 1, 1), -1), (date(2013, 1, 1), 5), (date(2013, 1, 1), 5)], "day date, a int")
    asked = [
        {"expect": "expect_column_values_to_be_between", "column": "a", "min_value": 0, "on_fail": "quarantine"},
        {"expect": "expect_column_values_to_be_unique", "column": "a", "on_fail": "stop"},
    ]

    with caplog.at_level(logging.WARNING):
        judgement = judge(staged, "silver.t", [Rule.model_validate(facts) for facts in asked], "day")

    assert "9.9.10 does not fit the one pass" in caplog.text
    assert [(verdict.rows_judged, verdict.rows_broken) for verdict in judgement.verdicts] == [(3, 1), (2, 2)]
    assert list(judgement.held) == ["2013-01-01"]


def test_the_representative_expectations_fit_the_pass(spark):
    asked = [judge_of("self-check", Rule.model_validate({**facts, "on_fail": "warn"})) for facts in REPRESENTATIVE]

    lanes = lay_out(spark.createDataFrame(ROWS, SCHEMA), None, asked)

    assert [lane.judge.rule.expect for lane in lanes.watching if lane.plan is not None] == [facts["expect"] for facts in REPRESENTATIVE]
