"""Weather: one row per airport and hour in UTC, also in the nights the clock changes."""

from __future__ import annotations

import pytest
from pyspark.testing import assertDataFrameEqual

pytestmark = pytest.mark.spark

HOUR = {"origin": "EWR", "year": 2013, "month": 11, "day": 3, "hour": 1, "temp": 51.98, "precip": 0.0, "visib": 10.0}


def test_an_hour_keeps_what_was_measured_also_where_it_comes_twice_in_autumn_or_its_date_is_none(table, built) -> None:
    measured = HOUR | {"dewp": 39.02, "humid": 61.15, "wind_dir": 310, "wind_speed": 6.9, "pressure": 1009.8, "time_hour": "2013-11-03T05:00", "_row": "w:1"}
    again = HOUR | {"time_hour": "2013-11-03T06:00", "temp": 50.0, "_row": "w:2"}
    no_date = HOUR | {"day": 31, "_row": "w:3"}
    kept = {
        "observation_date": "2013-11-03",
        "origin": "EWR",
        "observed_at": "2013-11-03T05:00",
        "local_hour": 1,
        "temperature_f": 51.98,
        "precipitation_inches": 0.0,
        "visibility_miles": 10.0,
    }
    expected = table(
        "silver.weather",
        kept
        | {
            "dew_point_f": 39.02,
            "humidity_percent": 61.15,
            "wind_direction_degrees": 310,
            "wind_speed_mph": 6.9,
            "wind_gust_mph": None,
            "pressure_millibars": 1009.8,
            "_row": "w:1",
        },
        kept | {"observed_at": "2013-11-03T06:00", "temperature_f": 50.0, "_row": "w:2"},
        kept | {"observation_date": None, "observed_at": None, "_row": "w:3"},
    )
    assertDataFrameEqual(built("silver.weather", bronze_weather=table("bronze.weather", measured, again, no_date)), expected, ignoreNullable=True)
