"""Gate, publish, record: the last three of the five steps, the same for every table and for predictions."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.days import in_words
from expectations.errors import ContractError, LeaseError
from expectations.ledger import Head
from expectations.storage import Place
from spark_jobs.lake import commit, dialect
from spark_jobs.lake.added_files import add_files, can_stay
from spark_jobs.lake.gate import Judgement, gate_rules, judge
from spark_jobs.lake.gate.rules import PARSES
from spark_jobs.lake.heads import Standing
from spark_jobs.lake.outcome import Outcome, nothing_can_be_refused
from spark_jobs.lake.over_time import Comparison
from spark_jobs.lake.quarantine import balance
from spark_jobs.lake.quarantine.refusals import Refusals
from spark_jobs.lake.quarantine.set_aside import NO_DAY, Aside, marked, parted
from spark_jobs.lake.reading import read_table
from spark_jobs.lake.rulings import Ruling, Rulings
from spark_jobs.lake.settling import settle
from spark_jobs.lake.staging import Staged, stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame

    from expectations.jobs import JobResult
    from expectations.lake import Table
    from expectations.ledger import Profile
    from spark_jobs.lake.batch import Batch
    from spark_jobs.lake.job import Job


class Publication:
    """One candidate on its way through gate, publish and record."""

    def __init__(self, job: Job, table: Table, candidate: DataFrame, batch: Batch, scanned: str | None = None) -> None:
        self.job, self.table, self.batch = job, table, batch
        self.candidate, self.scanned = candidate, scanned
        self.started = time.monotonic()
        self.before = job.ledger.days(table.name, batch.inputs)
        self.profiles: list[Profile] = []
        self.standing = Standing(None, None, None)
        self.discarded = job.ledger.decisions.discards(table.name)
        self.is_bronze = table.contract.source is not None
        self.day_column = "_day" if self.is_bronze else table.contract.day
        self.may_stay = can_stay(job.settings.root, table.contract)
        self.rules = [PARSES, *table.contract.rules] if self.is_bronze else gate_rules(table.contract, "_row" in candidate.columns)

    def publish(self) -> JobResult:
        """Publish the days that pass and hold the others."""
        known = self.job.ledger.quarantine(self.table.name)
        waits = bool(self.discarded or (known is not None and known.keys))
        is_safe = nothing_can_be_refused(self.table.contract, self.rules, self.batch, something_waits=waits)
        return self._publish_then_judge() if is_safe and not self.may_stay else self._audit_then_publish()

    def _publish_then_judge(self) -> JobResult:
        """Where no rule can refuse anything there is nothing to wait for: judge what was written, and save a staging that would be written again."""
        days = list(self.batch.inputs)
        with self.job.ledger.lease(self.table.name, self.job.request.run_id) as lease:
            self.standing = settle(self.job, self.table)
            self._check_nobody_was_faster()
            lease.check()
            version = self._commit(self.candidate, days).version
            written = read_table(self.job, self.table.name, version)
            outcome = self._outcome(self._judge(self._on_days(written, days)))
            entries = outcome.entries(version, self._seconds())
            verdicts, head = outcome.judgement.verdicts, self._head(version)
            self.job.ledger.record(entries, verdicts, self.batch.arrivals, profiles=self.profiles, head=head)
        return outcome.result(version, entries)

    def _audit_then_publish(self) -> JobResult:
        """Readers see nothing before it was judged."""
        staging = self.job.settings.staging_path(self.table.name, self.job.request.run_key)
        try:
            staged = self._stage(staging)
            if self.batch.is_whole:
                refuse_other_days(self.table, staged.days(), self.batch.inputs)
            on_time, aside = parted(staged.rows, self.day_column)
            judgement = self._judge(on_time)
            if self.batch.arrivals and self.day_column:
                refuse_other_answers(self.table, set(judgement.counts) - {NO_DAY}, self.batch.inputs)
            judgement = self._without_other_dialects(on_time, judgement)
            rulings = Ruling(self.job, self.table, self.batch, self.day_column, aside.unscored).rule_on(on_time, judgement)
            return self._publish(staged, on_time, self._outcome(judgement, rulings, aside))
        finally:
            Place.of(staging).delete_folder()

    def _outcome(self, judgement: Judgement, rulings: Rulings | None = None, aside: Aside | None = None) -> Outcome:
        batch, known = self.batch, (rulings or Rulings(), aside or Aside())
        return Outcome(self.job.request, self.table, batch, self.day_column, judgement, self.before, *known)

    def _seconds(self) -> float:
        return round(time.monotonic() - self.started, 3)

    def _judge(self, rows: DataFrame) -> Judgement:
        """What the gate says of the rows, what the days before say, and what was found before the gate."""
        judgement = judge(rows, self.table.name, self.rules, self.day_column, self.batch.with_rows)
        over_time = Comparison(self.job, self.table, self.batch, self.day_column).judge(rows, judgement)
        self.profiles = over_time.profiles
        judgement = over_time.added_to(judgement)
        return replace(judgement, verdicts=[*judgement.verdicts, *self.batch.findings])

    def _without_other_dialects(self, rows: DataFrame, judgement: Judgement) -> Judgement:
        """The judgement, with the days held whose text file is not written as the contract says."""
        source = self.table.contract.source
        days = dialect.suspects(judgement.verdicts) if source is not None and not source.has_types else {}
        if source is None or not days:
            return judgement
        held = {day: list(reasons) for day, reasons in judgement.held.items()}
        for day, found in dialect.unparsed(rows, self.table.contract, days).items():
            fault = dialect.fault(self.table, source, next(iter(self.batch.inputs[day]["landing"])), found)
            if fault:
                held[day] = [*held.get(day, []), fault]
        return replace(judgement, held=held)

    def _stage(self, staging: str) -> Staged:
        rows = marked(self.candidate, self.table, self.batch.late, self.discarded)
        if self.scanned:
            return Staged(rows, self.scanned, self.day_column)
        return stage(self.job.spark, rows, staging, self.day_column, may_stay=self.may_stay)

    def _publish(self, staged: Staged, on_time: DataFrame, outcome: Outcome) -> JobResult:
        judgement, passed, good = outcome.judgement, outcome.passed, outcome.good
        version, quarantine = None, None
        with self.job.ledger.lease(self.table.name, self.job.request.run_id) as lease:
            self.standing = settle(self.job, self.table)
            self._check_nobody_was_faster()
            if outcome.is_settled:
                refusals = Refusals(self.job, self.table, self.batch, self.day_column)
                quarantine = refusals.publish(staged.rows, on_time, judgement, outcome.aside, passed)
            if passed:
                lease.check()
                done = self._added(staged, good, passed)
                done = done or self._commit(self._on_days(judgement.good(on_time), passed), passed, all(good.values()))
                balance.check_published(self.table, sum(good.values()), done)
                version = done.version
            entries = outcome.entries(version, self._seconds())
            arrivals = outcome.arrivals() if outcome.is_settled else ()
            questions, profiles, head = outcome.rulings.questions, outcome.profiles(self.profiles), self._head(version)
            self.job.ledger.record(entries, judgement.verdicts, arrivals, quarantine=quarantine, questions=questions, profiles=profiles, head=head)
        return outcome.result(version, entries)

    def _head(self, version: int | None) -> Head | None:
        """What the ledger names from now on; None where nothing was committed, as by a merge that found nothing new."""
        return None if version in {None, self.standing.counts} else Head(self.table.name, version, self.job.request.run_id)

    def _check_nobody_was_faster(self) -> None:
        """What was made from older rows must not cover what another run has published since it was read."""
        if self.job.ledger.days(self.table.name, self.batch.inputs) != self.before:
            raise LeaseError(f"{self.table.name}: another run published some of these days meanwhile; nothing was written, run it again.")

    @property
    def path(self) -> str:
        """The table's Delta folder."""
        return self.job.settings.table_path(self.table.name)

    def _on_days(self, rows: DataFrame, days: list[str]) -> DataFrame:
        return rows.filter(F.col(self.day_column).cast("string").isin(days)) if self.day_column else rows

    def _added(self, staged: Staged, good: dict[str, int], days: list[str]) -> commit.Committed | None:
        """The commit of the staged files as they are; None where the rows have to be written."""
        return add_files(self._target(days), staged.folder, good) if self.may_stay else None

    def _commit(self, rows: DataFrame, days: list[str], all_have_rows: bool = False) -> commit.Committed:
        return commit.commit(self._target(days), rows, days, all_have_rows=all_have_rows)

    def _target(self, days: list[str]) -> commit.Target:
        metadata = {
            "run_id": self.job.request.run_id,
            "table": self.table.name,
            "code": f"{self.table.contract_hash}.{self.table.logic_hash}",
            "days": {day: self.batch.inputs[day] for day in days},
        }
        is_abandoned = self.standing.counts is None and self.standing.newest is not None
        return commit.Target(self.job.spark, self.path, self.table.contract, self.day_column, metadata, is_abandoned)


def refuse_other_days(table: Table, found: Iterable[str], made: Iterable[str]) -> None:
    """Raises ContractError where rows are of a day that is not made: left out they would be gone without a word."""
    made = list(made)
    others = sorted(set(found) - set(made))
    if others:
        raise ContractError(
            f"{table.name}: {table.logic} returned rows whose {table.contract.day} is {in_words(others)}, and this run makes {in_words(made)}; nothing was "
            f"published. Let {table.contract.day} be the day of the input's rows, or read the inputs whole and write: replace_all."
        )


def refuse_other_answers(table: Table, found: Iterable[str], made: Iterable[str]) -> None:
    """Raises ContractError where rows of new files are of a day that the files' scan did not tell."""
    others = sorted(set(found) - set(made))
    if others:
        raise ContractError(
            f"{table.name}: {table.logic} gave rows of the same files other days when it was asked again: {in_words(others)}; nothing was published. "
            f"Let {table.contract.day} depend on the input's rows alone."
        )


def publish(job: Job, table: Table, candidate: DataFrame, batch: Batch, scanned: str | None = None) -> JobResult:
    """Gate, publish and record a candidate. Days that pass are published in one commit; days that break a `stop` rule are held.

    `scanned`: the place of staged rows that the candidate is read from, and which need not be staged again.
    """
    return Publication(job, table, candidate, batch, scanned).publish()
