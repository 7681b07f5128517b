"""Opens the ledger's database and brings it to the newest schema."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.exc import ArgumentError, OperationalError, ProgrammingError

from expectations.errors import LedgerError, TerminalError

MIGRATIONS = Path(__file__).with_name("migrations")
HEAD = "0001"
BUSY_SECONDS = 60


@cache
def open_database(url: str) -> Engine:
    """An engine on the newest schema. Raises TerminalError for a bad URL, LedgerError where the database does not answer."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise TerminalError("LAKE_LEDGER_URL is no database URL; write one like sqlite:////data/ledger.db or postgresql://user@host/db.") from None
    if parsed.get_backend_name() == "sqlite":
        if not parsed.database:
            raise TerminalError("LAKE_LEDGER_URL names no file; write one like sqlite:////data/ledger.db.")
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
    else:
        engine = create_engine(parsed, pool_pre_ping=True, pool_size=2)
    try:
        if _revision(engine) != HEAD:
            migrate(engine)
    except OperationalError as error:
        shown = parsed.render_as_string(hide_password=True)
        raise LedgerError(f"the ledger {shown} does not answer ({str(error.orig).strip()}); check LAKE_LEDGER_URL and that it is up.") from None
    return engine


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
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")  # a later upgrade from reader to writer could fail at once
