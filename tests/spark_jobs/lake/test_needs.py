"""How clean an input has to be: one consumer takes what another refuses, or is served the last good day. What is planned: test_planning."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from tests.spark_jobs.lake.conftest import TOTALS

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEADER = "sold_on,item,cents"
FIRST, SECOND, DAYS = "2024-05-01", "2024-05-02", "2024-05-01..2024-05-02"
MAY_1, MAY_2 = date(2024, 5, 1), date(2024, 5, 2)
SUMMED = "SELECT sold_on, sum(cents) AS cents FROM silver_sales GROUP BY sold_on\n"
WARNING = "  - {expect: expect_table_row_count_to_be_between, min_value: 2, on_fail: warn, name: enough}\n"


def totals(shop: LittleLake, name: str, needs: str) -> None:
    """One more gold table over silver.sales."""
    shop.write(f"expectations/gold/{name}.yaml", TOTALS.replace("[silver.sales]", f"[{{silver.sales: {{{needs}}}}}]"))
    shop.write(f"spark_jobs/gold/{name}.sql", SUMMED)


def test_of_a_day_with_a_warning_one_consumer_takes_none_and_another_the_last_good_day_until_it_is_clean(shop: LittleLake) -> None:
    contract = (shop.project / "expectations/silver/sales.yaml").read_text()
    shop.write("expectations/silver/sales.yaml", contract + WARNING)
    totals(shop, "careful", "needs: clean")
    totals(shop, "patient", "needs: clean, otherwise: last_good_day")
    shop.land(f"sales/{FIRST}.csv", HEADER, f"{FIRST},tea,300", f"{FIRST},cake,400")
    shop.land(f"sales/{SECOND}.csv", HEADER, f"{SECOND},tea,1")
    for table in ("bronze.sales", "silver.sales"):
        shop.build(table, DAYS)
    careful = shop.run("build", "gold.careful", DAYS)
    assert (careful.status, careful.facts["held"]) == ("held", {SECOND: ["it needs silver.sales clean, which broke enough."]})
    assert shop.rows("gold.careful") == [(MAY_1, 700)]
    shop.build("gold.patient", DAYS)
    assert shop.rows("gold.patient") == [(MAY_1, 700), (MAY_2, 700)]
    assert shop.ledger.days("gold.patient")[SECOND].inputs == {"silver.sales": {FIRST: 0}}
    shop.land(f"sales/{SECOND}.csv", HEADER, f"{SECOND},tea,1", f"{SECOND},pie,2")
    for table in ("bronze.sales", "silver.sales", "gold.careful", "gold.patient"):
        shop.build(table, SECOND, "run-2")
    assert shop.rows("gold.careful") == shop.rows("gold.patient") == [(MAY_1, 700), (MAY_2, 3)]
