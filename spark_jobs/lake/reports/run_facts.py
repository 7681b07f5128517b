"""What the ledger says of one run: its tables, their days, verdicts and questions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from expectations.lake import Lake
    from expectations.ledger import Attempt, DayEntry, Ledger, Question, Verdict

GOOD = ("done", "unchanged")
NOT_RUN = "not run"
Sentences = dict[str, list[str]]
"""Day to sentences."""


@dataclass(frozen=True)
class DayFacts:
    """One day of one table: `state` is published, held or asks, or empty where the run only judged it; `entry` is None where a later run made the day anew."""

    day: str
    state: str
    entry: DayEntry | None
    verdicts: tuple[Verdict, ...]
    held: tuple[str, ...]
    """The sentences of the rules that hold it, with examples."""
    let_through: tuple[str, ...]
    """The rules that it broke and that a person has let it through, with who and why."""
    questions: tuple[Question, ...]

    @property
    def broken(self) -> int:
        """The number of rules that the day broke."""
        return sum(not verdict.success for verdict in self.verdicts)


@dataclass(frozen=True)
class TableFacts:
    """What a run did with one table.

    `status` and `message` are those of its last job that did something, the numbers of rows those of the last one that made any.
    """

    name: str
    description: str
    status: str
    message: str
    days: tuple[DayFacts, ...] = ()
    rows: int = 0
    quarantined: int = 0
    dropped: int = 0
    not_taken: tuple[str, ...] = ()
    """Files of its landing folder that no run took."""

    @property
    def judged(self) -> int:
        """The number of verdicts."""
        return sum(len(day.verdicts) for day in self.days)

    @property
    def broken(self) -> int:
        """The number of verdicts that say broken."""
        return sum(day.broken for day in self.days)

    @property
    def in_state(self) -> dict[str, list[str]]:
        """`published`, `held` and `asks` to the days of the run that are."""
        return {state: [day.day for day in self.days if day.state == state] for state in ("published", "held", "asks")}

    @property
    def questions(self) -> list[Question]:
        """What the run asked about the table."""
        return [question for day in self.days for question in day.questions]


def tables_of_run(lake: Lake, ledger: Ledger, run_id: str, name: str) -> list[TableFacts]:
    """The tables that the run worked on, inputs first.

    Where `name` is a pipeline, those of its tables that the run did not come to are there too, with the reason. Empty where the
    ledger knows of no job of the run.
    """
    attempts: dict[str, list[Attempt]] = {}
    for attempt in ledger.attempts(run_id=run_id, limit=100_000):
        table = attempt.facts.get("table") or attempt.table  # a score is noted under its model, and says which table it filled
        for job in _jobs(replace(attempt, table=table)):
            if job.table in lake.tables:
                attempts.setdefault(job.table, []).append(job)
    if not attempts:
        return []
    expected = set(lake.pipelines[name].tables) if name in lake.pipelines else set()
    found: dict[str, TableFacts] = {}
    for table in lake.in_order(lake.tables):
        if table in attempts:
            found[table] = _table(lake, ledger, run_id, attempts[table])
        elif table in expected and (lake.table(table).contract.source or lake.table(table).logic):
            found[table] = TableFacts(table, lake.table(table).contract.description, NOT_RUN, _why_not(lake, table, found))
    return list(found.values())


def _jobs(attempt: Attempt) -> list[Attempt]:
    """The job itself, and the tables that a replay has built before its own; its facts are those of the table at which it ended."""
    built = attempt.facts.get("built") or ()
    others = [
        replace(attempt, table=one["table"], status=one["status"], message=one["message"], facts=one["facts"]) for one in built if one["table"] != attempt.table
    ]
    reached = not built or built[-1]["table"] == attempt.table
    return [attempt if reached else replace(attempt, facts={}), *others]


def _table(lake: Lake, ledger: Ledger, run_id: str, attempts: list[Attempt]) -> TableFacts:
    """`attempts`: the latest first."""
    last = attempts[0]
    if last.status == "unchanged":  # a second task that found nothing more to do does not hide what the first one did
        last = next((attempt for attempt in attempts if attempt.status == "done"), last)
    table = lake.table(last.table)
    made = next((attempt.facts for attempt in attempts if "rows_out" in attempt.facts), {})
    return TableFacts(
        name=table.name,
        description=table.contract.description,
        status=last.status,
        message=last.message,
        days=_days(ledger, run_id, attempts),
        rows=made.get("rows_out", 0),
        quarantined=made.get("rows_quarantined", 0),
        dropped=made.get("rows_dropped", 0),
        not_taken=tuple(next((attempt.facts["not_taken"] for attempt in attempts if "not_taken" in attempt.facts), ())),
    )


def _days(ledger: Ledger, run_id: str, attempts: list[Attempt]) -> tuple[DayFacts, ...]:
    table = attempts[0].table
    verdicts = ledger.verdicts(run_id, table)
    questions = ledger.decisions.questions(table, run_id)
    states, held, let_through = _states(attempts[::-1])
    named = sorted({*states, *(verdict.day for verdict in verdicts), *(question.day for question in questions)})
    entries = ledger.days(table, named)
    return tuple(
        DayFacts(
            day=day,
            state=states.get(day, ""),
            entry=entries[day] if day in entries and entries[day].run_id == run_id else None,
            verdicts=tuple(verdict for verdict in verdicts if verdict.day == day),
            held=tuple(held.get(day, ())),
            let_through=tuple(let_through.get(day, ())),
            questions=tuple(question for question in questions if question.day == day),
        )
        for day in named
    )


def _states(attempts: list[Attempt]) -> tuple[dict[str, str], Sentences, Sentences]:
    """Day to how the run left it, held day to why, and published day to what it was let through.

    `attempts`: the earliest first, as a later one of the same run counts.
    """
    states: dict[str, str] = {}
    held: Sentences = {}
    let_through: Sentences = {}
    for attempt in attempts:
        refused: Sentences = attempt.facts.get("held") or {}
        for day in attempt.facts.get("days") or []:
            states[day] = "published"
            held.pop(day, None)
        states |= dict.fromkeys(attempt.facts.get("asks") or {}, "asks")
        states |= dict.fromkeys(refused, "held")
        held |= refused
        let_through |= attempt.facts.get("let_through") or {}
    return states, held, let_through


def _why_not(lake: Lake, table: str, before: dict[str, TableFacts]) -> str:
    inputs = [before[read.table] for read in lake.table(table).contract.inputs if read.table in before]
    blocking = next((facts for facts in inputs if facts.status not in GOOD), None)
    return f"{table}: {blocking.name} is {blocking.status}" if blocking else f"{table}: no job of it is in the ledger; the log of its task says why"
