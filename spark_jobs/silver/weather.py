"""Hourly weather at the New York airports. One row per airport and hour in UTC.

In the night the clock goes back, the local hour 1 comes twice: its two rows differ in their hour in UTC, and both stay.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F


def transform(bronze_weather: DataFrame) -> DataFrame:
    """One row per airport and hour: what was measured, null where the instrument gave nothing."""
    return bronze_weather.select(
        _local_date().alias("observation_date"),
        "origin",
        F.col("time_hour").alias("observed_at"),
        F.col("hour").alias("local_hour"),
        F.col("temp").alias("temperature_f"),
        F.col("dewp").alias("dew_point_f"),
        F.col("humid").alias("humidity_percent"),
        F.col("wind_dir").alias("wind_direction_degrees"),
        F.col("wind_speed").alias("wind_speed_mph"),
        F.col("wind_gust").alias("wind_gust_mph"),
        F.col("precip").alias("precipitation_inches"),
        F.col("pressure").alias("pressure_millibars"),
        F.col("visib").alias("visibility_miles"),
        "_row",
    )


def _local_date() -> Column:
    """The local date; null where year, month and day are none."""
    return F.try_to_date(F.format_string("%04d-%02d-%02d", "year", "month", "day"), "yyyy-MM-dd")
