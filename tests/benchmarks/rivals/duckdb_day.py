"""The day by duckdb and delta-rs in one process: `duckdb_day.py LANDING ROOT DAY` prints the seconds, imports left out."""

from __future__ import annotations

import sys
import time

import duckdb
from deltalake import DeltaTable, write_deltalake

landing, root, day = sys.argv[1:4]
started = time.monotonic()
connection = duckdb.connect()
connection.execute("SET timezone = 'UTC'; SET preserve_insertion_order = false")


def write(query: str, table: str, column: str | None = None) -> None:
    rows = connection.sql(query).to_arrow_reader(1_000_000)
    path = f"{root}/{table}"
    if column and DeltaTable.is_deltatable(path):
        write_deltalake(path, rows, mode="overwrite", predicate=f"{column} = '{day}'")
    else:
        write_deltalake(path, rows, mode="overwrite", partition_by=[column] if column else None)


def read(name: str, table: str, column: str | None = None) -> None:
    delta = DeltaTable(f"{root}/{table}")
    connection.register(name, delta.to_pyarrow_dataset(file_pruning_predicate=[(column, "=", day)] if column else None))


csv = "header = true, all_varchar = true, nullstr = 'NA'"
write(
    f"SELECT *, DATE '{day}' AS _day, '{day}.csv' AS _source_file, now() AS _ingested_at FROM read_csv('{landing}/flights/{day}.csv', {csv})",
    "bronze/flights",
    "_day",
)
write(f"FROM read_csv('{landing}/airports/2013-01-01.csv', {csv})", "bronze/airports")
read("bronze_airports", "bronze/airports")
write("SELECT faa AS airport, name AS airport_name, tzone AS time_zone FROM bronze_airports", "silver/airports")
read("bronze_flights", "bronze/flights", "_day")
read("silver_airports", "silver/airports")
write(
    """
    SELECT make_date(year::INT, month::INT, day::INT) AS flight_date, carrier, flight::INT AS flight, origin, dest,
        airport_name AS dest_name, time_zone AS dest_time_zone, tailnum AS tail_number, time_hour::TIMESTAMPTZ AS scheduled_hour_at,
        dep_delay::INT AS dep_delay_minutes, arr_delay::INT AS arr_delay_minutes, air_time::INT AS air_time_minutes,
        distance::INT AS distance_miles, distance::INT * 60.0::DOUBLE / air_time::INT AS mean_speed_mph, dep_time IS NULL AS is_cancelled
    FROM bronze_flights LEFT JOIN silver_airports ON airport = dest
    """,
    "silver/flights",
    "flight_date",
)
read("flights", "silver/flights", "flight_date")
counts = "count(*) AS flights, count(*) FILTER (is_cancelled) AS cancelled"
write(
    f"SELECT flight_date, {counts}, avg(dep_delay_minutes) AS mean_dep_delay_minutes, avg(arr_delay_minutes) AS mean_arr_delay_minutes "
    "FROM flights GROUP BY ALL",
    "gold/daily_flights",
    "flight_date",
)
write(f"SELECT flight_date, carrier, {counts}, avg(arr_delay_minutes) AS mean_arr_delay_minutes FROM flights GROUP BY ALL", "gold/carrier_days", "flight_date")
write(
    "SELECT flight_date, origin, dest, count(*) AS flights, avg(air_time_minutes) AS mean_air_time_minutes, max(distance_miles) AS distance_miles "
    "FROM flights GROUP BY ALL",
    "gold/route_days",
    "flight_date",
)
print(time.monotonic() - started)
