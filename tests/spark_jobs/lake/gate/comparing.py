"""What the one pass and stock Great Expectations find on the same rows, and where they differ."""

from __future__ import annotations

import math
from typing import Any

from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.validator.validator import Validator

from expectations.expectation_catalogue import usable
from spark_jobs.lake.gate.great_expectations_rules import judge_of
from spark_jobs.lake.gate.lanes import lay_out
from spark_jobs.lake.gate.one_pass import aggregate
from spark_jobs.lake.gate.plan import judge_plan
from spark_jobs.lake.gate.stock import _exception_of

NO_EXAMPLES = {"result_format": "SUMMARY", "partial_unexpected_count": 0}


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


def pass_findings(staged, rules, day_column, days):
    """Day and rule to what the pass finds, also of `days` without rows; every rule has to fit it."""
    lanes = lay_out(staged, day_column, [judge_of("t", rule) for rule in rules])
    assert [lane.judge.rule.name for lane in lanes.watching if lane.plan is None] == []
    days = aggregate(lanes, staged, days)
    return {(day, lane.judge.rule.name): judge_plan(lanes.engine, lane.plan, values.staying) for day, values in days.items() for lane in lanes.watching}


def is_same(one: Any, other: Any) -> bool:
    """The same value; of figures, up to the order in which they were added up."""
    if isinstance(one, float) and isinstance(other, float):
        return (math.isnan(one) and math.isnan(other)) or math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return str(one) == str(other)


def differences(rule, fast, stock):
    """What of success, value and counts the pass and stock Great Expectations do not agree on: the name of it to both values."""
    facts = stock.result or {}
    pairs = {"success": (fast.success, bool(stock.success)), "observed": (fast.observed, facts.get("observed_value"))}
    if usable()[rule.expect]["judges_rows"]:
        pairs |= {"broken": (fast.broken, facts["unexpected_count"] or 0), "judged": (fast.judged, facts["element_count"])}
    return {what: pair for what, pair in pairs.items() if not is_same(*pair)}
