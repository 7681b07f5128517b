"""A little lake of the test's own: contracts, logic and landed files as texts, built by the real engine."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from expectations.jobs import JobRequest, JobResult
from expectations.ledger import Ledger
from expectations.loader import _load
from expectations.settings import load_settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


class LittleLake:
    """A project folder, its landing folder and its tables."""

    def __init__(self, project: Path, spark: SparkSession, remote: str) -> None:
        self.project, self.spark, self.remote = project, spark, remote

    def write(self, path: str, text: str) -> None:
        """Write a file of the project; contracts are read anew."""
        file = self.project / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip())
        _load.cache_clear()

    def land(self, path: str, *lines: str) -> None:
        """Land a file of these lines."""
        self.write(f"landing/{path}", "\n".join(lines) + "\n")

    def run(self, verb: str, name: str, days: str | None = None, run_id: str = "run-1", **more: Any) -> JobResult:
        """Do a job as Airflow would ask for it."""
        from spark_jobs.run import run

        return run(JobRequest(verb=verb, name=name, days=days, run_id=run_id, **more), self.remote)

    def build(self, name: str, days: str, run_id: str = "run-1", **more: Any) -> JobResult:
        """Build a table for days; the job must not fail."""
        result = self.run("build", name, days, run_id, **more)
        assert result.status in {"done", "unchanged"}, result.message
        return result

    @property
    def ledger(self) -> Ledger:
        """The lake's ledger."""
        return Ledger(load_settings().ledger_url)

    def path(self, table: str) -> str:
        """The table's Delta folder."""
        return load_settings().table_path(table)

    def frame(self, table: str) -> DataFrame:
        """The published table."""
        return self.spark.read.format("delta").load(self.path(table))

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """The published rows, sorted."""
        return sorted((tuple(row) for row in self.frame(table).select(*(columns or ("*",))).collect()), key=repr)

    def quarantine(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """The waiting rows, sorted."""
        path = load_settings().quarantine_path(table)
        return sorted((tuple(row) for row in self.spark.read.format("delta").load(path).select(*(columns or ("*",))).collect()), key=repr)

    def version(self, table: str) -> int:
        """The table's Delta version."""
        history = self.spark.sql(f"DESCRIBE HISTORY delta.`{self.path(table)}` LIMIT 1").collect()
        return int(history[0].version)


@pytest.fixture
def lake(tmp_path: Path, spark: SparkSession, spark_remote: str, monkeypatch: pytest.MonkeyPatch) -> LittleLake:
    """An empty lake."""
    (tmp_path / "expectations").mkdir()
    for name in ("LAKE_ENV", "LAKE_STATE", "LAKE_ROOT", "LAKE_LANDING", "LAKE_LEDGER_URL", "LAKE_METASTORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAKE_PROJECT", str(tmp_path))
    return LittleLake(tmp_path, spark, spark_remote)


SALES = """
    contract: 1
    description: Sales as they arrive, one CSV file a day.
    source: {folder: sales, format: csv, nulls: ["", "NA"]}
    columns:
      sold_on: {type: date}
      item: {type: string}
      cents: {type: int}
"""
SOLD = """
    contract: 1
    description: Sales, typed. One row a sale.
    inputs: [bronze.sales]
    grain: [sold_on, item]
    day: sold_on
    write: replace_days
    columns:
      sold_on: {type: date, nullable: false}
      item: {type: string, nullable: false}
      cents: {type: int}
    rules:
      - {expect: expect_column_values_to_be_between, column: cents, min_value: 0, max_value: 1000, on_fail: quarantine, name: fair_price}
      - {expect: expect_table_row_count_to_be_between, max_value: 3, on_fail: stop, name: not_too_many}
"""
SOLD_LOGIC = """
    def transform(bronze_sales):
        return bronze_sales.select("sold_on", "item", "cents", "_row")
"""
TOTALS = """
    contract: 1
    description: Takings. One row a day.
    inputs: [silver.sales]
    grain: [sold_on]
    day: sold_on
    columns:
      sold_on: {type: date, nullable: false}
      cents: {type: bigint}
"""


@pytest.fixture
def shop(lake: LittleLake) -> LittleLake:
    """Bronze, silver and gold over files of sales."""
    lake.write("expectations/bronze/sales.yaml", SALES)
    lake.write("expectations/silver/sales.yaml", SOLD)
    lake.write("spark_jobs/silver/sales.py", SOLD_LOGIC)
    lake.write("expectations/gold/totals.yaml", TOTALS)
    lake.write("spark_jobs/gold/totals.sql", "SELECT sold_on, sum(cents) AS cents FROM silver_sales GROUP BY sold_on\n")
    return lake
