"""How late flights were. One row per flight that arrived."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

LATE_AFTER_MINUTES = 15


def transform(silver_flights: DataFrame) -> DataFrame:
    """One row per flight with a known arrival delay, in minutes, and whether that is late."""
    arrived = silver_flights.where(F.col("arr_delay_minutes").isNotNull())
    return arrived.select(
        "flight_date",
        "carrier",
        "flight",
        "origin",
        "arr_delay_minutes",
        (F.col("arr_delay_minutes") > LATE_AFTER_MINUTES).alias("is_late"),
        "_row",
    )
