"""Which Delta version of each table counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from expectations.ledger import schema as s
from expectations.ledger.entries import Head
from expectations.ledger.rows import renamed, replace_row

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine


class Heads:
    """The newest version of each table that a job has recorded."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, table: str) -> Head | None:
        """The table's head; None where the ledger knows nothing of the table.

        Of a table that was recorded before the ledger had heads, the newest version of its days; who wrote it is not known then.
        """
        with self._engine.connect() as connection:
            for row in connection.execute(select(s.heads).where(s.heads.c.table_name == table)):
                return Head(row.table_name, row.version, row.run_id)
            newest = connection.execute(select(func.max(s.table_days.c.version)).where(s.table_days.c.table_name == table)).scalar()
        return None if newest is None else Head(table, newest, None)

    def record(self, head: Head) -> None:
        """From now on this version counts."""
        with self._engine.begin() as connection:
            note_head(connection, head)


def note_head(connection: Connection, head: Head) -> None:
    """As `Heads.record`, within what else is recorded."""
    replace_row(connection, s.heads, {"table_name": head.table}, renamed(head) | {"recorded_at": datetime.now(UTC)})
