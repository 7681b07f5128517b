"""Of several rows of one grain in a batch, which one is written."""

from __future__ import annotations

import textwrap
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from expectations.loader import _load, load_lake
from spark_jobs.lake.commit import Target, has_one_row_a_grain, one_of_each_grain, replaces
from tests.expectations.conftest import GOLD_TOTALS, GOOD, write_lake

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

GRAIN = "grain: [sold_on]\nday: sold_on\n"


@pytest.mark.parametrize(
    ("written", "day_column", "has_one"),
    [
        ("grain: [sold_on]\nday: sold_on\nwrite: append\n", "sold_on", True),
        ("grain: [cents]\nday: sold_on\nwrite: append\n", "sold_on", False),  # two days may share a grain, and nullable nulls are not equal to the rule
        ("grain: [sold_on]\nwrite: append\n", None, True),
        ("grain: [cents]\nwrite: append\n", None, False),  # it may be null
        ("grain: [sold_on, cents]\nday: sold_on\nwrite: append\n", "sold_on", False),
        ("grain: [sold_on]\nwrite: merge\norder_by: cents\n", None, False),  # a batch may bring several versions of a row
        ("grain: [sold_on]\nwrite: scd2\nfeed: changes\norder_by: cents\n", None, False),
    ],
)
def test_a_candidate_has_one_row_a_grain_where_the_gate_has_seen_to_it(tmp_path: Path, written: str, day_column: str | None, has_one: bool) -> None:
    write_lake(tmp_path, {GOLD_TOTALS: textwrap.dedent(GOOD[GOLD_TOTALS]).replace(GRAIN, written)})
    assert has_one_row_a_grain(load_lake(tmp_path).table("gold.totals").contract, day_column) is has_one


def test_a_write_replaces_what_was_there_of_bronze_of_days_and_of_whole_tables(tmp_path: Path) -> None:
    write_lake(tmp_path, {})
    found = {name: replaces(table.contract) for name, table in load_lake(tmp_path).tables.items()}
    assert found == {
        "bronze.sales": True,
        "bronze.shops": True,
        "silver.sales": True,
        "silver.shops": True,
        "gold.totals": True,
        "gold.guesses": False,
    }


def test_of_several_rows_of_a_grain_the_latest_is_written_and_rows_whose_key_is_null_are_of_one(tmp_path: Path, spark: SparkSession) -> None:
    may = [date(2024, 5, day) for day in range(1, 4)]
    rows = spark.createDataFrame([(may[0], 7), (may[2], 7), (may[1], 7), (may[0], None), (may[1], None)], "sold_on date, cents bigint")
    found = {}
    for write in ("append", "merge\norder_by: sold_on"):
        written = f"grain: [cents]\nwrite: {write}\n"
        write_lake(tmp_path, {GOLD_TOTALS: textwrap.dedent(GOOD[GOLD_TOTALS]).replace(GRAIN, written)})
        _load.cache_clear()
        target = Target(spark, "", load_lake(tmp_path).table("gold.totals").contract, None, {})
        found[write[:6]] = one_of_each_grain(target, rows)
    assert sorted((row.cents or 0) for row in found["append"].collect()) == [0, 7]
    assert {row.cents: row.sold_on for row in found["merge\n"].collect()} == {7: may[2], None: may[1]}
