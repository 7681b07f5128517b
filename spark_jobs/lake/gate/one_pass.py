"""One aggregation over the candidate: every metric of every rule, for each day and for the rows that stay and leave."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from spark_jobs.lake.gate.lanes import DAY, REFUSED, STAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame, Row

    from spark_jobs.lake.gate.lanes import Lane, Lanes
    from spark_jobs.lake.gate.plan import MetricId

Values = dict["MetricId", Any]


@dataclass(frozen=True)
class DayValues:
    """The metrics of one day: `staying` over the rows that stay, `whole` over all rows (only counts add up to that)."""

    rows: int
    good: int
    refused: int
    staying: Values
    whole: Values


EMPTY = DayValues(0, 0, 0, {}, {})


def aggregate(lanes: Lanes, staged: DataFrame, expected: Sequence[str] = ()) -> dict[str, DayValues]:
    """Day to its values, from one job. Days without a row are there only where they are `expected`.

    A rule with a window gets a branch of its own in that job: only the columns of its key are brought together, not those of
    all the other rules (1,000,000 rows of 12 columns: see the benchmark).
    """
    plain = [lane for lane in lanes.watching if lane.plan and not lane.has_window]
    branches = [plain, *([lane] for lane in lanes.watching if lane.plan and lane.has_window)]
    columns = _columns([*lanes.parting, *plain])
    names = {metric_id: f"m{number}" for number, metric_id in enumerate(_columns([*lanes.parting, *lanes.watching]))}
    rows, refused = F.count(F.lit(1)).alias("rows"), F.count(F.when(F.col(REFUSED), 1)).alias("refused")
    frame: DataFrame | None = None
    taken: set[MetricId] = set()
    for branch in branches:
        wanted = columns if frame is None else _columns(branch)
        measured = [column.alias(names[key]) for key, column in wanted.items() if key not in taken]
        taken |= set(wanted)
        grouped = lanes.watched(staged, branch).groupBy(DAY, STAYS)
        part = grouped.agg(rows, refused, *measured) if frame is None else grouped.agg(*measured)
        frame = part if frame is None else frame.unionByName(part, allowMissingColumns=True)
    found = frame.collect() if frame is not None else []
    counted = {key for lane in (*lanes.parting, *lanes.watching) if lane.plan for key in lane.plan.counts}
    days: dict[str, DayValues] = {}
    for row in found:
        values = {key: row[name] for key, name in names.items() if row[name] is not None}
        days[row[DAY]] = _joined(days.get(row[DAY], EMPTY), _day_values(row, values, counted))
    days = {**dict.fromkeys(expected, EMPTY), **days}
    # of a day that no row stays in there is no group
    nothing = _values_of_nothing(lanes, staged) if any(values.good == 0 for values in days.values()) else {}
    return {day: replace(values, staying=values.staying if values.good else nothing) for day, values in sorted(days.items())}


def _values_of_nothing(lanes: Lanes, staged: DataFrame) -> Values:
    """What the metrics are where there is no row: 0 for what counts, also for distinct values, else null. Spark reads nothing for it."""
    columns = _columns([*lanes.parting, *lanes.watching])
    frame = lanes.watched(staged.limit(0), lanes.watching)
    found = frame.agg(F.count(F.lit(1)), *columns.values()).collect()[0]
    return {key: value for key, value in zip(columns, found[1:], strict=True) if value is not None}


def _day_values(row: Row, values: Values, counted: set[MetricId]) -> DayValues:
    rows = row["rows"] or 0
    whole = {key: value for key, value in values.items() if key in counted}
    return DayValues(rows, rows if row[STAYS] else 0, row["refused"] or 0, values if row[STAYS] else {}, whole)


def _joined(left: DayValues, right: DayValues) -> DayValues:
    whole = {key: left.whole.get(key, 0) + right.whole.get(key, 0) for key in {**left.whole, **right.whole}}
    staying = {**left.staying, **right.staying}
    return DayValues(left.rows + right.rows, left.good + right.good, left.refused + right.refused, staying, whole)


def _columns(lanes: Sequence[Lane]) -> dict[MetricId, Column]:
    """Every metric once, though several rules may need it."""
    columns: dict[MetricId, Column] = {}
    for lane in lanes:
        if lane.plan is None:
            continue
        columns.update(lane.plan.aggregates)
        for metric_id, condition in lane.plan.counts.items():
            columns[metric_id] = F.count(F.lit(1)) if condition is None else F.count(F.when(condition, 1))
    return columns
