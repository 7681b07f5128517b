"""Which candidates hold one row of each grain already: told from the contract alone, so without Spark."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from expectations.loader import load_lake
from spark_jobs.lake.commit import has_one_row_a_grain, replaces
from tests.expectations.conftest import GOLD_TOTALS, GOOD, write_lake

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
        ("grain: [sold_on]\nwrite: scd2\norder_by: cents\n", None, False),
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
