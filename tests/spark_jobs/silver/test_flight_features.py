"""Features: what was known at midnight, and nothing later."""

from __future__ import annotations

import pytest
from pyspark.sql import functions as F

from expectations.loader import load_lake

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
HISTORY = ("flight_arrivals", "flight_mean_arr_delay_minutes", "flight_late_share")
TIMES = ("predict_at", "scheduled_departure_at", "weather_observed_at")
HISTORIES = ("carrier", "origin", "route", "flight")


def _arrived(day: str, delay: int, arrived_at: str, **changes) -> dict:
    times = {"scheduled_departure_at": f"{day}T10:15", "scheduled_arrival_at": f"{day}T14:19"}
    return FLIGHT | times | {"flight_date": day, "arr_delay_minutes": delay, "arrived_at": arrived_at} | changes


def _history(*figures) -> dict:
    return dict(zip(HISTORY, figures, strict=True))


def _hour(date: str, at: str, temperature: float, origin: str = "EWR") -> dict:
    return {"observation_date": date, "origin": origin, "observed_at": at, "temperature_f": temperature}


WHOLE = "a flight has its schedule, aircraft, history and weather as of midnight"
CASES = {
    WHOLE: (
        [FLIGHT, _arrived("2013-01-31", 20, "2013-01-31T14:39")],
        [_hour("2013-02-01", "2013-02-01T05:00", 30.0) | {"visibility_miles": 10.0}],
        {column: FLIGHT[column] for column in ("flight_date", "carrier", "flight", "origin", "dest", "distance_miles", "has_known_aircraft", "_row")}
        | {f"{of}_arrivals": 1 for of in HISTORIES}
        | {f"{of}_mean_arr_delay_minutes": 20.0 for of in HISTORIES}
        | {f"{of}_late_share": 1.0 for of in HISTORIES}
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
    ),
    "a flight without history, aircraft or weather stays, and so does a cancelled one": (
        [FLIGHT | {"tail_number": None, "has_known_aircraft": False, "is_cancelled": True}],
        [],
        {"flight": 1, "aircraft_year": None, "weather_observed_at": None} | _history(0, None, None),
    ),
    "what became known after midnight does not enter": (
        [
            FLIGHT | {"arr_delay_minutes": 500, "arrived_at": "2013-02-01T22:39"},
            _arrived("2013-01-31", 10, "2013-02-01T04:59"),
            _arrived("2013-01-31", 100, "2013-02-01T05:00", origin="JFK"),
        ],
        [],
        {"carrier_arrivals": 1, "carrier_mean_arr_delay_minutes": 10.0},
    ),
    "an arrival after midnight is known on the day after": (
        [FLIGHT, _arrived("2013-01-30", 100, "2013-01-31T05:01")],
        [],
        _history(1, 100.0, 1.0),
    ),
    "history is thirty days long": (
        [FLIGHT, _arrived("2013-01-02", 10, "2013-01-02T14:29"), _arrived("2013-01-01", 1000, "2013-01-01T14:29")],
        [],
        _history(1, 10.0, 0.0),
    ),
    "the weather is the last hour measured at the origin by midnight": (
        [FLIGHT],
        [
            _hour("2013-01-31", "2013-02-01T03:00", 1.0),
            _hour("2013-01-31", "2013-02-01T04:00", 2.0),
            _hour("2013-02-01", "2013-02-01T06:00", 3.0),
            _hour("2013-02-01", "2013-02-01T05:00", 4.0, origin="JFK"),
        ],
        {"weather_observed_at": "2013-02-01T04:00", "temperature_f": 2.0},
    ),
    "weather of two days ago is too old": (
        [FLIGHT],
        [_hour("2013-01-30", "2013-01-30T20:00", 1.0)],
        {"weather_observed_at": None},
    ),
    **{
        f"midnight of {date} is New York's, and so is the hour of departure": (
            [FLIGHT | {"flight_date": date, "scheduled_departure_at": f"{date}T12:00"}],
            [],
            {"predict_at": f"{date}T{midnight}", "scheduled_hour": hour},
        )
        for date, midnight, hour in (
            ("2013-03-10", "05:00", 8),
            ("2013-03-11", "04:00", 8),
            ("2013-11-03", "04:00", 7),
            ("2013-11-04", "05:00", 7),
        )
    },
}
"""Sentence to flights, of which the first one is looked at, and weather; and what is true of it. Each has carriers and airports of its own."""


@pytest.fixture(scope="module")
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


def _own(rows: list[dict], number: int) -> list[dict]:
    """The rows with the carriers and airports of one case: no other case's rows are history or weather to them."""
    return [row | {name: f"{row[name]}{number}" for name in ("carrier", "origin", "dest") if name in row} for row in rows]


@pytest.fixture(scope="module")
def found(features):
    """Sentence to the rows that came of the flight that is looked at; all are made at once. Times are ISO texts in UTC."""
    cases = list(enumerate(CASES.values()))
    flights = [row for number, (made, _, _) in cases for row in _own(made, number)]
    weather = [row for number, (_, measured, _) in cases for row in _own(measured, number)]
    made = features(flights, weather)
    times = [F.date_format(name, "yyyy-MM-dd'T'HH:mm").alias(name) for name in TIMES]
    rows = made.select(F.col("flight_date").cast("string"), *times, *(name for name in made.columns if name not in {"flight_date", *TIMES})).collect()
    keys = {sentence: (flight[0]["flight_date"], f"UA{number}", f"EWR{number}") for number, (sentence, (flight, _, _)) in enumerate(CASES.items())}
    return {sentence: [row.asDict() for row in rows if (row["flight_date"], row["carrier"], row["origin"]) == key] for sentence, key in keys.items()}


@pytest.mark.parametrize("sentence", CASES)
def test_a_flight_has_one_row_of_which_is_true_that(found, sentence) -> None:
    (row,) = found[sentence]
    (expected,) = _own([CASES[sentence][2]], list(CASES).index(sentence))
    assert {name: row[name] for name in expected} == expected


def test_what_is_unknown_of_a_flight_is_null(found) -> None:
    (row,) = found[WHOLE]
    assert {name for name, value in row.items() if value is None} == {"humidity_percent", "wind_speed_mph", "precipitation_inches", "pressure_millibars"}
    assert row.keys() == {*load_lake().table("silver.flight_features").contract.columns, "_row"}


def test_a_row_is_the_same_whether_its_day_is_built_alone_or_in_a_range(features) -> None:
    days = [f"2013-01-{day:02d}" for day in range(1, 32)]
    history = [_arrived(day, number, f"{day}T15:00") for number, day in enumerate(days)]
    older = [_arrived(f"2012-12-{day}", 300, f"2012-12-{day}T15:00") for day in range(20, 32)]
    later = [_arrived("2013-02-02", 300, "2013-02-02T15:00")]
    alone = features([FLIGHT, *history]).where("flight_date = '2013-02-01'")
    in_range = features([FLIGHT, *older, *history, *later]).where("flight_date = '2013-02-01'")
    first, second = alone.union(in_range).collect()
    assert first == second
    assert first["flight_arrivals"] == 30
