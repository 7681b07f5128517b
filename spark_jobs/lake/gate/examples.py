"""Values of rows that broke a rule, for the sentences that a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from spark_jobs.lake.gate.lanes import DAY, STAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame

    from spark_jobs.lake.gate.lanes import Lane, Lanes

EXAMPLES = 5
LENGTH = 120


def examples_of(lanes: Lanes, staged: DataFrame, failed: Sequence[tuple[str, Lane]]) -> dict[tuple[str, str], list[str]]:
    """Day and rule to at most five broken rows' values, as text; one query for all, none where no row rule failed."""
    failed = [(day, lane) for day, lane in failed if lane.flag]
    if not failed:
        return {}
    shown = {lane.judge.rule.label: lane for _, lane in failed}
    days = sorted({day for day, _ in failed})
    broken = F.array_compact(
        F.array(*(F.when(_breaks(lane), F.struct(F.lit(label).alias("rule"), _values(lane).alias("values"))) for label, lane in shown.items()))
    )
    watching = [lane for lane in shown.values() if not lane.judge.parts_rows]
    rows = lanes.watched(staged, watching).filter(F.col(DAY).isin(days)).select(DAY, F.explode(broken).alias("broken"))
    few = Window.partitionBy(DAY, "broken.rule").orderBy("broken.values")  # ordered, so that two runs show the same rows
    found = rows.select("*", F.row_number().over(few).alias("place")).filter(F.col("place") <= EXAMPLES)
    examples: dict[tuple[str, str], list[str]] = {}
    for row in found.orderBy(DAY, "place").collect():
        examples.setdefault((row[DAY], row["broken"]["rule"]), []).append(row["broken"]["values"])
    return {key: list(dict.fromkeys(values)) for key, values in examples.items()}


def _breaks(lane: Lane) -> Column:
    """Rules that only watch are judged over the rows that stay."""
    flag = F.col(str(lane.flag))
    return flag if lane.judge.parts_rows else flag & F.col(STAYS)


def _values(lane: Lane) -> Column:
    names = dict.fromkeys(lane.judge.rule.columns)
    return F.concat_ws(", ", *(F.concat(F.lit(f"{name} = "), _text(name)) for name in names))


def _text(name: str) -> Column:
    # to_json reads any type, nested ones too; the braces and the name around the value go.
    value = F.regexp_replace(F.to_json(F.struct(F.col(name).alias("v"))), r'^\{"v":|\}$', "")
    return F.when(F.col(name).isNull(), F.lit("null")).otherwise(F.substring(value, 1, LENGTH))
