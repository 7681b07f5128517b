"""The gate: judges a candidate day by day and parts good rows from bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.days import ALL
from spark_jobs.lake.gate.judgement import Asked, DayCounts, Judgement
from spark_jobs.lake.gate.rules import gate_rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame

    from expectations.rule import Rule

__all__ = ["Asked", "DayCounts", "Judgement", "gate_rules", "judge"]


def judge(staged: DataFrame, table: str, rules: Sequence[Rule], day_column: str | None, days: Sequence[str] = ()) -> Judgement:
    """Judge a staged candidate by its table's rules, each day on its own.

    `days` are judged even where they have no row: an empty day can break a rule too. Rows that break a `quarantine` or `drop` rule
    leave; the other rules are judged over the rows that stay. Raises ContractError where a rule cannot be judged on the columns.
    """
    if not rules:
        return _unjudged(staged, day_column, days)
    from spark_jobs.lake.gate.judging import judge_rules

    return judge_rules(staged, table, rules, day_column, days)


def _unjudged(staged: DataFrame, day_column: str | None, days: Sequence[str]) -> Judgement:
    day = F.lit(ALL) if day_column is None else F.coalesce(F.col(day_column).cast("string"), F.lit("null"))
    found = {row["day"]: row["count"] for row in staged.groupBy(day.alias("day")).count().collect()}
    found = {**dict.fromkeys(days if day_column else (ALL,), 0), **found}
    return Judgement({day: DayCounts(rows, rows, 0, 0) for day, rows in sorted(found.items())}, [], {})
