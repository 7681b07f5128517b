"""One aggregation over the candidate: every metric of every rule, for each day and for the rows that stay and leave."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from itertools import compress
from operator import not_
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
    """Day to its values, from one job, and a second one where keys may be there twice. Days without a row are there only where they are `expected`.

    A rule that compares rows has a branch of its own in the first job, which brings nothing together but 64 bits of each key: as many different
    ones as there are keys, and all keys differ. Where there are fewer, by rows that break the rule or by hashes that meet, Great Expectations'
    own window tells in the second (1,000,000 rows of 12 columns: see the benchmark).
    """
    comparing = [lane for lane in lanes.watching if lane.plan and lane.compares]
    plain = [lane for lane in lanes.watching if lane.plan and not lane.compares]
    names = {metric_id: f"m{number}" for number, metric_id in enumerate(_columns([*lanes.parting, *lanes.watching]))}
    later = {lane.plan.broken_id for lane in comparing if lane.plan}
    measured = {key: column for key, column in _columns([*lanes.parting, *plain, *comparing]).items() if key not in later}
    rows, refused = F.count(F.lit(1)).alias("rows"), F.count(F.when(F.col(REFUSED), 1)).alias("refused")
    watched = lanes.watched(staged, [*plain, *comparing], flagged=plain).groupBy(DAY, STAYS)
    frame = watched.agg(rows, refused, *(column.alias(names[key]) for key, column in measured.items()))
    for number, lane in enumerate(comparing):
        frame = frame.unionByName(_keys(lanes, staged, lane, number), allowMissingColumns=True)
    found = frame.collect()
    differ = [all(row[f"keys{number}"] == row[f"different{number}"] for row in found) for number in range(len(comparing))]
    found = [row for row in found if row[DAY] is not None]
    found += _broken(lanes, staged, list(compress(comparing, map(not_, differ))), names)
    sure = {lane.plan.broken_id: 0 for lane in compress(comparing, differ) if lane.plan and lane.plan.broken_id}
    counted = {key for lane in (*lanes.parting, *lanes.watching) if lane.plan for key in lane.plan.counts}
    days: dict[str, DayValues] = {}
    for row in found:
        values = {key: row[name] for key, name in names.items() if name in row and row[name] is not None} | sure
        days[row[DAY]] = _joined(days.get(row[DAY], EMPTY), _day_values(row, values, counted))
    days = {**dict.fromkeys(expected, EMPTY), **days}
    # of a day that no row stays in there is no group
    nothing = _values_of_nothing(lanes, staged) if any(values.good == 0 for values in days.values()) else {}
    return {day: replace(values, staying=values.staying if values.good else nothing) for day, values in sorted(days.items())}


def _keys(lanes: Lanes, staged: DataFrame, lane: Lane, number: int) -> DataFrame:
    """How many keys a rule compares, and how many different hashes they have; a key holds its day and whether its row stays."""
    hashed = F.when(F.col(lane.key[0]).isNotNull(), F.xxhash64(*lane.key))
    keys = lanes.watched(staged, [lane], flagged=[]).select(hashed.alias("hashed"))
    return keys.agg(F.count("hashed").alias(f"keys{number}"), F.count_distinct("hashed").alias(f"different{number}"))


def _broken(lanes: Lanes, staged: DataFrame, unclear: Sequence[Lane], names: dict[MetricId, str]) -> list[Row]:
    """How many rows break each of the rules, by its window."""
    frames = []
    for lane in unclear:
        wanted = {key: column for key, column in _columns([lane]).items() if lane.plan and key == lane.plan.broken_id}
        frames.append(lanes.watched(staged, [lane]).groupBy(DAY, STAYS).agg(*(column.alias(names[key]) for key, column in wanted.items())))
    return reduce(lambda one, other: one.unionByName(other, allowMissingColumns=True), frames).collect() if frames else []


def _values_of_nothing(lanes: Lanes, staged: DataFrame) -> Values:
    """What the metrics are where there is no row: 0 for what counts, also for distinct values, else null. Spark reads nothing for it."""
    columns = _columns([*lanes.parting, *lanes.watching])
    frame = lanes.watched(staged.limit(0), lanes.watching)
    found = frame.agg(F.count(F.lit(1)), *columns.values()).collect()[0]
    return {key: value for key, value in zip(columns, found[1:], strict=True) if value is not None}


def _day_values(row: Row, values: Values, counted: set[MetricId]) -> DayValues:
    rows = (row["rows"] or 0) if "rows" in row else 0
    whole = {key: value for key, value in values.items() if key in counted}
    return DayValues(rows, rows if row[STAYS] else 0, (row["refused"] or 0) if "refused" in row else 0, values if row[STAYS] else {}, whole)


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
