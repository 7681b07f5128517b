"""The verdict on a layer: what a run did with its tables, read from the ledger."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from expectations.days import in_words
from expectations.errors import LayerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expectations.ledger import Ledger

GOOD = ("done", "unchanged")


@dataclass(frozen=True)
class TableVerdict:
    """How a run left one table. `status` is that of its last job in the run, else what became of its task."""

    table: str
    status: str
    message: str
    days_published: int = 0
    days_held: tuple[str, ...] = ()
    rows: int = 0
    quarantined: int = 0

    @property
    def good(self) -> bool:
        """Whether everything that the run asked of the table is published."""
        return self.status in GOOD and not self.days_held

    @property
    def line(self) -> str:
        """One line for people."""
        counts = f"{self.days_published} days published, {self.rows} rows, {self.quarantined} quarantined" if self.days_published else ""
        held = f"held: {in_words(self.days_held)}" if self.days_held else ""
        return "; ".join(filter(None, [f"{self.table} {self.status}", counts, held, self.message]))


def verdict_of(ledger: Ledger, run: str, table: str, state: str) -> TableVerdict:
    """How `run` left `table`, whose task ended in `state`."""
    if state == "upstream_failed":
        return TableVerdict(table, "not run", "an input was held or failed, see its own task")
    attempts = ledger.attempts(run_id=run, table=table, limit=1)
    if not attempts or (state != "success" and attempts[0].status in GOOD):
        # A job that broke off leaves no attempt, and an earlier try of the run must not speak for it.
        return TableVerdict(table, state, "its log says why")
    entries = [entry for entry in ledger.days(table).values() if entry.run_id == run]
    published = [entry for entry in entries if entry.state == "published"]
    return TableVerdict(
        table=table,
        status=attempts[0].status,
        message=attempts[0].message,
        days_published=len(published),
        days_held=tuple(sorted(entry.day for entry in entries if entry.state == "held")),
        rows=sum(entry.rows_out for entry in published),
        # The job also counts the rows that belong to no day: those that do not parse, and those that come too late.
        quarantined=attempts[0].facts.get("rows_quarantined", sum(entry.rows_quarantined for entry in entries)),
    )


def judge_layer(ledger: Ledger, run: str, layer: str, states: Mapping[str, str]) -> tuple[list[str], list[dict[str, Any]]]:
    """The lines to show and the verdicts as plain values. Raises LayerError naming every table that is not good.

    `states`: each table of the layer to how its task ended.
    """
    verdicts = [verdict_of(ledger, run, table, state) for table, state in states.items()]
    bad = [verdict for verdict in verdicts if not verdict.good]
    if bad:
        named = " | ".join(verdict.line for verdict in bad)
        raise LayerError(f"{layer}: {len(bad)} of {len(verdicts)} tables are not as asked: {named}")
    return [verdict.line for verdict in verdicts], [asdict(verdict) for verdict in verdicts]
