"""Which days have landed, by the names of the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expectations.contract import Source
from expectations.landed_days import landed_days, sources_of
from expectations.loader import load_lake
from tests.expectations.conftest import BRONZE_SALES, PIPELINES, Change, write_lake

if TYPE_CHECKING:
    from pathlib import Path

CSV = Source(folder="sales", format="csv")
EXTERNAL = Source(folder="sales", format="parquet", external=True)


@pytest.mark.parametrize(
    ("source", "name", "days"),
    [
        (CSV, "2013-01-31.csv", {"2013-01-31"}),
        (CSV, "2013-02-31.csv", set()),
        (CSV, "2013-01-31.jsonl", set()),
        (CSV, "2013-01-31.csv.gz", set()),
        (CSV, "sales-2013-01-31.csv", set()),
        (CSV, ".2013-01-31.csv", set()),
        (CSV, "day=2013-01-31/part-0.csv", set()),
        (EXTERNAL, "day=2013-01-31/part-0.parquet", {"2013-01-31"}),
        (EXTERNAL, "day=2013-01-31/_SUCCESS", set()),
        (EXTERNAL, "day=2013-01-31/more/part-0.parquet", set()),
        (EXTERNAL, "2013-01-31.parquet", set()),
    ],
)
def test_a_day_has_landed_where_a_run_would_take_its_file(source: Source, name: str, days: set[str]) -> None:
    assert landed_days(source, [name]) == days


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ["bronze.sales"]),
        ({BRONZE_SALES: ("format: csv", "format: csv, arrives: snapshot")}, ["bronze.sales", "bronze.shops"]),
    ],
    ids=["daily files", "snapshots alone"],
)
def test_the_days_of_a_pipeline_land_with_its_daily_files(tmp_path: Path, changes: dict[str, Change], names: list[str]) -> None:
    write_lake(tmp_path, changes)
    assert list(sources_of(load_lake(tmp_path), "shop")) == names


def test_a_pipeline_of_another_pipelines_tables_has_the_days_of_their_files(tmp_path: Path) -> None:
    gold = """
        sales:
          tables: [bronze.sales, bronze.shops, silver.shops, silver.sales]
          first_day: 2024-05-01
        totals:
          tables: [gold.totals]
          first_day: 2024-05-01
        """
    write_lake(tmp_path, {PIPELINES: gold})
    assert list(sources_of(load_lake(tmp_path), "totals")) == ["bronze.sales"]
