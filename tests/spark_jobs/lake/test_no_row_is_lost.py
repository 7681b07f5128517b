"""A corner where a row could be lost; others are shown without Spark, by test_planning, test_building and test_outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEADER = "sold_on,item,cents"
FIRST = "2024-05-01"


def test_a_row_without_a_day_waits_also_where_it_cannot_be_traced(shop: LittleLake) -> None:
    shop.write("spark_jobs/silver/sales.py", 'def transform(bronze_sales):\n    return bronze_sales.select("sold_on", "item", "cents")\n')
    shop.land(f"sales/{FIRST}.csv", HEADER, f"{FIRST},tea,1", "NA,cake,5")
    shop.build("bronze.sales", FIRST)
    result = shop.build("silver.sales", FIRST)
    assert (result.facts["rows_out"], result.facts["rows_quarantined"]) == (1, 1)
    assert shop.quarantine("silver.sales", "_rules", "_values") == [(["not_null(sold_on)"], '{"item":"cake","cents":5}')]
    assert {verdict.rule for verdict in shop.ledger.verdicts("run-1", "silver.sales") if verdict.day == "null"} <= {
        "not_null(sold_on)",
        "not_null(item)",
        "fair_price",
    }
