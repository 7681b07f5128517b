"""What becomes of a judged batch: which days are published, what the ledger notes of each, and what is said of them all.

Values in, values out: nothing here asks Spark or the ledger.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from expectations.days import ALL, in_words
from expectations.jobs import JobResult
from expectations.ledger import Arrival, DayEntry
from spark_jobs.lake.commit import replaces
from spark_jobs.lake.gate.rules import PARSES
from spark_jobs.lake.quarantine.set_aside import NO_DAY, Aside
from spark_jobs.lake.rulings import Rulings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from expectations.contract import TableContract
    from expectations.jobs import JobRequest
    from expectations.lake import Table
    from expectations.ledger import Profile
    from expectations.rule import Rule
    from spark_jobs.lake.batch import Batch
    from spark_jobs.lake.gate import DayCounts, Judgement


def nothing_can_be_refused(contract: TableContract, rules: Iterable[Rule], batch: Batch, *, something_waits: bool) -> bool:
    """Whether all rows and days of a batch will be published, whatever the gate says; then they can be judged where they are published.

    `rules`: all that the table is judged by. `something_waits`: rows in its quarantine, or that a person has discarded: what a changed contract
    refuses no more has to leave. A batch that is merged or appended cannot be told from what was there, and so is judged before.
    """
    is_text = contract.source is not None and not contract.source.has_types  # its dialect is told by how many rows do not parse
    can_refuse = is_text or any(rule.on_fail != "warn" for rule in (*rules, *contract.over_time)) or contract.quarantine_limit is not None
    has_refused = batch.late is not None or any(any(days.values()) for days in batch.refused.values())
    return replaces(contract) and not (can_refuse or has_refused or something_waits or batch.is_whole)


@dataclass(frozen=True)
class Outcome:
    """A batch that was judged and ruled on.

    `before`: what the ledger had of its days. `day_column`: None where rows have no day of their own. `aside`: rows that left before the gate.
    """

    request: JobRequest
    table: Table
    batch: Batch
    day_column: str | None
    judgement: Judgement
    before: Mapping[str, DayEntry] = field(default_factory=dict)
    rulings: Rulings = field(default_factory=Rulings)
    aside: Aside = field(default_factory=Aside)

    @property
    def passed(self) -> list[str]:
        """The days that are published: neither held nor put to a person who has not answered."""
        return [day for day in self.batch.inputs if self._key(day) not in {*self.rulings.held, *self.rulings.open}]

    @property
    def is_settled(self) -> bool:
        """Whether a day passed, or there was none to publish but refused rows. Else the files are looked at again by the next run."""
        return bool(self.passed) or not self.batch.inputs

    @property
    def good(self) -> dict[str, int]:
        """Of each day that passed (ALL in a table without days) the rows that are published."""
        counts = self.judgement.counts
        return {day: counts[day].good if day in counts else 0 for day in (self.passed if self.day_column else [ALL])}

    def entries(self, version: int | None, seconds: float) -> list[DayEntry]:
        """What the ledger notes of each day. `version`: the commit's; None where no day passed."""
        passed = set(self.passed)
        return [self._entry(day, version, seconds, is_published=day in passed) for day in self.batch.inputs]

    def arrivals(self) -> list[Arrival]:
        """The scanned arrivals, with the rows of each that are refused and counted with no day."""
        unparsed = {day: count for days in self.batch.refused.values() for day, count in days.items()}
        refused = {a.arrival_day: unparsed.get(a.arrival_day, 0) + self.aside.refused_of(a.arrival_day, self.batch.inputs) for a in self.batch.arrivals}
        found = [replace(arrival, refused=refused[arrival.arrival_day]) for arrival in self.batch.arrivals]
        if found and self._without_day:  # which of several files they came from is told by the quarantine
            found[0] = replace(found[0], refused=found[0].refused + self._without_day)
        return found

    def profiles(self, found: Iterable[Profile]) -> list[Profile]:
        """Those of the days that passed: history from now on, also that of a day which has lost its last row."""
        passed = set(self.passed)
        return [profile for profile in found if profile.day in passed]

    def result(self, version: int | None, entries: Iterable[DayEntry]) -> JobResult:
        """What the job says; `entries` are those that the ledger has noted."""
        passed = self.passed
        held = {day: reasons for day in self.batch.inputs if (reasons := self.rulings.held.get(self._key(day)))}
        asks = {day: reasons for day in self.batch.inputs if (reasons := self._asked(day)) and day not in held}
        facts = self._facts(version, [entry for entry in entries if entry.day in passed], held, asks)
        parts = [f"{facts['rows_out']:,} rows of {in_words(passed)} published as version {version}"] if passed else []
        if facts["rows_quarantined"]:
            parts.append(f"{facts['rows_quarantined']:,} {'do not parse' if self._is_bronze else 'quarantined'}")
        if held:
            by_people = [day for day in held if self._key(day) in self.rulings.held_by_people]
            parts.append(held_in_words(self.request, held, by_people))
        if asks:
            first = next(iter(asks))
            parts.append(f"asks whether to publish {in_words(asks)}, held until somebody answers: {first}: {' '.join(asks[first])}")
        message = f"{self.table.name}: {', '.join(parts) or 'no rows'}"
        return JobResult(request=self.request, status="asks" if asks else "held" if held else "done", message=message, facts=facts)

    def _facts(self, version: int | None, published: list[DayEntry], held: dict[str, list[str]], asks: dict[str, list[str]]) -> dict[str, Any]:
        passed = self.passed
        warned = Counter(v.rule for v in self.judgement.verdicts if v.on_fail == "warn" and not v.success)
        refused = sum(self.aside.late.values()) + self._without_day
        if self.batch.arrivals:
            refused += sum(count for days in self.batch.refused.values() for count in days.values())
        return {
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

    @property
    def _is_bronze(self) -> bool:
        return self.table.contract.source is not None

    def _key(self, day: str) -> str:
        """What the gate calls the day."""
        return day if self.day_column else ALL

    @property
    def _without_day(self) -> int:
        counts = self.judgement.counts.get(NO_DAY)
        return counts.quarantined if counts else 0

    def _entry(self, day: str, version: int | None, seconds: float, *, is_published: bool) -> DayEntry:
        counts = self.judgement.counts.get(day) if self.day_column else self._batch_counts(day)
        before = self.before.get(day)
        discarded, unscored = self._discarded_of(day), self.aside.unscored.get(day, 0)
        return DayEntry(
            table=self.table.name,
            day=day,
            state="published" if is_published else "held",
            version=version if is_published else (before.version if before else None),
            run_id=self.request.run_id,
            contract_hash=self.table.contract_hash,
            logic_hash=self.table.logic_hash,
            inputs=self.batch.inputs[day],
            rows_in=(counts.rows if counts else 0) + discarded + unscored,
            rows_out=counts.good if counts else 0,
            rows_quarantined=self._unparsed(day) if self._is_bronze else (counts.quarantined if counts else 0) + self._refused_of(day) + unscored,
            rows_dropped=(counts.dropped if counts else 0) + discarded,
            seconds=seconds,
            clean=self._is_clean(day) if is_published else (before is None or before.clean),
        )

    def _is_clean(self, day: str) -> bool:
        """No `warn` rule broken, and none let through by a person."""
        warned = {verdict.day for verdict in self.judgement.verdicts if verdict.on_fail == "warn" and not verdict.success}
        return self._key(day) not in {*warned, *self.rulings.let_through}

    def _batch_counts(self, day: str) -> DayCounts | None:
        """A batch without days of its own is counted once, with its first key."""
        return self.judgement.counts.get(ALL) if day == next(iter(self.batch.inputs)) else None

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

    def _unparsed(self, day: str) -> int:
        """Bronze keeps rows that do not parse; their number tells the readers whether there is anything to refuse."""
        return sum(verdict.rows_broken for verdict in self.judgement.verdicts if verdict.rule == PARSES.name and verdict.day == day)

    def _asked(self, day: str) -> list[str]:
        return [question.evidence["sentence"] for question in self.rulings.questions if question.day == self._key(day)]


def held_in_words(request: JobRequest, held: Mapping[str, list[str]], by_people: Collection[str] = ()) -> str:
    """Which days were held (day to why), and what to do: all days that were asked for again, as what reads the table has made none of them.

    `by_people`: the days that a person's answer alone holds. It holds again, unless the run is one that asks anew.
    """
    first, days = next(iter(held)), request.days or "it"
    again = [f"Once that is mended, run {days} again (on Airflow's page: clear the task)."] if len(by_people) < len(held) else []
    again += [f"To be asked again{f' about {in_words(by_people)}' if again else ''}, run {days} with Rebuild (--force)."] if by_people else []
    return f"held {in_words(held)}, whose published rows stay as they were: {first}: {' '.join([*held[first], *again])}"
