"""Flights: every scheduled departure stays, and its local times become moments."""

from __future__ import annotations

import pytest
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
MOMENTS = "scheduled_departure_at timestamp, departed_at timestamp, scheduled_arrival_at timestamp, arrived_at timestamp"


@pytest.fixture
def flights(table, built):
    """silver.flights of literal bronze rows, each given as what differs from the first flight of 2013."""
    zones = {"EWR": "America/New_York", "JFK": "America/New_York", "IAH": "America/Chicago", "LAX": "America/Los_Angeles", "YAK": None}
    airports = table("silver.airports", *({"airport": code, "time_zone": zone} for code, zone in zones.items()))
    planes = table("silver.planes", {"tail_number": "N14228"})

    def build(*changes):
        bronze = table("bronze.flights", *(BRONZE | change for change in changes))
        return built("silver.flights", bronze_flights=bronze, silver_airports=airports, silver_planes=planes)

    return build


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


def test_a_departure_at_2400_is_the_midnight_that_ends_the_day(flights, rows) -> None:
    late = {"sched_dep_time": 2359, "dep_time": 2400, "dep_delay": 1, "dest": "BQN", "sched_arr_time": 437, "arr_time": 2400, "arr_delay": -277}
    expected = rows(MOMENTS, ("2013-01-02T04:59", "2013-01-02T05:00", "2013-01-02T08:37", "2013-01-02T04:00"))
    assertDataFrameEqual(flights(late).select(*expected.columns), expected, ignoreNullable=True)


def test_a_flight_scheduled_at_2400_leaves_at_the_midnight_that_ends_the_day(flights, rows) -> None:
    at_midnight = {"sched_dep_time": 2400, "dep_delay": 0, "sched_arr_time": 2400, "arr_delay": 0}
    expected = rows(MOMENTS, ("2013-01-02T05:00", "2013-01-02T05:00", "2013-01-02T06:00", "2013-01-02T06:00"))
    assertDataFrameEqual(flights(at_midnight).select(*expected.columns), expected, ignoreNullable=True)


def test_an_arrival_after_midnight_belongs_to_the_next_day(flights, rows) -> None:
    over_night = {"sched_dep_time": 2128, "dep_delay": 0, "dest": "LAX", "sched_arr_time": 14, "arr_delay": -16}
    expected = rows(MOMENTS, ("2013-01-02T02:28", "2013-01-02T02:28", "2013-01-02T08:14", "2013-01-02T07:58"))
    assertDataFrameEqual(flights(over_night).select(*expected.columns), expected, ignoreNullable=True)


def test_a_delay_carries_a_departure_over_midnight(flights, rows) -> None:
    held = {"sched_dep_time": 2100, "dep_time": 41, "dep_delay": 221, "sched_arr_time": 2257, "arr_time": 230, "arr_delay": 213}
    expected = rows(MOMENTS, ("2013-01-02T02:00", "2013-01-02T05:41", "2013-01-02T04:57", "2013-01-02T08:30"))
    assertDataFrameEqual(flights(held).select(*expected.columns), expected, ignoreNullable=True)


def test_the_night_of_the_spring_change_is_an_hour_shorter(flights, rows) -> None:
    night = {"month": 3, "day": 9, "sched_dep_time": 2359, "dep_delay": 54, "sched_arr_time": 438, "arr_delay": 26}
    over_the_change = night | {"dest": "JFK"}
    no_change_there = night | {"dest": "BQN"}
    morning_after = night | {"day": 10, "sched_dep_time": 500, "dep_delay": -6, "dest": "JFK", "sched_arr_time": 648, "arr_delay": -20}
    expected = rows(
        MOMENTS,
        ("2013-03-10T04:59", "2013-03-10T05:53", "2013-03-10T08:38", "2013-03-10T09:04"),
        ("2013-03-10T04:59", "2013-03-10T05:53", "2013-03-10T08:38", "2013-03-10T09:04"),
        ("2013-03-10T09:00", "2013-03-10T08:54", "2013-03-10T10:48", "2013-03-10T10:28"),
    )
    found = flights(over_the_change, no_change_there, morning_after)
    assertDataFrameEqual(found.select(*expected.columns), expected, ignoreNullable=True)


def test_a_time_that_the_spring_change_skips_is_an_hour_later_on_the_clock(flights, rows) -> None:
    skipped = {"month": 3, "day": 10, "sched_dep_time": 230, "dep_delay": 0, "sched_arr_time": 600, "arr_delay": 0}
    expected = rows(MOMENTS, ("2013-03-10T07:30", "2013-03-10T07:30", "2013-03-10T11:00", "2013-03-10T11:00"))
    assertDataFrameEqual(flights(skipped).select(*expected.columns), expected, ignoreNullable=True)


def test_the_night_of_the_autumn_change_is_an_hour_longer(flights, rows) -> None:
    night = {"month": 11, "day": 2, "sched_dep_time": 2359, "dep_delay": -1, "dest": "JFK", "sched_arr_time": 340, "arr_delay": 10}
    morning_after = night | {"day": 3, "sched_dep_time": 520, "sched_arr_time": 800, "arr_delay": -9}
    expected = rows(
        MOMENTS,
        ("2013-11-03T03:59", "2013-11-03T03:58", "2013-11-03T08:40", "2013-11-03T08:50"),
        ("2013-11-03T10:20", "2013-11-03T10:19", "2013-11-03T13:00", "2013-11-03T12:51"),
    )
    assertDataFrameEqual(flights(night, morning_after).select(*expected.columns), expected, ignoreNullable=True)


def test_the_delay_tells_which_of_the_two_hours_in_autumn_an_arrival_is_in(flights, rows) -> None:
    first = {"month": 11, "day": 2, "sched_dep_time": 1655, "dep_delay": 322, "dest": "LAX", "sched_arr_time": 2015, "arr_time": 114, "arr_delay": 299}
    second = first | {"arr_delay": 359}
    expected = rows("arrived_at timestamp", ("2013-11-03T08:14",), ("2013-11-03T09:14",))
    assertDataFrameEqual(flights(first, second).select("arrived_at"), expected, ignoreNullable=True)


def test_a_cancelled_flight_stays_without_the_times_it_never_had(flights, rows) -> None:
    expected = rows(
        f"is_cancelled boolean, dep_delay_minutes int, arr_delay_minutes int, {MOMENTS}",
        (True, None, None, "2013-01-01T10:15", None, "2013-01-01T14:19", None),
    )
    assertDataFrameEqual(flights(CANCELLED).select(*expected.columns), expected, ignoreNullable=True)


def test_a_flight_that_left_but_has_no_arrival_delay_is_not_cancelled(flights, rows) -> None:
    expected = rows("is_cancelled boolean, departed_at timestamp, arrived_at timestamp", (False, "2013-01-01T10:17", None))
    assertDataFrameEqual(flights({"arr_delay": None, "air_time": None}).select(*expected.columns), expected, ignoreNullable=True)


def test_an_aircraft_in_no_register_or_without_a_number_is_unknown_but_its_flight_stays(flights, rows) -> None:
    found = flights({"flight": 1}, {"flight": 2, "tailnum": "N0XYZ"}, {"flight": 3, "tailnum": None})
    expected = rows("flight int, tail_number string, has_known_aircraft boolean", (1, "N14228", True), (2, "N0XYZ", False), (3, None, False))
    assertDataFrameEqual(found.select(*expected.columns), expected, ignoreNullable=True)


def test_the_caribbean_destinations_that_the_register_lacks_have_their_own_time_zones(flights, rows) -> None:
    found = flights(*({"dest": dest, "sched_arr_time": 1000, "arr_delay": 0} for dest in ("BQN", "PSE", "SJU", "STT")))
    expected = rows("dest string, arrived_at timestamp", *((dest, "2013-01-01T14:00") for dest in ("BQN", "PSE", "SJU", "STT")))
    assertDataFrameEqual(found.select(*expected.columns), expected, ignoreNullable=True)


def test_a_destination_without_a_time_zone_has_no_arrival_in_utc_but_keeps_its_delay(flights, rows) -> None:
    found = flights({"dest": "YAK"}, {"dest": "QQQ"})
    expected = rows(
        "dest string, departed_at timestamp, scheduled_arrival_at timestamp, arrived_at timestamp, arr_delay_minutes int",
        ("YAK", "2013-01-01T10:17", None, None, 11),
        ("QQQ", "2013-01-01T10:17", None, None, 11),
    )
    assertDataFrameEqual(found.select(*expected.columns), expected, ignoreNullable=True)


def test_a_date_or_a_clock_time_that_is_none_is_null_and_kills_no_job(flights, rows) -> None:
    found = flights({"month": 2, "day": 30}, {"sched_dep_time": 1275}, {"sched_arr_time": 2530})
    expected = rows(
        "flight_date date, scheduled_departure_at timestamp, scheduled_arrival_at timestamp",
        (None, None, None),
        ("2013-01-01", None, None),
        ("2013-01-01", "2013-01-01T10:15", None),
    )
    assertDataFrameEqual(found.select(*expected.columns), expected, ignoreNullable=True)
