"""The day as one PySpark script, as somebody would write it who has no package for it: `spark_script.py LANDING ROOT DAY`."""

from __future__ import annotations

import sys

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

FLIGHTS = [
    "make_date(year, month, day) AS flight_date",
    "carrier",
    "int(flight) AS flight",
    "origin",
    "dest",
    "airport_name AS dest_name",
    "time_zone AS dest_time_zone",
    "tailnum AS tail_number",
    "timestamp(time_hour) AS scheduled_hour_at",
    "int(dep_delay) AS dep_delay_minutes",
    "int(arr_delay) AS arr_delay_minutes",
    "int(air_time) AS air_time_minutes",
    "int(distance) AS distance_miles",
    "int(distance) * 60.0D / int(air_time) AS mean_speed_mph",
    "dep_time IS NULL AS is_cancelled",
]


def session() -> SparkSession:
    return (
        SparkSession.builder.appName("flights")
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )


def bronze_flights(spark: SparkSession, landing: str, root: str, day: str) -> None:
    rows = spark.read.csv(f"{landing}/flights/{day}.csv", header=True, nullValue="NA")
    rows = rows.withColumns({"_day": F.lit(day).cast("date"), "_source_file": F.input_file_name(), "_ingested_at": F.current_timestamp()})
    write(rows, f"{root}/bronze/flights", "_day", day)


def bronze_airports(spark: SparkSession, landing: str, root: str, day: str) -> None:
    rows = spark.read.csv(f"{landing}/airports/2013-01-01.csv", header=True, nullValue="NA")
    rows.write.format("delta").mode("overwrite").save(f"{root}/bronze/airports")


def silver_airports(spark: SparkSession, landing: str, root: str, day: str) -> None:
    rows = spark.read.format("delta").load(f"{root}/bronze/airports").selectExpr("faa AS airport", "name AS airport_name", "tzone AS time_zone")
    rows.write.format("delta").mode("overwrite").save(f"{root}/silver/airports")


def silver_flights(spark: SparkSession, landing: str, root: str, day: str) -> None:
    flights = spark.read.format("delta").load(f"{root}/bronze/flights").where(F.col("_day") == day)
    airports = spark.read.format("delta").load(f"{root}/silver/airports")
    rows = flights.join(airports, F.col("dest") == F.col("airport"), "left").selectExpr(*FLIGHTS)
    write(rows, f"{root}/silver/flights", "flight_date", day)


def gold_daily_flights(spark: SparkSession, landing: str, root: str, day: str) -> None:
    rows = silver(spark, root, day).groupBy("flight_date").agg(*counts(), *means("dep_delay_minutes", "arr_delay_minutes"))
    write(rows, f"{root}/gold/daily_flights", "flight_date", day)


def gold_carrier_days(spark: SparkSession, landing: str, root: str, day: str) -> None:
    rows = silver(spark, root, day).groupBy("flight_date", "carrier").agg(*counts(), *means("arr_delay_minutes"))
    write(rows, f"{root}/gold/carrier_days", "flight_date", day)


def gold_route_days(spark: SparkSession, landing: str, root: str, day: str) -> None:
    routes = silver(spark, root, day).groupBy("flight_date", "origin", "dest")
    rows = routes.agg(counts()[0], *means("air_time_minutes"), F.max("distance_miles").alias("distance_miles"))
    write(rows, f"{root}/gold/route_days", "flight_date", day)


def silver(spark: SparkSession, root: str, day: str) -> DataFrame:
    return spark.read.format("delta").load(f"{root}/silver/flights").where(F.col("flight_date") == day)


def counts() -> list:
    return [F.count("*").alias("flights"), F.count_if("is_cancelled").alias("cancelled")]


def means(*names: str) -> list:
    return [F.avg(name).alias(f"mean_{name}") for name in names]


def write(rows: DataFrame, path: str, column: str, day: str) -> None:
    rows.write.format("delta").mode("overwrite").option("replaceWhere", f"{column} = '{day}'").partitionBy(column).save(path)


TABLES = (bronze_flights, bronze_airports, silver_airports, silver_flights, gold_daily_flights, gold_carrier_days, gold_route_days)

if __name__ == "__main__":
    spark = session()
    for table in TABLES:
        table(spark, *sys.argv[1:4])
    spark.stop()
