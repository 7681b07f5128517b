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


def test_a_carriers_day_has_the_measures_of_its_flights_and_a_name_unless_the_carrier_is_not_in_the_list(table, built) -> None:
    airlines = table("silver.airlines", {"carrier": "UA", "carrier_name": "United Air Lines Inc."}, {"carrier": "AA", "carrier_name": "American"})
    flights = table("silver.flights", *FLIGHTS, FLIGHTS[0] | {"carrier": "ZZ"})
    found = built("gold.carrier_days", silver_flights=flights, silver_airlines=airlines)
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
        {
            "flight_date": "2013-01-01",
            "carrier": "ZZ",
            "carrier_name": None,
            "flights": 1,
            "cancelled": 0,
            "mean_dep_delay_minutes": 2.0,
            "mean_arr_delay_minutes": 16.0,
            "late_arrivals": 1,
        },
    )
    assertDataFrameEqual(found, expected, ignoreNullable=True)
