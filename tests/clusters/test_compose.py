"""The lake in containers, as docs/docker.md starts it: a real Docker engine, the real image, a cluster of two workers, Postgres and MLflow."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from datetime import date
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
JANUARY = {"first_day": "2013-01-01", "last_day": "2013-01-31"}
NEXT_DAY = {"first_day": "2013-02-01", "last_day": "2013-02-01"}
PROJECT = "lake-of-the-tests"


class Containers:
    """docker-compose.yaml on an engine of the tests' own, with secrets and a landing folder of its own."""

    def __init__(self, address: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.landing = folder, folder / "landing"
        airflow, mlflow = free_ports(2)
        self.airflow_address, self.mlflow_address = f"http://127.0.0.1:{airflow}", f"http://127.0.0.1:{mlflow}"
        self.landing.mkdir()
        monkeypatch.setattr(credentials, "COMPOSE_SECRETS", folder / ".env")
        credentials.ensure_compose_secrets()
        self.secrets = dict(line.split("=", 1) for line in (folder / ".env").read_text().splitlines())
        ports = {"LAKE_AIRFLOW_PORT": str(airflow), "LAKE_MLFLOW_PORT": str(mlflow)}
        own = {"DOCKER_HOST": address, "COMPOSE_PROJECT_NAME": PROJECT, "LAKE_LANDING": str(self.landing), "LAKE_SCHEDULE": "off", **ports}
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
        """The volume of the lake, as the engine keeps it."""
        return Path(json.loads(self.docker("volume", "inspect", f"{PROJECT}_lake"))[0]["Mountpoint"])

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
def containers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    """The image built and everything up."""
    folder = tmp_path_factory.mktemp("containers")
    with pytest.MonkeyPatch.context() as monkeypatch, engine.started_engine(folder) as address:
        engine.make_images(address, folder)
        made = Containers(address, folder, monkeypatch)
        try:
            made.call("make", "compose-up", f"BUILD_ARGS=--build-arg SSL_CERT_FILE={engine.CERTIFICATES}")
            yield made
        finally:
            made.call("docker-compose", "down", "-v")
            shutil.rmtree(made.landing)


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
    containers.call("make", "compose-up", f"BUILD_ARGS=--build-arg SSL_CERT_FILE={engine.CERTIFICATES}")
    assert {run["dag_run_id"] for run in containers.api().runs(DAILY)} == {"january", "first_of_february"}
    assert containers.champion() == "1"
    assert containers.run("again", NEXT_DAY)[""] == "success"
    assert containers.versions() == versions, "nothing changed, so nothing was written"
    assert containers.rows("gold.delay_predictions").equals(predictions)


def test_the_doctor_reaches_every_part_from_where_tasks_run_and_shows_no_secret(containers: Containers) -> None:
    said = containers.call("docker-compose", "exec", "-T", "airflow-scheduler", "python", "-m", "launcher", "doctor")
    lines = [line.split() for line in said.splitlines()]
    assert [line[:2] for line in lines] == [["ok", part] for part in ("Python", "packages", "jars", "ledger", "root", "landing", "Spark", "Airflow", "MLflow")]
    assert "spark_lake: the server spark-connect:15002, Spark 4.2.0, workers on Python 3.11" in said
    assert not [name for name, value in containers.secrets.items() if name != "AIRFLOW_UID" and value in said]


@pytest.mark.parametrize("service", [name for name in engine.COMPOSE["services"] if name != "airflow-init"])
def test_a_container_runs_as_no_root_and_can_change_none_of_its_own_files(containers: Containers, service: str) -> None:
    name = containers.call("docker-compose", "ps", "-q", service).strip()
    facts = json.loads(containers.docker("inspect", name))[0]
    status = Path(f"/proc/{facts['State']['Pid']}/status").read_text()
    held = {line.split(":")[0]: line.split(":")[1].split() for line in status.splitlines()}
    assert "0" not in held["Uid"]
    assert (int(held["CapEff"][0], 16), held["NoNewPrivs"]) == (0, ["1"])
    refused = subprocess.run(["docker", "exec", name, "touch", "/etc/mine"], env=containers.environment, capture_output=True, text=True, check=False)
    assert "Read-only file system" in refused.stderr
    assert facts["HostConfig"]["Memory"] > 0
