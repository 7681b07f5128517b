"""The shop's tables by name, in a Hive metastore whose database is a real Postgres: several drivers share it, and a BI tool finds them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from expectations.errors import TransientError
from expectations.ledger import Ledger
from expectations.loader import load_lake
from launcher.databases import prepare
from tests.clusters.metastore_service import running_service
from tests.clusters.sample_lake import SampleLake, on_connect
from tests.clusters.standalone import java_home
from tests.clusters.thrift_server import asked, started_thrift_server
from tests.free_ports import free_port
from tests.lakes.shop.sample import land
from tests.lakes.test_shop import SHOP
from tests.spark_server import running_spark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]
DAYS = "2024-05-01..2024-05-03"
SUBMITTED = {"conn_type": "spark", "host": "local[2]", "extra": {"spark-binary": "spark-submit", "deploy-mode": "client"}}
COLUMNS = """
SELECT d."NAME" || '.' || t."TBL_NAME" AS name, p."PARAM_VALUE" AS schema
FROM "TBLS" t JOIN "DBS" d USING ("DB_ID") JOIN "TABLE_PARAMS" p USING ("TBL_ID") WHERE p."PARAM_KEY" = 'spark.sql.sources.schema'
"""
TRAINING = ["sale_date", "user_id", "actions", "views", "products", "came_from_mail", "bought"]


def empty_database(postgres: str) -> str:
    """The address of a new database with a login of its own."""
    name = f"metastore_{os.urandom(4).hex()}"
    engine = create_engine(f"{postgres}/postgres")
    prepare(engine.url, {name: "a word: of\\two"})
    engine.dispose()
    return f"postgresql://{name}:a%20word%3A%20of%5Ctwo@{engine.url.host}:{engine.url.port}/{name}"


@pytest.fixture(scope="module")
def metastore(postgres: str) -> str:
    """The database of a metastore that every Spark opens by itself."""
    return empty_database(postgres)


@pytest.fixture(scope="module")
def shop(metastore: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SampleLake]:
    """The shop, whose tables but one are built on a warm server."""
    folder = tmp_path_factory.mktemp("shop")
    land(folder / "landing")
    with running_spark(folder, metastore) as spark:
        places = {"LAKE_PROJECT": str(SHOP), "LAKE_METASTORE": metastore, "AIRFLOW_CONN_SPARK_LAKE": on_connect(spark.remote)}
        places |= {"AIRFLOW_CONN_SUBMITTED": json.dumps(SUBMITTED), "JAVA_HOME": java_home()[0]}
        lake = SampleLake(folder, f"{folder}/tables", f"{folder}/landing", **places)
        contracts = load_lake(SHOP)
        for table in contracts.in_order(contracts.tables):
            if table != "gold.inference":
                lake.do("build", table, "shop/first", days=DAYS)
        yield lake


def test_a_metastore_that_is_not_there_is_one_sentence_and_may_come_back(tmp_path: Path) -> None:
    land(tmp_path / "landing")
    nowhere = f"postgresql://ada@127.0.0.1:{free_port()}/metastore"
    with running_spark(tmp_path, nowhere) as spark:
        places = {"LAKE_PROJECT": str(SHOP), "LAKE_METASTORE": nowhere, "AIRFLOW_CONN_SPARK_LAKE": on_connect(spark.remote)}
        lake = SampleLake(tmp_path, f"{tmp_path}/tables", f"{tmp_path}/landing", **places)
        with pytest.raises(TransientError, match=r"build bronze\.logs: the Hive metastore is not reached: check that what LAKE_METASTORE"):
            lake.do("build", "bronze.logs", "shop/first", days=DAYS)


def told(metastore: str) -> dict[str, list[str]]:
    """Name to columns, as Spark keeps them in the metastore's database."""
    engine = create_engine(metastore.replace("postgresql:", "postgresql+psycopg2:"))
    with engine.connect() as connection:
        found = {row.name: [field["name"] for field in json.loads(row.schema)["fields"]] for row in connection.execute(text(COLUMNS))}
    engine.dispose()
    return found


def test_the_metastores_database_has_names_and_columns_and_the_ledger_no_password(shop: SampleLake, metastore: str) -> None:
    found = told(metastore)
    assert found["landing.logs"] == ["timestamp", "user_id", "action", "params", "day"]
    assert found["gold.training"] == TRAINING
    assert sorted(found) == ["gold.training", "landing.logs", "silver.features", "silver.labels"]
    name = f"postgresql://{metastore.rpartition('@')[2]}"
    assert {one.day for one in Ledger(shop.ledger_url).registrations.of(name, ["bronze.logs"])} == {"all", "2024-05-01", "2024-05-02", "2024-05-03"}


def test_a_job_of_spark_submit_has_the_same_names_and_its_command_line_no_password(shop: SampleLake, metastore: str, capfd: pytest.CaptureFixture[str]) -> None:
    if not shop.environment["JAVA_HOME"]:
        pytest.skip(java_home()[1])
    _, facts = shop.do("build", "gold.inference", "shop/first", days=DAYS, connection="submitted")
    assert facts["registered"] == "gold.inference"
    assert "gold.inference" in told(metastore)
    shown = capfd.readouterr()
    assert "spark-submit --master local[2]" in shown.out
    assert "a word" not in shown.out + shown.err


def test_a_bi_tool_finds_tables_columns_and_rows_over_jdbc(shop: SampleLake, metastore: str, tmp_path: Path) -> None:
    with started_thrift_server(tmp_path, metastore) as address:
        rows = asked(
            address,
            "SELECT user_id, bought FROM gold.training WHERE sale_date = DATE'2024-05-03'",
            "SELECT count(*), max(params['product']) FROM landing.logs WHERE day = DATE'2024-05-02'",
            "!columns training",
        )
    assert rows[:2] == [["bob", "true"], ["3", "cup"]]
    assert [row[3] for row in rows[2:]] == TRAINING


def test_a_metastore_service_is_told_the_names_and_a_bi_tool_asks_it_for_them(postgres: str, tmp_path: Path) -> None:
    database = empty_database(postgres)
    land(tmp_path / "landing")
    with running_service(tmp_path, database) as service:
        with running_spark(tmp_path, service) as spark:
            places = {"LAKE_PROJECT": str(SHOP), "LAKE_METASTORE": service, "AIRFLOW_CONN_SPARK_LAKE": on_connect(spark.remote)}
            lake = SampleLake(tmp_path, f"{tmp_path}/tables", f"{tmp_path}/landing", **places)
            for table in ("bronze.logs", "silver.features"):
                lake.do("build", table, "shop/first", days=DAYS)
        assert sorted(told(database)) == ["landing.logs", "silver.features"]
        days = {one.day for one in Ledger(lake.ledger_url).registrations.of(service, ["bronze.logs"])}
        assert days == {"all", "2024-05-01", "2024-05-02", "2024-05-03"}
        with started_thrift_server(tmp_path, service) as address:
            assert asked(address, "SELECT count(*), max(params['product']) FROM landing.logs WHERE day = DATE'2024-05-02'") == [["3", "cup"]]
