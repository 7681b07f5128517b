"""Which days a model may learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from expectations.lake import Lake, Model
    from expectations.ledger import DayEntry, Ledger


def learnable_days(lake: Lake, ledger: Ledger, model: Model) -> dict[str, int]:
    """Day of the model's training table to the version at which it last changed, of the days that it may learn from.

    These are published, as clean as its contract needs, and held by no table of the pipeline that builds the training table: what waits for
    a person's answer is held.
    """
    training = model.contract.training
    pipeline = lake.pipeline_of(training)
    tables = {training, *(pipeline.tables if pipeline else lake.ancestors(training))}
    held = held_days(ledger.days(table) for table in sorted(tables))
    return {day: version for day, version in ledger.versions(training, needs=model.contract.needs).items() if day not in held}


def held_days(tables: Iterable[Mapping[str, DayEntry]]) -> set[str]:
    """The days of which some table's last attempt is held."""
    return {day for entries in tables for day, entry in entries.items() if entry.state == "held"}
