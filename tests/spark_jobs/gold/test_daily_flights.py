"""Daily flights: how a day went."""

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


def test_a_date_counts_all_its_flights_and_means_go_over_those_that_have_the_value_if_any_left(table, built) -> None:
    flights = [*FLIGHTS, FLIGHTS[3] | {"flight_date": "2013-01-02"}, FLIGHTS[0] | {"flight_date": "2013-01-03"}]
    found = built("gold.daily_flights", silver_flights=table("silver.flights", *flights))
    expected = table(
        "gold.daily_flights",
        {"flight_date": "2013-01-01", "flights": 4, "cancelled": 1, "mean_dep_delay_minutes": 2.0, "mean_arr_delay_minutes": 15.5, "late_arrivals": 1},
        {"flight_date": "2013-01-02", "flights": 1, "cancelled": 1, "late_arrivals": 0},
        {"flight_date": "2013-01-03", "flights": 1, "cancelled": 0, "mean_dep_delay_minutes": 2.0, "mean_arr_delay_minutes": 16.0, "late_arrivals": 1},
    )
    assertDataFrameEqual(found, expected, ignoreNullable=True)
