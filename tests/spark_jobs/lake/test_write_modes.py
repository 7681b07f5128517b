"""The write modes: each is safe to run twice, and gives one answer whatever the order of the days."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from expectations.settings import load_settings
from spark_jobs.lake.commit import IS_CURRENT, VALID_FROM, VALID_TO

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEADER = "sold_on,item,cents"
BRONZE = """
    contract: 1
    description: Prices as they arrive, one CSV file a day.
    source: {folder: prices, format: csv, arrives: ARRIVES}
    columns:
      item: {type: string}
      cents: {type: int}
      seen: {type: int}
"""
SILVER = """
    contract: 1
    description: Prices of items, in one of several ways.
    inputs: [bronze.prices]
    grain: [item]
    write: WRITE
    order_by: seen
    columns:
      item: {type: string}
      cents: {type: int}
      seen: {type: int}
"""
DAYS = {
    "2024-05-01": ("tea,300,1", "cake,450,1"),
    "2024-05-02": ("tea,320,2", "tea,310,1"),
    "2024-05-03": ("tea,320,3", "pie,99,3"),
}


def prices(lake: LittleLake, write: str, arrives: str = "daily") -> None:
    lake.write("expectations/bronze/prices.yaml", BRONZE.replace("ARRIVES", arrives))
    lake.write("expectations/silver/prices.yaml", SILVER.replace("WRITE", write))
    lake.write("spark_jobs/silver/prices.sql", "SELECT item, cents, seen FROM bronze_prices\n")
    for day, lines in DAYS.items():
        lake.land(f"prices/{day}.csv", "item,cents,seen", *lines)


def run_days(lake: LittleLake, *days: str) -> None:
    for day in days:
        for table in ("bronze.prices", "silver.prices"):
            lake.build(table, day, f"run-{day}", force=True)


ORDERS = [("2024-05-01", "2024-05-02", "2024-05-03"), ("2024-05-03", "2024-05-02", "2024-05-01", "2024-05-02")]


@pytest.mark.parametrize("order", ORDERS)
def test_merge_keeps_the_latest_version_of_each_row(lake: LittleLake, order: tuple[str, ...]) -> None:
    prices(lake, "merge")
    run_days(lake, *order)
    assert lake.rows("silver.prices", "item", "cents", "seen") == [("cake", 450, 1), ("pie", 99, 3), ("tea", 320, 3)]


def test_append_inserts_each_key_once_and_never_changes_it(lake: LittleLake) -> None:
    prices(lake, "append")
    lake.land("prices/2024-05-02.csv", "item,cents,seen", "tea,999,2", "milk,120,2")
    run_days(lake, "2024-05-01", "2024-05-02", "2024-05-02")
    assert lake.rows("silver.prices", "item", "cents") == [("cake", 450), ("milk", 120), ("tea", 300)]


def test_append_keeps_one_of_two_rows_whose_key_is_null(lake: LittleLake) -> None:
    prices(lake, "append")
    lake.land("prices/2024-05-01.csv", "item,cents,seen", "tea,300,1", ",1,1", ",2,1")
    run_days(lake, "2024-05-01")
    assert sorted(str(item) for item, _ in lake.rows("silver.prices", "item", "cents")) == ["None", "tea"]


def test_append_of_days_that_are_not_there_needs_no_merge_and_gives_the_same(lake: LittleLake) -> None:
    dated = "columns:\n      sold_on: {type: date}"
    lake.write("expectations/bronze/prices.yaml", BRONZE.replace("ARRIVES", "daily").replace("columns:", dated))
    in_days = SILVER.replace("[item]", "[sold_on, item]\n    day: sold_on").replace("WRITE", "append").replace("    order_by: seen\n", "")
    lake.write("expectations/silver/prices.yaml", in_days.replace("columns:", dated.replace("date}", "date, nullable: false}")))
    lake.write("spark_jobs/silver/prices.sql", "SELECT sold_on, item, cents, seen FROM bronze_prices\n")
    lake.land("prices/2024-05-01.csv", "sold_on,item,cents,seen", "2024-05-01,tea,300,1")
    lake.land("prices/2024-05-02.csv", "sold_on,item,cents,seen", "2024-05-02,tea,320,2")
    run_days(lake, "2024-05-01", "2024-05-02")
    lake.land("prices/2024-05-02.csv", "sold_on,item,cents,seen", "2024-05-02,tea,999,2", "2024-05-02,milk,120,2")
    run_days(lake, "2024-05-02", "2024-05-02")
    assert lake.rows("silver.prices", "sold_on", "item", "cents") == [
        (date(2024, 5, 1), "tea", 300), (date(2024, 5, 2), "milk", 120), (date(2024, 5, 2), "tea", 320),
    ]  # fmt: skip
    commits = lake.spark.sql(f"DESCRIBE HISTORY delta.`{load_settings().table_path('silver.prices')}`").collect()
    assert [commit.operation for commit in sorted(commits, key=lambda commit: commit.version)] == ["WRITE", "WRITE", "MERGE"]


@pytest.mark.parametrize("order", ORDERS)
def test_scd2_keeps_every_version_with_the_time_it_held(lake: LittleLake, order: tuple[str, ...]) -> None:
    prices(lake, "scd2")
    lake.land("prices/2024-05-02.csv", "item,cents,seen", "tea,320,2")
    run_days(lake, *order)
    assert lake.rows("silver.prices", "item", "cents", VALID_FROM, VALID_TO, IS_CURRENT) == [
        ("cake", 450, 1, None, True),
        ("pie", 99, 3, None, True),
        ("tea", 300, 1, 2, False),
        ("tea", 320, 2, 3, False),
        ("tea", 320, 3, None, True),
    ]


@pytest.mark.parametrize("order", [("2024-05-01", "2024-05-02", "2024-05-03"), ("2024-05-01", "2024-05-03", "2024-05-02")])
def test_scd2_sees_a_value_that_went_and_came_back_in_any_order(lake: LittleLake, order: tuple[str, ...]) -> None:
    prices(lake, "scd2")
    for day, line in (("2024-05-01", "tea,300,1"), ("2024-05-02", "tea,320,2"), ("2024-05-03", "tea,300,3")):
        lake.land(f"prices/{day}.csv", "item,cents,seen", line)
    run_days(lake, *order)
    assert lake.rows("silver.prices", "cents", VALID_FROM, VALID_TO) == [(300, 1, 2), (300, 3, None), (320, 2, 3)]


def test_a_merged_table_takes_a_column_that_its_contract_has_gained(lake: LittleLake) -> None:
    prices(lake, "merge")
    run_days(lake, "2024-05-01")
    contract = (lake.project / "expectations/silver/prices.yaml").read_text()
    lake.write("expectations/silver/prices.yaml", contract.replace("seen: {type: int}", "seen: {type: int}\n  euro: {type: double}"))
    lake.write("spark_jobs/silver/prices.sql", "SELECT item, cents, seen, cents / 100 AS euro FROM bronze_prices\n")
    run_days(lake, "2024-05-01")
    assert lake.rows("silver.prices", "item", "euro") == [("cake", 4.5), ("tea", 3.0)]


def test_replace_all_takes_the_newest_snapshot_even_when_an_older_one_comes_after_it(lake: LittleLake) -> None:
    prices(lake, "replace_all", arrives="snapshot")
    lake.land("prices/2024-05-02.csv", "item,cents,seen", "tea,320,2")
    lake.land("prices/2024-05-03.csv", "item,cents,seen", "tea,320,3", "pie,99,3")
    run_days(lake, "2024-05-03", "2024-05-02")
    assert lake.rows("silver.prices", "item", "cents") == [("pie", 99), ("tea", 320)]
