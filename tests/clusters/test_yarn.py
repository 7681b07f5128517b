"""The Airflow connection of the type `spark` on a real YARN: the operator submits, the days go through it, from landing files on HDFS to gold."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pandas.testing import assert_frame_equal

from expectations.ledger import Ledger
from expectations.loader import load_lake
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


@pytest.fixture
def submitting(yarn: Hadoop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection `spark_yarn`, in client mode."""
    extra = {"deploy-mode": "client", "spark-binary": "spark-submit", "yarn_resourcemanager_webapp_address": yarn.yarn_page, "conf": CONF}
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
