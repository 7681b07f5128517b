"""The aircraft register. One row per tail number."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def transform(bronze_planes: DataFrame) -> DataFrame:
    """One row per tail number: what the aircraft is; year and speed (miles an hour) are null where the register has none."""
    return bronze_planes.select(
        F.col("tailnum").alias("tail_number"),
        F.col("year").alias("year_built"),
        F.col("type").alias("aircraft_type"),
        "manufacturer",
        "model",
        "engines",
        "seats",
        F.col("speed").alias("cruising_speed_mph"),
        F.col("engine").alias("engine_type"),
        "_row",
    )
