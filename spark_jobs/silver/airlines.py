"""Airlines. One row per carrier."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def transform(bronze_airlines: DataFrame) -> DataFrame:
    """One row per carrier: its two-character code and its name."""
    return bronze_airlines.select("carrier", F.col("name").alias("carrier_name"), "_row")
