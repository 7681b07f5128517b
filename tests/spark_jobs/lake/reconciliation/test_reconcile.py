"""A lake is reconciled with what landed: it adds up, and does not where the engine loses a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs.lake import build, publishing
from spark_jobs.lake.scanning import Scan
from tests.spark_jobs.lake.conftest import write_shop

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import DataFrame, SparkSession

    from expectations.jobs import JobResult
    from expectations.lake import Table
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.planning import Plan
    from spark_jobs.lake.staging import Staged
    from tests.spark_jobs.lake.conftest import LakeAfter, LittleLake

    Plant = Callable[[pytest.MonkeyPatch], None]

pytestmark = pytest.mark.spark

PRICES = """
    contract: 1
    description: The price that each item was sold for last.
    inputs: [silver.sales]
    grain: [item]
    write: merge
    order_by: sold_on
    columns:
      item: {type: string, nullable: false}
      sold_on: {type: date}
      cents: {type: int}
"""
FIRST, SECOND = "2024-05-01", "2024-05-02"


def write_prices(lake: LittleLake) -> None:
    write_shop(lake)
    lake.write("expectations/silver/prices.yaml", PRICES)
    lake.write("spark_jobs/silver/prices.sql", "SELECT item, sold_on, cents FROM silver_sales\n")


def publish_two_days(lake: LittleLake) -> None:
    """Two days of sales: one row does not parse, one has no day, one is too dear, and one belongs to the day before."""
    write_prices(lake)
    lake.land(f"sales/{FIRST}.csv", "sold_on,item,cents", f"{FIRST},tea,300", f"{FIRST},coffee,many", f"{FIRST},gold,9999", "NA,milk,100")
    lake.land(f"sales/{SECOND}.csv", "sold_on,item,cents", f"{SECOND},tea,310", f"{FIRST},milk,120")
    for name in ("bronze.sales", "silver.sales", "silver.prices", "gold.totals"):
        lake.build(name, f"{FIRST}..{SECOND}")


def reconciled(lake: LittleLake, name: str = "all", **more: Any) -> JobResult:
    return lake.run("reconcile", name, run_id="look", **more)


def wrong(lake: LittleLake) -> list[tuple[str, str, str]]:
    return [(row["table"], row["day"], row["wrong"]) for row in reconciled(lake).facts["rows"] if not row["ok"]]


def test_every_row_that_landed_is_published_waits_or_was_dropped(lake_after: LakeAfter) -> None:
    lake = lake_after(publish_two_days)
    found = reconciled(lake)
    assert (found.status, found.message) == ("done", "4 tables, 8 days: all rows are accounted for")
    counts = ("files", "rows_in_files", "bronze", "rows_in", "published", "quarantined", "dropped")
    assert [(row["table"], row["day"], *(row[name] for name in counts)) for row in found.facts["rows"]] == [
        ("bronze.sales", FIRST, 1, 4, 3, None, None, 1, None),
        ("bronze.sales", SECOND, 1, 2, 2, None, None, 0, None),
        ("silver.sales", FIRST, None, None, None, 3, 2, 1, 0),
        ("silver.sales", SECOND, None, None, None, 1, 1, 0, 0),
        ("silver.sales", "null", None, None, None, 2, 0, 2, 0),
        ("gold.totals", FIRST, None, None, None, 1, 1, 0, 0),
        ("gold.totals", SECOND, None, None, None, 1, 1, 0, 0),
        ("silver.prices", "all", None, None, None, 3, 3, 0, 0),
    ]
    assert reconciled(lake, "gold.totals", days=SECOND).message == "1 table, 1 day: all rows are accounted for"


def without_tea(rows: DataFrame) -> DataFrame:
    """The rows as an engine with a fault has them: of a table of items, those of tea are gone."""
    return rows.filter("item != 'tea'") if "item" in rows.columns else rows


def lose_a_landed_row(monkeypatch: pytest.MonkeyPatch) -> None:
    read = build.read_files
    monkeypatch.setattr(build, "read_files", lambda *given: without_tea(read(*given)))


def lose_a_row_of_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    publish = build.rows_to_publish
    monkeypatch.setattr(build, "rows_to_publish", lambda *given: without_tea(publish(*given)))
    monkeypatch.setattr(Scan, "candidate", lambda *_: None)


def lose_a_row_the_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scan of a new file sees a row, and the candidate that is published does not."""
    stage = publishing.stage

    def staged(spark: SparkSession, rows: DataFrame, *given: Any, **named: Any) -> Staged:
        return stage(spark, rows if "_errors" in rows.columns else without_tea(rows), *given, **named)

    monkeypatch.setattr(publishing, "stage", staged)
    monkeypatch.setattr(Scan, "candidate", lambda *_: None)


def lose_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    read = build.read_inputs

    def without_changes(job: Job, table: Table, plan: Plan) -> dict[str, DataFrame]:
        inputs = read(job, table, plan)
        return {name: without_tea(rows) for name, rows in inputs.items()} if table.name == "silver.prices" else inputs

    monkeypatch.setattr(build, "read_inputs", without_changes)


@pytest.mark.parametrize(
    ("plant", "found"),
    [
        (lose_a_landed_row, [("bronze.sales", FIRST, f"sales/{FIRST}.csv has 4 rows, the table 3")]),
        (lose_a_row_of_a_day, [("silver.sales", FIRST, "1 row missing")]),
        (lose_a_row_the_second_time, [("silver.sales", FIRST, "1 row missing")]),
        (lose_a_change, [("silver.prices", "all", "the keys of 2 rows are missing")]),
    ],
)
def test_a_row_that_the_engine_loses_is_missed(lake: LittleLake, monkeypatch: pytest.MonkeyPatch, plant: Plant, found: list[Any]) -> None:
    with monkeypatch.context() as planted:
        plant(planted)
        publish_two_days(lake)
    assert wrong(lake)[:1] == found


def test_a_file_that_lands_without_a_run_and_a_row_that_nobody_judged_are_missed(lake_after: LakeAfter) -> None:
    lake = lake_after(publish_two_days)
    lake.land("sales/2024-04-30.csv", "sold_on,item,cents", "2024-04-30,tea,290")
    lake.frame("gold.totals").limit(1).write.format("delta").mode("append").save(lake.path("gold.totals"))
    found = wrong(lake)
    assert found[0] == ("bronze.sales", "null", "not taken: sales/2024-04-30.csv")
    assert [(table, day) for table, day, _ in found[1:]] == [("gold.totals", "all")]
    assert "was written by no job of this lake" in found[1][2]
    assert lake.run("reconcile", "nothing").message.startswith("there is no table 'nothing' in this lake")
