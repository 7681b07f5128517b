"""What a run puts into quarantine: rows that broke a rule, came too late, do not parse or could not be scored, and those that a person has discarded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from spark_jobs.lake.quarantine import balance, store
from spark_jobs.lake.quarantine.keys import SEVERAL, arrival_key, batch_key, covered
from spark_jobs.lake.quarantine.set_aside import ASIDE, DISCARDED, LATE, NO_DAY, is_unscored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import Column, DataFrame

    from expectations.lake import Table
    from expectations.ledger import Quarantine
    from spark_jobs.lake.batch import Batch
    from spark_jobs.lake.gate import DayCounts, Judgement
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.quarantine.set_aside import Aside


@dataclass(frozen=True)
class Refusals:
    """The refused rows of one batch on their way to the table's quarantine."""

    job: Job
    table: Table
    batch: Batch
    day_column: str | None

    def publish(self, staged: DataFrame, on_time: DataFrame, judgement: Judgement, aside: Aside, passed: list[str]) -> Quarantine | None:
        """Replace what waits by the refused rows of the days that `passed`, and return what the ledger has to name for them to count.

        None where nothing waits, and nothing waited. Raises DataError where it does not balance.
        """
        kinds = [self._broken(on_time, judgement, passed), self._late(staged, aside), self._discarded(staged, aside, passed)]
        kinds += [self._unscored(staged, aside, passed), *self._unparsed()]
        frames = [rows for rows, count in kinds if count]
        written, quarantine = store.replace(self.job, self.table, frames, self._keys(passed), whole=self.table.contract.write == "replace_all")
        balance.check_quarantined(self.job.ledger, self.table, self.batch, sum(count for _, count in kinds), written)
        return quarantine

    def _keys(self, passed: list[str]) -> set[str]:
        """What the rows that leave now were filed under, where they waited before."""
        known = self.job.ledger.quarantine(self.table.name)
        waiting = known.keys if known is not None else []
        made = self.job.ledger.days(self.table.name) if any(SEVERAL in key for key in waiting) else ()
        arrived = {arrival_key(bronze, day) for bronze, days in self.batch.refused.items() for day in days}
        return {batch_key(self.batch.inputs), *passed, *covered(waiting, made, passed), *arrived}

    def _broken(self, on_time: DataFrame, judgement: Judgement, passed: list[str]) -> tuple[DataFrame, int]:
        """Rows that broke a quarantine rule, of the days that passed and of no day."""
        count = broken_of(judgement.counts, self.day_column, passed)
        if not count:
            return on_time, 0
        bad, day = judgement.quarantined(on_time), self._day()
        bad = bad.filter(day.isNull() | day.cast("string").isin(passed)) if self.day_column else bad
        return store.refused_by_rule(self.job, self.table, bad, day, self.batch.inputs), count

    def _late(self, staged: DataFrame, aside: Aside) -> tuple[DataFrame, int]:
        if not aside.late:
            return staged, 0
        rows = staged.filter(F.col(ASIDE) == LATE).drop(ASIDE).select("*", F.array(F.lit(store.LATE_RULE)).alias("_rules"))
        no_day = F.lit(None).cast("date")
        return store.refused_by_rule(self.job, self.table, rows, no_day, self.batch.inputs), sum(aside.late.values())

    def _discarded(self, staged: DataFrame, aside: Aside, passed: list[str]) -> tuple[DataFrame, int]:
        """Rows that a person has given up. Those of days that are held wait for the day; a day that is not made is as no day."""
        held = [day for day in self.batch.inputs if day not in passed] if self.day_column else []
        count = discarded_of(aside.discarded, held)
        if not count:
            return staged, 0
        # the rules that they once broke are taken from what waits there already
        rows = staged.filter(F.col(ASIDE) == DISCARDED).drop(ASIDE).select("*", F.array().cast("array<string>").alias("_rules"))
        day = self._day()
        if self.day_column:
            rows = rows.filter(day.isNull() | ~day.cast("string").isin(held)) if held else rows
            day = F.when(day.cast("string").isin(passed), day)
        return store.refused_by_rule(self.job, self.table, rows, day, self.batch.inputs), count

    def _unscored(self, staged: DataFrame, aside: Aside, passed: list[str]) -> tuple[DataFrame, int]:
        """Rows that no model could score, of the days that passed."""
        count = sum(rows for day, rows in aside.unscored.items() if day in passed)
        if not count:
            return staged, 0
        rows = staged.filter(is_unscored() & self._day().cast("string").isin(passed)).select("*", F.array(ASIDE).alias("_rules")).drop(ASIDE)
        return store.refused_by_rule(self.job, self.table, rows, self._day(), self.batch.inputs), count

    def _unparsed(self) -> list[tuple[DataFrame, int]]:
        found = {bronze: sum(days.values()) for bronze, days in self.batch.refused.items()}
        return [(store.refused_by_type(self.job, bronze, self.batch.refused[bronze]), count) for bronze, count in found.items() if count]

    def _day(self) -> Column:
        return F.col(self.day_column) if self.day_column else F.lit(None).cast("date")


def broken_of(counts: Mapping[str, DayCounts], day_column: str | None, passed: Iterable[str]) -> int:
    """How many rows that broke a quarantine rule leave now: those of the days that `passed` and of no day; all in a table without days."""
    days = {*passed, NO_DAY}
    return sum(found.quarantined for day, found in counts.items() if not day_column or day in days)


def discarded_of(counts: Mapping[str, int], held: Iterable[str]) -> int:
    """How many discarded rows are filed now, of `counts` by their day: all but those of days that are `held`."""
    waiting = set(held)
    return sum(rows for day, rows in counts.items() if day not in waiting)
