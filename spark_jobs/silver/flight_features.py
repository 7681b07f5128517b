"""What is known about a flight at midnight in New York before it leaves. One row per scheduled departure.

Nothing that happened later enters a row: of the day itself only the schedule and the planned aircraft are taken, of the
days before only arrivals that were over by midnight, and only weather measured by then. Every part looks back over a
fixed number of days from a row's own date, so a row is the same whether its day is built alone or in a range.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

TIME_ZONE = "America/New_York"
LATE_AFTER_MINUTES = 15
LOOK_BACK_DAYS = 30
HISTORIES = {
    "carrier": ["carrier"],
    "origin": ["origin"],
    "route": ["origin", "dest"],
    "flight": ["carrier", "flight", "origin"],
}
MEASURED = ["temperature_f", "humidity_percent", "wind_speed_mph", "precipitation_inches", "pressure_millibars", "visibility_miles"]


def transform(silver_flights: DataFrame, silver_weather: DataFrame, silver_planes: DataFrame) -> DataFrame:
    """One row per scheduled departure, cancelled ones too: schedule, aircraft, history (minutes, shares) and weather."""
    flights = _schedule(silver_flights).withColumn("day", F.col("flight_date"))
    events = flights.unionByName(_outcomes(silver_flights), allowMissingColumns=True)
    history = {column: value for name, keys in HISTORIES.items() for column, value in _history(name, keys).items()}
    return (
        events.withColumns(history)
        .where(F.col("flight_date").isNotNull())
        .join(F.broadcast(_aircraft(silver_planes)), "tail_number", how="left")
        .join(F.broadcast(_weather_at_midnight(silver_flights, silver_weather)), ["flight_date", "origin"], how="left")
        .drop("tail_number", "day", "delay")
    )


def _schedule(flights: DataFrame) -> DataFrame:
    """What the timetable says of each flight."""
    departure, arrival = F.col("scheduled_departure_at"), F.col("scheduled_arrival_at")
    return flights.select(
        "flight_date",
        "carrier",
        "flight",
        "origin",
        "dest",
        "tail_number",
        _midnight().alias("predict_at"),
        departure,
        F.month("flight_date").alias("month"),
        F.weekday("flight_date").alias("weekday"),
        F.hour(_wall_clock(departure)).alias("scheduled_hour"),
        F.timestamp_diff("MINUTE", departure, arrival).cast("int").alias("scheduled_minutes"),
        "distance_miles",
        "has_known_aircraft",
        "_row",
    )


def _aircraft(planes: DataFrame) -> DataFrame:
    return planes.select("tail_number", F.col("year_built").alias("aircraft_year"), F.col("seats").alias("aircraft_seats"))


def _outcomes(flights: DataFrame) -> DataFrame:
    """One row per arrival, on the local day on which it became known; those that took more than a day longer are left out.

    The delay decides, not the moment of arrival, where the destination's time zone is unknown: such a flight counts as
    known on the day after its date.
    """
    known_on = F.coalesce(F.to_date(_wall_clock(F.col("arrived_at"))), F.date_add("flight_date", 1))
    arrived = flights.where(F.col("arr_delay_minutes").isNotNull() & (known_on <= F.date_add("flight_date", 1)))
    return arrived.select("carrier", "flight", "origin", "dest", known_on.alias("day"), F.col("arr_delay_minutes").alias("delay"))


def _history(name: str, keys: list[str]) -> dict[str, Column]:
    """Arrivals, mean delay and late share of the same keys, over what became known on the thirty days before a row's day."""
    before = Window.partitionBy(*keys).orderBy(F.unix_date("day")).rangeBetween(-LOOK_BACK_DAYS, -1)
    is_late = (F.col("delay") > LATE_AFTER_MINUTES).cast("int")
    return {
        f"{name}_arrivals": F.count("delay").over(before),
        f"{name}_mean_arr_delay_minutes": F.avg("delay").over(before),
        f"{name}_late_share": F.avg(is_late).over(before),
    }


def _weather_at_midnight(flights: DataFrame, weather: DataFrame) -> DataFrame:
    """Per flight date and origin: the last hour measured there by midnight, of the day before it at most."""
    asked = flights.select("flight_date", "origin", _midnight().alias("predict_at")).distinct()
    measured = weather.where(F.col("observed_at").isNotNull()).withColumns(
        {"flight_date": F.explode(F.array("observation_date", F.date_add("observation_date", 1)))}
    )
    last = F.max_by(F.struct(F.col("observed_at").alias("weather_observed_at"), *MEASURED), F.col("observed_at"))
    by_midnight = asked.join(measured, ["flight_date", "origin"], how="inner").where(F.col("observed_at") <= F.col("predict_at"))
    return by_midnight.groupBy("flight_date", "origin").agg(last.alias("last")).select("flight_date", "origin", "last.*")


def _midnight() -> Column:
    """00:00 in New York on the flight's date."""
    day = F.col("flight_date")
    return F.make_timestamp(F.year(day), F.month(day), F.day(day), F.lit(0), F.lit(0), F.lit(0), F.lit(TIME_ZONE))


def _wall_clock(moment: Column) -> Column:
    """What a New York clock shows at `moment`."""
    return F.convert_timezone(F.current_timezone(), F.lit(TIME_ZONE), moment.cast("timestamp_ntz"))
