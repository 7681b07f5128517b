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


def test_a_day_counts_all_its_flights_and_means_go_over_those_that_have_the_value(table, built) -> None:
    found = built("gold.daily_flights", silver_flights=table("silver.flights", *FLIGHTS))
    expected = table(
        "gold.daily_flights",
        {"flight_date": "2013-01-01", "flights": 4, "cancelled": 1, "mean_dep_delay_minutes": 2.0, "mean_arr_delay_minutes": 15.5, "late_arrivals": 1},
    )
    assertDataFrameEqual(found, expected, ignoreNullable=True)


def test_a_day_on_which_nothing_left_has_counts_and_no_means(table, built) -> None:
    found = built("gold.daily_flights", silver_flights=table("silver.flights", FLIGHTS[3]))
    expected = table("gold.daily_flights", {"flight_date": "2013-01-01", "flights": 1, "cancelled": 1, "late_arrivals": 0})
    assertDataFrameEqual(found, expected, ignoreNullable=True)


def test_every_date_is_a_row_of_its_own(table, built) -> None:
    found = built("gold.daily_flights", silver_flights=table("silver.flights", FLIGHTS[0], FLIGHTS[1] | {"flight_date": "2013-01-02"}))
    assert sorted((str(row.flight_date), row.flights) for row in found.collect()) == [("2013-01-01", 1), ("2013-01-02", 1)]
