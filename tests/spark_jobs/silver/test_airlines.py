"""Airlines: one row per carrier."""

from __future__ import annotations

import pytest
from pyspark.testing import assertDataFrameEqual

pytestmark = pytest.mark.spark


def test_a_carrier_has_a_name(table, built) -> None:
    airlines = built("silver.airlines", bronze_airlines=table("bronze.airlines", {"carrier": "9E", "name": "Endeavor Air Inc.", "_row": "a:1"}))
    expected = table("silver.airlines", {"carrier": "9E", "carrier_name": "Endeavor Air Inc.", "_row": "a:1"})
    assertDataFrameEqual(airlines, expected, ignoreNullable=True)
