"""Opens the ledger's database and brings it to the newest schema."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError, ProgrammingError

from expectations.errors import LedgerError, TerminalError

if TYPE_CHECKING:
    from collections.abc import Iterator

MIGRATIONS = Path(__file__).with_name("migrations")
HEAD = "0005"
BUSY_SECONDS = 60


def open_database(url: str) -> Engine:
    """An engine on the newest schema. Raises TerminalError for a bad URL, LedgerError where the database does not answer."""
    return _open(url, os.getpid())  # a forked process must not speak through its parent's connections


@cache
def _open(url: str, _process: int) -> Engine:
    engine = _engine(url)
    with answering(engine):
        found = _revision(engine)
        if found != HEAD:
            _check_not_newer(engine, found)
            migrate(engine)
    return engine


def look_at_database(url: str) -> str:
    """The ledger's address without its password, and how its schema stands; nothing is made or migrated. Raises as `open_database`."""
    engine = _engine(url)
    file = engine.url.database if engine.dialect.name == "sqlite" else None
    if file and not Path(file).exists():
        return f"{shown(engine)}: nothing there yet, the first job makes it"
    try:
        with answering(engine):
            found = _revision(engine)
            _check_not_newer(engine, found)
    finally:
        engine.dispose()
    return f"{shown(engine)}: schema {found or 'not made yet'}" + ("" if found == HEAD else f", the next job brings it to {HEAD}")


@contextmanager
def answering(engine: Engine) -> Iterator[None]:
    """Says in one sentence why the database cannot be used. Raises LedgerError or TerminalError."""
    try:
        yield
    except OperationalError as error:
        raise LedgerError(f"the ledger {shown(engine)} does not answer ({_reason(error)}); check LAKE_LEDGER_URL and that it is up.") from None
    except DatabaseError as error:
        raise TerminalError(f"the ledger {shown(engine)} is no database of this program ({_reason(error)}); check LAKE_LEDGER_URL.") from None


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        if parsed.drivername == "postgresql":  # SQLAlchemy would look for another driver than the one that is a requirement
            parsed = parsed.set(drivername="postgresql+psycopg2")
        return create_engine(parsed, pool_pre_ping=True, pool_size=2)
    except ArgumentError:
        raise TerminalError("LAKE_LEDGER_URL is no database URL; write one like sqlite:////data/ledger.db or postgresql+psycopg2://user@host/db.") from None
    except ModuleNotFoundError as error:
        raise TerminalError(f"LAKE_LEDGER_URL needs the package {error.name}, which is not installed; write postgresql+psycopg2://user@host/db.") from None


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise TerminalError("LAKE_LEDGER_URL names no file; write one like sqlite:////data/ledger.db.")
    try:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TerminalError(f"the ledger's folder {Path(url.database).parent} cannot be made ({error.strerror}); check LAKE_LEDGER_URL.") from None
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def shown(engine: Engine) -> str:
    """The address of a ledger, without its password."""
    return engine.url.set(query={}).render_as_string(hide_password=True)  # a password may stand in the query, too


def _reason(error: DatabaseError) -> str:
    """The database's own words, in one line."""
    return " ".join(str(error.orig).split())[:300]


def _check_not_newer(engine: Engine, found: str | None) -> None:
    if found is not None and found > HEAD:
        raise TerminalError(f"the ledger {shown(engine)} is of a newer version of this program (schema {found}, known is {HEAD}); update the program.")


def migrate(engine: Engine) -> None:
    """Bring the schema to HEAD. Harmless when several processes do it at once."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(620314)"))
        config.attributes["connection"] = connection
        command.upgrade(config, HEAD)


def _revision(engine: Engine) -> str | None:
    try:
        with engine.connect() as connection:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except (OperationalError, ProgrammingError) as error:
        if "alembic_version" in str(error):
            return None
        raise


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's own advice: we begin transactions ourselves
    with suppress(sqlite3.OperationalError):  # SQLite waits for no lock here; who holds it is switching the file, for every connection
        connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # a later upgrade from reader to writer could fail at once
