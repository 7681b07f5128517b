"""What one entry of the ledger says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime

Inputs = dict[str, dict[str, int]]
"""Input table to the days that were read to the version at which each had last changed."""
Answer = Literal["publish", "hold", "promote", "keep"]
"""What a person says of a held day: publish or hold; of a model's version: promote or keep."""


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
    clean: bool = True
    """Whether its published rows broke no `warn` rule and none was let through by a person. False for restored rows, which nobody has judged."""

    @property
    def code(self) -> str:
        """What the day was made with: contract and logic."""
        return f"{self.contract_hash}.{self.logic_hash}"


@dataclass(frozen=True)
class Arrival:
    """Which days of `table` the rows of one arrival day of a bronze `input` belong to.

    `refused`: the rows of that arrival that are in quarantine without a day that was made: they do not parse, come too late, have no day, or
    were discarded.
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
    judged_at: datetime | None = field(default=None, compare=False)
    """When it was recorded; the ledger sets it."""


@dataclass(frozen=True)
class Question:
    """One broken `ask` rule of one day, or one model's version that may serve, as it was put to a person.

    `candidate`: the hash of the day's rows as they were judged, so that an answer holds for just those. `evidence`: the sentence, counts,
    examples and the rule's last observed values. Of a model, `table` is its name, `day` is ALL, and the candidate is version and file.
    `answer` is None while nobody has answered.
    """

    table: str
    day: str
    rule: str
    candidate: str
    run_id: str
    evidence: dict[str, Any]
    answer: Answer | None = None
    answered_by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Discard:
    """A quarantined row that a person has given up: it stays in quarantine, and out of the table, until it is reopened."""

    table: str
    row_id: str
    reason: str
    who: str


@dataclass(frozen=True)
class Quarantine:
    """The Delta version of a table's quarantine that counts, and the keys under which rows may wait there.

    What a run wrote that did not end is a later version, which nobody reads.
    """

    table: str
    version: int
    keys: list[str]


@dataclass(frozen=True)
class Correction:
    """New texts for some columns of one bronze row, by `_row`; what arrived stays in the kept file."""

    table: str
    row_id: str
    day: str
    values: dict[str, str | None]
    reason: str
    who: str


@dataclass(frozen=True)
class Profile:
    """How the values of one column were spread on one published day: bin or category to number of rows."""

    table: str
    day: str
    column: str
    run_id: str
    counts: dict[str, int]


@dataclass(frozen=True)
class FileEntry:
    """One landed file that was taken: known by its sha256, the newest one of a day counts. `landed_at`: when the file was last written."""

    table: str
    day: str
    sha256: str
    path: str
    bytes: int
    landed_at: datetime | None = None


@dataclass(frozen=True)
class Head:
    """The newest Delta version of a table that was recorded, and the run whose commit it is.

    `version`: None where a first commit was announced and none was recorded yet. `run_id`: "" where the commit names no run, as an
    OPTIMIZE by somebody else; None where it is not known.
    """

    table: str
    version: int | None
    run_id: str | None


@dataclass(frozen=True)
class Registration:
    """A table, or the partition of one day of it, that a Hive metastore was told of. `day`: `all` for the table itself. `code`: what it was told."""

    table: str
    day: str
    code: str


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
