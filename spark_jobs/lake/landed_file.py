"""A landed file as it was taken, and how its columns differ from the contract's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from expectations.column_types import COLUMN
from spark_jobs.lake.quarantine.corrections import CORRECTIONS, imprint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from expectations.ledger import FileEntry
    from expectations.ledger.entries import Inputs
    from spark_jobs.lake.quarantine.corrections import Corrections

EXTRA = "_extra"
NAMED_AT_MOST = 5
LONGEST_NAME = 60


@dataclass(frozen=True)
class Difference:
    """How a file's columns differ from the contract's. `changed`: a column and the type that the Parquet or ORC file has of it."""

    added: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    changed: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.missing or self.changed)

    def __str__(self) -> str:
        parts = [f"missing {named(self.missing)}" if self.missing else "", f"added {named(self.added)}" if self.added else ""]
        parts += [f"column {name!r} is {found}" for name, found in self.changed[:NAMED_AT_MOST]]
        return "; ".join(filter(None, parts))

    @property
    def facts(self) -> dict[str, Any]:
        """As an asset event carries it."""
        return {"added": list(self.added), "missing": list(self.missing), "changed": dict(self.changed)}

    @property
    def became(self) -> str:
        """What was done, for the log."""
        parts = [f"{named(self.missing)} missing and read as null"] if self.missing else []
        parts += [f"{named(self.added)} added and kept aside in {EXTRA}"] if self.added else []
        parts += [f"{name} is {found} and was cast" for name, found in self.changed[:NAMED_AT_MOST]]
        return ", ".join(parts)


@dataclass(frozen=True)
class LandedFile:
    """A file of one day, as it was taken: `kept` is our own copy, which nobody changes; `header` its columns in their order.

    `types`: those of a Parquet or ORC file's columns. `difference`: how they differ from the contract's. `corrections`: what people have written
    into its rows.
    """

    entry: FileEntry
    kept: str
    header: tuple[str, ...]
    corrections: Corrections = field(default_factory=dict)
    types: tuple[str, ...] = ()
    difference: Difference = field(default_factory=Difference)

    @property
    def inputs(self) -> Inputs:
        """What the day's rows are made from, as the ledger keeps it."""
        landed: Inputs = {"landing": {self.entry.path: self.entry.bytes}}
        return landed | {CORRECTIONS: imprint(self.corrections)} if self.corrections else landed


def named(names: Sequence[str]) -> str:
    """Column names for people, at most five; one from a file that is no plain name is quoted."""
    shown = ", ".join(name if COLUMN.fullmatch(name) else repr(name[:LONGEST_NAME]) for name in names[:NAMED_AT_MOST])
    return shown + (f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else "")
