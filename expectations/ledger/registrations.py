"""What a Hive metastore was told of the lake."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from expectations.ledger import schema as s
from expectations.ledger.entries import Registration
from expectations.ledger.rows import renamed, replace_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.engine import Engine


class Registrations:
    """The part of the ledger that saves asking the metastore what it knows."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, metastore: str, tables: Iterable[str]) -> set[Registration]:
        """What the metastore was told of these tables."""
        r = s.registrations.c
        query = select(r.table_name, r.day, r.code).where(r.metastore == metastore, r.table_name.in_(list(tables)))
        with self._engine.connect() as connection:
            return {Registration(row.table_name, row.day, row.code) for row in connection.execute(query)}

    def note(self, metastore: str, run_id: str, told: Iterable[Registration]) -> None:
        """Note that the metastore knows of these now."""
        now = datetime.now(UTC)
        with self._engine.begin() as connection:
            for registration in told:
                key = {"metastore": metastore, "table_name": registration.table, "day": registration.day}
                row = renamed(registration) | {"metastore": metastore, "run_id": run_id, "registered_at": now}
                replace_row(connection, s.registrations, key, row)
