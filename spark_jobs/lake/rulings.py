"""What becomes of each day of a candidate: it is published, held, or put to a person."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from expectations.days import ALL
from expectations.ledger import Question

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import DataFrame

    from expectations.contract import QuarantineLimit
    from expectations.jobs import JobRequest
    from expectations.lake import Table
    from expectations.ledger import Verdict
    from spark_jobs.lake.batch import Batch
    from spark_jobs.lake.gate import Asked, DayCounts, Judgement
    from spark_jobs.lake.job import Job

    Days = Mapping[str, Mapping[str, int]]

TREND = 10
"""Earlier verdicts of a rule that a person is shown."""


@dataclass
class Rulings:
    """Day key (ALL for tables without days) to why it is held; the questions that nobody has answered; what a person let through."""

    held: dict[str, list[str]] = field(default_factory=dict)
    questions: list[Question] = field(default_factory=list)
    let_through: dict[str, list[str]] = field(default_factory=dict)
    held_by_people: set[str] = field(default_factory=set)
    """The held days that nothing but a person's answer holds."""

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
class Put:
    """A broken `ask` rule of one day as it is put to a person.

    `candidate`: the hash of the rule's terms and the day's rows. `known`: what the ledger has of this very question. `trend`: how the rule
    judged the days before.
    """

    day: str
    asked: Asked
    candidate: str
    known: Question | None = None
    trend: tuple[str, ...] = ()


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
        prints = fingerprints(candidate, self.table.contract.columns, self.day_column, judgement.asked)
        put = [self._put(day, asked, prints[day]) for day, broken in judgement.asked.items() for asked in broken]
        return fates(self.table.name, judgement.held, self._beyond_limit(judgement), put, self.job.request)

    def publishes(self, day: str, candidate: DataFrame, judgement: Judgement) -> bool:
        """Whether the day will be published, as far as it is judged: only then is it history for the days after it."""
        asked = judgement.asked.get(day, [])
        answered = {(one.day, one.rule) for one in self.job.ledger.decisions.questions(self.table.name) if one.answer == "publish"} if asked else set()
        if day in judgement.held or any((day, one.rule) not in answered for one in asked):  # then its rows need not be looked at
            return False
        alone = replace(self, batch=replace(self.batch, inputs={day: self.batch.inputs[day]}))
        rulings = alone.rule_on(candidate, replace(judgement, held={}, asked={day: asked} if asked else {}))
        return day not in {*rulings.held, *rulings.open}

    def _beyond_limit(self, judgement: Judgement) -> dict[str, str]:
        """The days of which more rows would go to quarantine than the contract allows, and a sentence for each."""
        limit = self.table.contract.quarantine_limit
        if not limit:
            return {}
        left = {day: self._unparsed(day) + self.unscored.get(day, 0) for day in (self.batch.inputs if self.day_column else [ALL])}
        found = {day: beyond(limit, *quarantined_of(judgement.counts.get(day), rows)) for day, rows in left.items()}
        return {day: reason for day, reason in found.items() if reason}

    def _unparsed(self, day: str) -> int:
        """Rows that do not parse, whenever they were read."""
        refused = self.batch.refused
        if not self.day_column:
            return sum(count for days in refused.values() for count in days.values())
        newest = {one.arrival_day: max(one.days, default=None) for one in (*self.job.ledger.arrivals(self.table.name), *self.batch.arrivals)}
        read: dict[str, dict[str, int]] = {}
        for name, days in self.batch.inputs[day].items():
            made_from = self.job.lake.tables.get(name)  # predictions for comparison name the version that was asked, too
            if made_from and made_from.contract.source:
                read[name] = {near: entry.rows_quarantined for near, entry in self.job.ledger.days(name, days).items()}
        return unparsed_of(day, read, refused, newest)

    def _put(self, day: str, asked: Asked, rows: str) -> Put:
        candidate = candidate_of(asked, rows)
        known = self.job.ledger.decisions.question(self.table.name, day, asked.rule, candidate)
        return Put(day, asked, candidate, known, trend_before(day, self.job.ledger.history(self.table.name, asked.rule, TREND * 10)))


def fates(table: str, held: Mapping[str, list[str]], beyond_limit: Mapping[str, str], put: Iterable[Put], request: JobRequest) -> Rulings:
    """What becomes of the days of a candidate; those that are not named may be published.

    `held`: day to why the gate holds it. `beyond_limit`: day to why its quarantine has too many rows. `put`: what people are asked, with
    the answers that there are.
    """
    rulings = Rulings()
    for day, reasons in held.items():
        rulings.refuse(day, reasons)
    for day, reason in beyond_limit.items():
        rulings.refuse(day, [reason])
    for one in put:
        _answer(rulings, table, one, request)
    return rulings


def _answer(rulings: Rulings, table: str, put: Put, request: JobRequest) -> None:
    """Do with the day as a person has answered, or ask."""
    asked, known = put.asked, put.known
    if known and known.answer == "publish":
        rulings.let_through.setdefault(put.day, []).append(f"{asked.rule}, let through by {known.answered_by}: {known.reason}")
    elif known and known.answer == "hold" and not (request.force and known.run_id != request.run_id):
        if put.day not in rulings.held:
            rulings.held_by_people.add(put.day)
        rulings.refuse(put.day, [f"{asked.sentence} Held by {known.answered_by}: {known.reason}."])
    else:
        rulings.questions.append(Question(table, put.day, asked.rule, put.candidate, request.run_id, evidence_of(put)))


def candidate_of(asked: Asked, rows: str) -> str:
    """What an answer is kept under: a hash of the rule as the contract states it and of the day's rows, by their fingerprint."""
    return hashlib.sha256(f"{asked.terms} {rows}".encode()).hexdigest()[:32]


def evidence_of(put: Put) -> dict[str, Any]:
    """What a person is shown of a broken rule: the sentence, counts, examples, the days before, and what was answered to the same question."""
    asked, known = put.asked, put.known
    counts = {"judged": asked.judged, "broken": asked.broken, "observed": asked.observed}
    earlier = list(known.evidence.get("earlier_answers", ())) if known else []
    earlier += [f"{known.answer} by {known.answered_by}: {known.reason}"] if known and known.answer else []
    return {"sentence": asked.sentence, **counts, "examples": list(asked.examples), "trend": list(put.trend), "earlier_answers": earlier}


def trend_before(day: str, verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """How a rule last judged the days before, the latest first; of `verdicts`, the first one of a day is its last."""
    last: dict[str, Verdict] = {}
    for verdict in verdicts:
        last.setdefault(verdict.day, verdict)
    days = sorted((near for near in last if near < day or day == ALL), reverse=True)[:TREND]
    return tuple(f"{near}: {last[near].observed or f'{last[near].rows_broken:,} of {last[near].rows_judged:,} rows'}" for near in days)


def quarantined_of(counts: DayCounts | None, left: int) -> tuple[int, int]:
    """A day's rows that go to quarantine, and all its rows; `left`, those that do not parse or could not be scored, are among both."""
    return (counts.quarantined if counts else 0) + left, (counts.rows if counts else 0) + left


def unparsed_of(day: str, read: Days, refused: Days, newest: Mapping[str, str | None]) -> int:
    """A day's rows that do not parse. Those of a file count with the newest day that the file touches.

    `read`: bronze table to the arrival days that the day is made from, each with its rows that do not parse by the ledger. `refused`: the
    same, of those that were read anew. `newest`: arrival day to the newest day that it touches; None where it touches none.
    """
    total = 0
    for name, days in read.items():
        counted = {near: refused.get(name, {}).get(near, rows) for near, rows in days.items()}
        total += sum(rows for near, rows in counted.items() if newest.get(near, day) == day)
    return total


def beyond(limit: QuarantineLimit, quarantined: int, rows: int) -> str:
    """The sentence for a day of which too many rows go to quarantine; an empty text where they are not too many."""
    found = f"quarantine_limit: {quarantined:,} of {rows:,} rows would go to quarantine, at most"
    if limit.rows is not None and quarantined > limit.rows:
        return f"{found} {limit.rows:,} may."
    if limit.share is not None and quarantined > limit.share * rows:
        return f"{found} {limit.share:.1%} may."
    return ""


def fingerprints(candidate: DataFrame, columns: Iterable[str], day_column: str | None, days: Iterable[str]) -> dict[str, str]:
    """Day to a text that is the same where the day's rows are the same in these columns, in whatever order they come."""
    days = list(days)
    if not days:
        return {}
    key = F.col(day_column).cast("string") if day_column else F.lit(ALL)
    row = F.xxhash64(F.to_json(F.struct(*columns)))
    # sum and xor do not depend on the order; a row that stands twice changes the sum
    both = (F.sum(row.cast("decimal(38,0)")).alias("total"), F.bit_xor(row).alias("parity"))
    rows = candidate.select("*", key.alias("__day")).filter(F.col("__day").isin(days))
    found = {entry["__day"]: entry for entry in rows.groupBy("__day").agg(F.count(F.lit(1)).alias("rows"), *both).collect()}
    return {day: f"{found[day].rows} {found[day].total} {found[day].parity}" if day in found else "no rows" for day in days}
