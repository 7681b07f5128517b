"""Published tables are found by name, and landed files as an external table: a Spark server of the tests' own, with its embedded Hive metastore."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from expectations.jobs import JobRequest
from expectations.loader import load_lake
from tests.lakes.shop.sample import land
from tests.lakes.test_shop import SHOP
from tests.spark_jobs.lake.conftest import SOLD, SOLD_LOGIC, TOTALS, LittleLake
from tests.spark_server import running_spark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

    from expectations.jobs import JobResult

pytestmark = pytest.mark.cluster
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
def shop_of_logs(spark_remote: str, folder: Path) -> Iterator[dict[tuple[str, str], JobResult]]:
    """A second lake, of another kind: two days of its logs and features by one run, all tables of three days by the next; run and table to result.

    Its tables are in a folder that SQL has to quote.
    """
    from spark_jobs.run import run

    land(folder / "landing")
    places = {"PROJECT": SHOP, "STATE": folder / "state", "ROOT": folder / "it's a lake", "LANDING": folder / "landing"}
    places["LEDGER_URL"] = f"sqlite:///{folder}/ledger.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LAKE_METASTORE", raising=False)
        for name, place in places.items():
            patch.setenv(f"LAKE_{name}", str(place))
        lake = load_lake(SHOP)
        asked = [("run-0", "2024-05-01..2024-05-02", table) for table in ("bronze.logs", "silver.features")]
        asked += [("run-1", "2024-05-01..2024-05-03", table) for table in lake.in_order(lake.tables)]
        found = {}
        for run_id, days, table in asked:
            found[run_id, table] = run(JobRequest(verb="build", name=table, days=days, run_id=run_id), spark_remote)
            found[run_id, table].raise_if_failed()
        yield found


def rows(frame: DataFrame) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in frame.collect())


def test_a_second_lake_of_another_kind_is_published_from_its_landing_files(shop_of_logs: dict[tuple[str, str], JobResult], spark: SparkSession) -> None:
    def published(table: str, *columns: str) -> list[tuple[object, ...]]:
        return rows(spark.table(table).select(*columns))

    assert published("silver.features", "user_id", "log_date", "actions", "views", "products", "came_from_mail") == [
        ("ada", date(2024, 5, 1), 3, 2, 2, True),
        ("bob", date(2024, 5, 1), 1, 1, 1, False),
        ("bob", date(2024, 5, 2), 3, 2, 1, False),
        ("cem", date(2024, 5, 3), 1, 0, 0, False),
    ]
    assert published("silver.labels", "transaction_id", "user_id") == [(1, "eve"), (2, "ada"), (3, "ada"), (4, "bob")]
    assert published("gold.training", "sale_date", "user_id", "bought") == [
        (date(2024, 5, 2), "ada", True),
        (date(2024, 5, 2), "bob", False),
        (date(2024, 5, 3), "bob", True),
    ]
    assert ("bob", date(2024, 5, 3), 3) in published("gold.inference", "user_id", "sale_date", "actions")


def test_a_published_table_is_found_by_its_name_and_registered_once(shop_of_logs: dict[tuple[str, str], JobResult], spark: SparkSession) -> None:
    found = spark.sql("SELECT user_id, actions FROM silver.features WHERE log_date = DATE'2024-05-02'")
    assert rows(found) == [("bob", 3)]
    registered = [shop_of_logs[run, table].facts.get("registered") for run in ("run-0", "run-1") for table in ("bronze.logs", "silver.features")]
    assert registered == ["landing.logs", "silver.features", "landing.logs", None]
    assert shop_of_logs["run-0", "silver.features"].message.endswith("; registered as silver.features")


def test_landed_parquet_is_an_external_table_with_a_map_to_which_each_run_adds_its_day(
    shop_of_logs: dict[tuple[str, str], JobResult], spark: SparkSession
) -> None:
    partitions = [shop_of_logs[run, "bronze.logs"].facts.get("partitions") for run in ("run-0", "run-1")]
    assert partitions == [["2024-05-01", "2024-05-02"], ["2024-05-03"]]
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


def test_a_query_for_a_day_reads_that_days_folder_and_no_other(shop_of_logs: dict[tuple[str, str], JobResult], spark: SparkSession) -> None:
    one = spark.sql("SELECT user_id FROM landing.logs WHERE day = DATE'2024-05-02'")
    assert [file.split("/")[-2:] for file in one.inputFiles()] == [["day=2024-05-02", "part-0.parquet"]]
    plan = spark.sql("EXPLAIN FORMATTED SELECT user_id FROM landing.logs WHERE day = DATE'2024-05-02'").collect()[0][0]
    [filters] = [line for line in plan.splitlines() if line.startswith("PartitionFilters")]
    assert "= 2024-05-02)" in filters
    [place] = [line for line in plan.splitlines() if line.startswith("Location")]
    assert place.startswith("Location: InMemoryFileIndex [") and place.endswith("/landing/logs/day=2024-05-02]")


def test_a_name_has_the_tables_columns_comes_back_where_it_was_lost_and_goes_where_the_lake_goes(
    shop: LittleLake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
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

    spark.sql("DROP TABLE gold.takings").collect()
    assert "registered" not in shop.build("gold.takings", "2024-05-01").facts
    assert shop.run("maintain", "gold.takings").facts["registered"] == "gold.takings"
    assert spark.table("gold.takings").count() == 1

    monkeypatch.setenv("LAKE_ROOT", str(shop.project / "nowhere"))
    assert "there is no Delta table" in shop.run("build", "gold.takings", "2024-05-01").message
    assert spark.table("gold.takings").count() == 1
    assert not (shop.project / "nowhere" / "gold").exists()
    (shop.project / "data_lake").rename(shop.project / "elsewhere")
    monkeypatch.setenv("LAKE_ROOT", str(shop.project / "elsewhere"))
    assert shop.build("gold.takings", "2024-05-01").facts["registered"] == "gold.takings"
    assert rows(spark.table("gold.takings").select("cents")) == [(300,)]


def test_a_name_is_told_to_no_other_metastore_and_not_where_it_belongs_to_another_table(
    shop: LittleLake, spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = "silver.taken"
    shop.write("expectations/silver/taken.yaml", SOLD)
    shop.write("spark_jobs/silver/taken.py", SOLD_LOGIC)
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.build("bronze.sales", "2024-05-01")
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("LAKE_METASTORE", "off")
        elsewhere.setenv("LAKE_STATE", str(shop.project / ".lake"))
        assert shop.build(table, "2024-05-01").status == "done"
        assert not spark.catalog.tableExists(table)
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("LAKE_METASTORE", "postgresql://127.0.0.1/names")
        other = shop.run("build", table, "2024-05-01")
        assert other.status == "failed_terminal"
        assert "LAKE_METASTORE names postgresql://127.0.0.1/names, and" in other.message
        assert not spark.catalog.tableExists(table)
    spark.sql("CREATE SCHEMA IF NOT EXISTS silver").collect()
    spark.sql(f"CREATE TABLE {table} USING delta AS SELECT 'mine' AS item").collect()
    refused = shop.run("build", table, "2024-05-01")
    assert refused.status == "failed_terminal"
    assert f"{table}: in the metastore {table} is another table, at file:" in refused.message
    assert rows(spark.table(table)) == [("mine",)]
    assert shop.rows(table, "item") == [("tea",)]
    spark.sql(f"DROP TABLE {table}").collect()
    assert shop.build(table, "2024-05-01").message.endswith(f"nothing to do; registered as {table}")
