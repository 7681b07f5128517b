"""Corners where a row could be lost, doubled or counted wrongly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.spark_jobs.lake.conftest import SOLD

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEADER = "sold_on,item,cents"
FIRST, SECOND = "2024-05-01", "2024-05-02"
PRICES = """
    contract: 1
    description: Prices as they arrive, one CSV file a day.
    source: {folder: prices, format: csv}
    columns: {item: {type: string}, cents: {type: int}, seen: {type: int}}
"""
LATEST = """
    contract: 1
    description: Prices of items, the latest of each.
    inputs: [bronze.prices]
    grain: [item]
    write: WRITE
    order_by: seen
    columns: {item: {type: string, nullable: false}, cents: {type: int}, seen: {type: int}}
"""


def prices(lake: LittleLake, write: str, more: str = "") -> None:
    lake.write("expectations/bronze/prices.yaml", PRICES)
    lake.write("expectations/silver/prices.yaml", LATEST.replace("WRITE", write) + more)
    lake.write("spark_jobs/silver/prices.sql", "SELECT item, cents, seen FROM bronze_prices\n")


@pytest.mark.parametrize("write", ["merge", "scd2"])
def test_the_first_audited_batch_of_a_merge_may_bring_two_versions_of_a_row(lake: LittleLake, write: str) -> None:
    prices(lake, write)
    lake.land(f"prices/{FIRST}.csv", "item,cents,seen", "tea,320,2", "tea,310,2", "pie,1,1")
    lake.build("bronze.prices", FIRST)
    assert lake.build("silver.prices", FIRST).facts["rows_in"] == 3
    assert [row[0] for row in lake.rows("silver.prices", "item")] == ["pie", "tea"]


def test_a_batch_that_is_merged_is_counted_and_judged_without_what_was_there(lake: LittleLake) -> None:
    prices(lake, "merge", "    rules: [{expect: expect_table_row_count_to_be_between, max_value: 2, on_fail: warn, name: few}]\n")
    lake.land(f"prices/{FIRST}.csv", "item,cents,seen", "tea,320,2", "pie,1,1")
    lake.land(f"prices/{SECOND}.csv", "item,cents,seen", "cake,320,2")
    for day in (FIRST, SECOND):
        lake.build("bronze.prices", day, day)
        result = lake.build("silver.prices", day, day)
    assert (result.facts["rows_in"], result.facts["warnings"]) == (1, {})


def test_a_question_about_a_batch_without_days_of_its_own_is_open_until_it_is_answered(lake: LittleLake) -> None:
    prices(lake, "merge", "    rules: [{expect: expect_table_row_count_to_be_between, min_value: 2, on_fail: ask, name: enough}]\n")
    lake.land(f"prices/{FIRST}.csv", "item,cents,seen", "tea,320,2")
    lake.build("bronze.prices", FIRST)
    assert lake.run("build", "silver.prices", FIRST).status == "asks"
    (question,) = lake.ledger.decisions.open_questions("silver.prices", "run-1")
    lake.ledger.decisions.answer(question, "publish", "ann", "it is a small shop")
    lake.build("silver.prices", FIRST)
    assert lake.rows("silver.prices", "item") == [("tea",)]


def test_rows_that_do_not_parse_count_with_the_newest_day_of_their_file_in_every_run(shop: LittleLake) -> None:
    shop.write("expectations/silver/sales.yaml", SOLD.replace("max_value: 3,", "max_value: 300,") + "    quarantine_limit: {share: 0.3}\n")
    good, bad = [f"{SECOND},item{number},1" for number in range(8)], [f"{SECOND},bad{number},free" for number in range(4)]
    shop.land(f"sales/{SECOND}.csv", HEADER, f"{FIRST},tea,1", *good, *bad)
    shop.build("bronze.sales", SECOND)
    for run in ("run-1", "run-2"):
        result = shop.run("build", "silver.sales", SECOND, run)
        assert (result.status, result.facts["held"]) == ("held", {SECOND: ["quarantine_limit: 4 of 12 rows would go to quarantine, at most 30.0% may."]})
    assert shop.rows("silver.sales", "item") == [("tea",)]


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


def test_new_files_are_joined_to_the_newest_clean_snapshot(shop: LittleLake) -> None:
    shop.write(
        "expectations/bronze/items.yaml",
        """
        contract: 1
        description: The shop's items, the newest list counts.
        source: {folder: items, format: csv, arrives: snapshot}
        columns: {item: {type: string}, weight: {type: int}}
        """,
    )
    shop.write("expectations/silver/sales.yaml", SOLD.replace("[bronze.sales]", "[bronze.sales, {bronze.items: {needs: clean}}]"))
    joined = 'bronze_sales.join(bronze_items.select("item"), "item").select("sold_on", "item", "cents", "_row")'
    shop.write("spark_jobs/silver/sales.py", f"def transform(bronze_sales, bronze_items):\n    return {joined}\n")
    shop.land(f"items/{FIRST}.csv", "item,weight", "tea,1")
    shop.land(f"items/{SECOND}.csv", "item,weight", "cake,heavy")
    shop.land(f"sales/{SECOND}.csv", HEADER, f"{SECOND},tea,1")
    for table in ("bronze.items", "bronze.sales", "silver.sales"):
        shop.build(table, f"{FIRST}..{SECOND}")
    assert shop.rows("silver.sales", "item") == [("tea",)]
