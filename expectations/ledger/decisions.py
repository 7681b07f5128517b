"""What people have decided: answers to questions, rows given up, rows corrected."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from expectations.days import ALL
from expectations.ledger import schema as s
from expectations.ledger.entries import Correction, Discard, Question
from expectations.ledger.rows import in_chunks, renamed, replace_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Connection, Engine, Row

    from expectations.ledger.entries import Answer

NO_ANSWER: dict[str, None] = dict.fromkeys(("answer", "answered_by", "reason", "answered_at"))


class Decisions:
    """The part of the ledger that people write."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    # questions

    def questions(self, table: str, run_id: str | None = None) -> list[Question]:
        """The questions about a table's days, the latest first; those that a run has asked where one is named."""
        query = select(s.questions).where(s.questions.c.table_name == table).order_by(s.questions.c.asked_at.desc(), s.questions.c.day)
        query = query.where(s.questions.c.run_id == run_id) if run_id is not None else query
        with self._engine.connect() as connection:
            return [_question(row) for row in connection.execute(query)]

    def question(self, table: str, day: str, rule: str, candidate: str) -> Question | None:
        """What is known of a question, where it was ever asked."""
        key = (s.questions.c.table_name == table, s.questions.c.day == day, s.questions.c.rule == rule, s.questions.c.candidate == candidate)
        with self._engine.connect() as connection:
            row = connection.execute(select(s.questions).where(*key)).first()
            return _question(row) if row else None

    def open_questions(self, table: str, run_id: str) -> list[Question]:
        """What a run has asked and nobody has answered: of each day that is still held and each rule, what was asked last.

        The question of a table whose batches have no days of their own (ALL) is open while any of its days is held.
        """
        days = select(s.table_days.c.day).where(s.table_days.c.table_name == table, s.table_days.c.state == "held")
        with self._engine.connect() as connection:
            held = {row.day for row in connection.execute(days)}
        latest: dict[tuple[str, str], Question] = {}
        for question in self.questions(table, run_id):
            latest.setdefault((question.day, question.rule), question)
        return [question for question in latest.values() if question.answer is None and (question.day in held or (question.day == ALL and held))]

    def answer(self, question: Question, answer: Answer, who: str, reason: str) -> None:
        """Note what a person has answered; a later answer to the same question counts."""
        key = [
            s.questions.c.table_name == question.table,
            s.questions.c.day == question.day,
            s.questions.c.rule == question.rule,
            s.questions.c.candidate == question.candidate,
        ]
        facts = {"answer": answer, "answered_by": who, "reason": reason, "answered_at": datetime.now(UTC)}
        with self._engine.begin() as connection:
            connection.execute(update(s.questions).where(*key).values(**facts))

    # rows

    def discards(self, table: str) -> dict[str, Discard]:
        """Row id to the reason why it was given up."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(s.discards).where(s.discards.c.table_name == table))
            return {row.row_id: Discard(row.table_name, row.row_id, row.reason, row.who) for row in rows}

    def discard(self, given_up: Iterable[Discard]) -> None:
        """Give rows up; the first reason of a row stays."""
        now = datetime.now(UTC)
        with self._engine.begin() as connection:
            for row in given_up:
                known = select(s.discards.c.row_id).where(s.discards.c.table_name == row.table, s.discards.c.row_id == row.row_id)
                if connection.execute(known).first() is None:
                    connection.execute(insert(s.discards), [renamed(row) | {"decided_at": now}])

    def reopen(self, table: str, row_ids: Iterable[str]) -> None:
        """Let discarded rows wait again."""
        with self._engine.begin() as connection:
            for row_id in row_ids:
                connection.execute(delete(s.discards).where(s.discards.c.table_name == table, s.discards.c.row_id == row_id))

    def corrections(self, table: str, days: Iterable[str] | None = None) -> list[Correction]:
        """The corrected rows of a bronze table, on the arrival days named (None: all)."""
        query = select(s.corrections).where(s.corrections.c.table_name == table)
        rows = in_chunks(self._engine, query, s.corrections.c.day, days)
        return [Correction(row.table_name, row.row_id, row.day, dict(row.values_), row.reason, row.who) for row in rows]

    def correct(self, corrections: Iterable[Correction]) -> None:
        """Note corrections; a later one of the same row replaces the earlier one."""
        now = datetime.now(UTC)
        with self._engine.begin() as connection:
            for correction in corrections:
                row = renamed(correction) | {"corrected_at": now}
                row["values_"] = row.pop("values")
                replace_row(connection, s.corrections, {"table_name": correction.table, "row_id": correction.row_id}, row)


def note_questions(connection: Connection, questions: Iterable[Question]) -> None:
    """Ask, or ask again: a question with the same candidate waits for an answer anew; its evidence tells the earlier ones."""
    now = datetime.now(UTC)
    for question in questions:
        row = renamed(question) | {"asked_at": now}
        key = {name: row[name] for name in ("table_name", "day", "rule", "candidate")}
        where = [s.questions.c[name] == value for name, value in key.items()]
        if connection.execute(select(s.questions.c.day).where(*where)).first() is None:
            connection.execute(insert(s.questions), [row])
        else:
            connection.execute(update(s.questions).where(*where).values(run_id=question.run_id, evidence=question.evidence, asked_at=now, **NO_ANSWER))


def _question(row: Row[Any]) -> Question:
    known: Any = row.answer
    return Question(row.table_name, row.day, row.rule, row.candidate, row.run_id, dict(row.evidence), known, row.answered_by or "", row.reason or "")
