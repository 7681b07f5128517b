"""Airflow as `airflow standalone` starts it, with the naive DAG in it and no setting but its address."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import urlopen

import psutil

from launcher.airflow_api import AirflowApi
from tests.free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

RIVALS = Path(__file__).with_name("rivals")
DAG = "naive_flights"
START_SECONDS = 180
PATIENCE_SECONDS = 3000.0


@contextmanager
def naive_airflow(folder: Path, landing: Path, root: Path, contracts: Path) -> Iterator[AirflowApi]:
    """Runs while it is used. `folder` keeps its database between two uses."""
    home, port = folder / "airflow", free_port()
    (home / "dags").mkdir(parents=True, exist_ok=True)
    shutil.copy(RIVALS / "naive_dag.py", home / "dags")
    log = (folder / "standalone.log").open("a")
    command = [str(Path(sys.executable).with_name("airflow")), "standalone"]
    program = subprocess.Popen(command, env=_environment(home, port, landing, root, contracts), stdout=log, stderr=log, start_new_session=True)
    try:
        yield _ready(f"http://127.0.0.1:{port}", home, program)
    finally:
        _end(program)
        log.close()


def run_day(api: AirflowApi, day: str) -> float:
    """Seconds of the naive DAG's run for the day, as Airflow notes them."""
    run_id = f"{day}_{time.time():.0f}"
    api.trigger(DAG, run_id, {"day": day})
    state = next(state for task, state in api.follow(DAG, run_id, PATIENCE_SECONDS) if not task)
    if state != "success":
        raise RuntimeError(f"{DAG} of {day} ended {state}: {api.task_states(DAG, run_id)}")
    return seconds_of(api, DAG, run_id)


def seconds_of(api: AirflowApi, dag: str, run_id: str) -> float:
    """From the click to the end of the run, by Airflow's own notes."""
    run = api.run(dag, run_id)
    if run is None:
        raise RuntimeError(f"Airflow knows no run {run_id} of {dag}")
    return (datetime.fromisoformat(run["end_date"]) - datetime.fromisoformat(run["queued_at"])).total_seconds()


def _environment(home: Path, port: int, landing: Path, root: Path, contracts: Path) -> dict[str, str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "LAKE_", "SPARK_", "MLFLOW")) and name != "PYTHONPATH"}
    return {
        **plain,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "AIRFLOW_HOME": str(home),
        # the address alone; one of its examples cannot be loaded without more packages
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_SPARK_NAIVE": json.dumps({"conn_type": "spark", "host": "local[*]", "extra": {"spark-binary": "spark-submit"}}),
        "NAIVE_CODE": str(RIVALS),
        "NAIVE_JARS": delta_jars(),
        "NAIVE_ROOT": str(root),
        "NAIVE_LANDING": str(landing),
        "NAIVE_CONTRACTS": str(contracts),
    }


def delta_jars() -> str:
    """The jars that `--packages io.delta:...` would bring, as `--jars` wants them."""
    return ",".join(str(jar) for jar in sorted(Path(os.environ["LAKE_JARS"]).glob("*.jar")) if jar.name.startswith(("delta-", "unitycatalog-")))


def _ready(address: str, home: Path, program: subprocess.Popen[bytes]) -> AirflowApi:
    passwords = home / "simple_auth_manager_passwords.json.generated"
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and program.poll() is None:
        try:
            with urlopen(f"{address}/api/v2/monitor/health", timeout=5) as answer:  # noqa: S310 - our own address
                health = json.load(answer)
            if health["scheduler"]["status"] == "healthy" and passwords.exists():
                api = AirflowApi(address, passwords)
                if api.has_dag(DAG):
                    return api
        except (URLError, OSError, ValueError, KeyError):
            pass
        time.sleep(1)
    raise RuntimeError(f"airflow standalone did not come up: {(home.parent / 'standalone.log').read_text()[-2000:]}")


def _end(program: subprocess.Popen[bytes]) -> None:
    """It and whatever it left behind: its children are in sessions of their own."""
    tree = [psutil.Process(program.pid), *psutil.Process(program.pid).children(recursive=True)] if program.poll() is None else []
    for process in tree:
        process.terminate()
    _, stubborn = psutil.wait_procs(tree, timeout=20)
    for process in stubborn:
        process.kill()
