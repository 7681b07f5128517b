"""One aggregation over the candidate: every metric of every rule, for each day and for the rows that stay and leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from spark_jobs.lake.gate.lanes import DAY, REFUSED, STAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import Column, DataFrame

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


def aggregate(lanes: Lanes, staged: DataFrame) -> dict[str, DayValues]:
    """Day to its values, from one job. Days without a row are not there."""
    columns = _columns(lanes)
    names = {f"m{number}": metric_id for number, metric_id in enumerate(columns)}
    measured = [column.alias(name) for name, column in zip(names, columns.values(), strict=True)]
    rows, refused = F.count(F.lit(1)).alias("rows"), F.count(F.when(F.col(REFUSED), 1)).alias("refused")
    found = lanes.watched(staged).groupBy(DAY, STAYS).agg(rows, refused, *measured).collect()
    counted = {metric_id for lane in _planned(lanes) for metric_id in lane.plan.counts} if names else set()  # type: ignore[union-attr]
    days: dict[str, DayValues] = {}
    for row in found:
        values = {metric_id: row[name] for name, metric_id in names.items()}
        part = DayValues(
            rows=row["rows"],
            good=row["rows"] if row[STAYS] else 0,
            refused=row["refused"],
            staying=values if row[STAYS] else {},
            whole={metric_id: value for metric_id, value in values.items() if metric_id in counted},
        )
        days[row[DAY]] = _joined(days.get(row[DAY], EMPTY), part)
    return dict(sorted(days.items()))


def _joined(left: DayValues, right: DayValues) -> DayValues:
    whole = {key: (left.whole.get(key) or 0) + (right.whole.get(key) or 0) for key in {**left.whole, **right.whole}}
    return DayValues(
        left.rows + right.rows, left.good + right.good, left.refused + right.refused, left.staying or right.staying, whole
    )


def _columns(lanes: Lanes) -> dict[MetricId, Column]:
    """Every metric once, though several rules may need it."""
    columns: dict[MetricId, Column] = {}
    for lane in _planned(lanes):
        if lane.plan is None:
            continue
        columns.update(lane.plan.aggregates)
        for metric_id, condition in lane.plan.counts.items():
            columns[metric_id] = F.count(F.lit(1)) if condition is None else F.count(F.when(condition, 1))
    return columns


def _planned(lanes: Lanes) -> Iterator[Lane]:
    return (lane for lane in (*lanes.parting, *lanes.watching) if lane.plan is not None)
