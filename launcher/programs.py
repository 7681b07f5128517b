"""The programs of a lake: their commands, and the start of one of them under the supervisor."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from launcher.environment import PROGRAM, is_server, own_tracking_store, process_environment
from launcher.errors import LauncherError
from launcher.layout import LOOPBACK, load_ports, load_state
from launcher.processes import end, ours
from launcher.spark_server import server_command

if TYPE_CHECKING:
    from collections.abc import Callable

# Settings of another Spark on this machine; the local server must not read them.
FOREIGN_SPARK = ("SPARK_HOME", "SPARK_CONF_DIR", "SPARK_DIST_CLASSPATH", "PYSPARK_SUBMIT_ARGS", "YARN_CONF_DIR")


@dataclass(frozen=True)
class Program:
    """One process under the supervisor. `stop_seconds`: how long it may take to end before it is killed."""

    name: str
    command: Callable[[], list[str]]
    stop_seconds: int
    needs_database: bool = False


def _airflow(*arguments: str) -> Callable[[], list[str]]:
    return lambda: [sys.executable, "-m", "airflow", *arguments]


def _mlflow() -> list[str]:
    environment = process_environment()
    tracking = environment["MLFLOW_TRACKING_URI"]
    store = own_tracking_store() if is_server(tracking) else tracking  # a server of one's own is not served once more
    address = ["--host", LOOPBACK, "--port", str(load_ports()["mlflow"].number), "--workers", "1"]
    artifacts = ["--default-artifact-root", environment["_MLFLOW_SERVER_ARTIFACT_ROOT"]]
    return [sys.executable, "-m", "mlflow", "server", *address, "--backend-store-uri", store, *artifacts]


def _watch() -> list[str]:
    return [sys.executable, "-m", "launcher", "watch"]


# Every task log is on this machine, in one folder that the api-server reads: the log servers of scheduler and triggerer,
# which listen on every interface, are not started.
PROGRAMS = (
    Program("spark", server_command, stop_seconds=10),
    Program("mlflow", _mlflow, stop_seconds=5),
    Program("api-server", _airflow("api-server"), stop_seconds=5, needs_database=True),
    Program("scheduler", _airflow("scheduler", "--skip-serve-logs"), stop_seconds=10, needs_database=True),
    Program("dag-processor", _airflow("dag-processor"), stop_seconds=10, needs_database=True),
    Program("triggerer", _airflow("triggerer", "--skip-serve-logs"), stop_seconds=10, needs_database=True),
    Program("watch", _watch, stop_seconds=5),
)


def program(name: str) -> Program:
    """The program of that name. Raises LauncherError for an unknown one."""
    for candidate in PROGRAMS:
        if candidate.name == name:
            return candidate
    raise LauncherError(f"There is no program {name!r}: there are {', '.join(known.name for known in PROGRAMS)}.")


def run(name: str) -> None:
    """Becomes the program: never returns. First ends what an earlier, killed start of it has left behind (workers, tasks)."""
    chosen, state = program(name), load_state()
    end(ours(state, name))
    environment = {**process_environment(), PROGRAM: name}
    if name == "spark":
        environment = {key: value for key, value in environment.items() if key not in FOREIGN_SPARK}
        environment["PYSPARK_PYTHON"] = environment["PYSPARK_DRIVER_PYTHON"] = sys.executable
    if name == "mlflow":
        # The page only shows runs: its job queue would start nine helpers.
        environment["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    # Whatever a program writes without being asked where lands here, not in the repository.
    workplace = state.spark / "work" if name == "spark" else state.run
    workplace.mkdir(parents=True, exist_ok=True)
    os.chdir(workplace)
    command = chosen.command()
    os.execve(command[0], command, environment)  # noqa: S606
