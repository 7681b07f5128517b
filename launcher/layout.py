"""Where the launcher keeps its files, and which ports it takes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from launcher.errors import LauncherError

REPOSITORY = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
# A unix socket's path has 108 bytes on Linux; supervisor appends its pid while it starts.
LONGEST_SOCKET_PATH = 96


@dataclass(frozen=True)
class State:
    """The state folder of one lake (`.lake/`, moved by LAKE_STATE): everything local that is not a table."""

    folder: Path

    @property
    def run(self) -> Path:
        """Sockets, pids and the generated supervisor configuration."""
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        """All logs: one file a program, and the tasks' own under `tasks/`."""
        return self.folder / "logs"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME."""
        return self.folder / "airflow"

    @property
    def spark(self) -> Path:
        """The local Spark server's working, temporary and warehouse folders."""
        return self.folder / "spark"

    @property
    def artifacts(self) -> Path:
        """Where MLflow keeps the files of its runs."""
        return self.folder / "mlflow-artifacts"

    @property
    def passwords(self) -> Path:
        """JSON, user name to password, for Airflow's page."""
        return self.airflow / "passwords.json"

    @property
    def socket(self) -> Path:
        """The supervisor's unix socket. Raises LauncherError where the system cannot hold so long a path."""
        path = self.run / "supervisor.sock"
        if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
            raise LauncherError(
                f"The state folder's path is too long for a unix socket ({path}, at most {LONGEST_SOCKET_PATH} bytes): point LAKE_STATE to a shorter folder."
            )
        return path


@dataclass(frozen=True)
class Port:
    """One TCP port on the loopback interface and the variable that changes it."""

    title: str
    variable: str
    number: int


def load_state() -> State:
    """LAKE_STATE, else `.lake` in the lake's project (LAKE_PROJECT, else this repository)."""
    project = Path(os.environ.get("LAKE_PROJECT") or REPOSITORY)
    return State(Path(os.environ.get("LAKE_STATE") or project / ".lake").resolve())


def jars_folder() -> Path:
    """The Delta jars belong to the environment, not to one lake: LAKE_JARS, else `.lake/jars` of this repository."""
    return Path(os.environ.get("LAKE_JARS") or REPOSITORY / ".lake" / "jars").resolve()


def load_ports() -> dict[str, Port]:
    """The ports by short name: airflow, spark, mlflow. Raises LauncherError for what is no port number."""
    wanted = {
        "airflow": ("Airflow", "LAKE_AIRFLOW_PORT", 8080),
        "spark": ("Spark Connect", "LAKE_SPARK_PORT", 15002),
        "mlflow": ("MLflow", "LAKE_MLFLOW_PORT", 5000),
    }
    ports = {name: Port(title, variable, _number(variable, default)) for name, (title, variable, default) in wanted.items()}
    if len({port.number for port in ports.values()}) < len(ports):
        named = ", ".join(f"{port.variable}={port.number}" for port in ports.values())
        raise LauncherError(f"Two programs cannot share a port, found {named}: give each its own.")
    return ports


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable) or str(default)
    if not text.isdigit() or not 1024 <= int(text) <= 65535:  # noqa: PLR2004
        raise LauncherError(f"{variable} must be a port from 1024 to 65535, found {text!r}.")
    return int(text)
