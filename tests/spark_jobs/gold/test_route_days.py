"""Route days: how a route's day went."""

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


def test_a_route_goes_from_its_origin_to_its_destination_and_of_two_distances_the_longer_one_is_taken(table, built) -> None:
    to_eagle = [FLIGHTS[0] | {"dest": "EGE", "distance_miles": 1725}, FLIGHTS[1] | {"dest": "EGE", "distance_miles": 1726}]
    flights = table("silver.flights", *FLIGHTS, FLIGHTS[0] | {"flight": 5, "origin": "LGA"}, *to_eagle)
    found = built("gold.route_days", silver_flights=flights)
    route = {"flight_date": "2013-01-01", "dest": "IAH", "distance_miles": 1400}
    expected = table(
        "gold.route_days",
        route | {"origin": "EWR", "flights": 4, "cancelled": 1, "mean_arr_delay_minutes": 15.5, "mean_air_time_minutes": 225.0},
        route | {"origin": "LGA", "flights": 1, "cancelled": 0, "mean_arr_delay_minutes": 16.0, "mean_air_time_minutes": 220.0},
        route
        | {"origin": "EWR", "dest": "EGE", "distance_miles": 1726}
        | {"flights": 2, "cancelled": 0, "mean_arr_delay_minutes": 15.5, "mean_air_time_minutes": 225.0},
    )
    assertDataFrameEqual(found, expected, ignoreNullable=True)
