"""A little lake of the test's own: contracts, logic and landed files as texts, built by the real engine."""

from __future__ import annotations

import os
import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from expectations.jobs import JobRequest, JobResult
from expectations.ledger import Ledger
from expectations.loader import _load
from expectations.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

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


OF_ANOTHER_LAKE = (
    *("LAKE_ENV", "LAKE_STATE", "LAKE_ROOT", "LAKE_LANDING", "LAKE_LEDGER_URL", "LAKE_METASTORE"),
    *("MLFLOW_TRACKING_URI", "_MLFLOW_SERVER_ARTIFACT_ROOT"),
)
"""Variables of the lake that runs the tests."""


def use_lake(folder: Path, spark: SparkSession, remote: str, monkeypatch: pytest.MonkeyPatch) -> LittleLake:
    """The little lake in `folder`, all of whose parts are in it."""
    for name in OF_ANOTHER_LAKE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAKE_PROJECT", str(folder))
    (folder / "expectations").mkdir(parents=True, exist_ok=True)
    _load.cache_clear()
    return LittleLake(folder, spark, remote)


def copy_lake(source: Path, target: Path) -> None:
    """A copy that its owner may change: Parquet files, which nobody changes in place, are hard links; all others are copied."""

    def copy(file: str, copied: str) -> object:
        return os.link(file, copied) if file.endswith(".parquet") else shutil.copy2(file, copied)

    for part in source.iterdir():
        if part.is_dir() and part.name != "landing":
            shutil.copytree(part, target / part.name, copy_function=copy, dirs_exist_ok=True)
        elif part.is_dir():  # its files belong to the test, which may change them
            shutil.copytree(part, target / part.name, dirs_exist_ok=True)
        else:
            shutil.copy2(part, target / part.name)


class LakeAfter(Protocol):
    """`lake_after(build)`: a copy of what `build(lake)` makes of an empty lake; `build` is called once a test worker."""

    def __call__(self, build: Callable[[LittleLake], None]) -> LittleLake: ...


@pytest.fixture(scope="session")
def built_lakes() -> dict[Callable[[LittleLake], None], Path]:
    """What builds a lake, to the folder of the lake that it has built."""
    return {}


@pytest.fixture
def lake_after(lake: LittleLake, built_lakes: dict[Callable[[LittleLake], None], Path], tmp_path_factory: pytest.TempPathFactory) -> LakeAfter:
    """Lends copies of lakes that several tests start from."""

    def lend(build: Callable[[LittleLake], None]) -> LittleLake:
        if build not in built_lakes:
            folder = tmp_path_factory.mktemp(build.__name__)
            with pytest.MonkeyPatch.context() as monkeypatch:
                build(use_lake(folder, lake.spark, lake.remote, monkeypatch))
            built_lakes[build] = folder
        copy_lake(built_lakes[build], lake.project)
        _load.cache_clear()
        return lake

    return lend


@pytest.fixture
def lake(tmp_path: Path, spark: SparkSession, spark_remote: str, monkeypatch: pytest.MonkeyPatch) -> LittleLake:
    """An empty lake."""
    return use_lake(tmp_path, spark, spark_remote, monkeypatch)


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


def write_shop(lake: LittleLake) -> None:
    """Bronze, silver and gold over files of sales."""
    lake.write("expectations/bronze/sales.yaml", SALES)
    lake.write("expectations/silver/sales.yaml", SOLD)
    lake.write("spark_jobs/silver/sales.py", SOLD_LOGIC)
    lake.write("expectations/gold/totals.yaml", TOTALS)
    lake.write("spark_jobs/gold/totals.sql", "SELECT sold_on, sum(cents) AS cents FROM silver_sales GROUP BY sold_on\n")


def publish_tea(lake: LittleLake) -> None:
    """The shop after run-1 of 2024-05-01, of which one tea for 300 cents is published in all three layers."""
    write_shop(lake)
    lake.land("sales/2024-05-01.csv", "sold_on,item,cents", "2024-05-01,tea,300")
    for table in ("bronze.sales", "silver.sales", "gold.totals"):
        lake.build(table, "2024-05-01")


@pytest.fixture
def shop(lake: LittleLake) -> LittleLake:
    """Bronze, silver and gold over files of sales; nothing has landed."""
    write_shop(lake)
    return lake


@pytest.fixture
def tea_shop(lake_after: LakeAfter) -> LittleLake:
    """A copy of the shop that `publish_tea` makes."""
    return lake_after(publish_tea)
