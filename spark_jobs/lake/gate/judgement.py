"""What the gate says of a candidate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from expectations.ledger import Verdict
    from spark_jobs.lake.gate.lanes import Lanes

RULES = "_rules"


@dataclass(frozen=True)
class DayCounts:
    """The rows of one day. `rows` = `good` + `quarantined` + `dropped`; a row that breaks rules of both kinds is quarantined."""

    rows: int
    good: int
    quarantined: int
    dropped: int


@dataclass(frozen=True)
class Asked:
    """A broken `ask` rule of one day: what a person is shown.

    `terms`: the rule as the contract states it, so that an answer is not taken for one to another rule. `examples`: at most five broken
    rows' values.
    """

    rule: str
    terms: str
    sentence: str
    judged: int
    broken: int
    observed: str
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Judgement:
    """Day key (ISO date; `null` for rows without a day; `all` for tables without days) to what the rules say of it.

    `held`: day to one sentence for each `stop` rule that the day broke, and for each `quarantine` or `drop` rule that more rows broke than
    it tolerates. `asked`: day to the `ask` rules that it broke. Days without a key in either may be published.
    """

    counts: dict[str, DayCounts]
    verdicts: list[Verdict]
    held: dict[str, list[str]]
    asked: dict[str, list[Asked]] = field(default_factory=dict)
    lanes: Lanes | None = field(default=None, repr=False)
    """How rows are parted; None where no rule parts any."""

    def good(self, staged: DataFrame) -> DataFrame:
        """The rows that break no quarantine and no drop rule, with the same columns."""
        nobody_leaves = all(counts.good == counts.rows for counts in self.counts.values())
        if self.lanes is None or not self.lanes.parting or nobody_leaves:  # then no row need be looked at a second time
            return staged
        from spark_jobs.lake.gate.lanes import STAYS

        return self.lanes.parted(staged).filter(F.col(STAYS)).select(*staged.columns)

    def quarantined(self, staged: DataFrame) -> DataFrame:
        """The rows that break at least one quarantine rule, and in `_rules` (array<string>) the names of all those they break."""
        if self.lanes is None or not self.lanes.parting:
            return staged.select("*", F.array().cast("array<string>").alias(RULES)).limit(0)
        from spark_jobs.lake.gate.lanes import REFUSED

        names = [F.when(F.col(lane.flag), F.lit(lane.judge.rule.label)) for lane in self.lanes.parting if lane.flag and lane.judge.rule.on_fail == "quarantine"]
        broken = F.array_compact(F.array(*names)) if names else F.array().cast("array<string>")
        return self.lanes.parted(staged).filter(F.col(REFUSED)).select(*staged.columns, broken.alias(RULES))
