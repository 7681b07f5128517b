"""What a table's logic returns is held to its contract: told from names and types alone, so without Spark."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from expectations.errors import ContractError
from expectations.loader import load_lake
from spark_jobs.lake.logic import require_promised
from tests.expectations.conftest import write_lake

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

PROMISED = {"sold_on": "date", "cents": "bigint"}


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (
            {**PROMISED, "cents": "double"},
            "gold.totals: column 'cents' is double, but totals.yaml promises bigint; cast it in totals.sql, or change the contract.",
        ),
        ({"sold_on": "date", "cent": "bigint"}, "gold.totals: totals.sql returns no column 'cents', which totals.yaml promises. Did you mean \"cent\"?"),
        ({**PROMISED, "sold_in": "date"}, 'gold.totals: totals.sql returns sold_in, which totals.yaml does not promise. Did you mean "sold_on"?'),
    ],
)
def test_columns_that_are_not_those_of_the_contract_are_refused(tmp_path: Path, found: dict[str, str], says: str) -> None:
    write_lake(tmp_path, {})
    table = load_lake(tmp_path).table("gold.totals")
    with pytest.raises(ContractError) as caught:
        require_promised(table, found)
    assert str(caught.value).replace(str(table.file), "totals.yaml").replace(str(table.logic), "totals.sql") == says


@pytest.mark.parametrize("found", [PROMISED, {**PROMISED, "_row": "string", "_extra": "string"}, dict(reversed(PROMISED.items()))])
def test_the_columns_of_the_contract_are_taken_in_any_order_and_with_what_bronze_adds(tmp_path: Path, found: dict[str, str]) -> None:
    write_lake(tmp_path, {})
    assert require_promised(load_lake(tmp_path).table("gold.totals"), found) is None


HELPED = """
    from pyspark.sql import functions as F

    from tea_shop_sums.taxes import net

    taxed = F.udf(lambda cents: net(cents), "int")


    def transform(bronze_sales):
        return bronze_sales.select("sold_on", "item", taxed("cents").alias("cents"), "_row")
"""


@pytest.mark.spark
def test_days_are_made_again_where_a_module_changed_that_their_logic_imports_and_workers_run_the_new_one(
    shop: LittleLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(shop.project))
    shop.write("tea_shop_sums/taxes.py", "def net(cents):\n    return cents // 2\n")
    shop.write("spark_jobs/silver/sales.py", HELPED)
    shop.land("sales/2024-05-01.csv", "sold_on,item,cents", "2024-05-01,tea,300")
    for table in ("bronze.sales", "silver.sales"):
        shop.build(table, "2024-05-01")
    assert shop.rows("silver.sales", "cents") == [(150,)]
    shop.write("tea_shop_sums/taxes.py", "def net(cents):\n    return cents // 3\n")
    for name in ("tea_shop_sums", "tea_shop_sums.taxes"):  # the next job is another process
        sys.modules.pop(name, None)
    importlib.invalidate_caches()
    assert shop.build("silver.sales", "2024-05-01", "run-2").facts["days"] == ["2024-05-01"]
    assert shop.rows("silver.sales", "cents") == [(100,)]
    assert shop.build("silver.sales", "2024-05-01", "run-3").status == "unchanged"
