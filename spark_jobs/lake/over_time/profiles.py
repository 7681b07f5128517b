"""Profiles: how the values of a column are spread on a day, as numbers that can be added up over days.

Categories are counted as they are (`=JFK`), the 200 most frequent of a day, the others together as `rest`. Numbers are counted in bins that are
the same for every column and every day: `0` for zero, n for 1.05^(n-701) up to 1.05^(n-700), -n for the same below zero, so that their order is
that of the values. `null` and `nan` are counted as such.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from pyspark.sql import Window
from pyspark.sql import functions as F

from expectations.over_time import CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyspark.sql import Column, DataFrame

Counts = dict[str, int]
"""Bin or category to number of rows."""
NULL, NAN, REST = "null", "nan", "rest"
MOST_CATEGORIES = 200
LONGEST_CATEGORY = 100
"""Characters: of two texts that differ later only, the profile makes one."""
WIDTH = 1.05
"""Of a bin: its upper end is 5 % above its lower end."""
FURTHEST = 700
"""Values beyond 1.05^700 (about 7e14), and nearer to zero than its inverse, share a bin."""


@dataclass(frozen=True)
class Spread:
    """A column that is profiled."""

    column: str
    is_number: bool

    @classmethod
    def of(cls, column: str, kind: str) -> Spread:
        """A column by its type in the contract."""
        return cls(column, kind not in CATEGORIES)

    def bin(self) -> Column:
        """The bin or category of a row."""
        value = F.col(self.column)
        if not self.is_number:
            return F.when(value.isNull(), F.lit(NULL)).otherwise(F.concat(F.lit("="), F.substring(value.cast("string"), 1, LONGEST_CATEGORY)))
        number = value.cast("double")
        power = F.greatest(F.lit(-float(FURTHEST)), F.least(F.lit(float(FURTHEST)), F.log(F.abs(number)) / F.lit(log(WIDTH))))
        place = F.signum(number) * (F.floor(power) + F.lit(FURTHEST + 1))
        return F.when(number.isNull(), NULL).when(F.isnan(number), NAN).when(number == 0, "0").otherwise(place.cast("bigint").cast("string"))


def profile_days(rows: DataFrame, day_column: str, days: Sequence[str], spreads: Iterable[Spread]) -> dict[tuple[str, str], Counts]:
    """Day and column to the profile of its rows: one aggregation for all."""
    day = F.col(day_column).cast("string")
    bins = F.array(*(F.struct(F.lit(one.column).alias("column"), F.lit(one.is_number).alias("is_number"), one.bin().alias("bin")) for one in spreads))
    values = rows.filter(day.isin(list(days))).select(day.alias("day"), F.explode(bins).alias("value"))
    keys = ("day", "column", "is_number", "bin")
    counted = values.select("day", "value.*").groupBy(*keys).agg(F.count(F.lit(1)).alias("rows"))
    place = F.row_number().over(Window.partitionBy("day", "column").orderBy(F.desc("rows"), "bin"))
    kept = counted.select("*", place.alias("place"))
    kept = kept.select("day", "column", F.when(F.col("is_number") | (F.col("place") <= MOST_CATEGORIES), F.col("bin")).otherwise(REST).alias("bin"), "rows")
    profiles: dict[tuple[str, str], Counts] = {}
    for row in kept.groupBy("day", "column", "bin").agg(F.sum("rows").alias("rows")).collect():
        profiles.setdefault((row["day"], row["column"]), {})[row["bin"]] = row["rows"]
    return profiles


def named(key: str) -> str:
    """A category as a person reads it."""
    return repr(key[1:]) if key.startswith("=") else {NULL: "null", REST: f"all but the {MOST_CATEGORIES} most frequent"}[key]


def upper_end(position: int) -> float:
    """The value that no value of a bin is above."""
    if position == 0:
        return 0.0
    return -_end(-position) if position < 0 else _end(position + 1)


def _end(position: int) -> float:
    return float(WIDTH ** (position - FURTHEST - 1))
