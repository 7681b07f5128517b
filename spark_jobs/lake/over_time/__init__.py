"""Checks over time: a day beside the days before it, judged before it is published, from the ledger and one aggregation of its own rows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from expectations.ledger import Profile, Verdict
from expectations.over_time import Distribution, NewCategories
from spark_jobs.lake.gate import Asked
from spark_jobs.lake.over_time.history import History
from spark_jobs.lake.over_time.judging import Today, find
from spark_jobs.lake.over_time.profiles import Spread, profile_days
from spark_jobs.lake.rulings import Ruling

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspark.sql import DataFrame

    from expectations.lake import Table
    from expectations.over_time import OverTimeCheck
    from spark_jobs.lake.batch import Batch
    from spark_jobs.lake.gate import Judgement
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.over_time.judging import Finding
    from spark_jobs.lake.over_time.profiles import Counts

__all__ = ["Comparison", "OverTime"]


@dataclass
class OverTime:
    """What the checks over time say of a batch. `profiles` of the days that will be published are their successors' history."""

    verdicts: list[Verdict] = field(default_factory=list)
    held: dict[str, list[str]] = field(default_factory=dict)
    asked: dict[str, list[Asked]] = field(default_factory=dict)
    profiles: list[Profile] = field(default_factory=list)

    def added_to(self, judgement: Judgement) -> Judgement:
        """The gate's judgement and this one as one."""
        held = {day: [*judgement.held.get(day, []), *self.held.get(day, [])] for day in {**judgement.held, **self.held}}
        asked = {day: [*judgement.asked.get(day, []), *self.asked.get(day, [])] for day in {**judgement.asked, **self.asked}}
        return replace(judgement, verdicts=[*judgement.verdicts, *self.verdicts], held=held, asked=asked)


@dataclass(frozen=True)
class Comparison:
    """Compares the days of one batch of a table with the days before them."""

    job: Job
    table: Table
    batch: Batch
    day_column: str | None

    def judge(self, rows: DataFrame, judgement: Judgement) -> OverTime:
        """Judge the batch's days, the earliest first; nothing, and at no cost, where the contract has no check over time.

        `rows` is the candidate. A day's history is the days before it that are published or, of this run, will be. So a run over many
        days judges as runs of one day each, and an old day that is run again is judged as on its own day.
        """
        days = sorted(self.batch.inputs)
        if not self.table.contract.over_time or not self.day_column or not days:
            return OverTime()
        spreads = self._spreads()
        with_rows = [day for day in days if day not in self.batch.emptied]
        found = profile_days(judgement.good(rows), self.day_column, with_rows, spreads.values()) if spreads and with_rows else {}
        ruling = Ruling(self.job, self.table, self.batch, self.day_column)
        return self.compare(found, judgement, lambda day, so_far: ruling.publishes(day, rows, so_far))

    def compare(self, found: Mapping[tuple[str, str], Counts], judgement: Judgement, publishes: Callable[[str, Judgement], bool]) -> OverTime:
        """What the days' profiles (by day and column) and the gate's counts say beside the days before them: from the ledger alone.

        `publishes` tells of a day, and of all that was said of it, whether it will be published.
        """
        over = OverTime()
        days, columns = sorted(self.batch.inputs), self._spreads()
        history = History.of(self.job.ledger, self.table, days, columns)
        for day in days:
            rows_of_day = judgement.counts[day].good if day in judgement.counts else 0
            today = Today(self.job, self.table, self.batch, day, rows_of_day, {column: found.get((day, column), {}) for column in columns})
            if day not in self.batch.emptied:  # a day that lost its last file has nothing to be judged
                self._check(today, history, over)
            if publishes(day, over.added_to(judgement)):
                history.add(day, today.rows, today.profiles)
            over.profiles += [Profile(self.table.name, day, column, self.job.request.run_id, profile) for column, profile in today.profiles.items()]
        return over

    def _check(self, today: Today, history: History, over: OverTime) -> None:
        for check in self.table.contract.over_time:
            finding = find(check, today, history)
            if finding is not None:
                _note(over, today, check, finding)

    def _spreads(self) -> dict[str, Spread]:
        """The columns to profile."""
        columns = self.table.contract.columns
        checked = [check.column for check in self.table.contract.over_time if isinstance(check, (Distribution, NewCategories))]
        return {column: Spread.of(column, columns[column].type) for column in checked}


def _note(over: OverTime, today: Today, check: OverTimeCheck, finding: Finding) -> None:
    verdict = Verdict(today.table.name, today.day, check.label, check.on_fail, finding.success, today.rows, finding.rows_broken, finding.observed)
    over.verdicts.append(verdict)
    if finding.success or check.on_fail == "warn":
        return
    sentence = f"{check.label}: {finding.sentence}"
    if check.on_fail == "stop":
        over.held.setdefault(today.day, []).append(sentence)
    else:
        asked = Asked(check.label, check.model_dump_json(), sentence, today.rows, finding.rows_broken, finding.observed, ())
        over.asked.setdefault(today.day, []).append(asked)
