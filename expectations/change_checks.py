"""Checks of tables that are kept by changes: what a merge or an scd2 would get wrong in silence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from expectations.contract import OF_SNAPSHOTS
from expectations.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expectations.lake import Lake, Table

TELL_DELETED_ROWS = frozenset({"op", "_op", "__op", "deleted", "is_deleted", "__deleted"})
"""How change feeds (Debezium's, for one) call the column that says which rows were deleted."""
FIELD = re.compile(r"(\w+):")
"""A field of a `struct<op:string,...>`."""
KEPT_BY_CHANGES = ("merge", "scd2")
MEANT = "write deletes: kept where that is meant"


def check_changes(lake: Lake, table: Table) -> None:
    """Raises ContractError, with file and line, where rows that are gone at their source would stay unsaid.

    A table that inference fills is left alone: its rows are told by a model, not taken from its inputs. The
    tables may have no circle.
    """
    contract = table.contract
    if contract.write not in KEPT_BY_CHANGES or table.logic is None:
        return
    snapshots = [read.table for read in contract.inputs if _is_snapshot(lake, read.table)]
    if len(snapshots) == len(contract.inputs):
        _check_snapshots(table, snapshots)
    if contract.deletes == "kept":
        return
    for position, read in enumerate(contract.inputs):
        for name in _tell_deleted_rows(lake.tables[read.table]):
            place = table.line("inputs", position)
            raise ContractError(
                f"{place}: {read.table} has {name!r}, which tells deleted rows, but {contract.write} deletes none: "
                f"a row that was deleted at its source would stay in {table.name}; {MEANT}, "
                "or read all days and leave the deleted rows out with write: replace_all."
            )


def _check_snapshots(table: Table, snapshots: list[str]) -> None:
    """All that the table reads are snapshots, so that a row which is gone leaves no trace."""
    are = "are full snapshots" if len(snapshots) > 1 else "is a full snapshot"
    found = f"{' and '.join(snapshots)} {are} each time"
    if table.contract.write == "scd2":
        place = table.line("feed")
        raise ContractError(
            f"{place}: {table.name} says feed: changes, but {found}: {OF_SNAPSHOTS}; read changes, or keep the newest snapshot alone with write: replace_all."
        )
    if table.contract.deletes is None:
        place = table.line("write")
        raise ContractError(
            f"{place}: {table.name} is written by merge, which deletes no row, but {found}: "
            f"a row that is gone from the newest one would stay; {MEANT}, or write: replace_all."
        )


def _tell_deleted_rows(table: Table) -> Iterator[str]:
    """The columns, and the fields of structs, that tell which rows were deleted; to Spark `OP` is `op`."""
    for name, column in table.contract.columns.items():
        if name.lower() in TELL_DELETED_ROWS:
            yield name
        for field in FIELD.findall(column.type):
            if field.lower() in TELL_DELETED_ROWS:
                yield f"{name}.{field}"


def _is_snapshot(lake: Lake, name: str) -> bool:
    """Whether a table is whole each time: a snapshot, or what is replaced whole by nothing but snapshots."""
    contract = lake.tables[name].contract
    if contract.source:
        return contract.source.arrives == "snapshot"
    return contract.write == "replace_all" and all(_is_snapshot(lake, read.table) for read in contract.inputs)
