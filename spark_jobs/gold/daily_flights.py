"""How a day went. One row per scheduled local date of departure."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

LATE_AFTER_MINUTES = 15


def transform(silver_flights: DataFrame) -> DataFrame:
    """One row per flight date: counts of flights, and mean delays in minutes over the flights that have the value."""
    return silver_flights.groupBy("flight_date").agg(
        F.count("*").alias("flights"),
        F.count_if("is_cancelled").alias("cancelled"),
        F.avg("dep_delay_minutes").alias("mean_dep_delay_minutes"),
        F.avg("arr_delay_minutes").alias("mean_arr_delay_minutes"),
        F.count_if(F.col("arr_delay_minutes") > LATE_AFTER_MINUTES).alias("late_arrivals"),
    )
