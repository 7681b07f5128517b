"""Airports: the register under our names, one row per airport."""

from __future__ import annotations

import pytest
from pyspark.testing import assertDataFrameEqual

pytestmark = pytest.mark.spark


def test_an_airport_keeps_its_place_and_its_time_zone(table, built) -> None:
    registered = {"faa": "JFK", "name": "John F Kennedy Intl", "lat": 40.64, "lon": -73.78, "alt": 13, "tz": -5, "dst": "A"}
    airports = built("silver.airports", bronze_airports=table("bronze.airports", registered | {"tzone": "America/New_York", "_row": "a:1"}))
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
    )
    assertDataFrameEqual(airports, expected, ignoreNullable=True)


def test_an_airport_without_a_time_zone_stays(table, built) -> None:
    airports = built("silver.airports", bronze_airports=table("bronze.airports", {"faa": "YAK", "name": "Yakutat", "tzone": None}))
    assert [(row.airport, row.time_zone) for row in airports.collect()] == [("YAK", None)]
