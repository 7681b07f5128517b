"""The day by polars and delta-rs in one process: `polars_day.py LANDING ROOT DAY` prints the seconds, imports left out."""

from __future__ import annotations

import sys
import time
from datetime import date

import polars as pl
from deltalake import DeltaTable

landing, root, day = sys.argv[1:4]
started = time.monotonic()


def write(rows: pl.LazyFrame, table: str, column: str | None = None) -> None:
    path = f"{root}/{table}"
    if column and DeltaTable.is_deltatable(path):
        options = {"predicate": f"{column} = '{day}'"}
    else:
        options = {"partition_by": [column]} if column else {}
    rows.collect(engine="streaming").write_delta(path, mode="overwrite", delta_write_options=options)


def read(table: str, column: str | None = None) -> pl.LazyFrame:
    rows = pl.scan_delta(f"{root}/{table}")
    return rows.filter(pl.col(column) == date.fromisoformat(day)) if column else rows


def csv(file: str) -> pl.LazyFrame:
    return pl.scan_csv(f"{landing}/{file}.csv", infer_schema=False, null_values="NA")


the_day = pl.lit(date.fromisoformat(day))
write(csv(f"flights/{day}").with_columns(_day=the_day, _source_file=pl.lit(f"{day}.csv"), _ingested_at=pl.lit(time.time())), "bronze/flights", "_day")
write(csv("airports/2013-01-01"), "bronze/airports")
write(read("bronze/airports").select(airport="faa", airport_name="name", time_zone="tzone"), "silver/airports")
whole = pl.Int32
flights = read("bronze/flights", "_day").join(read("silver/airports"), left_on="dest", right_on="airport", how="left")
write(
    flights.select(
        pl.date(pl.col("year").cast(whole), pl.col("month").cast(whole), pl.col("day").cast(whole)).alias("flight_date"),
        "carrier",
        pl.col("flight").cast(whole),
        "origin",
        "dest",
        pl.col("airport_name").alias("dest_name"),
        pl.col("time_zone").alias("dest_time_zone"),
        pl.col("tailnum").alias("tail_number"),
        pl.col("time_hour").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us", time_zone="UTC").alias("scheduled_hour_at"),
        pl.col("dep_delay").cast(whole).alias("dep_delay_minutes"),
        pl.col("arr_delay").cast(whole).alias("arr_delay_minutes"),
        pl.col("air_time").cast(whole).alias("air_time_minutes"),
        pl.col("distance").cast(whole).alias("distance_miles"),
        (pl.col("distance").cast(whole) * 60.0 / pl.col("air_time").cast(whole)).alias("mean_speed_mph"),
        pl.col("dep_time").is_null().alias("is_cancelled"),
    ),
    "silver/flights",
    "flight_date",
)
silver = read("silver/flights", "flight_date")
counts = [pl.len().cast(pl.Int64).alias("flights"), pl.col("is_cancelled").sum().cast(pl.Int64).alias("cancelled")]
delay = pl.col("arr_delay_minutes").mean().alias("mean_arr_delay_minutes")
days = silver.group_by("flight_date").agg(*counts, pl.col("dep_delay_minutes").mean().alias("mean_dep_delay_minutes"), delay)
write(days, "gold/daily_flights", "flight_date")
write(silver.group_by("flight_date", "carrier").agg(*counts, delay), "gold/carrier_days", "flight_date")
routes = silver.group_by("flight_date", "origin", "dest")
write(routes.agg(counts[0], pl.col("air_time_minutes").mean().alias("mean_air_time_minutes"), pl.col("distance_miles").max()), "gold/route_days", "flight_date")
print(time.monotonic() - started)
