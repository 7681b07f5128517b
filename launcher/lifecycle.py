"""`up` and `down`: the whole lake, started until it is healthy and ended without a trace."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from launcher.credentials import ensure_airflow_secrets, write_private
from launcher.environment import MARK, lake_environment, process_environment
from launcher.errors import LauncherError
from launcher.health import airflow_ills, mlflow_answers, spark_answers
from launcher.jars import require_jars
from launcher.layout import load_ports, load_state
from launcher.ports import require_free
from launcher.processes import end_all
from launcher.supervision import Supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from launcher.layout import State

# An idle machine of two cores needs 20, a busy one several times that.
PATIENCE_SECONDS = 300


def up() -> None:
    """Starts what does not run yet and returns when everything is healthy. Raises LauncherError where something does not become so."""
    state = load_state()
    with _alone(state):
        supervisor = Supervisor(state)
        if not supervisor.is_running():
            _start(state, supervisor)
        supervisor.start_missing()
        _wait(state, supervisor)
    print(addresses(state))


def down() -> None:
    """Ends everything that this lake has started, also what a killed supervisor left behind."""
    state = load_state()
    with _alone(state):
        supervisor = Supervisor(state)
        if supervisor.is_running():
            print("stopping ...", flush=True)
            supervisor.stop()
        # Tasks and Spark's Python workers are in process groups of their own, where the supervisor does not look.
        end_all(state)
        state.socket.unlink(missing_ok=True)
    print("Nothing of this lake is running.")


def status() -> bool:
    """Prints each program's state and the addresses; returns whether all is well."""
    state = load_state()
    supervisor = Supervisor(state)
    if not supervisor.is_running():
        print("Not running: `make up` starts it.")
        return False
    for name, found, description in supervisor.describe():
        print(f"{name:14} {found:9} {description}")
    ills = _ills()
    for name, ill in ills.items():
        print(f"not healthy: {name}: {ill}")
    print(addresses(state))
    return not ills


def clean() -> None:
    """Forgets the lake: its tables and its state. The environment, the jars and the landed files stay."""
    environment = lake_environment()
    down()
    state, project, root = load_state(), Path(environment["LAKE_PROJECT"]), environment["LAKE_ROOT"]
    if "://" in root or project not in Path(root).parents:
        print(f"The tables are outside the project and stay: {root}")
    else:
        shutil.rmtree(root, ignore_errors=True)
        print(f"forgotten: {root}")
    if state.folder.is_dir():
        for entry in state.folder.iterdir():
            if entry != Path(environment["LAKE_JARS"]):
                shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        print(f"forgotten: {state.folder}, except the jars")
    print(f"Landed files are yours and stay: {environment['LAKE_LANDING']}")


def addresses(state: State) -> str:
    """Where the pages are, who logs in, and the file with the password."""
    environment = lake_environment()
    return "\n".join(
        [
            f"Airflow   {environment['LAKE_AIRFLOW_URL']}   user admin, password in {state.passwords}",
            f"MLflow    {environment['LAKE_MLFLOW_URL']}",
            f"Spark     {environment['LAKE_SPARK_URL']}",
            f"Logs      {state.logs}",
        ]
    )


@contextmanager
def _alone(state: State) -> Iterator[None]:
    """One `up`, `down` or `clean` at a time; the lock goes with the process that holds it."""
    os.umask(0o077)
    for folder in (state.run, state.logs, state.airflow, state.artifacts, state.spark / "tmp"):
        folder.mkdir(parents=True, exist_ok=True)
    # Beside the state, not in it: `clean` removes what is in it.
    with (state.folder / "launcher.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise LauncherError(f"Another `make up` or `make down` of this lake is at work ({state.folder}): wait until it has ended.") from None
        yield


def _start(state: State, supervisor: Supervisor) -> None:
    require_jars()
    if left := end_all(state):
        print(f"ended {left} processes that an earlier run had left behind", flush=True)
    require_free(load_ports().values())
    ensure_airflow_secrets(state)
    print("starting Spark and MLflow ...", flush=True)
    supervisor.start()
    _migrate(state)
    print("starting Airflow ...", flush=True)


def _migrate(state: State) -> None:
    """Makes or updates Airflow's database; nothing to do where this Airflow did it before."""
    done, version = state.airflow / "database-version", _airflow_version()
    database = process_environment()["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    stamp = f"{version} {database}\n"
    local = Path(database.removeprefix("sqlite:///"))
    if done.exists() and done.read_text() == stamp and (local.exists() or not database.startswith("sqlite")):
        return
    print("preparing Airflow's database ...", flush=True)
    log = state.logs / "airflow-database.log"
    with log.open("w") as output:
        environment = {**process_environment(), MARK: str(state.folder)}
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        if subprocess.run(command, env=environment, stdout=output, stderr=output, cwd=state.run, check=False).returncode:  # noqa: S603
            raise LauncherError(f"Airflow's database could not be prepared: {log} says why.")
    write_private(done, stamp)


def _airflow_version() -> str:
    from importlib.metadata import version

    return version("apache-airflow-core")


def _wait(state: State, supervisor: Supervisor) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    told: set[str] = set()
    while ills := _ills():
        for name in {"Airflow", "Spark", "MLflow"} - {_server(part) for part in ills} - told:
            told.add(name)
            print(f"{name} is healthy", flush=True)
        given_up = [name for name, found in supervisor.states().items() if found == "FATAL"]
        if given_up or time.monotonic() > until:
            named = ", ".join(given_up) or ", ".join(f"{part} ({ill})" for part, ill in ills.items())
            raise LauncherError(f"Not healthy: {named}. The logs in {state.logs} say why; `make down` ends what was started.")
        time.sleep(0.5)


def _ills() -> dict[str, str]:
    ills = airflow_ills()
    if not spark_answers():
        ills["spark"] = "no answer"
    if not mlflow_answers():
        ills["mlflow"] = "no answer"
    return ills


def _server(part: str) -> str:
    return {"spark": "Spark", "mlflow": "MLflow"}.get(part, "Airflow")
