"""Published tables are found by name, and landed files as an external table: a Spark server of the tests' own, with its embedded Hive metastore."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from expectations.jobs import JobRequest
from tests.lakes.shop.sample import land
from tests.lakes.test_shop import SHOP
from tests.spark_jobs.lake.conftest import SOLD, SOLD_LOGIC, TOTALS, LittleLake
from tests.spark_server import running_spark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from expectations.jobs import JobResult

HEADER = "sold_on,item,cents"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The server's; its lakes have its state, as those of `make up` have."""
    return tmp_path_factory.mktemp("hive")


@pytest.fixture(scope="module")
def spark_remote(folder: Path) -> Iterator[str]:
    """A server with the metastore that is the default."""
    with running_spark(folder, metastore="embedded") as made:
        yield made.remote


@pytest.fixture(scope="module")
def spark(spark_remote: str) -> Iterator[SparkSession]:
    """A session that registers nothing: it only asks for names."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(spark_remote).create()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    yield session
    session.stop()


@pytest.fixture
def lake(lake: LittleLake, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LittleLake:
    """An empty lake of this server."""
    monkeypatch.setenv("LAKE_STATE", str(folder / "state"))
    monkeypatch.setenv("LAKE_LEDGER_URL", f"sqlite:///{tmp_path}/ledger.db")
    return lake


@pytest.fixture(scope="module")
def shop_of_logs(spark_remote: str, folder: Path) -> Iterator[list[JobResult]]:
    """The shop's logs and what is made of them: two days by one run, the third by the next. Its tables are in a folder that SQL has to quote."""
    from spark_jobs.run import run

    land(folder / "landing")
    places = {"PROJECT": SHOP, "STATE": folder / "state", "ROOT": folder / "it's a lake", "LANDING": folder / "landing"}
    places["LEDGER_URL"] = f"sqlite:///{folder}/ledger.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LAKE_METASTORE", raising=False)
        for name, place in places.items():
            patch.setenv(f"LAKE_{name}", str(place))
        found = []
        for number, days in enumerate(("2024-05-01..2024-05-02", "2024-05-03..2024-05-03")):
            for table in ("bronze.logs", "silver.features"):
                found.append(run(JobRequest(verb="build", name=table, days=days, run_id=f"run-{number}"), spark_remote))
                found[-1].raise_if_failed()
        yield found


def rows(frame: DataFrame) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in frame.collect())


def test_a_published_table_is_found_by_its_name_and_registered_once(shop_of_logs: list[JobResult], spark: SparkSession) -> None:
    found = spark.sql("SELECT user_id, actions FROM silver.features WHERE log_date = DATE'2024-05-02'")
    assert rows(found) == [("bob", 3)]
    assert [result.facts.get("registered") for result in shop_of_logs] == ["landing.logs", "silver.features", "landing.logs", None]
    assert shop_of_logs[1].message.endswith("; registered as silver.features")


def test_landed_parquet_is_an_external_table_with_a_map_to_which_each_run_adds_its_day(shop_of_logs: list[JobResult], spark: SparkSession) -> None:
    assert [result.facts.get("partitions") for result in shop_of_logs[::2]] == [["2024-05-01", "2024-05-02"], ["2024-05-03"]]
    assert rows(spark.sql("SHOW PARTITIONS landing.logs")) == [(f"day=2024-05-0{number}",) for number in (1, 2, 3)]
    assert dict(spark.table("landing.logs").dtypes)["params"] == "map<string,string>"
    named = spark.sql("SELECT day, user_id, params['product'] FROM landing.logs WHERE params['product'] IS NOT NULL")
    assert rows(named) == [
        (date(2024, 5, 1), "ada", "cup"),
        (date(2024, 5, 1), "ada", "teapot"),
        (date(2024, 5, 1), "bob", "cup"),
        (date(2024, 5, 2), "bob", "cup"),
        (date(2024, 5, 2), "bob", "cup"),
    ]
    facts = {row.col_name: row.data_type for row in spark.sql("DESCRIBE TABLE EXTENDED landing.logs").collect()}
    assert (facts["Type"], facts["Provider"]) == ("EXTERNAL", "hive")


def test_a_query_for_a_day_reads_that_days_folder_and_no_other(shop_of_logs: list[JobResult], spark: SparkSession) -> None:
    one = spark.sql("SELECT user_id FROM landing.logs WHERE day = DATE'2024-05-02'")
    assert [file.split("/")[-2:] for file in one.inputFiles()] == [["day=2024-05-02", "part-0.parquet"]]
    plan = spark.sql("EXPLAIN FORMATTED SELECT user_id FROM landing.logs WHERE day = DATE'2024-05-02'").collect()[0][0]
    [filters] = [line for line in plan.splitlines() if line.startswith("PartitionFilters")]
    assert "= 2024-05-02)" in filters
    [place] = [line for line in plan.splitlines() if line.startswith("Location")]
    assert place.startswith("Location: InMemoryFileIndex [") and place.endswith("/landing/logs/day=2024-05-02]")


def test_new_columns_are_told_to_the_metastore_and_the_rows_stay(shop: LittleLake, spark: SparkSession) -> None:
    shop.write("expectations/gold/takings.yaml", TOTALS)
    shop.write("spark_jobs/gold/takings.sql", "SELECT sold_on, sum(cents) AS cents FROM silver_sales GROUP BY sold_on")
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    for table in ("bronze.sales", "silver.sales", "gold.takings"):
        shop.build(table, "2024-05-01")
    assert spark.table("gold.takings").columns == ["sold_on", "cents"]
    shop.write("expectations/gold/takings.yaml", f"{TOTALS}      sales: {{type: bigint}}\n")
    shop.write("spark_jobs/gold/takings.sql", "SELECT sold_on, sum(cents) AS cents, count(*) AS sales FROM silver_sales GROUP BY sold_on")
    assert shop.build("gold.takings", "2024-05-01", "run-2").facts["registered"] == "gold.takings"
    assert rows(spark.table("gold.takings")) == [(date(2024, 5, 1), 300, 1)]


def sold_as(lake: LittleLake, name: str) -> str:
    """A silver table of this name over one sale; the metastore is one for all tests, so each has a name of its own."""
    lake.write(f"expectations/silver/{name}.yaml", SOLD)
    lake.write(f"spark_jobs/silver/{name}.py", SOLD_LOGIC)
    lake.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    lake.build("bronze.sales", "2024-05-01")
    return f"silver.{name}"


def test_a_name_that_belongs_to_another_table_is_refused_and_nothing_of_it_is_lost(shop: LittleLake, spark: SparkSession) -> None:
    table = sold_as(shop, "taken")
    spark.sql("CREATE SCHEMA IF NOT EXISTS silver").collect()
    spark.sql(f"CREATE TABLE {table} USING delta AS SELECT 'mine' AS item").collect()
    refused = shop.run("build", table, "2024-05-01")
    assert refused.status == "failed_terminal"
    assert f"{table}: in the metastore {table} is another table, at file:" in refused.message
    assert rows(spark.table(table)) == [("mine",)]
    assert shop.rows(table, "item") == [("tea",)]
    spark.sql(f"DROP TABLE {table}").collect()
    assert shop.build(table, "2024-05-01").message.endswith(f"nothing to do; registered as {table}")


def test_a_name_that_was_lost_is_told_again_by_maintenance(shop: LittleLake, spark: SparkSession) -> None:
    table = sold_as(shop, "lost")
    shop.build(table, "2024-05-01")
    spark.sql(f"DROP TABLE {table}").collect()
    assert "registered" not in shop.build(table, "2024-05-01").facts
    assert shop.run("maintain", table).facts["registered"] == table
    assert spark.table(table).count() == 1


def test_a_lake_that_has_moved_takes_its_names_with_it(shop: LittleLake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    table = sold_as(shop, "moved")
    shop.build(table, "2024-05-01")
    monkeypatch.setenv("LAKE_ROOT", str(shop.project / "nowhere"))
    assert "registered" not in shop.build(table, "2024-05-01").facts
    assert not (shop.project / "nowhere" / "silver").exists()
    (shop.project / "data_lake").rename(shop.project / "elsewhere")
    monkeypatch.setenv("LAKE_ROOT", str(shop.project / "elsewhere"))
    assert shop.build(table, "2024-05-01").facts["registered"] == table
    assert rows(spark.table(table).select("item")) == [("tea",)]


@pytest.mark.parametrize(("address", "says"), [("postgresql://127.0.0.1/names", "LAKE_METASTORE names postgresql://127.0.0.1/names, and"), ("off", "")])
def test_a_spark_with_another_metastore_is_told_nothing(
    shop: LittleLake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch, address: str, says: str
) -> None:
    table = sold_as(shop, "unnamed")
    monkeypatch.setenv("LAKE_METASTORE", address)
    if not says:
        monkeypatch.setenv("LAKE_STATE", str(shop.project / ".lake"))
    result = shop.run("build", table, "2024-05-01")
    assert result.status == ("failed_terminal" if says else "done")
    assert says in result.message
    assert not spark.catalog.tableExists(table)
