"""Rows of a candidate that leave before the gate: those that come too late, that a person has discarded, or that no model could score."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.days import ALL
from spark_jobs.lake.quarantine import store

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column, DataFrame

    from expectations.lake import Table

ASIDE = "_aside"
LATE, DISCARDED, UNSCORED = "late", "discarded", "unscored"
"""Why a row leaves; the column is null for the rows that stay, and is not there where none can leave."""
UNSCORED_WHY = "_unscored"
"""The column in which inference says why a row has no answer: `unscored(<reason>)`, null for rows that have one. No table keeps it."""
NO_DAY = "null"
"""The key under which rows without a day are counted, as the gate does."""


@dataclass(frozen=True)
class Aside:
    """How many rows left: late ones by the day they arrived, the others by the day they belong to (ALL in a table without days).

    `arrived`: the discarded ones by that day and the day they arrived, null where they are not traced.
    """

    late: dict[str, int] = field(default_factory=dict)
    discarded: dict[str, int] = field(default_factory=dict)
    unscored: dict[str, int] = field(default_factory=dict)
    arrived: dict[tuple[str, str | None], int] = field(default_factory=dict)

    def refused_of(self, arrival_day: str, made: Iterable[str]) -> int:
        """How many rows of an arrival are late, or discarded and of none of the days that are made: they are counted with the arrival."""
        days = set(made)
        discarded = sum(count for (day, arrived), count in self.arrived.items() if arrived == arrival_day and day not in days)
        return self.late.get(arrival_day, 0) + discarded


def marked(candidate: DataFrame, table: Table, late: Column | None, discarded: Iterable[str]) -> DataFrame:
    """`candidate`, with the column ASIDE where rows may leave. `discarded`: row ids that a person has given up."""
    ids = sorted(discarded)
    can_be_unscored = UNSCORED_WHY in candidate.columns
    if not ids and late is None and not can_be_unscored:
        return candidate
    reasons: list[Column] = []
    rows = candidate
    if ids:
        given_up = candidate.sparkSession.createDataFrame([(row_id,) for row_id in ids], "_given_up string")
        rows = candidate.join(F.broadcast(given_up), store.row_id(candidate, table) == F.col("_given_up"), "left")
        reasons.append(F.when(F.col("_given_up").isNotNull(), F.lit(DISCARDED)))
    if late is not None:
        reasons.append(F.when(late, F.lit(LATE)))
    if can_be_unscored:
        reasons.append(F.col(UNSCORED_WHY))
    return rows.select(*(name for name in candidate.columns if name != UNSCORED_WHY), F.coalesce(*reasons).alias(ASIDE))


def parted(staged: DataFrame, day_column: str | None) -> tuple[DataFrame, Aside]:
    """The rows that stay, and how many of the others there are."""
    if ASIDE not in staged.columns:
        return staged, Aside()
    arrived = store.arrival_day(F.col("_row")) if "_row" in staged.columns else F.lit(None)
    day = F.coalesce(F.col(day_column).cast("string"), F.lit(NO_DAY)) if day_column else F.lit(ALL)
    reason = F.when(is_unscored(), F.lit(UNSCORED)).otherwise(F.col(ASIDE))
    keys = (reason.alias("reason"), arrived.cast("string").alias("arrived"), day.alias("day"))
    aside = Aside()
    by_day = {DISCARDED: aside.discarded, UNSCORED: aside.unscored}
    for group in staged.filter(F.col(ASIDE).isNotNull()).groupBy(*keys).count().collect():
        counts, key = (aside.late, group.arrived) if group.reason == LATE else (by_day[group.reason], group.day)
        counts[key] = counts.get(key, 0) + group["count"]
        if group.reason == DISCARDED:
            aside.arrived[group.day, group.arrived] = group["count"]
    return staged.filter(F.col(ASIDE).isNull()).drop(ASIDE), aside


def is_unscored() -> Column:
    """Whether a row of a staged candidate leaves because no model could score it."""
    left: Column = F.col(ASIDE).startswith(UNSCORED)
    return left
