"""What is published at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from pyspark.sql import Column

    from expectations.ledger import Arrival, Verdict
    from expectations.ledger.entries import Inputs


@dataclass(frozen=True)
class Batch:
    """What is published at once.

    `inputs`: for each day (or ALL) to publish, what it was made from. `emptied`: those of them that no file touches any more.
    `arrivals`: what a scan of new files has told. `late`: tells rows that came too long after their day. `refused`: bronze table to
    arrival day to the number of its rows that do not parse, for all arrivals that are read anew. `landed`: when
    the file of a bronze day was written. `findings`: what was said of the days before the gate. `is_whole`: all rows of
    the candidate belong to its days; where one does not, nothing is published.
    """

    inputs: dict[str, Inputs]
    emptied: frozenset[str] = frozenset()
    arrivals: tuple[Arrival, ...] = ()
    late: Column | None = None
    refused: dict[str, dict[str, int]] = field(default_factory=dict)
    landed: dict[str, datetime] = field(default_factory=dict)
    findings: tuple[Verdict, ...] = ()
    is_whole: bool = False

    @property
    def with_rows(self) -> list[str]:
        """The days that are judged even if they turn out empty."""
        return [day for day in self.inputs if day not in self.emptied]
