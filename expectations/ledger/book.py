"""Reads and writes the ledger."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, text, update

from expectations.errors import TransientError
from expectations.ledger import leases
from expectations.ledger import schema as s
from expectations.ledger.database import open_database
from expectations.ledger.decisions import Decisions, note_questions
from expectations.ledger.entries import Arrival, Attempt, DayEntry, FileEntry, ModelEntry, Profile, Quarantine, Verdict
from expectations.ledger.heads import Heads, note_head
from expectations.ledger.registrations import Registrations
from expectations.ledger.rows import in_chunks, in_utc, renamed, replace_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import Connection, Row

    from expectations.facts import Needs
    from expectations.ledger.entries import Head, Question


class Ledger:
    """The ledger behind one database URL. Cheap to make; safe in many processes at once."""

    def __init__(self, url: str) -> None:
        self._engine = open_database(url)
        self.decisions = Decisions(self._engine)
        self.registrations = Registrations(self._engine)
        self.heads = Heads(self._engine)

    def lease(self, table: str, owner: str, patience_seconds: float = 600.0) -> AbstractContextManager[leases.Lease]:
        """The right to write `table`, for the length of a with-block."""
        return leases.hold(self._engine, table, owner, patience_seconds)

    # days

    def days(self, table: str, days: Iterable[str] | None = None) -> dict[str, DayEntry]:
        """Day to its entry; all days of the table where none are named."""
        query = select(s.table_days).where(s.table_days.c.table_name == table)
        return {entry.day: entry for entry in map(_day_entry, self._select(query, s.table_days.c.day, days))}

    def versions(self, table: str, days: Iterable[str] | None = None, needs: Needs = "published") -> dict[str, int]:
        """Day to the version at which its published rows last changed; days never published, or not as clean as needed, are left out."""
        entries = self.days(table, days)
        return {day: entry.version for day, entry in entries.items() if entry.version is not None and (entry.clean or needs == "published")}

    def newest(self, table: str) -> DayEntry | None:
        """A day that was published last, by the table's version; None where none is."""
        d = s.table_days.c
        query = select(s.table_days).where(d.table_name == table, d.state == "published").order_by(d.version.desc()).limit(1)
        return next(map(_day_entry, self._select(query)), None)

    def days_of_run(self, run_id: str, tables: Iterable[str]) -> set[str]:
        """The days that a run published in any of `tables`."""
        query = select(s.table_days.c.day).where(
            s.table_days.c.run_id == run_id, s.table_days.c.table_name.in_(list(tables)), s.table_days.c.state == "published"
        )
        return {row.day for row in self._select(query)}

    def record(  # noqa: PLR0913 - what one run leaves
        self,
        entries: Iterable[DayEntry],
        verdicts: Iterable[Verdict],
        arrivals: Iterable[Arrival] = (),
        *,
        quarantine: Quarantine | None = None,
        questions: Iterable[Question] = (),
        profiles: Iterable[Profile] = (),
        head: Head | None = None,
    ) -> None:
        """Write what a run did, all or nothing. From now on `quarantine` says what of the table's refused rows counts, and `head` which version."""
        now = datetime.now(UTC)
        entries = list(entries)
        with self._engine.begin() as connection:
            for entry in entries:
                row = renamed(entry) | {"recorded_at": now}
                replace_row(connection, s.table_days, {"table_name": entry.table, "day": entry.day}, row)
            for arrival in arrivals:
                key = {"table_name": arrival.table, "input": arrival.input, "arrival_day": arrival.arrival_day}
                replace_row(connection, s.arrivals, key, renamed(arrival))
            run_id = entries[0].run_id if entries else ""
            judged = list(verdicts)
            for table, day in {(verdict.table, verdict.day) for verdict in judged}:  # a run that is tried again judges anew
                _forget_verdicts(connection, run_id, table, day)
            rows = [renamed(verdict) | {"run_id": run_id, "judged_at": now} for verdict in judged]
            if rows:
                connection.execute(insert(s.verdicts), rows)
            if quarantine is not None:
                replace_row(connection, s.quarantined, {"table_name": quarantine.table}, renamed(quarantine) | {"recorded_at": now})
            if head is not None:
                note_head(connection, head)
            note_questions(connection, questions)
            for profile in profiles:
                spread = renamed(profile) | {"recorded_at": now}
                spread["column_name"] = spread.pop("column")
                replace_row(connection, s.profiles, {name: spread[name] for name in ("table_name", "day", "column_name")}, spread)

    def restamp(self, table: str, old: str, new: str) -> None:
        """Write one hash of a table's logic for another, of its days and of the arrivals that it has read."""
        days, arrivals = s.table_days.c, s.arrivals.c
        with self._engine.begin() as connection:
            connection.execute(update(s.table_days).where(days.table_name == table, days.logic_hash == old).values(logic_hash=new))
            read = select(arrivals.code).where(arrivals.table_name == table, arrivals.code.like(f"%.{old}")).distinct()
            for code in connection.execute(read).scalars().all():
                stamped = f"{code.removesuffix(old)}{new}"
                connection.execute(update(s.arrivals).where(arrivals.table_name == table, arrivals.code == code).values(code=stamped))

    def forget_days(self, table: str, days: Iterable[str]) -> None:
        """Forget that these days were ever made."""
        with self._engine.begin() as connection:
            for day in days:
                connection.execute(delete(s.table_days).where(s.table_days.c.table_name == table, s.table_days.c.day == day))

    def forget_profiles(self, table: str, days: Iterable[str]) -> None:
        """Forget how the values of these days were spread: their rows are others now."""
        with self._engine.begin() as connection:
            for day in days:
                connection.execute(delete(s.profiles).where(s.profiles.c.table_name == table, s.profiles.c.day == day))

    def arrivals(self, table: str) -> list[Arrival]:
        """Every arrival that `table` has read."""
        rows = self._select(select(s.arrivals).where(s.arrivals.c.table_name == table))
        return [Arrival(r.table_name, r.input, r.arrival_day, r.version, r.code, list(r.days), r.refused) for r in rows]

    def quarantine(self, table: str) -> Quarantine | None:
        """What of the table's refused rows counts; None where no run has ever recorded any."""
        for row in self._select(select(s.quarantined).where(s.quarantined.c.table_name == table)):
            return Quarantine(row.table_name, row.version, list(row._mapping["keys"]))
        return None

    def profiles(self, table: str, column: str, days: Iterable[str]) -> dict[str, dict[str, int]]:
        """Day to how the column's values were spread on it, for the published days that were profiled."""
        query = select(s.profiles).where(s.profiles.c.table_name == table, s.profiles.c.column_name == column)
        return {row.day: dict(row.counts) for row in self._select(query, s.profiles.c.day, days)}

    # files

    def file_taken(self, table: str, day: str) -> FileEntry | None:
        """The file of a day that counts: the one taken last."""
        query = select(s.files).where(s.files.c.table_name == table, s.files.c.day == day).order_by(s.files.c.taken_at.desc()).limit(1)
        return next(map(_file, self._select(query)), None)

    def files_taken(self, table: str) -> dict[str, FileEntry]:
        """Day to the file that counts, as `file_taken`, of all days."""
        query = select(s.files).where(s.files.c.table_name == table).order_by(s.files.c.taken_at)
        return {row.day: _file(row) for row in self._select(query)}

    def first_landed(self, table: str, day: str) -> datetime | None:
        """When the first of the day's files landed; None where none was taken, or nobody knows when."""
        query = select(func.min(s.files.c.landed_at)).where(s.files.c.table_name == table, s.files.c.day == day)
        landed = self._select(query)[0][0]
        return in_utc(landed) if landed else None

    def take_files(self, run_id: str, taken: Iterable[FileEntry]) -> None:
        """Note that files were taken, now."""
        now = datetime.now(UTC)
        with self._engine.begin() as connection:
            for file in taken:
                key = {"table_name": file.table, "day": file.day, "sha256": file.sha256}
                replace_row(connection, s.files, key, renamed(file) | {"run_id": run_id, "taken_at": now})

    # attempts and verdicts

    def note(self, attempt: Attempt) -> None:
        """Add a job to the history."""
        row = renamed(attempt) | {"finished_at": datetime.now(UTC)}
        with self._engine.begin() as connection:
            connection.execute(insert(s.attempts), [row])

    def attempts(self, run_id: str | None = None, table: str | None = None, limit: int = 1000) -> list[Attempt]:
        """Jobs, the latest first."""
        query = select(s.attempts).order_by(s.attempts.c.id.desc()).limit(limit)
        query = query.where(s.attempts.c.run_id == run_id) if run_id is not None else query
        query = query.where(s.attempts.c.table_name == table) if table is not None else query
        return [_attempt(row) for row in self._select(query)]

    def latest_of_runs(self, table: str, status: str, limit: int, wanted: Callable[[str], bool]) -> list[Attempt]:
        """Of each run that is `wanted`, the last job on `table` that ended so; at most `limit`, the latest first."""
        a = s.attempts.c
        query = select(a.run_id, func.max(a.id).label("last")).where(a.table_name == table, a.status == status).group_by(a.run_id)
        last = sorted((row.last for row in self._select(query) if wanted(row.run_id)), reverse=True)[:limit]
        return [_attempt(row) for row in self._select(select(s.attempts).where(a.id.in_(last)).order_by(a.id.desc()))]

    def verdicts(self, run_id: str, table: str) -> list[Verdict]:
        """How a run's rules judged a table's days."""
        query = select(s.verdicts).where(s.verdicts.c.run_id == run_id, s.verdicts.c.table_name == table).order_by(s.verdicts.c.id)
        return [_verdict(row) for row in self._select(query)]

    def history(self, table: str, rule: str, limit: int = 10) -> list[Verdict]:
        """How a rule judged, the latest first."""
        query = select(s.verdicts).where(s.verdicts.c.table_name == table, s.verdicts.c.rule == rule).order_by(s.verdicts.c.id.desc()).limit(limit)
        return [_verdict(row) for row in self._select(query)]

    # models

    def record_model(self, entry: ModelEntry, questions: Iterable[Question] = (), *, instead_of: int | None = None) -> None:
        """Write a model's version, with what a person is asked about it. A new champion takes the title from version `instead_of` (None: from none).

        Raises TransientError, and writes nothing, where another one has the title.
        """
        with self._engine.begin() as connection:
            if entry.champion:
                _require_champion(connection, entry.model, entry.version, instead_of)
                connection.execute(update(s.models).where(s.models.c.model == entry.model).values(champion=False))
            replace_row(connection, s.models, {"model": entry.model, "version": entry.version}, asdict(entry))
            note_questions(connection, questions)

    def crown(self, model: str, version: int, instead_of: int | None) -> None:
        """Make a registered version the champion, in the place of version `instead_of` (None: of none).

        Raises TransientError, and changes nothing, where another one is champion.
        """
        with self._engine.begin() as connection:
            _require_champion(connection, model, version, instead_of)
            connection.execute(update(s.models).where(s.models.c.model == model).values(champion=s.models.c.version == version))

    def model_versions(self, model: str) -> list[ModelEntry]:
        """A model's versions, the newest first."""
        rows = self._select(select(s.models).where(s.models.c.model == model).order_by(s.models.c.version.desc()))
        return [ModelEntry(**{**row._mapping, "trained_at": in_utc(row.trained_at)}) for row in rows]

    def champion(self, model: str) -> ModelEntry | None:
        """The version that serves."""
        return next((entry for entry in self.model_versions(model) if entry.champion), None)

    def _select(self, query: Any, column: Any = None, values: Iterable[str] | None = None) -> list[Row[Any]]:
        return in_chunks(self._engine, query, column, values)


def _require_champion(connection: Connection, model: str, version: int, instead_of: int | None) -> None:
    """Until the transaction ends, nobody else crowns. Raises TransientError where neither `version` nor the one before it is champion."""
    if connection.dialect.name == "postgresql":  # SQLite has one writer at a time; a row cannot be locked where the first champion is still to come
        connection.execute(text("LOCK TABLE models IN SHARE ROW EXCLUSIVE MODE"))
    now = connection.execute(select(s.models.c.version).where(s.models.c.model == model, s.models.c.champion)).scalar()
    if now not in {version, instead_of}:
        was, stands = f"v{instead_of}" if instead_of else "no version", f"v{now} is" if now else "none is"
        raise TransientError(f"{model}: v{version} was to be champion in the place of {was}, but {stands} champion now; do it again, compared with that.")


def _forget_verdicts(connection: Connection, run_id: str, table: str, day: str) -> None:
    connection.execute(delete(s.verdicts).where(s.verdicts.c.run_id == run_id, s.verdicts.c.table_name == table, s.verdicts.c.day == day))


def _attempt(row: Row[Any]) -> Attempt:
    return Attempt(row.run_id, row.table_name, row.status, row.message, list(row.days), dict(row.facts), row.seconds)


def _file(row: Row[Any]) -> FileEntry:
    landed = in_utc(row.landed_at) if row.landed_at else None
    return FileEntry(row.table_name, row.day, row.sha256, row.path, row.bytes, landed)


def _verdict(row: Row[Any]) -> Verdict:
    judged = (row.success, row.rows_judged, row.rows_broken, row.observed, in_utc(row.judged_at))
    return Verdict(row.table_name, row.day, row.rule, row.on_fail, *judged)


def _day_entry(row: Row[Any]) -> DayEntry:
    facts = dict(row._mapping)
    facts.pop("recorded_at")
    return DayEntry(table=facts.pop("table_name"), **facts)
