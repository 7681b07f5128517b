"""Entries as database rows."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection, Engine, Row

CHUNK = 400
"""Values in one IN list: SQLite takes 32,766 parameters, older ones 999."""


def renamed(entry: Any) -> dict[str, Any]:
    """An entry's fields, with `table` called as its column is."""
    row = asdict(entry)
    row["table_name"] = row.pop("table")
    return row


def in_utc(moment: datetime) -> datetime:
    """SQLite gives back moments without a time zone; all were written in UTC."""
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def replace_row(connection: Connection, table: Table, key: dict[str, Any], row: dict[str, Any]) -> None:
    """Put `row` in the place of the one with this key, if there is one."""
    where = [table.c[column] == value for column, value in key.items()]
    connection.execute(delete(table).where(*where))
    connection.execute(insert(table), [row])


def in_chunks(engine: Engine, query: Any, column: Any = None, values: Iterable[str] | None = None) -> list[Row[Any]]:
    """The query's rows; where values are named, those whose `column` is one of them."""
    with engine.connect() as connection:
        if values is None:
            return list(connection.execute(query))
        wanted = sorted(set(values))
        chunks = (wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK))
        return [row for chunk in chunks for row in connection.execute(query.where(column.in_(chunk)))]
