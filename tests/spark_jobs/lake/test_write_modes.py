"""The write modes: each is safe to run twice, and gives one answer whatever the order of the days."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from expectations.settings import load_settings
from spark_jobs.lake.commit import IS_CURRENT, VALID_FROM, VALID_TO
from tests.spark_jobs.lake.reviewing import change_contract

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
FIRST, SECOND, THIRD = "2024-05-01", "2024-05-02", "2024-05-03"
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


def prices(lake: LittleLake, write: str, days: dict[str, tuple[str, ...]], arrives: str = "daily") -> None:
    """Land these days' files for a table of this write mode."""
    lake.write("expectations/bronze/prices.yaml", BRONZE.replace("ARRIVES", arrives))
    lake.write("expectations/silver/prices.yaml", SILVER.replace("WRITE", write))
    lake.write("spark_jobs/silver/prices.sql", "SELECT item, cents, seen FROM bronze_prices\n")
    for day, lines in days.items():
        lake.land(f"prices/{day}.csv", "item,cents,seen", *lines)


def build(lake: LittleLake, days: str, run_id: str = "run-1") -> dict[str, Any]:
    """Build silver for days that bronze has, and say what came of it."""
    return lake.build("silver.prices", days, run_id, force=True).facts


def test_merge_keeps_the_latest_version_of_each_row_whatever_the_order(lake: LittleLake) -> None:
    days = {FIRST: ("tea,300,1", "cake,450,1"), SECOND: ("tea,310,1", "tea,320,2"), THIRD: ("pie,99,3", "tea,330,3")}
    prices(lake, "merge", days)
    few = "rules: [{expect: expect_table_row_count_to_be_between, max_value: 2, on_fail: warn, name: few}]\ncolumns:"
    change_contract(lake, "columns:", few, "silver/prices")
    lake.build("bronze.prices", f"{FIRST}..{THIRD}")
    assert build(lake, SECOND)["rows_in"] == 2, "the first batch may bring two versions of a row"
    assert lake.rows("silver.prices", "item", "cents", "seen") == [("tea", 320, 2)]
    third = build(lake, THIRD)
    assert (third["rows_in"], third["rows_out"], third["warnings"]) == (2, 2, {}), "a batch is judged and counted without what was there"
    for day in (FIRST, SECOND):
        assert build(lake, day)["warnings"] == {}
    assert lake.rows("silver.prices", "item", "cents", "seen") == [("cake", 450, 1), ("pie", 99, 3), ("tea", 330, 3)]
    change_contract(lake, "seen: {type: int}", "seen: {type: int}\n  euro: {type: double}", "silver/prices")
    lake.write("spark_jobs/silver/prices.sql", "SELECT item, cents, seen, cents / 100 AS euro FROM bronze_prices\n")
    build(lake, f"{SECOND}..{THIRD}")
    assert lake.rows("silver.prices", "item", "euro") == [("cake", None), ("pie", 0.99), ("tea", 3.3)], "a column that the contract has gained"


def test_append_inserts_each_key_once_and_never_changes_it_and_days_that_are_not_there_need_no_merge(lake: LittleLake) -> None:
    dated = "columns:\n      sold_on: {type: date}"
    lake.write("expectations/bronze/prices.yaml", BRONZE.replace("ARRIVES", "daily").replace("columns:", dated))
    in_days = SILVER.replace("[item]", "[sold_on, item]\n    day: sold_on").replace("WRITE", "append").replace("    order_by: seen\n", "")
    lake.write("expectations/silver/prices.yaml", in_days.replace("columns:", dated.replace("date}", "date, nullable: false}")))
    lake.write("spark_jobs/silver/prices.sql", "SELECT sold_on, item, cents, seen FROM bronze_prices\n")
    header = "sold_on,item,cents,seen"
    lake.land(f"prices/{FIRST}.csv", header, f"{FIRST},tea,300,1", ",cup,7,1")
    lake.land(f"prices/{SECOND}.csv", header, f"{SECOND},tea,320,2")
    lake.build("bronze.prices", f"{FIRST}..{SECOND}")
    for day in (FIRST, SECOND):
        build(lake, day)
    lake.land(f"prices/{SECOND}.csv", header, f"{SECOND},tea,999,2", f"{SECOND},milk,120,2")
    lake.build("bronze.prices", SECOND, "run-2")
    for _ in range(2):
        build(lake, SECOND, "run-2")
    assert lake.rows("silver.prices", "sold_on", "item", "cents") == [
        (date(2024, 5, 1), "tea", 300), (date(2024, 5, 2), "milk", 120), (date(2024, 5, 2), "tea", 320),
    ]  # fmt: skip
    commits = lake.spark.sql(f"DESCRIBE HISTORY delta.`{load_settings().table_path('silver.prices')}`").collect()
    assert [commit.operation for commit in sorted(commits, key=lambda commit: commit.version)] == ["WRITE", "WRITE", "MERGE"]
    waiting = lake.quarantine("silver.prices", "_rules", "_values")
    assert waiting == [(["not_null(sold_on)"], '{"item":"cup","cents":7,"seen":1}')], "a row without a day waits also where it cannot be traced"
    assert {verdict.rule for verdict in lake.ledger.verdicts("run-1", "silver.prices") if verdict.day == "null"} == {"not_null(sold_on)"}


def test_scd2_keeps_every_version_with_the_time_it_held_whatever_the_order(lake: LittleLake) -> None:
    days = {
        FIRST: ("tea,300,1", "cake,450,1"),
        SECOND: ("tea,320,2", "cake,450,2"),
        THIRD: ("tea,300,3", "pie,99,3", "pie,98,3"),
    }
    prices(lake, "scd2\n    feed: changes", days)
    lake.build("bronze.prices", f"{FIRST}..{THIRD}")
    assert build(lake, THIRD)["rows_in"] == 3, "the first batch may bring two versions of a row"
    for day in (FIRST, SECOND, SECOND):
        build(lake, day)
    rows = lake.rows("silver.prices", "item", "cents", VALID_FROM, VALID_TO, IS_CURRENT)
    (pie,) = [row for row in rows if row[0] == "pie"]
    assert pie in {("pie", cents, 3, None, True) for cents in (98, 99)}, "of two versions of one time one is kept"
    assert [row for row in rows if row[0] != "pie"] == [
        ("cake", 450, 1, 2, False),
        ("cake", 450, 2, None, True),
        ("tea", 300, 1, 2, False),
        ("tea", 300, 3, None, True),
        ("tea", 320, 2, 3, False),
    ]


def test_replace_all_takes_the_newest_snapshot_even_when_an_older_one_comes_after_it(lake: LittleLake) -> None:
    prices(lake, "replace_all", {SECOND: ("tea,310,2",), THIRD: ("tea,320,3", "pie,99,3")}, arrives="snapshot")
    for day in (THIRD, SECOND):
        lake.build("bronze.prices", day, f"run-{day}")
        build(lake, day, f"run-{day}")
    assert lake.rows("silver.prices", "item", "cents") == [("pie", 99), ("tea", 320)]
