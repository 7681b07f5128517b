"""The lake in containers, as docs/docker.md starts it: a real Docker engine, the real image, a cluster of two workers, Postgres and MLflow."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from deltalake import DeltaTable

from launcher import credentials
from launcher.airflow_api import AirflowApi
from launcher.landing import land
from launcher.layout import REPOSITORY
from tests.clusters import engine
from tests.free_ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(bool(engine.why_not()), reason=engine.why_not()),
]
DAILY, MODEL = "nyc_flights_daily", "flight_delay"
PATIENCE_SECONDS = 1500.0
PARTS = ("Python", "packages", "jars", "ledger", "root", "landing", "tables", "Spark", "Airflow", "MLflow")
JANUARY = {"first_day": "2013-01-01", "last_day": "2013-01-31"}
NEXT_DAY = {"first_day": "2013-02-01", "last_day": "2013-02-01"}
TWO_DAYS = {"first_day": "2013-01-01", "last_day": "2013-01-02"}
PROJECT, POD = "lake-of-the-tests", "pod-of-the-tests:1"
ON_S3 = {"COMPOSE_PROFILES": "s3", "LAKE_ROOT": "s3a://lake/tables", "LAKE_STORAGE_CONNECTION": "lake_s3"}
"""What docs/docker.md writes into .env for a lake on the S3 server of the file; and S3=1, which all containers of these tests are built with."""
local = pytest.mark.parametrize("containers", [{}], indirect=True, ids=["on_a_volume"])
on_s3 = pytest.mark.parametrize("containers", [ON_S3], indirect=True, ids=["on_s3"])


class Containers:
    """docker-compose.yaml on an engine of the tests' own, with secrets and a landing folder of its own."""

    def __init__(self, address: str, folder: Path, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.settings, self.folder, self.landing = settings, folder, folder / "landing"
        airflow, mlflow = free_ports(2)
        self.airflow_address, self.mlflow_address = f"http://127.0.0.1:{airflow}", f"http://127.0.0.1:{mlflow}"
        self.landing.mkdir()
        monkeypatch.setattr(credentials, "COMPOSE_SECRETS", folder / ".env")
        credentials.ensure_compose_secrets()
        self.secrets = dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines())
        places = {"DOCKER_HOST": address, "COMPOSE_PROJECT_NAME": PROJECT, "LAKE_LANDING": str(self.landing)}
        ports = {"LAKE_AIRFLOW_PORT": str(airflow), "LAKE_MLFLOW_PORT": str(mlflow)}
        own = {**settings, **places, **ports, "S3": "1", "LAKE_SCHEDULE": "off"}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LAKE_", "AIRFLOW", "SPARK_", "COMPOSE", "DOCKER"))}
        self.environment = {**inherited, **self.secrets, **own}

    def call(self, *command: str) -> str:
        """What the command prints; it must not fail."""
        done = subprocess.run(command, cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-3000:]}"
        return done.stdout

    def docker(self, *words: str) -> str:
        """`docker` with these words."""
        return self.call("docker", *words)

    def up(self) -> None:
        """Build what is not built, start all and wait until they are healthy."""
        self.call("make", "compose-up", f"BUILD_ARGS=--build-arg SSL_CERT_FILE={engine.CERTIFICATES}")

    def land(self, first: str, last: str) -> None:
        """Real flights into the landing folder, for whoever the containers run as."""
        land(self.landing, date.fromisoformat(first), date.fromisoformat(last))
        for path in (self.landing, *self.landing.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

    def api(self) -> AirflowApi:
        """Airflow's REST API, as the user admin."""
        passwords = self.folder / "passwords.json"
        credentials.write_private(passwords, json.dumps({"admin": self.secrets["AIRFLOW_ADMIN_PASSWORD"]}))
        return AirflowApi(self.airflow_address, passwords)

    def run(self, run_id: str, form: dict[str, str]) -> dict[str, str]:
        """Task to its state, "" to the run's, of a run by the form."""
        api = self.api()
        api.trigger(DAILY, run_id, form)
        return dict(api.follow(DAILY, run_id, PATIENCE_SECONDS))

    def wait_for(self, dag: str) -> dict[str, Any]:
        """The newest run of a DAG that another one wakes, ended."""
        api, until = self.api(), time.monotonic() + PATIENCE_SECONDS
        while True:
            runs = api.runs(dag)
            if runs and runs[0]["state"] in {"success", "failed"}:
                return runs[0]
            assert time.monotonic() < until, runs
            time.sleep(2)

    @property
    def tables(self) -> Path:
        """The volume of the lake, as the engine keeps it; the S3 server keeps an object as a file."""
        volume, folder = ("s3", "lake/tables") if self.settings else ("lake", "")
        return Path(json.loads(self.docker("volume", "inspect", f"{PROJECT}_{volume}"))[0]["Mountpoint"], folder)

    def rows(self, table: str) -> pd.DataFrame:
        """A published table, sorted, as a reader sees it who has only delta-rs."""
        frame = DeltaTable(self.tables / table.replace(".", "/")).to_pandas()
        return frame.sort_values(sorted(frame.columns), ignore_index=True)[sorted(frame.columns)]

    def versions(self) -> dict[str, int]:
        """Every published table of bronze, silver and gold with its Delta version; but the models' health, which follows in its own time."""
        logs = [log for layer in ("bronze", "silver", "gold") for log in sorted(self.tables.glob(f"{layer}/*/_delta_log"))]
        return {f"{log.parent.parent.name}.{log.parent.name}": DeltaTable(log.parent).version() for log in logs if log.parent.name != "model_health"}

    def champion(self) -> str:
        """The version that MLflow calls champion."""
        asked = {"name": MODEL, "alias": "champion"}
        answer = requests.get(f"{self.mlflow_address}/api/2.0/mlflow/registered-models/alias", params=asked, timeout=30)
        assert answer.ok, answer.text
        return str(answer.json()["model_version"]["version"])


@pytest.fixture(scope="module")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an engine that has all images which docker-compose.yaml would pull."""
    folder = tmp_path_factory.mktemp("engine")
    with engine.started_engine(folder) as address:
        engine.make_images(address, folder)
        yield address


@pytest.fixture(scope="module")
def containers(docker: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """The image built and everything up, with these settings."""
    if request.param and not engine.has_go():
        pytest.skip("go (1.21 or newer) not found: the S3 server of docker-compose.yaml is built from its module here")
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = Containers(docker, tmp_path_factory.mktemp("containers"), request.param, monkeypatch)
        try:
            made.up()
            yield made
        finally:
            made.call("docker-compose", "down", "-v")
            shutil.rmtree(made.landing)


@local
def test_a_month_is_published_learned_from_and_predicted_and_nothing_is_lost_by_down_and_up(containers: Containers) -> None:
    containers.land("2013-01-01", "2013-02-01")
    states = containers.run("january", JANUARY)
    assert states[""] == "success", states
    assert containers.wait_for(f"{MODEL}_training")["state"] == "success"
    assert containers.champion() == "1"
    assert containers.run("first_of_february", NEXT_DAY)[""] == "success"
    assert containers.wait_for(f"{MODEL}_inference")["state"] == "success"
    days = containers.rows("gold.daily_flights")
    assert sorted(str(day) for day in days["flight_date"]) == [f"2013-01-{day:02}" for day in range(1, 32)] + ["2013-02-01"]
    predictions, versions = containers.rows("gold.delay_predictions"), containers.versions()
    assert {str(day) for day in predictions["flight_date"]} == {"2013-02-01"}

    containers.call("docker-compose", "down")
    containers.up()
    assert {run["dag_run_id"] for run in containers.api().runs(DAILY)} == {"january", "first_of_february"}
    assert containers.champion() == "1"
    assert containers.run("again", NEXT_DAY)[""] == "success"
    assert containers.versions() == versions, "nothing changed, so nothing was written"
    assert containers.rows("gold.delay_predictions").equals(predictions)


@local
def test_the_doctor_reaches_every_part_from_where_tasks_run_and_shows_no_secret(containers: Containers) -> None:
    said = containers.call("docker-compose", "exec", "-T", "airflow-scheduler", "python", "-m", "launcher", "doctor")
    lines = [line.split() for line in said.splitlines()]
    assert [line[:2] for line in lines] == [["ok", part] for part in PARTS]
    assert "spark_lake: the server spark-connect:15002, Spark 4.2.0, workers on Python 3.11" in said
    assert not [name for name, value in containers.secrets.items() if name != "AIRFLOW_UID" and value in said]


@local
def test_the_same_layers_make_the_image_of_a_pod_on_kubernetes(containers: Containers) -> None:
    given = {"AIRFLOW_UID": containers.secrets["AIRFLOW_UID"], "S3": "1", "SSL_CERT_FILE": str(engine.CERTIFICATES)}
    arguments = [part for name, value in given.items() for part in ("--build-arg", f"{name}={value}")]
    containers.docker("build", "--quiet", "--target", "kubernetes", *arguments, "--tag", POD, ".")
    alone = ["run", "--rm", "--read-only", "--tmpfs", "/tmp:exec", "--network", "none", "--hostname", "localhost", "--cap-drop", "ALL"]  # noqa: S108 - in the container
    driver = ["docker", *alone, "--env", "SPARK_DRIVER_BIND_ADDRESS=127.0.0.1", POD, "driver", "--version"]
    started = subprocess.run(driver, env=containers.environment, capture_output=True, text=True, check=True)
    assert f"version {version('pyspark')}" in started.stderr
    other = subprocess.run(["docker", *alone, POD, "worker"], env=containers.environment, capture_output=True, text=True, check=False)
    assert other.stderr.strip() == "A pod of Spark is a driver or an executor, found 'worker': this image is for spark.kubernetes.container.image alone."


@local
@pytest.mark.parametrize("service", [name for name, facts in engine.COMPOSE["services"].items() if name != "airflow-init" and "profiles" not in facts])
def test_a_container_runs_as_no_root_and_can_change_none_of_its_own_files(containers: Containers, service: str) -> None:
    require_confined(containers, service)


def require_confined(containers: Containers, service: str) -> None:
    name = containers.call("docker-compose", "ps", "-q", service).strip()
    facts = json.loads(containers.docker("inspect", name))[0]
    status = Path(f"/proc/{facts['State']['Pid']}/status").read_text()
    held = {line.split(":")[0]: line.split(":")[1].split() for line in status.splitlines()}
    assert "0" not in held["Uid"]
    assert (int(held["CapEff"][0], 16), held["NoNewPrivs"]) == (0, ["1"])
    refused = subprocess.run(["docker", "exec", name, "touch", "/etc/mine"], env=containers.environment, capture_output=True, text=True, check=False)
    assert "Read-only file system" in refused.stderr
    assert facts["HostConfig"]["Memory"] > 0


@on_s3
def test_the_lake_is_on_the_s3_server_of_the_same_file_by_its_settings_alone(containers: Containers) -> None:
    containers.land("2013-01-01", "2013-01-02")
    states = containers.run("two_days", TWO_DAYS)
    assert states[""] == "success", states
    days = containers.rows("gold.daily_flights")
    assert dict(zip(days["flight_date"].astype(str), days["flights"], strict=True)) == {"2013-01-01": 842, "2013-01-02": 943}
    volume = json.loads(containers.docker("volume", "inspect", f"{PROJECT}_lake"))[0]["Mountpoint"]
    assert not list(Path(volume).iterdir()), "nothing of the lake is where it would be without S3"
    versions = containers.versions()
    assert containers.run("again", TWO_DAYS)[""] == "success"
    assert containers.versions() == versions
    require_confined(containers, "s3")
