"""Labels: flights that arrived, and whether they were late."""

from __future__ import annotations

import pytest
from pyspark.testing import assertDataFrameEqual

pytestmark = pytest.mark.spark

KEY = {"flight_date": "2013-01-01", "carrier": "UA", "origin": "EWR"}


def test_late_is_more_than_fifteen_minutes_and_cancelled_and_diverted_flights_have_no_label(table, built) -> None:
    flights = table(
        "silver.flights",
        KEY | {"flight": 1, "arr_delay_minutes": 15, "_row": "f:1"},
        KEY | {"flight": 2, "arr_delay_minutes": 16, "_row": "f:2"},
        KEY | {"flight": 3, "arr_delay_minutes": -20, "_row": "f:3"},
        KEY | {"flight": 4, "is_cancelled": True, "_row": "f:4"},
        KEY | {"flight": 5, "is_cancelled": False, "air_time_minutes": None, "_row": "f:5"},
    )
    expected = table(
        "silver.flight_labels",
        KEY | {"flight": 1, "arr_delay_minutes": 15, "is_late": False, "_row": "f:1"},
        KEY | {"flight": 2, "arr_delay_minutes": 16, "is_late": True, "_row": "f:2"},
        KEY | {"flight": 3, "arr_delay_minutes": -20, "is_late": False, "_row": "f:3"},
    )
    assertDataFrameEqual(built("silver.flight_labels", silver_flights=flights), expected, ignoreNullable=True)
