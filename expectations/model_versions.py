"""Which registered version of a model somebody means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.errors import RequestError

if TYPE_CHECKING:
    from expectations.lake import Model
    from expectations.ledger import Ledger, ModelEntry

NAMED = 10


def version_of(ledger: Ledger, model: Model, version: int) -> ModelEntry:
    """The ledger's entry of that version. Raises RequestError for one that was never registered."""
    known = {entry.version: entry for entry in ledger.model_versions(model.name)}
    if version not in known:
        newest = ", ".join(map(str, list(known)[:NAMED])) or "none"
        raise RequestError(f"{model.name} has no version {version}; registered {'is' if len(known) == 1 else 'are'} {newest}. Choose one of these.")
    return known[version]


def comparisons_of(model: Model) -> str:
    """The table for what a named version says. Raises RequestError where the contract names none."""
    table = model.contract.comparisons
    if table is None:
        raise RequestError(
            f"{model.name} has no table for what a named version says; add `comparisons: gold.<table>` to {model.file}, "
            f"and that table's contract with the columns of {model.contract.predictions}, or leave the version out."
        )
    return table


def is_new_to(entry: ModelEntry, day: str) -> bool:
    """Whether a version was not shown a day: it comes after those that it learned from and was tested on, or was left out among them.

    A day is left out whose rows have no label yet, or that was held.
    """
    shown = {one for days in entry.inputs.values() for one in days}
    return day > entry.last_day or (bool(shown) and entry.first_day <= day and day not in shown)
