"""Weather: one row per airport and hour in UTC, also in the nights the clock changes."""

from __future__ import annotations

import pytest
from pyspark.testing import assertDataFrameEqual

pytestmark = pytest.mark.spark

HOUR = {"origin": "EWR", "year": 2013, "month": 11, "day": 3, "hour": 1, "temp": 51.98, "precip": 0.0, "visib": 10.0}


def test_an_hour_keeps_what_was_measured(table, built) -> None:
    measured = HOUR | {"dewp": 39.02, "humid": 61.15, "wind_dir": 310, "wind_speed": 6.9, "pressure": 1009.8, "time_hour": "2013-11-03T05:00", "_row": "w:1"}
    expected = table(
        "silver.weather",
        {
            "observation_date": "2013-11-03",
            "origin": "EWR",
            "observed_at": "2013-11-03T05:00",
            "local_hour": 1,
            "temperature_f": 51.98,
            "dew_point_f": 39.02,
            "humidity_percent": 61.15,
            "wind_direction_degrees": 310,
            "wind_speed_mph": 6.9,
            "wind_gust_mph": None,
            "precipitation_inches": 0.0,
            "pressure_millibars": 1009.8,
            "visibility_miles": 10.0,
            "_row": "w:1",
        },
    )
    assertDataFrameEqual(built("silver.weather", bronze_weather=table("bronze.weather", measured)), expected, ignoreNullable=True)


def test_the_hour_that_comes_twice_in_autumn_is_two_hours(table, built) -> None:
    twice = [HOUR | {"time_hour": "2013-11-03T05:00", "temp": 51.98}, HOUR | {"time_hour": "2013-11-03T06:00", "temp": 50.0}]
    weather = built("silver.weather", bronze_weather=table("bronze.weather", *twice))
    found = weather.selectExpr("local_hour", "date_format(observed_at, 'HH:mm') AS utc", "temperature_f").collect()
    assert sorted(tuple(row) for row in found) == [(1, "05:00", 51.98), (1, "06:00", 50.0)]


def test_a_date_that_is_none_is_null_and_kills_no_job(table, built) -> None:
    weather = built("silver.weather", bronze_weather=table("bronze.weather", HOUR | {"day": 31}))
    assert [row.observation_date for row in weather.collect()] == [None]
