"""The slow way: Great Expectations as it comes, on the rows of one day, for rules that do not fit the pass."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import great_expectations as gx

from spark_jobs.lake.gate.plan import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame

    from spark_jobs.lake.gate.great_expectations_rules import Judge

RESULT = {"result_format": "SUMMARY", "partial_unexpected_count": 0}  # 0: no job for examples


def judge_stock(rows: DataFrame, judges: Sequence[Judge]) -> list[Finding]:
    """One finding a rule, in order. Raises ContractError where Great Expectations itself cannot judge a rule on these rows."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_spark(name=f"gate-{uuid.uuid4().hex}", persist=False)
    batch = source.add_dataframe_asset(name="rows").add_batch_definition_whole_dataframe("rows")
    batch = batch.get_batch({"dataframe": rows})
    return [_finding(judge, batch.validate(judge.expectation, result_format=RESULT)) for judge in judges]


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
