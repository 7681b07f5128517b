"""The one real lake that all end-to-end and browser tests share: the launcher's, in a folder and on ports of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psutil
import pytest

from expectations.ledger import Ledger
from launcher.airflow_api import AirflowApi
from launcher.environment import MARK
from launcher.layout import REPOSITORY, State
from launcher.set_up import is_installed
from tests.free_ports import free_ports
from tests.server_process import is_open

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

DAILY = "nyc_flights_daily"
PATIENCE_SECONDS = 900.0
# One of the demo's daily runs shows what all of them do.
DEMO = "from launcher import demo; demo.DAYS = demo.DAYS[:1]; demo.demo()"
SUBMITTED = {"conn_type": "spark", "host": "local[2]", "extra": {"spark-binary": "spark-submit", "deploy-mode": "client"}}
SUBMITTING_DAG = '''"""A table built by spark-submit, in the lake whose other tables are built over Spark Connect."""

from airflow.sdk import DAG, Param

from medallion.lake_job import LakeJobOperator

with DAG("by_spark_submit", schedule=None, is_paused_upon_creation=False, params={"table": Param(""), "days": Param("")}):
    LakeJobOperator(
        task_id="build", verb="build", name="{{ params.table }}", days="{{ params.days }}", force="true", connection="spark_submitted"
    )
'''
FAILING_DAG = '''"""Two failures, of the data and of the surroundings."""

from airflow.sdk import DAG, task

from expectations.errors import DataError, TransientError
from medallion.retrying import task_defaults

with DAG("failing", schedule=None, is_paused_upon_creation=False, default_args=task_defaults("lake")):

    @task
    def data():
        raise DataError("silver.visits: held 2024-05-01")

    @task
    def surroundings():
        raise TransientError("no Spark Connect server answers")

    data()
    surroundings()
'''
BACK_TO_FRONT, MISTYPED = "back_to_front", "mistyped"
"""Runs of the daily DAG: one whose form names the later day first, one that was asked for by a field that no form has."""


class RunningLake:
    """A lake in `folder`, run by `python -m launcher` as a user would."""

    def __init__(self, folder: Path, project: Path = REPOSITORY, memory: str = "2g") -> None:
        self.folder, self.root, self.landing = folder, folder / "data_lake", folder / "landing"
        self.state = State(folder / "state")
        self.dags = folder / "dags"
        airflow, spark, mlflow = self.ports = free_ports(3)
        self.airflow_address, self.mlflow_address = f"http://127.0.0.1:{airflow}", f"http://127.0.0.1:{mlflow}"
        self.spark_address = f"sc://127.0.0.1:{spark}"
        ports = {"LAKE_AIRFLOW_PORT": airflow, "LAKE_SPARK_PORT": spark, "LAKE_MLFLOW_PORT": mlflow}
        places = {"LAKE_PROJECT": project, "LAKE_STATE": self.state.folder, "LAKE_ROOT": self.root, "LAKE_LANDING": self.landing, "LAKE_DAGS": self.dags}
        self.environment = {
            **_inherited(),
            **{name: str(value) for name, value in {**ports, **places}.items()},
            "LAKE_SPARK_MEMORY": memory,
            # Nobody waits for the clock here, and a run for yesterday would only disturb.
            "LAKE_SCHEDULE": "off",
            "AIRFLOW_CONN_SPARK_SUBMITTED": json.dumps(SUBMITTED),
        }

    def call(self, *command: str) -> subprocess.CompletedProcess[str]:
        """`python` with these arguments, in the lake's environment."""
        return subprocess.run([sys.executable, *command], cwd=REPOSITORY, env=self.environment, capture_output=True, text=True, check=False)

    def make(self, *words: str, **changed: str) -> subprocess.CompletedProcess[str]:
        """`make` as a user calls it in the repository, with other variables than this lake's where `changed` says so ("" is unset)."""
        # Its first step would otherwise change the packages under the running tests.
        assert is_installed("dev"), "the environment is not what requirements-dev.lock says; run `make setup-dev` first"
        environment = {name: value for name, value in {**self.environment, **changed}.items() if value}
        return subprocess.run(["make", "--no-print-directory", *words], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)

    def start(self) -> None:
        """`up`. The sample's DAG files are linked into a folder that has two more, which are there from the start: a new file is found late."""
        self.dags.mkdir(parents=True)
        (self.dags / "lake").symlink_to(REPOSITORY / "dags")
        (self.dags / "by_spark_submit.py").write_text(SUBMITTING_DAG)
        (self.dags / "failing.py").write_text(FAILING_DAG)
        ended = self.call("-m", "launcher", "up")
        assert ended.returncode == 0, ended.stdout + ended.stderr + self.log_ends()

    def stop(self) -> None:
        """`down`, after which nothing may be left."""
        ended = self.call("-m", "launcher", "down")
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert self.processes() == []
        assert not [port for port in self.ports if is_open(port)]

    def processes(self) -> list[psutil.Process]:
        """The living processes that carry this lake's mark."""
        return [process for process in psutil.process_iter() if _mark(process) == str(self.state.folder)]

    def log_ends(self) -> str:
        """The last lines of each program's log."""
        files = sorted(self.state.logs.glob("*.log"))
        return "".join(f"\n== {file.name}\n{file.read_text(errors='replace')[-1500:]}" for file in files)

    @cached_property
    def password(self) -> str:
        """Of the user admin on Airflow's page."""
        return str(json.loads(self.state.passwords.read_text())["admin"])

    @cached_property
    def api(self) -> AirflowApi:
        """Airflow's REST API."""
        return AirflowApi(self.airflow_address, self.state.passwords)

    @cached_property
    def ledger(self) -> Ledger:
        """The lake's ledger."""
        return Ledger(f"sqlite:///{self.state.folder}/ledger.db")

    def run(self, dag: str, run_id: str, **form: Any) -> str:
        """Fills the form, waits for the end, and returns the run's state."""
        self.api.trigger(dag, run_id, form)
        return self.end(dag, run_id)

    def end(self, dag: str, run_id: str) -> str:
        """Waits for the end of a run that was started, and returns its state."""
        return next(state for task, state in self.api.follow(dag, run_id, PATIENCE_SECONDS) if not task)

    def wait_for_dag(self, dag: str) -> None:
        """Until Airflow has read its file."""
        until = time.monotonic() + PATIENCE_SECONDS
        while not self.api.has_dag(dag):
            assert time.monotonic() < until, self.log_ends()
            time.sleep(0.2)

    def log_lines(self, dag: str, run_id: str, task: str) -> list[dict[str, Any]]:
        """What the task's page shows as the log of its first try."""
        path = f"/dags/{dag}/dagRuns/{quote(run_id, safe='')}/taskInstances/{task}/logs/1"
        lines: list[dict[str, Any]] = self.api.get(path, full_content="true")["content"]
        return lines

    def log(self, dag: str, run_id: str, task: str) -> str:
        """The same as one text, with the sentences of its errors."""
        lines = self.log_lines(dag, run_id, task)
        return "\n".join(text for line in lines for text in (line["event"], *(error["exc_value"] for error in line.get("error_detail") or ())))

    def frame(self, table: str, version: int | None = None) -> pd.DataFrame:
        """A table as a reader sees it who has only delta-rs."""
        from deltalake import DeltaTable

        return DeltaTable(self.root / table.replace(".", "/"), version=version).to_pandas()

    def versions(self) -> dict[str, int]:
        """Every published table with its Delta version, the quarantine's too; but the models' health, which follows a run in its own time."""
        from deltalake import DeltaTable

        logs = sorted(self.root.glob("*/*/_delta_log")) + sorted(self.root.glob("_quarantine/*/*/_delta_log"))
        return {str(log.parent.relative_to(self.root)): DeltaTable(log.parent).version() for log in logs if log.parent.name != "model_health"}


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLake]:
    """The running lake, empty or not: a test that needs tables asks for `published`."""
    made = RunningLake(tmp_path_factory.mktemp("lake"))
    try:
        made.start()
        yield made
    finally:
        made.stop()
        # A hundred thousand small files, of interest only while it runs.
        shutil.rmtree(made.root, ignore_errors=True)


@pytest.fixture(scope="session")
def published(lake: RunningLake) -> RunningLake:
    """The lake after the demo: a month by the form, a model, and 2013-02-01 by a backfill with its predictions."""
    ended = lake.call("-c", DEMO)
    assert ended.returncode == 0, ended.stdout + ended.stderr + lake.log_ends()
    return lake


@pytest.fixture(scope="session")
def refused(lake: RunningLake) -> RunningLake:
    """The running lake after the runs whose days cannot be, MISTYPED and BACK_TO_FRONT."""
    lake.wait_for_dag(DAILY)
    lake.api.trigger(DAILY, MISTYPED, {"frist_day": "2013-01-03"})
    lake.api.trigger(DAILY, BACK_TO_FRONT, {"first_day": "2013-01-03", "last_day": "2013-01-01"})
    assert [lake.end(DAILY, run_id) for run_id in (MISTYPED, BACK_TO_FRONT)] == ["failed", "failed"]
    return lake


def _inherited() -> dict[str, str]:
    """Nothing of the lake that runs this test, except the jars, which are the environment's."""
    others = ("LAKE_", "AIRFLOW", "MLFLOW", "SPARK_", MARK)
    return {key: value for key, value in os.environ.items() if key == "LAKE_JARS" or not key.startswith(others)}


def _mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except psutil.Error:
        return None
