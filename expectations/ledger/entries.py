"""What one entry of the ledger says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime

Inputs = dict[str, dict[str, int]]
"""Input table to the days that were read to the version at which each had last changed."""


@dataclass(frozen=True)
class DayEntry:
    """The last attempt at one day of one table.

    `version`: the Delta version at which the published rows of the day last changed; None where nothing was ever published.
    A held day keeps the version of its published rows, and is judged again by the next run that asks for it; `inputs` are those of
    the attempt.
    """

    table: str
    day: str
    state: Literal["published", "held"]
    version: int | None
    run_id: str
    contract_hash: str
    logic_hash: str
    inputs: Inputs
    rows_in: int = 0
    rows_out: int = 0
    rows_quarantined: int = 0
    rows_dropped: int = 0
    seconds: float = 0.0

    @property
    def code(self) -> str:
        """What the day was made with: contract and logic."""
        return f"{self.contract_hash}.{self.logic_hash}"


@dataclass(frozen=True)
class Arrival:
    """Which days of `table` the rows of one arrival day of a bronze `input` belong to.

    `refused`: the rows of that arrival that belong to no day, since they do not parse or come too late; they wait in quarantine.
    """

    table: str
    input: str
    arrival_day: str
    version: int
    code: str
    days: list[str]
    refused: int = 0


@dataclass(frozen=True)
class Verdict:
    """How one rule judged one day: `rows_broken` of `rows_judged` rows; `observed` is the value of a rule over the whole day."""

    table: str
    day: str
    rule: str
    on_fail: str
    success: bool
    rows_judged: int
    rows_broken: int
    observed: str = ""


@dataclass(frozen=True)
class FileEntry:
    """One landed file that was taken: known by its sha256, the newest one of a day counts."""

    table: str
    day: str
    sha256: str
    path: str
    bytes: int


@dataclass(frozen=True)
class ModelEntry:
    """One registered version of a model; `first_day` to `last_day` are all the days it was shown, test days included."""

    model: str
    version: int
    run_id: str
    champion: bool
    first_day: str
    last_day: str
    inputs: Inputs
    figures: dict[str, Any]
    trained_at: datetime


@dataclass(frozen=True)
class Attempt:
    """One job as it ended."""

    run_id: str
    table: str
    status: str
    message: str
    days: list[str]
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
