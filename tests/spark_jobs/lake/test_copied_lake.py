"""Two tests that start from the same lake do not meet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.spark_jobs.lake.conftest import publish_tea

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LakeAfter, LittleLake


@pytest.mark.parametrize("cents", [200, 400])
def test_what_one_test_changes_in_its_copy_the_next_one_does_not_see(lake_after: LakeAfter, cents: int) -> None:
    shop: LittleLake = lake_after(publish_tea)
    assert (shop.rows("gold.totals", "cents"), shop.version("gold.totals")) == ([(300,)], 0)
    shop.land("sales/2024-05-01.csv", "sold_on,item,cents", f"2024-05-01,tea,{cents}")
    for table in ("bronze.sales", "silver.sales", "gold.totals"):
        shop.build(table, "2024-05-01", "run-2")
    assert (shop.rows("gold.totals", "cents"), shop.version("gold.totals")) == ([(cents,)], 1)
