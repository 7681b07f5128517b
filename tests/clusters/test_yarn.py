"""The Airflow connection of the type `spark` on a real YARN: the operator submits, the days go through it, from landing files on HDFS to gold."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy import create_engine, text

from expectations.ledger import Ledger
from expectations.loader import load_lake
from expectations.storage import Place
from launcher.bundle import write_bundle
from launcher.layout import REPOSITORY
from launcher.spark_server import package_folder
from tests.clusters.sample_days import DAYS, SampleDays

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from tests.clusters.hadoop import Hadoop

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(2400)]
GOLD = "gold.daily_flights"
CONF = {
    # on every node already, as Python and the lake's own files are here: nothing is copied for each job
    "spark.yarn.jars": f"local:{package_folder('pyspark')}/jars/*",
    "spark.pyspark.python": sys.executable,
    "spark.driver.host": "127.0.0.1",
    "spark.executor.instances": 1,
    "spark.executor.memory": "600m",
    "spark.yarn.am.memory": "512m",
    "spark.sql.shuffle.partitions": 4,
    "spark.databricks.delta.snapshotPartitions": 2,
}


@pytest.fixture(params=["client"])
def submitting(yarn: Hadoop, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """The connection `spark_yarn`: in client mode, or whatever mode the test is given."""
    extra = {"deploy-mode": request.param, "spark-binary": "spark-submit", "yarn_resourcemanager_webapp_address": yarn.yarn_page, "conf": CONF}
    if request.param == "cluster":
        bundle = f"{yarn.address}/yarn/bundle.zip"
        Place.of(str(write_bundle(tmp_path / "bundle.zip"))).copy_to(Place.of(bundle))
        extra |= {"lake-bundle": bundle, "conf": {name: value for name, value in CONF.items() if name != "spark.driver.host"}}
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_YARN", json.dumps({"conn_type": "spark", "host": "yarn", "extra": extra}))
    monkeypatch.setenv("HADOOP_CONF_DIR", str(yarn.conf))
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")


def submit(table: str, **fields: Any) -> tuple[dict[str, Any], Any]:
    """What the task of a table shows, and the task."""
    from airflow.sdk.bases.operator import ExecutorSafeguard

    from medallion.lake_job import LakeJobOperator

    task = LakeJobOperator(task_id=table, verb="build", name=table, days=DAYS, connection="spark_yarn", **fields)
    run = {"dag_run": SimpleNamespace(dag_id="nyc_flights_daily", run_id="by_yarn")}
    return task.execute(run, LakeJobOperator__sentinel=ExecutorSafeguard.sentinel_value), task  # type: ignore[arg-type]


@pytest.fixture
def lake(yarn: Hadoop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SampleDays:
    """An empty lake on HDFS, with the days' files; this process works on it."""
    made = SampleDays(f"{yarn.address}/yarn/lake", f"{yarn.address}/yarn/landing", f"sqlite:///{tmp_path}/ledger.db")
    made.enter(monkeypatch)
    made.land()
    return made


@pytest.fixture
def lake_of_postgres(lake: SampleDays, postgres: str, monkeypatch: pytest.MonkeyPatch) -> SampleDays:
    """The same with a ledger that a driver elsewhere reaches, where nothing was written yet."""
    engine = create_engine(f"{postgres}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE of_yarn"))
    engine.dispose()
    made = SampleDays(f"{lake.root}-of-postgres", lake.landing, f"{postgres}/of_yarn")
    made.enter(monkeypatch)
    return made


@pytest.mark.usefixtures("submitting")
def test_the_days_go_through_yarn_from_landing_to_gold(yarn: Hadoop, sample_here: SampleDays, lake: SampleDays, spark: SparkSession) -> None:
    contracts = load_lake(REPOSITORY)
    for table in contracts.in_order({GOLD, *contracts.ancestors(GOLD)}):
        shown, task = submit(table)
        assert shown["status"] == "done"
        application = yarn.applications()[0]
        assert (application["applicationType"], application["finalStatus"]) == ("SPARK", "SUCCEEDED")
        assert task.application_page == application["trackingUrl"]
        assert_frame_equal(lake.rows(spark, table), sample_here.rows(spark, table))
    assert sorted(Ledger(lake.ledger_url).days(GOLD)) == ["2013-01-01", "2013-01-02", "2013-01-03"]


@pytest.mark.usefixtures("submitting")
@pytest.mark.parametrize("submitting", ["cluster"], indirect=True)
def test_a_driver_on_the_cluster_works_from_the_bundle_alone_and_is_followed(yarn: Hadoop, lake_of_postgres: SampleDays, spark: SparkSession) -> None:
    for table in ("bronze.airlines", "silver.airlines"):
        shown, task = submit(table)
        assert shown["status"] == "done"
        application = yarn.applications()[0]
        assert (application["finalStatus"], task.application_page) == ("SUCCEEDED", application["trackingUrl"])
        assert len(lake_of_postgres.rows(spark, table)) == 16
    assert Ledger(lake_of_postgres.ledger_url).days("silver.airlines")
