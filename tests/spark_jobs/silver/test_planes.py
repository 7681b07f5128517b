"""Planes: the aircraft register, one row per tail number."""

from __future__ import annotations

import pytest
from pyspark.testing import assertDataFrameEqual

pytestmark = pytest.mark.spark


def test_an_aircraft_of_unknown_year_and_speed_stays(table, built) -> None:
    registered = {
        "tailnum": "N10156",
        "year": None,
        "type": "Fixed wing multi engine",
        "manufacturer": "EMBRAER",
        "model": "EMB-145XR",
        "engines": 2,
        "seats": 55,
        "speed": None,
        "engine": "Turbo-fan",
        "_row": "p:1",
    }
    expected = table(
        "silver.planes",
        {
            "tail_number": "N10156",
            "year_built": None,
            "aircraft_type": "Fixed wing multi engine",
            "manufacturer": "EMBRAER",
            "model": "EMB-145XR",
            "engines": 2,
            "seats": 55,
            "cruising_speed_mph": None,
            "engine_type": "Turbo-fan",
            "_row": "p:1",
        },
    )
    assertDataFrameEqual(built("silver.planes", bronze_planes=table("bronze.planes", registered)), expected, ignoreNullable=True)
