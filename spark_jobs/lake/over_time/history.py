"""What the ledger knows of a table's published days: the history that a day is judged against."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from expectations.over_time import WithHistory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from expectations.lake import Table
    from expectations.ledger import Ledger
    from spark_jobs.lake.over_time.profiles import Counts

WEEK = 7


@dataclass
class History:
    """Published day to its number of rows; column to published day to its profile."""

    rows: dict[str, int] = field(default_factory=dict)
    profiles: dict[str, dict[str, Counts]] = field(default_factory=dict)

    @classmethod
    def of(cls, ledger: Ledger, table: Table, days: Sequence[str], columns: Iterable[str]) -> History:
        """All that the table's checks may look back on from these days."""
        windows = [check.window for check in table.contract.over_time if isinstance(check, WithHistory)]
        if not windows:
            return cls()
        wanted = {near for day in days for near in before(day, max(windows))}
        published = {day: entry.rows_out for day, entry in ledger.days(table.name, wanted).items() if entry.state == "published"}
        return cls(published, {column: ledger.profiles(table.name, column, published) for column in columns})

    def add(self, day: str, rows: int, profiles: dict[str, Counts]) -> None:
        """Count a day of this run, which is about to be published, for the days after it."""
        self.rows[day] = rows
        for column, profile in profiles.items():
            self.profiles[column][day] = profile

    def row_counts(self, day: str, window: int, same_weekday: bool) -> list[int]:
        """The rows of the days before `day`, or of those of them that have its weekday."""
        return [self.rows[near] for near in before(day, window, WEEK if same_weekday else 1) if near in self.rows]

    def spread(self, day: str, window: int, column: str) -> list[Counts]:
        """The column's profiles on the days before `day`; days without a row have none."""
        known = self.profiles[column]
        return [known[near] for near in before(day, window) if known.get(near)]


def before(day: str, window: int, step: int = 1) -> list[str]:
    """Every `step`-th of the `window` days before a day."""
    end = date.fromisoformat(day)
    return [(end - timedelta(days=back)).isoformat() for back in range(step, window + 1, step)]
