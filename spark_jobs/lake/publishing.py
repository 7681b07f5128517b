"""Gate, publish, record: the last three of the five steps, the same for every table and for predictions."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from expectations.contract import Rule
from expectations.days import ALL, in_words
from expectations.errors import DataError, LeaseError
from expectations.jobs import JobResult
from expectations.ledger import Arrival, DayEntry
from spark_jobs.lake import commit, quarantine
from spark_jobs.lake.gate import Judgement, gate_rules, judge
from spark_jobs.lake.storage import Place

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from expectations.lake import Table
    from expectations.ledger.entries import Inputs
    from spark_jobs.lake.job import Job

PARSES = Rule.model_validate({"expect": "expect_column_values_to_be_null", "column": "_errors", "name": "type", "on_fail": "warn"})
"""Every bronze table's own rule: each text is of its column's type. Bronze keeps the rows that break it; readers refuse them."""


@dataclass(frozen=True)
class Batch:
    """What is published at once.

    `inputs`: for each day (or ALL) to publish, what it was made from. `arrivals`: what a scan of `new_arrivals` has told.
    `late`: tells rows that came too long after their day. `refused`: arrival day to the number of its rows that do not parse, which
    wait in the bronze table `refused_from`.
    """

    inputs: dict[str, Inputs]
    arrivals: tuple[Arrival, ...] = ()
    late: Column | None = None
    new_arrivals: tuple[str, ...] = ()
    refused_from: str | None = None
    refused: dict[str, int] = field(default_factory=dict)


class Publication:
    """One candidate on its way through gate, publish and record."""

    def __init__(self, job: Job, table: Table, candidate: DataFrame, batch: Batch) -> None:
        self.job, self.table, self.batch = job, table, batch
        self.candidate = candidate
        self.started = time.monotonic()
        self.before = job.ledger.days(table.name, batch.inputs)
        self.is_bronze = table.contract.source is not None
        self.day_column = "_day" if self.is_bronze else table.contract.day
        self.rules = [PARSES, *table.contract.rules] if self.is_bronze else gate_rules(table.contract, "_row" in candidate.columns)

    def publish(self) -> JobResult:
        """Publish the days that pass and hold the others."""
        can_refuse = any(rule.on_fail != "warn" for rule in self.rules)
        return self._audit_then_publish() if can_refuse or self.batch.late is not None else self._publish_then_judge()

    def _publish_then_judge(self) -> JobResult:
        """Where no rule can refuse anything there is nothing to wait for: judge what was written, and save the staging."""
        days = list(self.batch.inputs)
        with self.job.ledger.lease(self.table.name, self.job.request.run_id) as lease:
            self._check_nobody_was_faster()
            lease.check()
            version = self._commit(self.candidate, days)
            written = self.job.spark.read.format("delta").load(self.path)
            judgement = judge(self._on_days(written, days), self.table.name, self.rules, self.day_column)
            entries = [self._entry(day, judgement, version, is_published=True) for day in days]
            self.job.ledger.record(entries, judgement.verdicts, self.batch.arrivals)
        return self._result(judgement, days, version, {}, entries)

    def _audit_then_publish(self) -> JobResult:
        """Readers see nothing before it was judged."""
        staging = self.job.settings.staging_path(self.table.name, self.job.request.run_key)
        try:
            staged = self._stage(staging)
            on_time = staged.filter(~F.col("_late")).drop("_late") if self.batch.late is not None else staged
            judgement = judge(on_time, self.table.name, self.rules, self.day_column)
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
        passed = [day for day in self.batch.inputs if not self._held_reasons(judgement, day)]
        version = None
        with self.job.ledger.lease(self.table.name, self.job.request.run_id) as lease:
            self._check_nobody_was_faster()
            if passed:
                self._check_balance(judgement)
                self._publish_quarantine(staged, on_time, judgement, late, passed)
                lease.check()
                version = self._commit(self._on_days(judgement.good(on_time), passed), passed)
            entries = [self._entry(day, judgement, version, is_published=day in passed) for day in self.batch.inputs]
            self.job.ledger.record(entries, judgement.verdicts, self._arrivals(late) if passed or not entries else ())
        return self._result(judgement, passed, version, late, entries)

    def _held_reasons(self, judgement: Judgement, day: str) -> list[str]:
        key = day if self.day_column else ALL
        return judgement.held.get(key, [])

    def _check_nobody_was_faster(self) -> None:
        """What was made from older rows must not cover what another run has published since it was read."""
        if self.job.ledger.days(self.table.name, self.batch.inputs) != self.before:
            raise LeaseError(f"{self.table.name}: another run published some of these days meanwhile; nothing was written, run it again.")

    def _arrivals(self, late: dict[str, int]) -> list[Arrival]:
        refused = {arrival.arrival_day: late.get(arrival.arrival_day, 0) + self.batch.refused.get(arrival.arrival_day, 0) for arrival in self.batch.arrivals}
        return [replace(arrival, refused=refused[arrival.arrival_day]) for arrival in self.batch.arrivals]

    @property
    def path(self) -> str:
        """The table's Delta folder."""
        return self.job.settings.table_path(self.table.name)

    def _on_days(self, rows: DataFrame, days: list[str]) -> DataFrame:
        return rows.filter(F.col(self.day_column).cast("string").isin(days)) if self.day_column else rows

    def _commit(self, rows: DataFrame, days: list[str]) -> int:
        metadata = {
            "run_id": self.job.request.run_id,
            "table": self.table.name,
            "code": f"{self.table.contract_hash}.{self.table.logic_hash}",
            "days": {day: self.batch.inputs[day] for day in days},
        }
        target = commit.Target(self.job.spark, self.path, self.table.contract, self.day_column, metadata)
        return commit.commit(target, rows, days)

    def _check_balance(self, judgement: Judgement) -> None:
        for day, counts in judgement.counts.items():
            if counts.rows != counts.good + counts.quarantined + counts.dropped:
                raise DataError(
                    f"{self.table.name} {day} does not balance: {counts.rows} rows into the gate, but {counts.good} good, "
                    f"{counts.quarantined} quarantined and {counts.dropped} dropped; nothing was published. This is a fault of the gate: report it."
                )

    def _publish_quarantine(self, staged: DataFrame, on_time: DataFrame, judgement: Judgement, late: dict[str, int], passed: list[str]) -> None:
        refused: list[DataFrame] = []
        if any(counts.quarantined for counts in judgement.counts.values()):
            bad = judgement.quarantined(on_time)
            if self.day_column:
                day = F.col(self.day_column)
                bad = bad.filter(day.isNull() | day.cast("string").isin(passed))
            refused.append(quarantine.refused_by_rule(self.job, self.table, bad, self.day_column))
        if late:
            rows = staged.filter("_late").drop("_late").select("*", F.array(F.lit(quarantine.LATE_RULE)).alias("_rules"))
            lates = quarantine.refused_by_rule(self.job, self.table, rows, self.day_column)
            refused.append(lates.select(*(F.lit(None).cast("date").alias(c) if c == "_day" else F.col(c) for c in lates.columns)))
        if self.batch.refused_from and any(self.batch.refused.values()):
            refused.append(quarantine.refused_by_type(self.job, self.batch.refused_from, self.batch.refused))
        rows_or_none = None
        for frame in refused:
            rows_or_none = frame if rows_or_none is None else rows_or_none.unionByName(frame)
        days = [day for day in passed if self.day_column]
        quarantine.replace(self.job, self.table, rows_or_none, days, list(self.batch.new_arrivals))

    def _entry(self, day: str, judgement: Judgement, version: int | None, *, is_published: bool) -> DayEntry:
        counts = judgement.counts.get(day if self.day_column else ALL)
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
            rows_quarantined=self._unparsed(judgement, day) if self.is_bronze else (counts.quarantined if counts else 0),
            rows_dropped=counts.dropped if counts else 0,
            seconds=round(time.monotonic() - self.started, 3),
        )

    def _unparsed(self, judgement: Judgement, day: str) -> int:
        """Bronze keeps rows that do not parse; their number tells the readers whether there is anything to refuse."""
        return sum(verdict.rows_broken for verdict in judgement.verdicts if verdict.rule == PARSES.name and verdict.day == day)

    def _result(self, judgement: Judgement, passed: list[str], version: int | None, late: dict[str, int], entries: list[DayEntry]) -> JobResult:
        held = {day: reasons for day in self.batch.inputs if (reasons := self._held_reasons(judgement, day))}
        warned = Counter(v.rule for v in judgement.verdicts if v.on_fail == "warn" and not v.success)
        published = [entry for entry in entries if entry.day in passed]
        refused = sum(late.values()) + sum(self.batch.refused.values())
        facts: dict[str, Any] = {
            "table": self.table.name,
            "days": passed,
            "held": held,
            "version": version,
            "rows_in": sum(entry.rows_in for entry in published),
            "rows_out": sum(entry.rows_out for entry in published),
            "rows_quarantined": sum(entry.rows_quarantined for entry in published) + refused,
            "rows_dropped": sum(entry.rows_dropped for entry in published),
            "warnings": dict(warned),
        }
        message = f"{self.table.name}: {facts['rows_out']:,} rows of {in_words(passed)} published as version {version}" if passed else ""
        message += f", {facts['rows_quarantined']:,} quarantined" if passed and facts["rows_quarantined"] else ""
        if held:
            first = next(iter(held))
            message += "; " if message else f"{self.table.name}: "
            message += f"held {in_words(held)}, whose published rows stay as they were: {first}: {' '.join(held[first])}"
        return JobResult(request=self.job.request, status="held" if held else "done", message=message, facts=facts)


def publish(job: Job, table: Table, candidate: DataFrame, batch: Batch) -> JobResult:
    """Gate, publish and record a candidate. Days that pass are published in one commit; days that break a `stop` rule are held."""
    return Publication(job, table, candidate, batch).publish()
