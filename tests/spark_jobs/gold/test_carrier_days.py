"""Carrier days: how a carrier's day went."""

from __future__ import annotations

import pytest
from pyspark.testing import assertDataFrameEqual

pytestmark = pytest.mark.spark

DAY = {"flight_date": "2013-01-01", "carrier": "UA", "origin": "EWR", "dest": "IAH", "distance_miles": 1400, "is_cancelled": False}
FLIGHTS = [
    DAY | {"flight": 1, "dep_delay_minutes": 2, "arr_delay_minutes": 16, "air_time_minutes": 220},
    DAY | {"flight": 2, "dep_delay_minutes": -4, "arr_delay_minutes": 15, "air_time_minutes": 230},
    DAY | {"flight": 3, "dep_delay_minutes": 8},
    DAY | {"flight": 4, "is_cancelled": True},
]


def test_a_carriers_day_has_the_measures_of_its_flights_and_a_name(table, built) -> None:
    airlines = table("silver.airlines", {"carrier": "UA", "carrier_name": "United Air Lines Inc."}, {"carrier": "AA", "carrier_name": "American"})
    found = built("gold.carrier_days", silver_flights=table("silver.flights", *FLIGHTS), silver_airlines=airlines)
    expected = table(
        "gold.carrier_days",
        {
            "flight_date": "2013-01-01",
            "carrier": "UA",
            "carrier_name": "United Air Lines Inc.",
            "flights": 4,
            "cancelled": 1,
            "mean_dep_delay_minutes": 2.0,
            "mean_arr_delay_minutes": 15.5,
            "late_arrivals": 1,
        },
    )
    assertDataFrameEqual(found, expected, ignoreNullable=True)


def test_a_carrier_that_is_not_in_the_list_stays_without_a_name(table, built) -> None:
    flights = table("silver.flights", FLIGHTS[0] | {"carrier": "ZZ"})
    found = built("gold.carrier_days", silver_flights=flights, silver_airlines=table("silver.airlines", {"carrier": "UA", "carrier_name": "United"}))
    assert [(row.carrier, row.carrier_name, row.flights) for row in found.collect()] == [("ZZ", None, 1)]
