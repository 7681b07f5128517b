"""The sample's tables as steps of EMR clusters, against moto's server. Moto keeps clusters and steps and runs none: an agent of the test does.

What it cannot show: that EMR starts machines, that the bootstrap action unpacks the bundle there, YARN, and that an idle cluster ends itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from base64 import b64decode
from typing import TYPE_CHECKING, Any

import pytest

from expectations.errors import RequestError, TerminalError, TransientError
from expectations.jobs import JobRequest
from launcher.layout import REPOSITORY
from medallion.emr import Emr
from medallion.process_environment import exported
from medallion.spark_connection import spark_connection
from tests.clusters.s3_server import REGION, AwsServer, User
from tests.clusters.sample_lake import DAYS, SampleLake
from tests.clusters.standalone import java_home
from tests.free_ports import free_port
from tests.lakes.test_shop import SHOP

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from moto.emr.models import Step

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]
ACCOUNT = "123456789012"
BUCKET = "lake"
USER = User("AKIAEXAMPLE", "the-secret-of-the-key")
OWN = {"bundle": "s3://lake/bundle.zip", "bootstrap": "s3://lake/emr-bootstrap.sh"}
MACHINES = {
    "ReleaseLabel": "emr-7.10.0",
    "JobFlowRole": "EMR_EC2_DefaultRole",
    "ServiceRole": "EMR_DefaultRole",
    "LogUri": "s3://lake/logs/",
    "Instances": {"InstanceGroups": [{"Name": "primary", "InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}]},
}
REQUEST = JobRequest(verb="build", name="silver.flights", run_id="nyc_flights_daily/scheduled__1", days="2013-01-01..2013-01-02")


class Agent(threading.Thread):
    """Does what EMR's own agent does on the first node: runs each step's arguments, one after the other, and notes how they ended.

    The processes have the storage's key in their environment, in the place of the role of a real node.
    """

    def __init__(self, server: AwsServer, home: Path) -> None:
        super().__init__(daemon=True)
        self.server, self.home, self.ended, self.said = server, home, threading.Event(), ""

    def run(self) -> None:
        from moto.emr.models import emr_backends

        seen: set[str] = set()
        while not self.ended.wait(0.2):
            steps = [step for cluster in list(emr_backends[ACCOUNT][REGION].clusters.values()) for step in cluster.steps if step.id not in seen]
            for step in steps:
                seen.add(step.id)
                self._do(step)

    def _do(self, step: Step) -> None:
        role = {"AWS_ACCESS_KEY_ID": USER.key, "AWS_SECRET_ACCESS_KEY": USER.secret, "AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.server.endpoint}
        machine = {"PATH": os.environ["PATH"], "HOME": str(self.home), "JAVA_HOME": java_home()[0], **role}
        done = subprocess.run(step.args, env=machine, capture_output=True, text=True, check=False)
        self.said += done.stdout + done.stderr
        step.state = "FAILED" if done.returncode else "COMPLETED"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """The server, in this process, so that the agent reaches its steps."""
    os.environ["MOTO_RECORDER_FILEPATH"] = str(tmp_path_factory.mktemp("moto") / "recording")  # read when moto is imported
    from moto.server import ThreadedMotoServer

    port = free_port()
    running = ThreadedMotoServer("127.0.0.1", port)
    running.start()
    made = AwsServer(f"http://127.0.0.1:{port}")
    made.owner = USER
    made.client("s3").create_bucket(Bucket=BUCKET)
    yield made
    running.stop()


@pytest.fixture
def agent(server: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Agent]:
    """At work until the test ends."""
    _, missing = java_home()
    if missing:
        pytest.skip(missing)
    monkeypatch.setattr("medallion.emr.POLL_SECONDS", 1)
    made = Agent(server, tmp_path)
    made.start()
    yield made
    made.ended.set()
    made.join()


def emr(**lake: Any) -> str:
    """The Airflow connection."""
    machines = {} if "cluster" in lake else MACHINES
    return json.dumps({"conn_type": "emr", "extra": {"lake": {"aws_connection": "aws", **lake}, **machines}})


def lake_of(server: AwsServer, folder: Path, ledger: str, **lake: Any) -> SampleLake:
    connections = {"AIRFLOW_CONN_SPARK_LAKE": emr(**lake), "AIRFLOW_CONN_AWS": USER.connection(server.endpoint), "LAKE_STORAGE_CONNECTION": "aws"}
    return SampleLake(folder, f"s3a://{BUCKET}/tables", f"s3a://{BUCKET}/landing", LAKE_LEDGER_URL=ledger, **connections)


def here(**more: Any) -> dict[str, Any]:
    """The bundle is this repository, and the cluster is this machine."""
    return {**OWN, "home": str(REPOSITORY), "master": "local[1]", "conf": {"spark.driver.host": "127.0.0.1", "spark.ui.enabled": "false"}, **more}


def sent(server: AwsServer, action: str) -> list[dict[str, Any]]:
    """The bodies of all requests of this kind that the server was sent since its recording started."""
    calls = [json.loads(line) for line in server.tell("recorder/download-recording", method="GET").splitlines()]
    return [json.loads(b64decode(call["body"])) for call in calls if call["headers"].get("X-Amz-Target") == f"ElasticMapReduce.{action}"]


def record(server: AwsServer) -> None:
    server.tell("recorder/reset-recording")
    server.tell("recorder/start-recording")


def test_what_emr_is_asked_for_a_cluster_and_a_step_is_exactly_this_and_has_no_secret(server: AwsServer, tmp_path: Path, postgres: str) -> None:
    ledger = f"{postgres.replace('postgres@', 'lake:the-ledgers-secret@')}/ledger"
    lake = lake_of(server, tmp_path, ledger, **OWN, pgpass="s3://lake/pgpass", environment={"TZ": "UTC"})
    record(server)
    with exported(lake.environment | {"LAKE_LEDGER_URL": f"{postgres}/postgres"}):
        connection = Emr(spark_connection("spark_lake"))
        with exported({"LAKE_LEDGER_URL": ledger}):
            step = connection.step(REQUEST)
        cluster, _ = connection.add_step(REQUEST)
        connection.end(REQUEST.run_key)
    assert sent(server, "RunJobFlow") == [
        {
            "Name": f"medallion-lake-{REQUEST.run_key}",
            "ReleaseLabel": "emr-7.10.0",
            "JobFlowRole": "EMR_EC2_DefaultRole",
            "ServiceRole": "EMR_DefaultRole",
            "LogUri": "s3://lake/logs/",
            "Applications": [{"Name": "Hadoop"}],
            "StepConcurrencyLevel": 4,
            "Instances": {
                "InstanceGroups": [{"Name": "primary", "InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}],
                "KeepJobFlowAliveWhenNoSteps": True,
                "TerminationProtected": False,
            },
            "BootstrapActions": [
                {
                    "Name": "the lake's bundle",
                    "ScriptBootstrapAction": {
                        "Path": "s3://lake/emr-bootstrap.sh",
                        "Args": ["s3://lake/bundle.zip", "/opt/medallion-lake", "s3://lake/pgpass"],
                    },
                }
            ],
            "AutoTerminationPolicy": {"IdleTimeout": 600},
        }
    ]
    assert step == {
        "Name": "build silver.flights",
        "ActionOnFailure": "CONTINUE",
        "HadoopJarStep": {
            "Jar": "command-runner.jar",
            "Args": [
                *["env", "-u", "SPARK_HOME", "-u", "SPARK_CONF_DIR"],
                "HADOOP_CONF_DIR=/etc/hadoop/conf",
                "PYTHONPATH=/opt/medallion-lake",
                "LAKE_PROJECT=/opt/medallion-lake",
                "PGPASSFILE=/opt/medallion-lake/pgpass",
                "LAKE_ENV=dev",
                "LAKE_ROOT=s3a://lake/tables",
                "LAKE_LANDING=s3a://lake/landing",
                "LAKE_METASTORE=off",
                f"LAKE_LEDGER_URL={postgres.replace('postgres@', 'lake@')}/ledger",
                "TZ=UTC",
                *["/opt/medallion-lake/.venv/bin/spark-submit", "--master", "yarn", "--deploy-mode", "client"],
                *["--conf", "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension"],
                *["--conf", "spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog"],
                *["--conf", "spark.sql.session.timeZone=UTC"],
                *["--conf", "spark.driver.defaultJavaOptions=-XX:-DontCompileHugeMethods"],
                *["--conf", "spark.executor.defaultJavaOptions=-XX:-DontCompileHugeMethods"],
                *["--conf", "spark.driver.extraClassPath=/opt/medallion-lake/.lake/jars/*"],
                *["--conf", "spark.executor.extraClassPath=/opt/medallion-lake/.lake/jars/*"],
                *["--conf", "spark.executorEnv.PYTHONPATH=/opt/medallion-lake"],
                *["--conf", "spark.pyspark.python=/opt/medallion-lake/.venv/bin/python"],
                *["/opt/medallion-lake/spark_jobs/run.py", "build", "silver.flights"],
                *["--run", "nyc_flights_daily/scheduled__1", "--days", "2013-01-01..2013-01-02"],
            ],
        },
    }
    [added] = sent(server, "AddJobFlowSteps")
    assert (added["JobFlowId"], [one["Name"] for one in added["Steps"]]) == (cluster, ["build silver.flights"])
    assert sent(server, "TerminateJobFlows") == [{"JobFlowIds": [cluster]}]
    everything = json.dumps([sent(server, "RunJobFlow"), added, step])
    assert USER.secret not in everything
    assert "the-ledgers-secret" not in everything


@pytest.mark.parametrize(("metastore", "passed"), [("thrift://hive:9083", "thrift://hive:9083"), ("postgresql://ada:w0rd@db/names", "off")])
def test_a_step_is_told_of_a_metastore_that_everybody_may_see(postgres: str, metastore: str, passed: str) -> None:
    with exported({"LAKE_LEDGER_URL": f"{postgres}/postgres", "LAKE_METASTORE": metastore, "AIRFLOW_CONN_SPARK_LAKE": emr(cluster="j-1")}):
        words = Emr(spark_connection("spark_lake")).step(REQUEST)["HadoopJarStep"]["Args"]
    assert f"LAKE_METASTORE={passed}" in words
    assert ("spark.hadoop.hive.metastore.uris=thrift://hive:9083" in words) == (passed == metastore)
    assert "w0rd" not in " ".join(words)


def test_a_step_of_a_lake_in_a_folder_of_its_own_finds_it_in_the_bundle(postgres: str) -> None:
    own = {"LAKE_PROJECT": str(SHOP), "MLFLOW_TRACKING_URI": "http://mlflow:5000"}
    with exported({"LAKE_LEDGER_URL": f"{postgres}/postgres", "AIRFLOW_CONN_SPARK_LAKE": emr(cluster="j-1"), **own}):
        words = Emr(spark_connection("spark_lake")).step(REQUEST)["HadoopJarStep"]["Args"]
    assert {
        "LAKE_PROJECT=/opt/medallion-lake/project",
        "PYTHONPATH=/opt/medallion-lake:/opt/medallion-lake/project",
        "spark.executorEnv.PYTHONPATH=/opt/medallion-lake:/opt/medallion-lake/project",
        "MLFLOW_TRACKING_URI=http://mlflow:5000",
    } <= set(words)


def state(server: AwsServer, cluster: str) -> str:
    return str(server.client("emr").describe_cluster(ClusterId=cluster)["Cluster"]["Status"]["State"])


def steps(server: AwsServer, cluster: str) -> list[tuple[str, str]]:
    """Name and state of each, the first one first."""
    found = server.client("emr").list_steps(ClusterId=cluster)["Steps"]
    return sorted((step["Name"], step["Status"]["State"]) for step in found)


def landed(server: AwsServer, lake: SampleLake) -> SampleLake:
    access = {"AWS_ACCESS_KEY_ID": USER.key, "AWS_SECRET_ACCESS_KEY": USER.secret, "AWS_ENDPOINT_URL": server.endpoint}
    with exported(access):
        lake.land()
    return lake


def test_a_run_has_one_cluster_with_a_step_a_table_which_is_ended_though_a_table_failed(server: AwsServer, agent: Agent, tmp_path: Path, postgres: str) -> None:
    lake = landed(server, lake_of(server, tmp_path, f"{postgres}/postgres", **here()))
    record(server)
    for table in ("bronze.airlines", "silver.airlines"):
        _, facts = lake.do("build", table, days=DAYS)
        assert (facts["status"], facts["rows_out"]) == ("done", 16), agent.said
    with pytest.raises(TerminalError, match=r"bronze\.airlines has no version 99; it is at 0"):
        lake.do("restore", "bronze.airlines", version="99")
    [cluster] = [cluster["Id"] for cluster in server.client("emr").list_clusters()["Clusters"] if cluster["Status"]["State"] != "TERMINATED"]
    lake.do("report", "nyc_flights")
    assert steps(server, cluster) == [("build bronze.airlines", "COMPLETED"), ("build silver.airlines", "COMPLETED"), ("restore bronze.airlines", "FAILED")]
    assert state(server, cluster) == "TERMINATED"
    assert len(sent(server, "RunJobFlow")) == 1


def test_a_long_running_cluster_gets_the_steps_and_goes_on(server: AwsServer, agent: Agent, tmp_path: Path, postgres: str) -> None:
    made = server.client("emr").run_job_flow(Name="the team's", ReleaseLabel="emr-7.10.0", Instances={"KeepJobFlowAliveWhenNoSteps": True})
    lake = landed(server, lake_of(server, tmp_path, f"{postgres}/postgres", cluster="the team's", **here()))
    record(server)
    _, facts = lake.do("build", "bronze.planes", "sample/second", days=DAYS)
    assert facts["rows_out"] == 3322, agent.said
    lake.do("report", "nyc_flights", "sample/second")
    assert steps(server, made["JobFlowId"]) == [("build bronze.planes", "COMPLETED")]
    assert state(server, made["JobFlowId"]) not in {"TERMINATING", "TERMINATED"}
    assert sent(server, "RunJobFlow") == []


def test_tables_that_start_together_share_the_cluster_that_one_of_them_makes(server: AwsServer, tmp_path: Path, postgres: str) -> None:
    lake = lake_of(server, tmp_path, f"{postgres}/postgres", **OWN)
    record(server)
    clusters: list[str] = []
    names = ["bronze.airlines", "bronze.airports", "bronze.planes", "bronze.weather"]
    with exported(lake.environment):
        connection = Emr(spark_connection("spark_lake"))
        asked = [JobRequest(verb="build", name=name, run_id="sample/together", days=DAYS) for name in names]
        tasks = [threading.Thread(target=lambda request=request: clusters.append(connection.add_step(request)[0])) for request in asked]
        for task in tasks:
            task.start()
        for task in tasks:
            task.join()
        connection.end(asked[0].run_key)
    assert (len(clusters), len(set(clusters)), len(sent(server, "RunJobFlow"))) == (4, 1, 1)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "case",
    [
        ({"cluster": "gone"}, {}, TransientError, "there is no cluster 'gone' on EMR that takes steps; start it, or mend the Airflow connection 'spark_lake'."),
        ({}, {}, RequestError, "the Airflow connection 'spark_lake' needs lake.cluster, or lake.bundle and lake.bootstrap for a cluster of each run."),
        ({"cluser": "x"}, {}, RequestError, "the Airflow connection 'spark_lake': lake.cluser: Extra inputs are not permitted; known are cluster, aws_con"),
        (OWN, {"LAKE_LEDGER_URL": "sqlite:////tmp/x.db"}, RequestError, "on EMR the driver runs elsewhere, where the ledger's SQLite file is not: let"),
        ({"cluster": "x"}, {"AIRFLOW_CONN_AWS": USER.connection("http://127.0.0.1:9")}, TransientError, "EMR is not reached: Could not connect to the end"),
        ({"cluster": "j-GONE"}, {}, TransientError, "EMR refuses: "),
    ],
)
def test_what_cannot_be_is_one_sentence(
    server: AwsServer, tmp_path: Path, postgres: str, case: tuple[dict[str, Any], dict[str, str], type[Exception], str]
) -> None:
    lake, changed, error, sentence = case
    environment = lake_of(server, tmp_path, f"{postgres}/postgres", **lake).environment | changed
    with exported(environment), pytest.raises(error) as caught:
        Emr(spark_connection("spark_lake")).add_step(REQUEST)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)
    assert USER.secret not in str(caught.value)
