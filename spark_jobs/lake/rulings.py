"""What becomes of each day of a candidate: it is published, held, or put to a person."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from expectations.days import ALL
from expectations.ledger import Question

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame

    from expectations.contract import QuarantineLimit
    from expectations.lake import Table
    from expectations.ledger import Verdict
    from spark_jobs.lake.batch import Batch
    from spark_jobs.lake.gate import Asked, Judgement
    from spark_jobs.lake.job import Job

TREND = 10
"""Earlier verdicts of a rule that a person is shown."""


@dataclass
class Rulings:
    """Day key (ALL for tables without days) to why it is held; the questions that nobody has answered; what a person let through."""

    held: dict[str, list[str]] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    let_through: dict[str, list[str]] = field(default_factory=dict)

    @property
    def open(self) -> set[str]:
        """The days that wait for an answer."""
        return {question.day for question in self.questions}

    def refuse(self, day: str, reasons: Iterable[str]) -> None:
        """Hold a day."""
        found = list(reasons)
        if found:
            self.held.setdefault(day, []).extend(found)


@dataclass(frozen=True)
class Ruling:
    """Rules on the days of one batch of a table."""

    job: Job
    table: Table
    batch: Batch
    day_column: str | None
    unscored: dict[str, int] = field(default_factory=dict)
    """Day to its rows that no model could score, which left before the gate."""

    def rule_on(self, candidate: DataFrame, judgement: Judgement) -> Rulings:
        """What the gate's judgement means for each day: the limits of the contract and the answers of people included.

        An answer holds for the rule as it was and for the rows as they were: a changed candidate asks again. Where the request is
        forced, a day that a person has held is asked about anew.
        """
        rulings = Rulings()
        for day, reasons in judgement.held.items():
            rulings.refuse(day, reasons)
        if self.table.contract.quarantine_limit:
            for day in self.batch.inputs if self.day_column else [ALL]:
                reason = _beyond(self.table.contract.quarantine_limit, *self._quarantined(judgement, day))
                rulings.refuse(day, [reason] if reason else [])
        prints = _fingerprints(candidate, self.table, self.day_column, judgement.asked)
        for day, broken in judgement.asked.items():
            for asked in broken:
                self._ask(rulings, day, asked, prints[day])
        return rulings

    def publishes(self, day: str, candidate: DataFrame, judgement: Judgement) -> bool:
        """Whether the day will be published, as far as it is judged: only then is it history for the days after it."""
        asked = judgement.asked.get(day, [])
        answered = {(one.day, one.rule) for one in self.job.ledger.decisions.questions(self.table.name) if one.answer == "publish"} if asked else set()
        if day in judgement.held or any((day, one.rule) not in answered for one in asked):  # then its rows need not be looked at
            return False
        alone = replace(self, batch=replace(self.batch, inputs={day: self.batch.inputs[day]}))
        rulings = alone.rule_on(candidate, replace(judgement, held={}, asked={day: asked} if asked else {}))
        return day not in {*rulings.held, *rulings.open}

    def _quarantined(self, judgement: Judgement, day: str) -> tuple[int, int]:
        """The day's rows that go to quarantine, and all its rows; those that do not parse or could not be scored are among both."""
        counts = judgement.counts.get(day)
        unparsed = self._unparsed(day) + self.unscored.get(day, 0)
        return (counts.quarantined if counts else 0) + unparsed, (counts.rows if counts else 0) + unparsed

    def _unparsed(self, day: str) -> int:
        """Rows that do not parse, whenever they were read. Those of a file count with the newest day that the file touches."""
        refused = self.batch.refused
        if not self.day_column:
            return sum(count for days in refused.values() for count in days.values())
        newest = {one.arrival_day: max(one.days, default=None) for one in (*self.job.ledger.arrivals(self.table.name), *self.batch.arrivals)}
        total = 0
        for name, days in self.batch.inputs[day].items():
            made_from = self.job.lake.tables.get(name)  # predictions for comparison name the version that was asked, too
            if made_from and made_from.contract.source:
                known = self.job.ledger.days(name, days)
                counted = {near: refused.get(name, {}).get(near, entry.rows_quarantined) for near, entry in known.items()}
                total += sum(count for near, count in counted.items() if newest.get(near, day) == day)
        return total

    def _ask(self, rulings: Rulings, day: str, asked: Asked, rows: str) -> None:
        candidate = hashlib.sha256(f"{asked.terms} {rows}".encode()).hexdigest()[:32]
        known = self.job.ledger.decisions.question(self.table.name, day, asked.rule, candidate)
        if known and known.answer == "publish":
            rulings.let_through.setdefault(day, []).append(f"{asked.rule}, let through by {known.answered_by}: {known.reason}")
        elif known and known.answer == "hold" and not (self.job.request.force and known.run_id != self.job.request.run_id):
            rulings.refuse(day, [f"{asked.sentence} Held by {known.answered_by}: {known.reason}. To be asked again, run the day with Rebuild."])
        else:
            rulings.questions.append(Question(self.table.name, day, asked.rule, candidate, self.job.request.run_id, self._evidence(day, asked, known)))

    def _evidence(self, day: str, asked: Asked, known: Question | None) -> dict[str, Any]:
        counts = {"judged": asked.judged, "broken": asked.broken, "observed": asked.observed}
        earlier = list(known.evidence.get("earlier_answers", ())) if known else []
        earlier += [f"{known.answer} by {known.answered_by}: {known.reason}"] if known and known.answer else []
        return {"sentence": asked.sentence, **counts, "examples": list(asked.examples), "trend": self._trend(day, asked.rule), "earlier_answers": earlier}

    def _trend(self, day: str, rule: str) -> list[str]:
        """How the rule last judged the days before, the latest first."""
        last: dict[str, Verdict] = {}
        for verdict in self.job.ledger.history(self.table.name, rule, TREND * 10):
            last.setdefault(verdict.day, verdict)
        days = sorted((near for near in last if near < day or day == ALL), reverse=True)[:TREND]
        return [f"{near}: {last[near].observed or f'{last[near].rows_broken:,} of {last[near].rows_judged:,} rows'}" for near in days]


def _beyond(limit: QuarantineLimit, quarantined: int, rows: int) -> str:
    found = f"quarantine_limit: {quarantined:,} of {rows:,} rows would go to quarantine, at most"
    if limit.rows is not None and quarantined > limit.rows:
        return f"{found} {limit.rows:,} may."
    if limit.share is not None and quarantined > limit.share * rows:
        return f"{found} {limit.share:.1%} may."
    return ""


def _fingerprints(candidate: DataFrame, table: Table, day_column: str | None, days: Iterable[str]) -> dict[str, str]:
    """Day to a text that is the same where the day's rows are the same, in whatever order they come."""
    days = list(days)
    if not days:
        return {}
    key = F.col(day_column).cast("string") if day_column else F.lit(ALL)
    row = F.xxhash64(F.to_json(F.struct(*table.contract.columns)))
    # sum and xor do not depend on the order; a row that stands twice changes the sum
    both = (F.sum(row.cast("decimal(38,0)")).alias("total"), F.bit_xor(row).alias("parity"))
    rows = candidate.select("*", key.alias("__day")).filter(F.col("__day").isin(days))
    found = {entry["__day"]: entry for entry in rows.groupBy("__day").agg(F.count(F.lit(1)).alias("rows"), *both).collect()}
    return {day: f"{found[day].rows} {found[day].total} {found[day].parity}" if day in found else "no rows" for day in days}
