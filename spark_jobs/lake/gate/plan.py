"""Great Expectations' own metrics as Spark columns, taken without a job, and its own verdict on their values.

An expectation is judged from metrics; a metric on Spark is a column. The engine here hands over those columns instead of
running them, so that the metrics of all rules of a table fit in one aggregation. It works on Great Expectations' internals:
`agreement.py` keeps it honest, `stock.py` judges what does not fit.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from great_expectations.exceptions.exceptions import MetricResolutionError
from great_expectations.execution_engine.sparkdf_batch_data import SparkDFBatchData
from great_expectations.execution_engine.sparkdf_execution_engine import SparkDFExecutionEngine
from great_expectations.expectations.registry import get_metric_provider
from great_expectations.util import convert_to_json_serializable
from great_expectations.validator.metric_configuration import MetricConfiguration, MetricConfigurationID
from great_expectations.validator.validation_graph import ValidationGraph
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from collections.abc import Mapping

    from great_expectations.expectations.expectation import Expectation
    from pyspark.sql import Column, SparkSession
    from pyspark.sql.types import StructType

MetricId = MetricConfigurationID
BATCH = "staged"
COUNTS = (".unexpected_count", ".filtered_row_count")
ROW_COUNT = "table.row_count"
DERIVED = {"column.non_null_proportion", "column.unique_proportion"}
"""Metrics that are plain arithmetic on the values of others."""
GUARDED = "__gate_guarded_"
"""Columns that are null outside of the rule's row_condition, so that an aggregate over them needs no filter."""
COUNTS_ONLY = {"result_format": "BOOLEAN_ONLY"}
"""Row rules: from BASIC on they would ask for examples, which are jobs."""
VALUES = {"result_format": "BASIC"}
"""Other rules: they tell their observed value only from BASIC on."""


class DoesNotFit(Exception):
    """This expectation needs a job of its own."""


class Outline:
    """A frame that has columns but no rows: it notes the filters put on it, and whatever would run a job fails."""

    def __init__(self, schema: StructType, conditions: tuple[Column, ...] = ()) -> None:
        self.schema, self.conditions = schema, conditions

    @property
    def columns(self) -> list[str]:
        """The columns' names."""
        return self.schema.names

    def filter(self, condition: Any) -> Outline:
        """The rows for which `condition` (a column, or SQL text) is true."""
        column = F.expr(condition) if isinstance(condition, str) else condition
        return Outline(self.schema, (*self.conditions, F.coalesce(column, F.lit(False))))

    where = filter

    def __getitem__(self, names: list[str]) -> Outline:
        return Outline(type(self.schema)([self.schema[str(name)] for name in names]), self.conditions)

    @property
    def condition(self) -> Column | None:
        """True for the rows that the filters keep; None where there is no filter."""
        if not self.conditions:
            return None
        joined = self.conditions[0]
        for condition in self.conditions[1:]:
            joined = joined & condition
        return joined


class ColumnEngine(SparkDFExecutionEngine):
    """Great Expectations' Spark engine, over an outline: it resolves what is a column and runs nothing."""

    def __init__(self, spark: SparkSession, schema: StructType) -> None:
        super().__init__(spark=spark, persist=False)
        self.load_batch_data(BATCH, SparkDFBatchData(self, Outline(schema)))

    def domain(self, domain_kwargs: Mapping[str, Any]) -> Column | None:
        """Which rows a metric is about (row_condition, ignore_row_if); None for all."""
        condition: Column | None = self.get_domain_records(dict(domain_kwargs)).condition
        return condition


@dataclass
class Plan:
    """The metrics of one expectation.

    `known`: what the schema alone tells. `counts`: conditions to be counted (None counts all rows). `aggregates`: columns to be
    aggregated. `derived`: arithmetic on the others. `broken`: true for the rows that break a row rule.
    """

    expectation: Expectation
    known: dict[MetricId, Any] = field(default_factory=dict)
    counts: dict[MetricId, Column | None] = field(default_factory=dict)
    aggregates: dict[MetricId, Column] = field(default_factory=dict)
    derived: list[MetricConfiguration] = field(default_factory=list)
    broken: Column | None = None
    broken_id: MetricId | None = None
    judged_id: MetricId | None = None
    wanted: dict[str, MetricId] = field(default_factory=dict)
    """What the expectation calls the metrics it judges by."""
    result_format: dict[str, str] = field(default_factory=lambda: COUNTS_ONLY)


@dataclass(frozen=True)
class Finding:
    """What an expectation says of some rows: GX's own success and observed value, rows looked at and rows that break it."""

    success: bool
    observed: Any
    judged: int
    broken: int


def plan_of(engine: ColumnEngine, expectation: Expectation) -> Plan:
    """The columns that the expectation needs.

    Raises DoesNotFit where it needs a job of its own, GreatExpectationsError where it cannot be judged on these columns.
    """
    graph = ValidationGraph(execution_engine=engine)
    plan = Plan(expectation)
    wanted = _wanted(engine, expectation, COUNTS_ONLY)
    if _own_count(expectation) not in wanted:
        wanted, plan.result_format = _wanted(engine, expectation, VALUES), VALUES
    plan.wanted = {name: metric.id for name, metric in wanted.items()}
    for metric in wanted.values():
        graph.build_metric_dependency_graph(metric, runtime_configuration={"result_format": plan.result_format})
    metrics = {metric.id: metric for edge in graph.edges for metric in (edge.left, edge.right) if metric is not None}
    pending = dict(metrics)
    while pending:
        ready = [metric for metric in pending.values() if not any(d.id in pending for d in metric.metric_dependencies.values())]
        if not ready:
            raise DoesNotFit("its metrics wait for each other")
        for metric in ready:
            _take(engine, plan, metric)
            del pending[metric.id]
    _note_rows(expectation, plan, metrics)
    return plan


def judge_plan(engine: ColumnEngine, plan: Plan, values: Mapping[MetricId, Any]) -> Finding:
    """The expectation's own verdict on the values of its metrics."""
    metrics: dict[MetricId, Any] = {**plan.known}
    for metric_id in (*plan.counts, *plan.aggregates):
        metrics[metric_id] = convert_to_json_serializable(values.get(metric_id))
    for metric in plan.derived:
        metrics.update(engine.resolve_metrics([metric], metrics))
    runtime = {"result_format": plan.result_format}
    named = {name: metrics[metric_id] for name, metric_id in plan.wanted.items()}
    # What metrics_validate() ends in; that would first find out anew, for each day, what is in `wanted`.
    result: Any = plan.expectation._validate(metrics=named, runtime_configuration=runtime, execution_engine=engine)
    facts = result if isinstance(result, dict) else {"success": result.success, "result": result.result}
    return Finding(
        success=bool(facts["success"]),
        observed=(facts.get("result") or {}).get("observed_value"),
        judged=int(metrics.get(plan.judged_id) or 0) if plan.judged_id else 0,
        broken=int(metrics.get(plan.broken_id) or 0) if plan.broken_id else 0,
    )


def _wanted(engine: ColumnEngine, expectation: Expectation, result_format: dict[str, str]) -> dict[str, MetricConfiguration]:
    runtime = {"result_format": result_format}
    wanted = expectation.get_validation_dependencies(execution_engine=engine, runtime_configuration=runtime)
    metrics: dict[str, MetricConfiguration] = wanted.metric_configurations
    return metrics


def _own_count(expectation: Expectation) -> str:
    return f"{getattr(expectation, 'map_metric', None)}.unexpected_count"


def _take(engine: ColumnEngine, plan: Plan, metric: MetricConfiguration) -> None:
    if metric.metric_name == ROW_COUNT:
        plan.counts[metric.id] = engine.domain(metric.metric_domain_kwargs)
    elif metric.metric_name.endswith(COUNTS):
        _take_count(engine, plan, metric)
    elif metric.metric_name in DERIVED:
        plan.derived.append(metric)
    elif metric.metric_name.endswith(".aggregate_fn") and ".unexpected_count" in metric.metric_name:
        pass  # counted from its condition
    else:
        _take_column(engine, plan, metric)


def _take_count(engine: ColumnEngine, plan: Plan, metric: MetricConfiguration) -> None:
    condition, compute, accessor = plan.known[_condition_of(metric).id]
    inside = engine.domain({**compute, **accessor})
    if metric.metric_name.endswith(".filtered_row_count"):
        plan.counts[metric.id] = inside
        return
    broken = F.coalesce(condition, F.lit(False))
    plan.counts[metric.id] = broken if inside is None else inside & broken


def _condition_of(metric: MetricConfiguration) -> MetricConfiguration:
    """The condition that a count counts: a dependency, or a dependency of its aggregate function."""
    stack: list[MetricConfiguration] = list(metric.metric_dependencies.values())
    own = metric.metric_name.rsplit(".", 1)[0] + ".condition"
    while stack:
        found = stack.pop()
        if found.metric_name == own:
            return found
        stack.extend(found.metric_dependencies.values())
    raise DoesNotFit(f"{metric.metric_name} counts no condition")


def _take_column(engine: ColumnEngine, plan: Plan, metric: MetricConfiguration) -> None:
    """A metric that is a column, or known from the schema."""
    _, function = get_metric_provider(metric_name=metric.metric_name, execution_engine=engine)
    if function is None:  # the column of its aggregate function is what Great Expectations would run
        column, compute, _ = plan.known[metric.metric_dependencies["metric_partial_fn"].id]
        if engine.domain(compute) is not None and not str(metric.metric_domain_kwargs.get("column")).startswith(GUARDED):
            raise DoesNotFit(f"{metric.metric_name} on some of the rows")
        plan.aggregates[metric.id] = column
        return
    waits = [d for d in metric.metric_dependencies.values() if d.id not in plan.known and d.metric_name != ROW_COUNT]
    if waits:
        raise DoesNotFit(f"{metric.metric_name} needs the value of {waits[0].metric_name} first")
    placed = {**plan.known, **{d.id: None for d in metric.metric_dependencies.values() if d.id not in plan.known}}
    try:
        plan.known.update(engine.resolve_metrics([metric], placed))
    except MetricResolutionError as error:
        if isinstance(error.__cause__, AttributeError) and "Outline" in str(error):
            raise DoesNotFit(f"{metric.metric_name} runs a job") from None
        raise


def _note_rows(expectation: Expectation, plan: Plan, metrics: Mapping[MetricId, MetricConfiguration]) -> None:
    own = _own_count(expectation)
    for metric_id, metric in metrics.items():
        if metric.metric_name == own:
            plan.broken, plan.broken_id = plan.counts[metric_id], metric_id
        elif metric.metric_name == ROW_COUNT and plan.judged_id is None:
            plan.judged_id = metric_id
