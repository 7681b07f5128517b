"""What can be tried of Kubernetes without a cluster: the pods' own processes on this machine, and what the real spark-submit asks an API server for."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from expectations.errors import TransientError
from launcher.layout import REPOSITORY
from launcher.spark_server import JAVA_OPTIONS
from tests.clusters.sample_lake import DAYS, SampleLake
from tests.clusters.standalone import Standalone, java_home

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not java_home()[0], reason=java_home()[1]),
]
PASSWORD = secrets.token_hex()
DRIVER = """
from pyspark.sql import SparkSession

spark = SparkSession.builder.getOrCreate()
context = spark.sparkContext
print("driver", context.getConf().get("spark.driver.port"), context.applicationId, flush=True)
print("rows", spark.range(100).repartition(3).mapInPandas(lambda batches: batches, "id long").count(), flush=True)
"""
QUIET = {"spark.driver.host": "127.0.0.1", "spark.ui.enabled": "false", "spark.log.level": "WARN", "spark.pyspark.python": sys.executable}


def pod(log: Path, role: str, *words: str, **variables: str) -> subprocess.Popen[bytes]:
    """What a pod of the image would run, as a process of this machine; what it says is in the log."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "LAKE_"))}
    environment = {**inherited, "PYTHONPATH": str(REPOSITORY), "JAVA_HOME": java_home()[0], **variables}
    command = [sys.executable, "-m", "launcher.kubernetes", role, *words]
    with log.open("w") as output:
        return subprocess.Popen(command, env=environment, stdout=output, stderr=output)


def line_of(log: Path, begin: str, *pods: subprocess.Popen[bytes]) -> str:
    """The line of a log that begins so; waits for it while all pods are there."""
    until = time.monotonic() + 180
    while not (found := [line for line in log.read_text().splitlines() if line.startswith(begin)]):
        assert all(one.poll() is None for one in pods) and time.monotonic() < until, [other.read_text()[-3000:] for other in log.parent.glob("*.log")]
        time.sleep(0.2)
    return found[0]


def properties(folder: Path, facts: dict[str, str]) -> str:
    """A properties file, as Spark mounts one into a driver's pod."""
    (folder / "spark.properties").write_text("".join(f"{name} {value}\n" for name, value in facts.items()))
    return str(folder / "spark.properties")


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Standalone]:
    """A scheduler without a single worker: an executor has to come from elsewhere."""
    made = Standalone(tmp_path)
    made.start("master", lambda: made.state() is not None)
    yield made
    made.stop()


def test_a_driver_and_an_executor_as_pods_start_them_do_work_together(master: Standalone, tmp_path: Path) -> None:
    (tmp_path / "rows.py").write_text(DRIVER)
    facts = {**QUIET, "spark.master": master.master, "spark.authenticate": "true", "spark.authenticate.secret": master.secret}
    words = ["--properties-file", properties(tmp_path, facts), "--class", "org.apache.spark.deploy.PythonRunner", f"{tmp_path}/rows.py"]
    driver = pod(tmp_path / "driver.log", "driver", *words, SPARK_DRIVER_BIND_ADDRESS="127.0.0.1")
    pods = [driver]
    try:
        _, port, application = line_of(tmp_path / "driver.log", "driver ", *pods).split()
        executor = {
            "SPARK_DRIVER_URL": f"spark://CoarseGrainedScheduler@127.0.0.1:{port}",
            "SPARK_EXECUTOR_ID": "1",
            "SPARK_EXECUTOR_CORES": "2",
            "SPARK_EXECUTOR_MEMORY": "512m",
            "SPARK_APPLICATION_ID": application,
            "SPARK_EXECUTOR_POD_IP": "127.0.0.1",
            "SPARK_EXECUTOR_POD_NAME": "rows-exec-1",
            "SPARK_RESOURCE_PROFILE_ID": "0",
            "_SPARK_AUTH_SECRET": master.secret,
        }
        options = [f"-Dspark.driver.port={port}", "-Dspark.authenticate=true", *JAVA_OPTIONS]
        pods.append(pod(tmp_path / "executor.log", "executor", **executor, **{f"SPARK_JAVA_OPT_{place}": option for place, option in enumerate(options)}))
        assert line_of(tmp_path / "driver.log", "rows ", pods[1]) == "rows 100"
    finally:
        for one in pods:
            one.kill()
            one.wait()
    assert master.secret not in (tmp_path / "driver.log").read_text() + (tmp_path / "executor.log").read_text()


class ApiServer:
    """Keeps what a client makes, and hands it back as Kubernetes would; it starts nothing."""

    def __init__(self) -> None:
        self.made: list[dict[str, Any]] = []
        self.paths: list[str] = []
        keep, paths = self.made, self.paths

        class Api(BaseHTTPRequestHandler):
            def _keep(self) -> None:
                thing = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                keep.append(thing)
                paths.append(self.path.partition("?")[0])
                self._answer({**thing, "metadata": {**thing["metadata"], "uid": "1", "resourceVersion": "1"}})

            def _answer(self, thing: dict[str, Any]) -> None:
                text = json.dumps(thing).encode()
                self.send_response(201 if self.command == "POST" else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self) -> None:
                self._answer({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": []})

            do_POST = do_PATCH = do_PUT = _keep

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> ApiServer:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def test_the_pod_that_spark_submit_asks_for_has_the_image_the_job_and_no_secret(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    conf = {
        "spark.kubernetes.container.image": "registry.example/medallion-lake:0.1.0",
        "spark.kubernetes.driver.secretKeyRef.LAKE_LEDGER_URL": "lake:LAKE_LEDGER_URL",
        "spark.kubernetes.submission.waitAppCompletion": "false",
        "spark.authenticate": "true",
    }
    extra = {"deploy-mode": "cluster", "namespace": "lake", "spark-binary": "spark-submit", "conf": conf}
    with ApiServer() as api:
        lake = SampleLake(
            tmp_path,
            f"{tmp_path}/tables",
            f"{tmp_path}/landing",
            LAKE_LEDGER_URL=f"postgresql+psycopg2://lake:{PASSWORD}@ledger/lake",
            JAVA_HOME=java_home()[0],
            AIRFLOW_CONN_SPARK_LAKE=json.dumps({"conn_type": "spark", "host": f"k8s://{api.address}", "extra": extra}),
        )
        with pytest.raises(TransientError, match="left no result record"):  # no pod ran, so there is none
            lake.do("build", "bronze.airlines", days=DAYS)
    written = capfd.readouterr()
    kinds = {thing["kind"] for thing in api.made}
    assert {"Pod", "ConfigMap"} <= kinds, written.out[-3000:]
    asked = next(thing for thing in api.made if thing["kind"] == "Pod")
    [container] = asked["spec"]["containers"]
    known = {one["name"]: one.get("value") or one["valueFrom"] for one in container["env"]}
    assert api.paths[api.made.index(asked)] == "/api/v1/namespaces/lake/pods"
    assert container["image"] == "registry.example/medallion-lake:0.1.0"
    assert known["LAKE_ROOT"] == f"{tmp_path}/tables"
    assert known["LAKE_LEDGER_URL"]["secretKeyRef"] == {"key": "LAKE_LEDGER_URL", "name": "lake"}
    assert known["PYSPARK_PYTHON"] == "/opt/lake/.venv/bin/python"
    assert container["args"][0] == "driver"
    assert container["args"][-7:] == ["local:///opt/lake/spark_jobs/run.py", "build", "bronze.airlines", "--run", "sample/first", "--days", DAYS]
    assert PASSWORD not in json.dumps(api.made) + written.out + written.err
