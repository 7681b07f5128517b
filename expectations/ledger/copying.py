"""Copies a ledger into another database: from the SQLite file of one machine to the Postgres of many."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import insert, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from expectations.errors import LedgerError, TerminalError
from expectations.ledger import schema as s
from expectations.ledger.database import answering, open_database, shown
from expectations.ledger.rows import in_utc

if TYPE_CHECKING:
    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

BATCH = 1000


def copy_ledger(source: str, target: str) -> int:
    """Copy all lines of the ledger at the URL `source` into the empty one at `target`, all or none; returns how many. Leases are of the moment and stay.

    Raises TerminalError where there is no ledger to copy or `target` has lines already, LedgerError where one does not answer or somebody is writing.
    """
    _require_there(source)
    old, new = open_database(source), open_database(target)
    if _place(old.url) == _place(new.url):
        raise TerminalError("LAKE_LEDGER_URL names the ledger that is to be copied: set it to the new one, and LAKE_LEDGER_FROM to the old one if need be.")
    if old.dialect.name == "postgresql":  # all tables as of one moment; SQLite lets nobody write meanwhile
        old = old.execution_options(isolation_level="REPEATABLE READ")
    kept = [table for table in s.metadata.sorted_tables if table is not s.leases]
    with answering(new), old.begin() as reading, new.begin() as writing:
        owners = reading.scalars(select(s.leases.c.owner).where(s.leases.c.expires_at > time.time())).all()
        if owners:
            raise LedgerError(f"the ledger {shown(old)} is in use ({owners[0]}): stop its DAGs, wait until nothing runs, and copy it then.")
        for table in kept:
            if writing.execute(select(table).limit(1)).first():
                raise TerminalError(f"the ledger {shown(new)} has lines already ({table.name}): copy into one that is empty.")
        return sum(_copy(table, reading, writing) for table in kept)


def _copy(table: Table, reading: Connection, writing: Connection) -> int:
    columns = [column for column in table.columns if column.autoincrement is not True]  # the database counts on by itself, in the same order
    copied = 0
    for lines in reading.execute(select(*columns).order_by(*table.primary_key)).mappings().partitions(BATCH):
        writing.execute(insert(table), [{name: in_utc(value) if isinstance(value, datetime) else value for name, value in line.items()} for line in lines])
        copied += len(lines)
    return copied


def _place(url: URL) -> tuple[object, ...]:
    """What tells one database from another, however its address is written."""
    if url.get_backend_name() == "sqlite":
        return (Path(url.database or "").resolve(),)
    return url.get_backend_name(), url.host, url.port, url.database


def _require_there(source: str) -> None:
    try:
        url = make_url(source)
    except ArgumentError:
        raise TerminalError("LAKE_LEDGER_FROM is no database URL; write one like sqlite:////data/ledger.db.") from None
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise TerminalError(f"there is no ledger {url.database} to copy: let LAKE_LEDGER_FROM name the one that the lake has.")
