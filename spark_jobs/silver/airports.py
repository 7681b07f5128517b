"""Airports of the United States. One row per airport."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def transform(bronze_airports: DataFrame) -> DataFrame:
    """One row per airport: its code, name, place (degrees, feet) and IANA time zone, null where the register has none."""
    return bronze_airports.select(
        F.col("faa").alias("airport"),
        F.col("name").alias("airport_name"),
        F.col("lat").alias("latitude"),
        F.col("lon").alias("longitude"),
        F.col("alt").alias("altitude_feet"),
        F.col("tzone").alias("time_zone"),
        "_row",
    )
