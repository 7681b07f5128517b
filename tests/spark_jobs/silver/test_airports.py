"""Airports: the register under our names, one row per airport."""

from __future__ import annotations

import pytest
from pyspark.testing import assertDataFrameEqual

pytestmark = pytest.mark.spark


def test_an_airport_keeps_its_place_and_its_time_zone_and_stays_without_one(table, built) -> None:
    registered = {"faa": "JFK", "name": "John F Kennedy Intl", "lat": 40.64, "lon": -73.78, "alt": 13, "tz": -5, "dst": "A"}
    without = {"faa": "YAK", "name": "Yakutat", "tzone": None}
    airports = built("silver.airports", bronze_airports=table("bronze.airports", registered | {"tzone": "America/New_York", "_row": "a:1"}, without))
    expected = table(
        "silver.airports",
        {
            "airport": "JFK",
            "airport_name": "John F Kennedy Intl",
            "latitude": 40.64,
            "longitude": -73.78,
            "altitude_feet": 13,
            "time_zone": "America/New_York",
            "_row": "a:1",
        },
        {"airport": "YAK", "airport_name": "Yakutat", "time_zone": None},
    )
    assertDataFrameEqual(airports, expected, ignoreNullable=True)
