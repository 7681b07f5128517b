"""The slow way: Great Expectations as it comes, on the rows of one day, for rules that do not fit the pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.validator.validator import Validator

from spark_jobs.lake.gate.plan import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame

    from spark_jobs.lake.gate.great_expectations_rules import Judge

RUNTIME = {
    "catch_exceptions": True,
    "result_format": {"result_format": "SUMMARY", "partial_unexpected_count": 0},  # 0: no job for examples
}


def judge_stock(rows: DataFrame, judges: Sequence[Judge]) -> list[Finding]:
    """One finding a rule, in order. Raises ContractError where Great Expectations itself cannot judge a rule on these rows."""
    engine = SparkDFExecutionEngine(spark=rows.sparkSession, persist=False)
    engine.load_batch_data("day", rows)
    # What a batch's own validate() ends in; a data context around it would only make folders for its documents.
    validator = Validator(execution_engine=engine)
    validator.metrics_calculator.show_progress_bars = False
    found: list[Finding] = []
    for judge in judges:
        (result,) = validator.graph_validate(configurations=[judge.expectation.configuration], runtime_configuration=dict(RUNTIME))
        found.append(_finding(judge, result))
    return found


def _finding(judge: Judge, result: Any) -> Finding:
    raised = _exception_of(result.exception_info)
    if raised:
        raise judge.fault(raised, "mend the rule or the column's type.")
    facts = result.result or {}
    return Finding(
        success=bool(result.success),
        observed=facts.get("observed_value"),
        judged=int(facts.get("element_count") or 0),
        broken=int(facts.get("unexpected_count") or 0),
    )


def _exception_of(info: Any) -> str | None:
    """Great Expectations swallows exceptions and tells of them in one of two shapes."""
    if not info:
        return None
    shapes = [info] if "raised_exception" in info else [entry for entry in info.values() if isinstance(entry, dict)]
    return next((str(shape.get("exception_message")) for shape in shapes if shape.get("raised_exception")), None)
