"""Gate, publish, record: the last three of the five steps, the same for every table and for predictions."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from expectations.days import ALL, in_words
from expectations.errors import DataError, LeaseError
from expectations.jobs import JobResult
from expectations.ledger import Arrival, DayEntry
from expectations.rule import Rule
from spark_jobs.lake import commit, quarantine
from spark_jobs.lake.gate import DayCounts, Judgement, gate_rules, judge
from spark_jobs.lake.refusals import Refusals
from spark_jobs.lake.rulings import Ruling, Rulings
from spark_jobs.lake.storage import Place

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from expectations.lake import Table
    from spark_jobs.lake.batch import Batch
    from spark_jobs.lake.job import Job

NO_DAY = "null"
"""The key under which the gate counts rows whose day is null."""
PARSES = Rule.model_validate({"expect": "expect_column_values_to_be_null", "column": "_errors", "name": "type", "on_fail": "warn"})
"""Every bronze table's own rule: each text is of its column's type. Bronze keeps the rows that break it; readers refuse them."""


class Publication:
    """One candidate on its way through gate, publish and record."""

    def __init__(self, job: Job, table: Table, candidate: DataFrame, batch: Batch) -> None:
        self.job, self.table, self.batch = job, table, batch
        self.candidate = candidate
        self.started = time.monotonic()
        self.before = job.ledger.days(table.name, batch.inputs)
        self.rulings = Rulings()
        self.is_bronze = table.contract.source is not None
        self.day_column = "_day" if self.is_bronze else table.contract.day
        self.rules = [PARSES, *table.contract.rules] if self.is_bronze else gate_rules(table.contract, "_row" in candidate.columns)

    def publish(self) -> JobResult:
        """Publish the days that pass and hold the others."""
        can_refuse = any(rule.on_fail != "warn" for rule in self.rules) or self.table.contract.quarantine_limit is not None
        return self._audit_then_publish() if can_refuse or self.batch.late is not None else self._publish_then_judge()

    def _publish_then_judge(self) -> JobResult:
        """Where no rule can refuse anything there is nothing to wait for: judge what was written, and save the staging."""
        days = list(self.batch.inputs)
        with self.job.ledger.lease(self.table.name, self.job.request.run_id) as lease:
            self._check_nobody_was_faster()
            lease.check()
            version = self._commit(self.candidate, days).version
            written = self.job.spark.read.format("delta").load(self.path)
            judgement = judge(self._on_days(written, days), self.table.name, self.rules, self.day_column, self._with_rows())
            entries = [self._entry(day, judgement, version, is_published=True) for day in days]
            self.job.ledger.record(entries, judgement.verdicts, self.batch.arrivals)
        return self._result(judgement, days, version, {}, entries)

    def _audit_then_publish(self) -> JobResult:
        """Readers see nothing before it was judged."""
        staging = self.job.settings.staging_path(self.table.name, self.job.request.run_key)
        try:
            staged = self._stage(staging)
            on_time = staged.filter(~F.col("_late")).drop("_late") if self.batch.late is not None else staged
            judgement = judge(on_time, self.table.name, self.rules, self.day_column, self._with_rows())
            self.rulings = Ruling(self.job, self.table, self.batch, self.day_column).rule_on(on_time, judgement)
            late = self._late_counts(staged)
            return self._publish(staged, on_time, judgement, late)
        finally:
            Place.of(staging).delete_folder()

    def _stage(self, staging: str) -> DataFrame:
        rows = self.candidate
        if self.batch.late is not None:
            rows = rows.select("*", self.batch.late.alias("_late"))
        rows.write.mode("overwrite").parquet(staging)
        return self.job.spark.read.schema(rows.schema).parquet(staging)

    def _late_counts(self, staged: DataFrame) -> dict[str, int]:
        if self.batch.late is None:
            return {}
        arrived = quarantine.arrival_day(F.col("_row")).cast("string").alias("day")
        return {row.day: row["count"] for row in staged.filter("_late").groupBy(arrived).count().collect()}

    def _publish(self, staged: DataFrame, on_time: DataFrame, judgement: Judgement, late: dict[str, int]) -> JobResult:
        passed = [day for day in self.batch.inputs if self._key(day) not in {*self.rulings.held, *self.rulings.open}]
        version, keys = None, set[str]()
        with self.job.ledger.lease(self.table.name, self.job.request.run_id) as lease:
            self._check_nobody_was_faster()
            if passed or not self.batch.inputs:
                keys = Refusals(self.job, self.table, self.batch, self.day_column).publish(staged, on_time, judgement, late, passed)
            if passed:
                lease.check()
                done = self._commit(self._on_days(judgement.good(on_time), passed), passed)
                self._check_balance(judgement, passed, done)
                version = done.version
            entries = [self._entry(day, judgement, version, is_published=day in passed) for day in self.batch.inputs]
            arrivals = self._arrivals(judgement, late) if passed or not entries else ()
            waiting = [(self.table.name, key, self.job.request.run_id) for key in keys]
            self.job.ledger.record(entries, judgement.verdicts, arrivals, quarantined=waiting, questions=self.rulings.questions)
        return self._result(judgement, passed, version, late, entries)

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

    def _arrivals(self, judgement: Judgement, late: dict[str, int]) -> list[Arrival]:
        unparsed = {day: count for days in self.batch.refused.values() for day, count in days.items()}
        found = [replace(a, refused=late.get(a.arrival_day, 0) + unparsed.get(a.arrival_day, 0)) for a in self.batch.arrivals]
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

    def _commit(self, rows: DataFrame, days: list[str]) -> commit.Committed:
        metadata = {
            "run_id": self.job.request.run_id,
            "table": self.table.name,
            "code": f"{self.table.contract_hash}.{self.table.logic_hash}",
            "days": {day: self.batch.inputs[day] for day in days},
        }
        target = commit.Target(self.job.spark, self.path, self.table.contract, self.day_column, metadata)
        return commit.commit(target, rows, days)

    def _check_balance(self, judgement: Judgement, passed: list[str], done: commit.Committed) -> None:
        """What Delta says it wrote is what the gate let through. Raises DataError; the ledger then does not know the commit."""
        good = sum(counts.good for day, counts in judgement.counts.items() if not self.day_column or day in passed)
        if done.rows is not None and done.rows != good:
            raise DataError(
                f"{self.table.name} does not balance: the gate let {good} rows through, but version {done.version} wrote {done.rows}. "
                "The ledger does not count it; restore the version before, and report this: it is a fault of the engine."
            )

    def _entry(self, day: str, judgement: Judgement, version: int | None, *, is_published: bool) -> DayEntry:
        counts = judgement.counts.get(day) if self.day_column else self._batch_counts(day, judgement)
        before = self.before.get(day)
        return DayEntry(
            table=self.table.name,
            day=day,
            state="published" if is_published else "held",
            version=version if is_published else (before.version if before else None),
            run_id=self.job.request.run_id,
            contract_hash=self.table.contract_hash,
            logic_hash=self.table.logic_hash,
            inputs=self.batch.inputs[day],
            rows_in=counts.rows if counts else 0,
            rows_out=counts.good if counts else 0,
            rows_quarantined=self._unparsed(judgement, day) if self.is_bronze else (counts.quarantined if counts else 0) + self._refused_of(day),
            rows_dropped=counts.dropped if counts else 0,
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

    def _refused_of(self, day: str) -> int:
        """Rows that do not parse, where they are counted with a day and not with the arrival that brought them."""
        if self.batch.arrivals or day != next(iter(self.batch.inputs)):
            return 0
        return sum(count for days in self.batch.refused.values() for count in days.values())

    def _unparsed(self, judgement: Judgement, day: str) -> int:
        """Bronze keeps rows that do not parse; their number tells the readers whether there is anything to refuse."""
        return sum(verdict.rows_broken for verdict in judgement.verdicts if verdict.rule == PARSES.name and verdict.day == day)

    def _result(self, judgement: Judgement, passed: list[str], version: int | None, late: dict[str, int], entries: list[DayEntry]) -> JobResult:
        held = {day: reasons for day in self.batch.inputs if (reasons := self.rulings.held.get(self._key(day)))}
        asks = {day: reasons for day in self.batch.inputs if (reasons := self._asked(day)) and day not in held}
        warned = Counter(v.rule for v in judgement.verdicts if v.on_fail == "warn" and not v.success)
        published = [entry for entry in entries if entry.day in passed]
        refused = sum(late.values()) + self._without_day(judgement)
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
            first = next(iter(held))
            parts.append(f"held {in_words(held)}, whose published rows stay as they were: {first}: {' '.join(held[first])}")
        if asks:
            first = next(iter(asks))
            parts.append(f"asks whether to publish {in_words(asks)}, held until somebody answers: {first}: {' '.join(asks[first])}")
        message = f"{self.table.name}: {', '.join(parts) or 'no rows'}"
        return JobResult(request=self.job.request, status="held" if held else "asks" if asks else "done", message=message, facts=facts)

    def _asked(self, day: str) -> list[str]:
        return [question.evidence["sentence"] for question in self.rulings.questions if question.day == self._key(day)]


def publish(job: Job, table: Table, candidate: DataFrame, batch: Batch) -> JobResult:
    """Gate, publish and record a candidate. Days that pass are published in one commit; days that break a `stop` rule are held."""
    return Publication(job, table, candidate, batch).publish()
