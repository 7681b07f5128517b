"""Gate, publish, record: the last three of the five steps, the same for every table and for predictions."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from expectations.days import ALL, in_words
from expectations.errors import LeaseError
from expectations.jobs import JobResult
from expectations.ledger import Arrival, DayEntry, Profile
from expectations.storage import Place
from spark_jobs.lake import commit
from spark_jobs.lake.added_files import add_files, can_stay
from spark_jobs.lake.gate import DayCounts, Judgement, gate_rules, judge
from spark_jobs.lake.gate.rules import PARSES
from spark_jobs.lake.over_time import Comparison
from spark_jobs.lake.quarantine import balance
from spark_jobs.lake.quarantine.refusals import Refusals
from spark_jobs.lake.quarantine.set_aside import NO_DAY, Aside, marked, parted
from spark_jobs.lake.rulings import Ruling, Rulings
from spark_jobs.lake.staging import Staged, stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyspark.sql import DataFrame

    from expectations.lake import Table
    from spark_jobs.lake.batch import Batch
    from spark_jobs.lake.job import Job


class Publication:
    """One candidate on its way through gate, publish and record."""

    def __init__(self, job: Job, table: Table, candidate: DataFrame, batch: Batch, scanned: str | None = None) -> None:
        self.job, self.table, self.batch = job, table, batch
        self.candidate, self.scanned = candidate, scanned
        self.started = time.monotonic()
        self.before = job.ledger.days(table.name, batch.inputs)
        self.rulings = Rulings()
        self.aside = Aside()
        self.profiles: list[Profile] = []
        self.discarded = job.ledger.decisions.discards(table.name)
        self.is_bronze = table.contract.source is not None
        self.day_column = "_day" if self.is_bronze else table.contract.day
        self.may_stay = can_stay(job.settings.root, table.contract)
        self.rules = [PARSES, *table.contract.rules] if self.is_bronze else gate_rules(table.contract, "_row" in candidate.columns)

    def publish(self) -> JobResult:
        """Publish the days that pass and hold the others."""
        can_refuse = any(rule.on_fail != "warn" for rule in (*self.rules, *self.table.contract.over_time)) or self.table.contract.quarantine_limit is not None
        has_refused = self.batch.late is not None or any(any(days.values()) for days in self.batch.refused.values())
        known = self.job.ledger.quarantine(self.table.name)
        waits = bool(self.discarded or (known is not None and known.keys))  # what a changed contract refuses no more has to leave
        is_whole = commit.replaces(self.table.contract)  # else a batch cannot be told from what was there
        return self._publish_then_judge() if is_whole and not (self.may_stay or can_refuse or has_refused or waits) else self._audit_then_publish()

    def _publish_then_judge(self) -> JobResult:
        """Where no rule can refuse anything there is nothing to wait for: judge what was written, and save a staging that would be written again."""
        days = list(self.batch.inputs)
        with self.job.ledger.lease(self.table.name, self.job.request.run_id) as lease:
            self._check_nobody_was_faster()
            lease.check()
            version = self._commit(self.candidate, days).version
            written = self.job.spark.read.format("delta").load(self.path)
            judgement = self._judge(self._on_days(written, days))
            entries = [self._entry(day, judgement, version, is_published=True) for day in days]
            self.job.ledger.record(entries, judgement.verdicts, self.batch.arrivals, profiles=self.profiles)
        return self._result(judgement, days, version, entries)

    def _audit_then_publish(self) -> JobResult:
        """Readers see nothing before it was judged."""
        staging = self.job.settings.staging_path(self.table.name, self.job.request.run_key)
        try:
            staged = self._stage(staging)
            on_time, self.aside = parted(staged.rows, self.day_column)
            judgement = self._judge(on_time)
            self.rulings = Ruling(self.job, self.table, self.batch, self.day_column, self.aside.unscored).rule_on(on_time, judgement)
            return self._publish(staged, on_time, judgement)
        finally:
            Place.of(staging).delete_folder()

    def _judge(self, rows: DataFrame) -> Judgement:
        """What the gate says of the rows, what the days before say, and what was found before the gate."""
        judgement = judge(rows, self.table.name, self.rules, self.day_column, self._with_rows())
        over_time = Comparison(self.job, self.table, self.batch, self.day_column).judge(rows, judgement)
        self.profiles = over_time.profiles
        judgement = over_time.added_to(judgement)
        return replace(judgement, verdicts=[*judgement.verdicts, *self.batch.findings])

    def _stage(self, staging: str) -> Staged:
        rows = marked(self.candidate, self.table, self.batch.late, self.discarded)
        if self.scanned:
            return Staged(rows, self.scanned, self.day_column)
        return stage(self.job.spark, rows, staging, self.day_column, may_stay=self.may_stay)

    def _publish(self, staged: Staged, on_time: DataFrame, judgement: Judgement) -> JobResult:
        passed = [day for day in self.batch.inputs if self._key(day) not in {*self.rulings.held, *self.rulings.open}]
        version, quarantine = None, None
        with self.job.ledger.lease(self.table.name, self.job.request.run_id) as lease:
            self._check_nobody_was_faster()
            if passed or not self.batch.inputs:
                quarantine = Refusals(self.job, self.table, self.batch, self.day_column).publish(staged.rows, on_time, judgement, self.aside, passed)
            if passed:
                lease.check()
                good = {day: judgement.counts[day].good if day in judgement.counts else 0 for day in (passed if self.day_column else [ALL])}
                done = self._added(staged, good, passed) or self._commit(self._on_days(judgement.good(on_time), passed), passed, all(good.values()))
                balance.check_published(self.table, sum(good.values()), done)
                version = done.version
            entries = [self._entry(day, judgement, version, is_published=day in passed) for day in self.batch.inputs]
            arrivals = self._arrivals(judgement) if passed or not entries else ()
            profiles = [profile for profile in self.profiles if profile.day in passed]
            self.job.ledger.record(entries, judgement.verdicts, arrivals, quarantine=quarantine, questions=self.rulings.questions, profiles=profiles)
        return self._result(judgement, passed, version, entries)

    def _with_rows(self) -> list[str]:
        """The days that are judged even if they turn out empty."""
        return [day for day in self.batch.inputs if day not in self.batch.emptied]

    def _key(self, day: str) -> str:
        """What the gate calls the day."""
        return day if self.day_column else ALL

    def _check_nobody_was_faster(self) -> None:
        """What was made from older rows must not cover what another run has published since it was read."""
        if self.job.ledger.days(self.table.name, self.batch.inputs) != self.before:
            raise LeaseError(f"{self.table.name}: another run published some of these days meanwhile; nothing was written, run it again.")

    def _arrivals(self, judgement: Judgement) -> list[Arrival]:
        unparsed = {day: count for days in self.batch.refused.values() for day, count in days.items()}
        refused = {a.arrival_day: unparsed.get(a.arrival_day, 0) + self.aside.refused_of(a.arrival_day, self.batch.inputs) for a in self.batch.arrivals}
        found = [replace(arrival, refused=refused[arrival.arrival_day]) for arrival in self.batch.arrivals]
        if found and self._without_day(judgement):  # which of several files they came from is told by the quarantine
            found[0] = replace(found[0], refused=found[0].refused + self._without_day(judgement))
        return found

    def _without_day(self, judgement: Judgement) -> int:
        counts = judgement.counts.get(NO_DAY)
        return counts.quarantined if counts else 0

    @property
    def path(self) -> str:
        """The table's Delta folder."""
        return self.job.settings.table_path(self.table.name)

    def _on_days(self, rows: DataFrame, days: list[str]) -> DataFrame:
        return rows.filter(F.col(self.day_column).cast("string").isin(days)) if self.day_column else rows

    def _added(self, staged: Staged, good: dict[str, int], days: list[str]) -> commit.Committed | None:
        """The commit of the staged files as they are; None where the rows have to be written."""
        return add_files(self._target(days), staged, good) if self.may_stay else None

    def _commit(self, rows: DataFrame, days: list[str], all_have_rows: bool = False) -> commit.Committed:
        return commit.commit(self._target(days), rows, days, all_have_rows=all_have_rows)

    def _target(self, days: list[str]) -> commit.Target:
        metadata = {
            "run_id": self.job.request.run_id,
            "table": self.table.name,
            "code": f"{self.table.contract_hash}.{self.table.logic_hash}",
            "days": {day: self.batch.inputs[day] for day in days},
        }
        return commit.Target(self.job.spark, self.path, self.table.contract, self.day_column, metadata)

    def _entry(self, day: str, judgement: Judgement, version: int | None, *, is_published: bool) -> DayEntry:
        counts = judgement.counts.get(day) if self.day_column else self._batch_counts(day, judgement)
        before = self.before.get(day)
        discarded, unscored = self._discarded_of(day), self.aside.unscored.get(day, 0)
        return DayEntry(
            table=self.table.name,
            day=day,
            state="published" if is_published else "held",
            version=version if is_published else (before.version if before else None),
            run_id=self.job.request.run_id,
            contract_hash=self.table.contract_hash,
            logic_hash=self.table.logic_hash,
            inputs=self.batch.inputs[day],
            rows_in=(counts.rows if counts else 0) + discarded + unscored,
            rows_out=counts.good if counts else 0,
            rows_quarantined=self._unparsed(judgement, day) if self.is_bronze else (counts.quarantined if counts else 0) + self._refused_of(day) + unscored,
            rows_dropped=(counts.dropped if counts else 0) + discarded,
            seconds=round(time.monotonic() - self.started, 3),
            clean=self._is_clean(judgement, day) if is_published else (before is None or before.clean),
        )

    def _is_clean(self, judgement: Judgement, day: str) -> bool:
        """No `warn` rule broken, and none let through by a person."""
        warned = {verdict.day for verdict in judgement.verdicts if verdict.on_fail == "warn" and not verdict.success}
        return self._key(day) not in {*warned, *self.rulings.let_through}

    def _batch_counts(self, day: str, judgement: Judgement) -> DayCounts | None:
        """A batch without days of its own is counted once, with its first key."""
        return judgement.counts.get(ALL) if day == next(iter(self.batch.inputs)) else None

    def _discarded_of(self, day: str) -> int:
        """Rows that a person has discarded; a batch without days of its own counts them with its first key."""
        if self.day_column:
            return self.aside.discarded.get(day, 0)
        return self.aside.discarded.get(ALL, 0) if day == next(iter(self.batch.inputs)) else 0

    def _refused_of(self, day: str) -> int:
        """Rows that do not parse, where they are counted with a day and not with the arrival that brought them."""
        if self.batch.arrivals or day != next(iter(self.batch.inputs)):
            return 0
        return sum(count for days in self.batch.refused.values() for count in days.values())

    def _unparsed(self, judgement: Judgement, day: str) -> int:
        """Bronze keeps rows that do not parse; their number tells the readers whether there is anything to refuse."""
        return sum(verdict.rows_broken for verdict in judgement.verdicts if verdict.rule == PARSES.name and verdict.day == day)

    def _result(self, judgement: Judgement, passed: list[str], version: int | None, entries: list[DayEntry]) -> JobResult:
        held = {day: reasons for day in self.batch.inputs if (reasons := self.rulings.held.get(self._key(day)))}
        asks = {day: reasons for day in self.batch.inputs if (reasons := self._asked(day)) and day not in held}
        warned = Counter(v.rule for v in judgement.verdicts if v.on_fail == "warn" and not v.success)
        published = [entry for entry in entries if entry.day in passed]
        refused = sum(self.aside.late.values()) + self._without_day(judgement)
        if self.batch.arrivals:
            refused += sum(count for days in self.batch.refused.values() for count in days.values())
        facts: dict[str, Any] = {
            "table": self.table.name,
            "days": passed,
            "held": held,
            "asks": asks,
            "let_through": {day: rules for day in passed if (rules := self.rulings.let_through.get(self._key(day)))},
            "version": version,
            "rows_in": sum(entry.rows_in for entry in published),
            "rows_out": sum(entry.rows_out for entry in published),
            "rows_quarantined": sum(entry.rows_quarantined for entry in published) + refused,
            "rows_dropped": sum(entry.rows_dropped for entry in published),
            "warnings": dict(warned),
        }
        parts = [f"{facts['rows_out']:,} rows of {in_words(passed)} published as version {version}"] if passed else []
        if facts["rows_quarantined"]:
            parts.append(f"{facts['rows_quarantined']:,} {'do not parse' if self.is_bronze else 'quarantined'}")
        if held:
            parts.append(held_in_words(self.job, held))
        if asks:
            first = next(iter(asks))
            parts.append(f"asks whether to publish {in_words(asks)}, held until somebody answers: {first}: {' '.join(asks[first])}")
        message = f"{self.table.name}: {', '.join(parts) or 'no rows'}"
        return JobResult(request=self.job.request, status="asks" if asks else "held" if held else "done", message=message, facts=facts)

    def _asked(self, day: str) -> list[str]:
        return [question.evidence["sentence"] for question in self.rulings.questions if question.day == self._key(day)]


def held_in_words(job: Job, held: Mapping[str, list[str]]) -> str:
    """Which days were held (day to why), and what to do: all days that were asked for again, as what reads the table has made none of them."""
    first, again = next(iter(held)), f"run {job.request.days or 'it'} again (on Airflow's page: clear the task)"
    return f"held {in_words(held)}, whose published rows stay as they were: {first}: {' '.join(held[first])} Once that is mended, {again}."


def publish(job: Job, table: Table, candidate: DataFrame, batch: Batch, scanned: str | None = None) -> JobResult:
    """Gate, publish and record a candidate. Days that pass are published in one commit; days that break a `stop` rule are held.

    `scanned`: the place of staged rows that the candidate is read from, and which need not be staged again.
    """
    return Publication(job, table, candidate, batch, scanned).publish()
