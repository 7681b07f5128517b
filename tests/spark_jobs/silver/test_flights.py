"""Flights: every scheduled departure stays, and its local times become moments."""

from __future__ import annotations

import pytest
from pyspark.sql import functions as F
from pyspark.testing import assertDataFrameEqual

pytestmark = pytest.mark.spark

BRONZE = {
    "year": 2013,
    "month": 1,
    "day": 1,
    "dep_time": 517,
    "sched_dep_time": 515,
    "dep_delay": 2,
    "arr_time": 830,
    "sched_arr_time": 819,
    "arr_delay": 11,
    "carrier": "UA",
    "flight": 1545,
    "tailnum": "N14228",
    "origin": "EWR",
    "dest": "IAH",
    "air_time": 227,
    "distance": 1400,
    "_row": "f:1",
}
CANCELLED = {"dep_time": None, "dep_delay": None, "arr_time": None, "arr_delay": None, "air_time": None}
MOMENTS = ("scheduled_departure_at", "departed_at", "scheduled_arrival_at", "arrived_at")
IN_SPRING = {"month": 3, "day": 9, "sched_dep_time": 2359, "dep_delay": 54, "sched_arr_time": 438, "arr_delay": 26}
IN_AUTUMN = {"month": 11, "day": 2, "sched_dep_time": 2359, "dep_delay": -1, "dest": "JFK", "sched_arr_time": 340, "arr_delay": 10}
TWICE = {"month": 11, "day": 2, "sched_dep_time": 1655, "dep_delay": 322, "dest": "LAX", "sched_arr_time": 2015, "arr_time": 114}


def moments(*texts):
    """The four times of a flight in UTC."""
    return dict(zip(MOMENTS, texts, strict=True))


CASES = {
    "a departure at 2400 is the midnight that ends the day": (
        {"sched_dep_time": 2359, "dep_time": 2400, "dep_delay": 1, "dest": "BQN", "sched_arr_time": 437, "arr_time": 2400, "arr_delay": -277},
        moments("2013-01-02T04:59", "2013-01-02T05:00", "2013-01-02T08:37", "2013-01-02T04:00"),
    ),
    "a flight scheduled at 2400 leaves at the midnight that ends the day": (
        {"sched_dep_time": 2400, "dep_delay": 0, "sched_arr_time": 2400, "arr_delay": 0},
        moments("2013-01-02T05:00", "2013-01-02T05:00", "2013-01-02T06:00", "2013-01-02T06:00"),
    ),
    "an arrival after midnight belongs to the next day": (
        {"sched_dep_time": 2128, "dep_delay": 0, "dest": "LAX", "sched_arr_time": 14, "arr_delay": -16},
        moments("2013-01-02T02:28", "2013-01-02T02:28", "2013-01-02T08:14", "2013-01-02T07:58"),
    ),
    "a delay carries a departure over midnight": (
        {"sched_dep_time": 2100, "dep_time": 41, "dep_delay": 221, "sched_arr_time": 2257, "arr_time": 230, "arr_delay": 213},
        moments("2013-01-02T02:00", "2013-01-02T05:41", "2013-01-02T04:57", "2013-01-02T08:30"),
    ),
    "the night of the spring change is an hour shorter": (
        IN_SPRING | {"dest": "JFK"},
        moments("2013-03-10T04:59", "2013-03-10T05:53", "2013-03-10T08:38", "2013-03-10T09:04"),
    ),
    "the night of the spring change is as long as ever where the clock does not change": (
        IN_SPRING | {"dest": "BQN"},
        moments("2013-03-10T04:59", "2013-03-10T05:53", "2013-03-10T08:38", "2013-03-10T09:04"),
    ),
    "the morning after the spring change has the new offset": (
        IN_SPRING | {"day": 10, "sched_dep_time": 500, "dep_delay": -6, "dest": "JFK", "sched_arr_time": 648, "arr_delay": -20},
        moments("2013-03-10T09:00", "2013-03-10T08:54", "2013-03-10T10:48", "2013-03-10T10:28"),
    ),
    "a time that the spring change skips is an hour later on the clock": (
        {"month": 3, "day": 10, "sched_dep_time": 230, "dep_delay": 0, "sched_arr_time": 600, "arr_delay": 0},
        moments("2013-03-10T07:30", "2013-03-10T07:30", "2013-03-10T11:00", "2013-03-10T11:00"),
    ),
    "the night of the autumn change is an hour longer": (
        IN_AUTUMN,
        moments("2013-11-03T03:59", "2013-11-03T03:58", "2013-11-03T08:40", "2013-11-03T08:50"),
    ),
    "the morning after the autumn change has the new offset": (
        IN_AUTUMN | {"day": 3, "sched_dep_time": 520, "sched_arr_time": 800, "arr_delay": -9},
        moments("2013-11-03T10:20", "2013-11-03T10:19", "2013-11-03T13:00", "2013-11-03T12:51"),
    ),
    "the delay tells that an arrival is in the first of the two hours in autumn": (TWICE | {"arr_delay": 299}, {"arrived_at": "2013-11-03T08:14"}),
    "the delay tells that an arrival is in the second of the two hours in autumn": (TWICE | {"arr_delay": 359}, {"arrived_at": "2013-11-03T09:14"}),
    "a cancelled flight stays without the times it never had": (
        CANCELLED,
        {"is_cancelled": True, "dep_delay_minutes": None, "arr_delay_minutes": None} | moments("2013-01-01T10:15", None, "2013-01-01T14:19", None),
    ),
    "a flight that left but has no arrival delay is not cancelled": (
        {"arr_delay": None, "air_time": None},
        {"is_cancelled": False, "departed_at": "2013-01-01T10:17", "arrived_at": None},
    ),
    "an aircraft of the register is known": ({}, {"tail_number": "N14228", "has_known_aircraft": True}),
    "an aircraft in no register is unknown but its flight stays": ({"tailnum": "N0XYZ"}, {"tail_number": "N0XYZ", "has_known_aircraft": False}),
    "an aircraft without a number is unknown but its flight stays": ({"tailnum": None}, {"tail_number": None, "has_known_aircraft": False}),
    **{
        f"{dest}, which the register lacks, has its own time zone": ({"dest": dest, "sched_arr_time": 1000, "arr_delay": 0}, {"arrived_at": "2013-01-01T14:00"})
        for dest in ("BQN", "PSE", "SJU", "STT")
    },
    **{
        f"{dest}, a destination {why}, has no arrival in UTC but keeps its delay": (
            {"dest": dest},
            {"departed_at": "2013-01-01T10:17", "scheduled_arrival_at": None, "arrived_at": None, "arr_delay_minutes": 11},
        )
        for dest, why in (("YAK", "without a time zone"), ("QQQ", "in no register"))
    },
    "a date that is none is null and kills no job": (
        {"month": 2, "day": 30},
        {"flight_date": None, "scheduled_departure_at": None, "scheduled_arrival_at": None},
    ),
    "a departure at no clock time is null and kills no job": (
        {"sched_dep_time": 1275},
        {"flight_date": "2013-01-01", "scheduled_departure_at": None, "scheduled_arrival_at": None},
    ),
    "an arrival at no clock time is null and kills no job": (
        {"sched_arr_time": 2530},
        {"flight_date": "2013-01-01", "scheduled_departure_at": "2013-01-01T10:15", "scheduled_arrival_at": None},
    ),
}
"""Sentence to what differs from the first flight of 2013, and what is to come of it."""


@pytest.fixture(scope="module")
def flights(table, built):
    """silver.flights of literal bronze rows, each given as what differs from the first flight of 2013."""
    zones = {"EWR": "America/New_York", "JFK": "America/New_York", "IAH": "America/Chicago", "LAX": "America/Los_Angeles", "YAK": None}
    airports = table("silver.airports", *({"airport": code, "time_zone": zone} for code, zone in zones.items()))
    planes = table("silver.planes", {"tail_number": "N14228"})

    def build(*changes):
        bronze = table("bronze.flights", *(BRONZE | change for change in changes))
        return built("silver.flights", bronze_flights=bronze, silver_airports=airports, silver_planes=planes)

    return build


@pytest.fixture(scope="module")
def found(flights):
    """Sentence to the flight that came of it; all are made at once. Dates and times are ISO texts, times in UTC."""
    made = flights(*(change | {"flight": number} for number, (change, _) in enumerate(CASES.values())))
    times = [F.date_format(name, "yyyy-MM-dd'T'HH:mm").alias(name) for name in MOMENTS]
    rows = made.select(F.col("flight_date").cast("string"), *times, *(name for name in made.columns if name not in {"flight_date", *MOMENTS})).collect()
    return {sentence: [row.asDict() for row in rows if row["flight"] == number] for number, sentence in enumerate(CASES)}


def test_a_flight_is_typed_and_its_local_times_are_moments(flights, table) -> None:
    expected = table(
        "silver.flights",
        {
            "flight_date": "2013-01-01",
            "carrier": "UA",
            "flight": 1545,
            "origin": "EWR",
            "dest": "IAH",
            "tail_number": "N14228",
            "has_known_aircraft": True,
            "scheduled_departure_at": "2013-01-01T10:15",
            "departed_at": "2013-01-01T10:17",
            "scheduled_arrival_at": "2013-01-01T14:19",
            "arrived_at": "2013-01-01T14:30",
            "dep_delay_minutes": 2,
            "arr_delay_minutes": 11,
            "air_time_minutes": 227,
            "distance_miles": 1400,
            "is_cancelled": False,
            "_row": "f:1",
        },
    )
    assertDataFrameEqual(flights({}), expected, ignoreNullable=True)


@pytest.mark.parametrize("sentence", CASES)
def test_a_flight_becomes_one_row_of_which_is_true_that(found, sentence) -> None:
    (row,) = found[sentence]
    expected = CASES[sentence][1]
    assert {name: row[name] for name in expected} == expected
