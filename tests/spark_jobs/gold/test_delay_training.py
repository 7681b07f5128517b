"""Training rows: features beside what happened."""

from __future__ import annotations

import pytest
from pyspark.testing import assertDataFrameEqual

pytestmark = pytest.mark.spark

KEY = {"flight_date": "2013-02-01", "carrier": "UA", "flight": 1, "origin": "EWR"}
KNOWN = {
    "dest": "IAH",
    "predict_at": "2013-02-01T05:00",
    "scheduled_departure_at": "2013-02-01T10:15",
    "month": 2,
    "weekday": 4,
    "scheduled_hour": 5,
    "scheduled_minutes": 244,
    "distance_miles": 1400,
    "has_known_aircraft": True,
    "aircraft_year": 1999,
    "aircraft_seats": 150,
    "carrier_arrivals": 5,
    "carrier_late_share": 0.2,
    "origin_arrivals": 6,
    "route_arrivals": 7,
    "flight_arrivals": 8,
    "temperature_f": 30.0,
}


def test_a_flight_that_arrived_has_its_features_and_its_label_and_one_without_a_label_is_no_example(table, built) -> None:
    features = table("silver.flight_features", KEY | KNOWN, KEY | KNOWN | {"flight": 2})
    labels = table("silver.flight_labels", KEY | {"arr_delay_minutes": 20, "is_late": True})
    found = built("gold.delay_training", silver_flight_features=features, silver_flight_labels=labels)
    assertDataFrameEqual(found, table("gold.delay_training", KEY | KNOWN | {"arr_delay_minutes": 20, "is_late": True}), ignoreNullable=True)
