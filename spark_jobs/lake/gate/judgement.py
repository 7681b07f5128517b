"""What the gate says of a candidate."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.days import ALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame

    from expectations.contract import Rule
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
class Judgement:
    """Day key (ISO date; `null` for rows without a day; `all` for tables without days) to what the rules say of it.

    `held`: day to one sentence for each `stop` rule that the day broke; days without a key here may be published.
    """

    counts: dict[str, DayCounts]
    verdicts: list[Verdict]
    held: dict[str, list[str]]
    lanes: Lanes | None = field(default=None, repr=False)
    """How rows are parted; None where no rule parts any."""

    def good(self, staged: DataFrame) -> DataFrame:
        """The rows that break no quarantine and no drop rule, with the same columns."""
        if self.lanes is None or not self.lanes.parting:
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


def judge(staged: DataFrame, table: str, rules: Sequence[Rule], day_column: str | None) -> Judgement:
    """Judge a staged candidate by its table's rules, each day on its own.

    Rows that break a `quarantine` or `drop` rule leave; the other rules are judged over the rows that stay. Raises ContractError
    where a rule cannot be judged on the candidate's columns.
    """
    if not rules:
        return _unjudged(staged, day_column)
    from spark_jobs.lake.gate.judging import judge_rules

    return judge_rules(staged, table, rules, day_column)


def _unjudged(staged: DataFrame, day_column: str | None) -> Judgement:
    day = F.lit(ALL) if day_column is None else F.coalesce(F.col(day_column).cast("string"), F.lit("null"))
    found = {row["day"]: row["count"] for row in staged.groupBy(day.alias("day")).count().collect()}
    found = found or ({ALL: 0} if day_column is None else {})
    return Judgement({day: DayCounts(rows, rows, 0, 0) for day, rows in sorted(found.items())}, [], {})
