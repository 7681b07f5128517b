"""The Airflow connection of the type `spark` on a real YARN: the operator submits, the days go through it, from landing files on HDFS to gold."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy import create_engine, text

from expectations.errors import TransientError
from expectations.ledger import Ledger
from expectations.loader import load_lake
from expectations.storage import Place
from launcher.bundle import write_bundle
from launcher.layout import REPOSITORY
from launcher.spark_server import package_folder
from medallion.process_environment import exported
from tests.clusters.command_lines import CommandLines
from tests.clusters.s3_server import running_server
from tests.clusters.sample_lake import DAYS, SampleLake
from tests.free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    extra: dict[str, Any] = {"deploy-mode": request.param, "spark-binary": "spark-submit", "conf": CONF}
    extra |= {"yarn_resourcemanager_webapp_address": yarn.yarn_page, "lake-queue-seconds": 20}
    if request.param == "cluster":
        bundle = f"{yarn.address}/yarn/bundle.zip"
        Place.of(str(write_bundle(tmp_path / "bundle.zip"))).copy_to(Place.of(bundle))
        extra |= {"lake-bundle": bundle, "conf": {name: value for name, value in CONF.items() if name != "spark.driver.host"}}
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_YARN", json.dumps({"conn_type": "spark", "host": "yarn", "extra": extra}))
    monkeypatch.setenv("HADOOP_CONF_DIR", str(yarn.conf))
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")


def submit(lake: SampleLake, table: str) -> dict[str, Any]:
    """What the task of a table shows."""
    return lake.do("build", table, days=DAYS, connection="spark_yarn")[0]


@pytest.fixture
def lake(yarn: Hadoop, tmp_path: Path) -> SampleLake:
    """An empty lake on HDFS, with the days' files."""
    made = SampleLake(tmp_path, f"{yarn.address}/yarn/lake", f"{yarn.address}/yarn/landing")
    made.land()
    return made


@pytest.fixture
def lake_of_postgres(lake: SampleLake, postgres: str, tmp_path: Path) -> SampleLake:
    """The same with a ledger that a driver elsewhere reaches, where nothing was written yet."""
    engine = create_engine(f"{postgres}/postgres", isolation_level="AUTOCOMMIT")
    name = f"of_yarn_{os.urandom(4).hex()}"
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return SampleLake(tmp_path, f"{lake.root}-of-postgres", lake.landing, LAKE_LEDGER_URL=f"{postgres}/{name}")


@pytest.mark.usefixtures("submitting")
def test_the_days_go_through_yarn_from_landing_to_gold(yarn: Hadoop, embedded: SampleLake, lake: SampleLake) -> None:
    contracts = load_lake(REPOSITORY)
    for table in contracts.in_order({GOLD, *contracts.ancestors(GOLD)}):
        assert submit(lake, table)["status"] == "done"
        application = yarn.applications()[0]
        assert (application["applicationType"], application["finalStatus"]) == ("SPARK", "SUCCEEDED")
        assert lake.task is not None
        assert lake.task.application_page == application["trackingUrl"]
        assert_frame_equal(lake.rows(table.replace(".", "/")), embedded.rows(table.replace(".", "/")))
    assert sorted(Ledger(lake.ledger_url).days(GOLD)) == ["2013-01-01", "2013-01-02"]


@pytest.mark.usefixtures("submitting")
@pytest.mark.parametrize("submitting", ["cluster"], indirect=True)
def test_a_driver_on_the_cluster_works_from_the_bundle_alone_and_is_followed(yarn: Hadoop, lake_of_postgres: SampleLake) -> None:
    for table in ("bronze.airlines", "silver.airlines"):
        assert submit(lake_of_postgres, table)["status"] == "done"
        application = yarn.applications()[0]
        assert lake_of_postgres.task is not None
        assert (application["finalStatus"], lake_of_postgres.task.application_page) == ("SUCCEEDED", application["trackingUrl"])
        assert len(lake_of_postgres.rows(table.replace(".", "/"))) == 16
    assert Ledger(lake_of_postgres.ledger_url).days("silver.airlines")


@pytest.mark.usefixtures("submitting")
@pytest.mark.parametrize("submitting", ["cluster"], indirect=True)
def test_a_driver_on_the_cluster_is_given_the_key_of_a_lake_on_s3_and_no_log_has_it(
    yarn: Hadoop, lake_of_postgres: SampleLake, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with running_server(tmp_path / "s3.log") as server:
        server.client("s3").create_bucket(Bucket="lake")
        variables = {"AIRFLOW_CONN_LAKE_STORAGE": server.owner.connection(server.endpoint), "LAKE_STORAGE_CONNECTION": "lake_storage"}
        lake = SampleLake(tmp_path, "s3a://lake/tables", "s3a://lake/landing", LAKE_LEDGER_URL=lake_of_postgres.ledger_url, **variables)
        with exported(server.options):
            lake.land()
        with CommandLines() as seen:
            assert submit(lake, "bronze.airlines")["status"] == "done"
        assert yarn.applications()[0]["finalStatus"] == "SUCCEEDED"
        assert len(lake.rows("bronze/airlines", server.options)) == 16
    logs = [file.read_text(errors="replace") for file in (yarn.folder / "logs").rglob("*") if file.is_file()]
    assert any("LAKE_PRIVATE_FILE" in log for log in logs)  # the script that has the container's variables is among them
    shown = capfd.readouterr()
    assert "spark-submit --master yarn" in shown.out
    assert any("org.apache.spark.deploy.SparkSubmit" in line for line in seen.lines)
    assert not [text for text in [*logs, *shown, *seen.lines] if server.owner.secret in text or lake.ledger_url in text]


@pytest.fixture
def full_queue(yarn: Hadoop, tmp_path: Path) -> Iterator[None]:
    """The queue `default` without room for one more driver: an application of somebody else's holds all of the node's memory."""
    (tmp_path / "holds.py").write_text("from pyspark.sql import SparkSession\nSparkSession.builder.getOrCreate()\nimport time\ntime.sleep(3600)\n")
    conf = {**CONF, "spark.yarn.am.memory": "3500m", "spark.ui.enabled": "false"}
    words = [word for name, value in conf.items() for word in ("--conf", f"{name}={value}")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_REMOTE", "SPARK_CONNECT"))}  # of the embedded server
    with (tmp_path / "holds.log").open("w") as output:
        command = ["spark-submit", "--master", "yarn", *words, str(tmp_path / "holds.py")]
        holder = subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)
    until = time.monotonic() + 120
    while not [one for one in yarn.applications() if one["state"] == "RUNNING"]:
        assert holder.poll() is None and time.monotonic() < until, (tmp_path / "holds.log").read_text()[-2000:]
        time.sleep(1)
    yield
    os.killpg(holder.pid, signal.SIGTERM)  # its Python would outlive its Java
    holder.wait(60)


@pytest.mark.usefixtures("submitting", "full_queue")
@pytest.mark.parametrize("submitting", ["client", "cluster"], indirect=True)
def test_a_full_queue_is_told_by_its_name_and_its_application_is_taken_back(
    yarn: Hadoop, lake_of_postgres: SampleLake, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("medallion.yarn_queue").addHandler(caplog.handler)  # Airflow's own loggers do not reach pytest's
    with pytest.raises(TransientError) as caught:
        submit(lake_of_postgres, "bronze.airlines")
    application = yarn.applications()[0]
    assert re.fullmatch(
        rf"{application['id']} got no room in YARN's queue 'root\.default' for \d+ s \(Application is [^()]+\); "
        r"free it, give it more, or let the Airflow connection 'spark_yarn' name another queue\.",
        str(caught.value),
    ), str(caught.value)
    assert re.search(rf"{application['id']} got no room in YARN's queue 'root\.default' for \d+ s \(.*\): it waits on, for 20 s at most", caplog.text)
    assert application["state"] == "KILLED"


def test_a_resource_manager_that_is_not_there_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    address = f"<property><name>yarn.resourcemanager.address</name><value>127.0.0.1:{port}</value></property>"
    (tmp_path / "yarn-site.xml").write_text(f"<configuration>{address}</configuration>")
    monkeypatch.setenv("HADOOP_CONF_DIR", str(tmp_path))
    lake = SampleLake(tmp_path, f"{tmp_path}/tables", f"{tmp_path}/landing", AIRFLOW_CONN_SPARK_LAKE=json.dumps({"conn_type": "spark", "host": "yarn"}))
    with pytest.raises(TransientError, match=f"^no ResourceManager of YARN answers at 127.0.0.1:{port} .Connection refused.; start it, or mend"):
        lake.do("build", "bronze.airlines", days=DAYS)
