"""Flights from New York with their times in UTC. One row per scheduled departure.

The source gives local clock times (hhmm) on the scheduled date, and delays in minutes. Its own oddities:

- 2400 is midnight at the end of the day, 0 hours of the next one.
- A flight is scheduled to arrive at the first moment after its scheduled departure at which the destination's clock
  shows the scheduled hhmm: that may be the next local day.
- What really happened is the scheduled moment plus the delay. The real hhmm is not used: it names no date, and it
  comes twice in the night the clock goes back.
- A clock time that the spring change skips means the moment an hour later on the clock; of a clock time that comes
  twice in autumn the first is meant (no flight of 2013 is scheduled in either hour).
- Four destinations are not in the register of airports; their time zones stand below.
"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# Puerto Rico and the U.S. Virgin Islands: IANA time zone database, file northamerica. Neither has daylight saving time.
UNREGISTERED_TIME_ZONES = {
    "BQN": "America/Puerto_Rico",
    "PSE": "America/Puerto_Rico",
    "SJU": "America/Puerto_Rico",
    "STT": "America/St_Thomas",
}


def transform(bronze_flights: DataFrame, silver_airports: DataFrame, silver_planes: DataFrame) -> DataFrame:
    """One row per scheduled departure, cancelled or not; no row is lost to an unknown airport or aircraft.

    Times are UTC; `scheduled_arrival_at` and `arrived_at` are null where the destination's time zone is unknown.
    """
    zones = silver_airports.select("airport", "time_zone")
    aircraft = silver_planes.select(F.col("tail_number").alias("tailnum"), F.lit(True).alias("in_register"))
    day, departure = F.col("flight_date"), F.col("scheduled_departure_at")
    flights = (
        bronze_flights.join(F.broadcast(aircraft), "tailnum", how="left")
        .join(F.broadcast(zones.toDF("origin", "origin_zone")), "origin", how="left")
        .join(F.broadcast(zones.toDF("dest", "registered_zone")), "dest", how="left")
        .withColumns({"flight_date": _date(), "dest_zone": F.coalesce("registered_zone", _unregistered_zone(F.col("dest")))})
        .withColumn("scheduled_departure_at", _moment(day, F.col("sched_dep_time"), F.col("origin_zone")))
        .withColumn("scheduled_arrival_at", _first_after(departure, day, F.col("sched_arr_time"), F.col("dest_zone")))
    )
    return flights.select(
        "flight_date",
        "carrier",
        "flight",
        "origin",
        "dest",
        F.col("tailnum").alias("tail_number"),
        F.coalesce("in_register", F.lit(False)).alias("has_known_aircraft"),
        "scheduled_departure_at",
        F.timestamp_add("MINUTE", F.col("dep_delay"), F.col("scheduled_departure_at")).alias("departed_at"),
        "scheduled_arrival_at",
        F.timestamp_add("MINUTE", F.col("arr_delay"), F.col("scheduled_arrival_at")).alias("arrived_at"),
        F.col("dep_delay").alias("dep_delay_minutes"),
        F.col("arr_delay").alias("arr_delay_minutes"),
        F.col("air_time").alias("air_time_minutes"),
        F.col("distance").alias("distance_miles"),
        F.col("dep_time").isNull().alias("is_cancelled"),
        "_row",
    )


def _date() -> Column:
    """The scheduled local date; null where year, month and day are none."""
    return F.try_to_date(F.format_string("%04d-%02d-%02d", "year", "month", "day"), "yyyy-MM-dd")


def _moment(day: Column, hhmm: Column, zone: Column) -> Column:
    """The moment at which the clocks of `zone` show `hhmm` on `day`; 2400 is the midnight after it. Null for no clock time."""
    midnight = hhmm == 2400  # noqa: PLR2004
    day = F.when(midnight, F.date_add(day, 1)).otherwise(day)
    hhmm = F.when(midnight, 0).otherwise(hhmm)
    hour, minute = F.floor(hhmm / 100).cast("int"), (hhmm % 100).cast("int")
    return F.try_make_timestamp(F.year(day), F.month(day), F.day(day), hour, minute, F.lit(0), zone)


def _first_after(start: Column, day: Column, hhmm: Column, zone: Column) -> Column:
    """The first moment after `start` at which the clocks of `zone` show `hhmm`; `start` is on `day` where the flight begins."""
    candidates = [_moment(F.date_add(day, days), hhmm, zone) for days in (-1, 0, 1, 2)]
    return F.least(*(F.when(candidate > start, candidate) for candidate in candidates))


def _unregistered_zone(airport: Column) -> Column:
    zones = [F.when(airport == code, zone) for code, zone in UNREGISTERED_TIME_ZONES.items()]
    return reduce(F.coalesce, zones)
