"""Verdicts, values and counts of the pass, and the rows that leave, are stock Great Expectations' own, over every expectation, on generated rows.

A few examples run with the other tests; LAKE_TEST_EXAMPLES=200 runs so many, and not the same each time.
"""

from __future__ import annotations

import math
import os
from typing import Any

import pytest
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.validator.validator import Validator
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from expectations.errors import ContractError
from expectations.expectation_catalogue import usable
from spark_jobs.lake.gate import judge
from spark_jobs.lake.gate.great_expectations_rules import judge_of
from spark_jobs.lake.gate.lanes import WHOLE, lay_out
from spark_jobs.lake.gate.one_pass import aggregate
from spark_jobs.lake.gate.plan import judge_plan
from spark_jobs.lake.gate.stock import _exception_of
from tests.spark_jobs.lake.gate.generated import DAYS, SCHEMA, frames, rules

pytestmark = pytest.mark.spark
EXAMPLES = os.environ.get("LAKE_TEST_EXAMPLES")
generated = settings(
    max_examples=int(EXAMPLES or 4),
    derandomize=EXAMPLES is None,
    database=None,
    deadline=None,
    phases=[Phase.generate],  # a smaller example would take minutes to find, and what is told names the rule and the rows
    suppress_health_check=list(HealthCheck),
)
NO_EXAMPLES = {"result_format": "SUMMARY", "partial_unexpected_count": 0}
LISTED = {"result_format": "COMPLETE", "unexpected_index_column_names": ["id"], "partial_unexpected_count": 0}
KEYS = [*(day.isoformat() for day in DAYS), "null"]


def stock_results(rows, rules, result_format):
    """Rule to what stock Great Expectations says of it on these rows; to its error where it raises."""
    engine = SparkDFExecutionEngine(spark=rows.sparkSession, persist=False)
    engine.load_batch_data("day", rows)
    validator = Validator(execution_engine=engine)
    validator.metrics_calculator.show_progress_bars = False

    def validate(configurations):
        runtime = {"catch_exceptions": True, "result_format": result_format}
        results = validator.graph_validate(configurations=configurations, runtime_configuration=runtime)
        return {result.expectation_config.meta["rule"]: result for result in results}

    configurations = {}
    for rule in rules:
        configurations[rule.name] = judge_of("t", rule).expectation.configuration
        configurations[rule.name].meta = {"rule": rule.name}
    found = validate(list(configurations.values()))
    for name, result in found.items():
        if _exception_of(result.exception_info):  # whatever raises may take others with it that run in the same job
            found.update(validate([configurations[name]]))
    return {name: _exception_of(result.exception_info) or result for name, result in found.items()}


def pass_findings(staged, rules, day_column):
    """Day and rule to what the pass finds; every rule has to fit it."""
    lanes = lay_out(staged, day_column, [judge_of("t", rule) for rule in rules])
    assert [lane.judge.rule.name for lane in lanes.watching if lane.plan is None] == []
    days = aggregate(lanes, staged, KEYS if day_column else [WHOLE])
    return {(day, lane.judge.rule.name): judge_plan(lanes.engine, lane.plan, values.staying) for day, values in days.items() for lane in lanes.watching}


def rows_of(staged, key):
    return staged if key == WHOLE else staged.filter(F.coalesce(F.col("day").cast("string"), F.lit("null")) == key)


def is_same(one: Any, other: Any) -> bool:
    """The same value; of figures, up to the order in which they were added up."""
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return str(one) == str(other)


def differences(rule, fast, stock):
    facts = stock.result or {}
    pairs = {"success": (fast.success, bool(stock.success)), "observed": (fast.observed, facts.get("observed_value"))}
    if usable()[rule.expect]["judges_rows"]:
        pairs |= {"broken": (fast.broken, facts["unexpected_count"] or 0), "judged": (fast.judged, facts["element_count"])}
    return {what: pair for what, pair in pairs.items() if not is_same(*pair)}


@generated
@given(frame=frames(), asked=rules(), more=rules(parts_rows=True), by_day=st.booleans())
def test_each_day_is_judged_by_the_pass_as_stock_great_expectations_judges_the_rows_of_that_day_alone(spark, frame, asked, more, by_day):
    staged = spark.createDataFrame(frame, SCHEMA)
    asked = [*asked, *(rule.model_copy(update={"name": f"more {rule.name}"}) for rule in more)]
    stock = {key: stock_results(rows_of(staged, key), asked, NO_EXAMPLES) for key in (KEYS if by_day else [WHOLE])}
    raising = {name for results in stock.values() for name, result in results.items() if isinstance(result, str)}
    for rule in asked:
        if rule.name in raising:
            with pytest.raises(ContractError, match="cannot be judged"):
                judge(staged, "t", [rule], "day" if by_day else None)
    judged = [rule for rule in asked if rule.name not in raising]

    fast = pass_findings(staged, judged, "day" if by_day else None)

    wrong = [
        (key, rule.expect, rule.arguments, found)
        for key, results in stock.items()
        for rule in judged
        if (found := differences(rule, fast[key, rule.name], results[rule.name]))
    ]
    assert wrong == [], frame


@generated
@given(frame=frames(), asked=rules(parts_rows=True))
def test_the_rows_that_leave_are_those_that_stock_great_expectations_lists(spark, frame, asked):
    staged = spark.createDataFrame(frame, SCHEMA)
    parting = [rule.model_copy(update={"on_fail": "quarantine"}) for rule in asked]
    stock = {key: stock_results(rows_of(staged, key), asked, LISTED) for key in KEYS}
    listed = {rule.name: sorted(row["id"] for key in KEYS for row in stock[key][rule.name].result.get("unexpected_index_list") or ()) for rule in asked}

    judgement = judge(staged, "t", parting, "day", KEYS[:-1])

    left = {row["id"]: row["_rules"] for row in judgement.quarantined(staged).collect()}
    assert {rule.name: sorted(number for number, broken in left.items() if rule.name in broken) for rule in asked} == listed, frame
    stays = sorted(row["id"] for row in judgement.good(staged).select("id").collect())
    assert stays == sorted({row[0] for row in frame} - {number for ids in listed.values() for number in ids})
