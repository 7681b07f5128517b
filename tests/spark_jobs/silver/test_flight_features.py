"""Features: what was known at midnight, and nothing later."""

from __future__ import annotations

import pytest
from pyspark.testing import assertDataFrameEqual

pytestmark = pytest.mark.spark

FLIGHT = {
    "flight_date": "2013-02-01",
    "carrier": "UA",
    "flight": 1,
    "origin": "EWR",
    "dest": "IAH",
    "tail_number": "N1",
    "has_known_aircraft": True,
    "scheduled_departure_at": "2013-02-01T10:15",
    "scheduled_arrival_at": "2013-02-01T14:19",
    "distance_miles": 1400,
    "is_cancelled": False,
    "_row": "f:1",
}
HISTORY = "flight_arrivals bigint, flight_mean_arr_delay_minutes double, flight_late_share double"


def _arrived(day: str, delay: int, arrived_at: str, **changes) -> dict:
    times = {"scheduled_departure_at": f"{day}T10:15", "scheduled_arrival_at": f"{day}T14:19"}
    return FLIGHT | times | {"flight_date": day, "arr_delay_minutes": delay, "arrived_at": arrived_at} | changes


@pytest.fixture
def features(table, built):
    """silver.flight_features of literal flights and weather; one aircraft is known."""
    planes = table("silver.planes", {"tail_number": "N1", "year_built": 1999, "seats": 150})

    def build(flights, weather=()):
        return built(
            "silver.flight_features",
            silver_flights=table("silver.flights", *flights),
            silver_weather=table("silver.weather", *weather),
            silver_planes=planes,
        )

    return build


def _of(day: str, rows_of_all_days, columns: str):
    return rows_of_all_days.where(f"flight_date = '{day}'").select(*(column.split()[0] for column in columns.split(", ")))


def test_a_flight_has_its_schedule_aircraft_history_and_weather_as_of_midnight(features, table) -> None:
    yesterday = _arrived("2013-01-31", 20, "2013-01-31T14:39")
    weather = {"observation_date": "2013-02-01", "origin": "EWR", "observed_at": "2013-02-01T05:00", "temperature_f": 30.0, "visibility_miles": 10.0}
    found = features([FLIGHT, yesterday], [weather]).where("flight_date = '2013-02-01'")
    known = {f"{of}_arrivals": 1 for of in ("carrier", "origin", "route", "flight")}
    delays = {f"{of}_mean_arr_delay_minutes": 20.0 for of in ("carrier", "origin", "route", "flight")}
    shares = {f"{of}_late_share": 1.0 for of in ("carrier", "origin", "route", "flight")}
    key = {column: FLIGHT[column] for column in ("flight_date", "carrier", "flight", "origin", "dest", "distance_miles", "has_known_aircraft", "_row")}
    expected = table(
        "silver.flight_features",
        key
        | known
        | delays
        | shares
        | {
            "predict_at": "2013-02-01T05:00",
            "scheduled_departure_at": "2013-02-01T10:15",
            "month": 2,
            "weekday": 4,
            "scheduled_hour": 5,
            "scheduled_minutes": 244,
            "aircraft_year": 1999,
            "aircraft_seats": 150,
            "weather_observed_at": "2013-02-01T05:00",
            "temperature_f": 30.0,
            "visibility_miles": 10.0,
        },
    )
    assertDataFrameEqual(found, expected, ignoreNullable=True)


def test_a_flight_without_history_aircraft_or_weather_stays_and_so_does_a_cancelled_one(features, rows) -> None:
    unknown = FLIGHT | {"tail_number": None, "has_known_aircraft": False, "is_cancelled": True}
    columns = f"flight int, aircraft_year int, {HISTORY}, weather_observed_at timestamp"
    assertDataFrameEqual(_of("2013-02-01", features([unknown]), columns), rows(columns, (1, None, 0, None, None, None)), ignoreNullable=True)


def test_what_became_known_after_midnight_does_not_enter(features, rows) -> None:
    before_midnight = _arrived("2013-01-31", 10, "2013-02-01T04:59", flight=1)
    after_midnight = _arrived("2013-01-31", 100, "2013-02-01T05:00", flight=1, origin="JFK")
    the_day_itself = FLIGHT | {"arr_delay_minutes": 500, "arrived_at": "2013-02-01T22:39"}
    columns = "carrier_arrivals bigint, carrier_mean_arr_delay_minutes double"
    found = features([the_day_itself, before_midnight, after_midnight])
    assertDataFrameEqual(_of("2013-02-01", found, columns), rows(columns, (1, 10.0)), ignoreNullable=True)


def test_an_arrival_after_midnight_is_known_on_the_day_after(features, rows) -> None:
    after_midnight = _arrived("2013-01-30", 100, "2013-01-31T05:01")
    assertDataFrameEqual(_of("2013-02-01", features([FLIGHT, after_midnight]), HISTORY), rows(HISTORY, (1, 100.0, 1.0)), ignoreNullable=True)


def test_history_is_thirty_days_long(features, rows) -> None:
    thirty_days_ago = _arrived("2013-01-02", 10, "2013-01-02T14:29")
    a_day_older = _arrived("2013-01-01", 1000, "2013-01-01T14:29")
    found = features([FLIGHT, thirty_days_ago, a_day_older])
    assertDataFrameEqual(_of("2013-02-01", found, HISTORY), rows(HISTORY, (1, 10.0, 0.0)), ignoreNullable=True)


def test_a_row_is_the_same_whether_its_day_is_built_alone_or_in_a_range(features) -> None:
    days = [f"2013-01-{day:02d}" for day in range(1, 32)]
    history = [_arrived(day, number, f"{day}T15:00") for number, day in enumerate(days)]
    older = [_arrived(f"2012-12-{day}", 300, f"2012-12-{day}T15:00") for day in range(20, 32)]
    later = [_arrived("2013-02-02", 300, "2013-02-02T15:00")]
    alone = features([FLIGHT, *history]).where("flight_date = '2013-02-01'")
    in_range = features([FLIGHT, *older, *history, *later]).where("flight_date = '2013-02-01'")
    assertDataFrameEqual(alone, in_range, ignoreNullable=True)


def test_the_weather_is_the_last_hour_measured_at_the_origin_by_midnight(features, rows) -> None:
    def hour(date: str, at: str, temperature: float, origin: str = "EWR") -> dict:
        return {"observation_date": date, "origin": origin, "observed_at": at, "temperature_f": temperature}

    weather = [
        hour("2013-01-31", "2013-02-01T03:00", 1.0),
        hour("2013-01-31", "2013-02-01T04:00", 2.0),
        hour("2013-02-01", "2013-02-01T06:00", 3.0),
        hour("2013-02-01", "2013-02-01T05:00", 4.0, origin="JFK"),
    ]
    columns = "weather_observed_at timestamp, temperature_f double"
    found = features([FLIGHT], weather)
    assertDataFrameEqual(_of("2013-02-01", found, columns), rows(columns, ("2013-02-01T04:00", 2.0)), ignoreNullable=True)


def test_weather_of_two_days_ago_is_too_old(features, rows) -> None:
    weather = [{"observation_date": "2013-01-30", "origin": "EWR", "observed_at": "2013-01-30T20:00", "temperature_f": 1.0}]
    columns = "weather_observed_at timestamp"
    assertDataFrameEqual(_of("2013-02-01", features([FLIGHT], weather), columns), rows(columns, (None,)), ignoreNullable=True)


def test_midnight_is_new_yorks_before_and_after_the_clock_changes(features, rows) -> None:
    dates = ["2013-03-10", "2013-03-11", "2013-11-03", "2013-11-04"]
    found = features([FLIGHT | {"flight_date": date, "scheduled_departure_at": f"{date}T12:00"} for date in dates])
    columns = "flight_date date, predict_at timestamp, scheduled_hour int"
    expected = rows(
        columns,
        ("2013-03-10", "2013-03-10T05:00", 8),
        ("2013-03-11", "2013-03-11T04:00", 8),
        ("2013-11-03", "2013-11-03T04:00", 7),
        ("2013-11-04", "2013-11-04T05:00", 7),
    )
    assertDataFrameEqual(found.select(*expected.columns), expected, ignoreNullable=True)
