"""The environment variables that every process of a lake gets."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from expectations.settings import load_settings
from launcher.layout import LOOPBACK, REPOSITORY, jars_folder, load_ports, load_state

# The mark by which the launcher knows its own processes again; its value is the state folder.
MARK = "LAKE_SUPERVISED_BY"
PROGRAM = "LAKE_PROGRAM"
CONNECTION = "AIRFLOW_CONN_SPARK_LAKE"
"""The connection of the Spark jobs; one that is set already stays."""


def lake_environment() -> dict[str, str]:
    """Where the lake is, and the switches that every Python process of it needs."""
    settings, state, mlflow = load_settings(), load_state(), load_ports()["mlflow"]
    tracking = os.environ.get("MLFLOW_TRACKING_URI") or own_tracking_store()
    search = [str(REPOSITORY), str(REPOSITORY / "plugins")]
    # A lake in a folder of its own: its table files are importable too.
    search += [str(settings.project)] if settings.project != REPOSITORY else []
    return {
        "LAKE_PROJECT": str(settings.project),
        "LAKE_STATE": str(state.folder),
        "LAKE_ENV": settings.environment,
        "LAKE_ROOT": settings.root,
        "LAKE_LANDING": settings.landing,
        "LAKE_LEDGER_URL": settings.ledger_url,
        "LAKE_METASTORE": settings.metastore.address,
        "LAKE_JARS": str(jars_folder()),
        "LAKE_AIRFLOW_URL": f"http://{LOOPBACK}:{load_ports()['airflow'].number}",
        "LAKE_SPARK_URL": f"sc://{LOOPBACK}:{load_ports()['spark'].number}",
        "LAKE_MLFLOW_URL": _page_of(tracking) or f"http://{LOOPBACK}:{mlflow.number}",
        "MLFLOW_TRACKING_URI": tracking,
        # MLflow's own name for it: without it a client of the SQLite store writes `./mlruns` where it stands.
        "_MLFLOW_SERVER_ARTIFACT_ROOT": str(state.artifacts),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "GX_ANALYTICS_ENABLED": "false",
        "PYTHONPATH": os.pathsep.join(search),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        # setproctitle would overwrite the memory that /proc/<pid>/environ shows, and with it the launcher's mark.
        "SPT_NOENV": "1",
        "TZ": "UTC",
    }


def own_tracking_store() -> str:
    """Where MLflow keeps runs and models unless MLFLOW_TRACKING_URI says otherwise."""
    return f"sqlite:///{load_state().folder}/mlflow.db"


def is_server(tracking: str) -> bool:
    """Whether an address of MLflow is that of a server, not of a store."""
    return tracking.startswith(("http://", "https://"))


def _page_of(tracking: str) -> str:
    """Where a browser finds a server of one's own; empty for a store, which `make up` serves. It is shown, so it has no login."""
    if not is_server(tracking):
        return ""
    address = urlsplit(tracking)
    return os.environ.get("LAKE_MLFLOW_URL") or address._replace(netloc=address.netloc.rpartition("@")[2]).geturl()


def airflow_environment() -> dict[str, str]:
    """Airflow's settings for one machine, beside those of the lake. Secrets are in airflow.cfg, not here."""
    state, ports = load_state(), load_ports()
    address = f"http://{LOOPBACK}:{ports['airflow'].number}"
    settings = {
        "CORE__EXECUTOR": "medallion.warm_executor.WarmExecutor",
        "CORE__PARALLELISM": os.environ.get("LAKE_PARALLEL_TASKS") or "4",
        "CORE__DAGS_FOLDER": os.environ.get("LAKE_DAGS") or str(REPOSITORY / "dags"),
        "CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "True",
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(state.passwords),
        # The default looks the name up in DNS, which a machine without network waits for.
        "CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "API__HOST": LOOPBACK,
        "API__PORT": str(ports["airflow"].number),
        "API__BASE_URL": address,
        "API__WORKERS": "1",
        "DATABASE__SQL_ALCHEMY_CONN": os.environ.get("LAKE_AIRFLOW_DATABASE") or f"sqlite:///{state.airflow}/airflow.db",
        "LOGGING__BASE_LOG_FOLDER": str(state.logs / "tasks"),
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(state.logs / "dag-files"),
        "LOGGING__FILE_TASK_HANDLER_NEW_FOLDER_PERMISSIONS": "0o700",
        "LOGGING__FILE_TASK_HANDLER_NEW_FILE_PERMISSIONS": "0o600",
        "LOGGING__COLORED_CONSOLE_LOG": "False",
        **_pace(),
    }
    return {
        "AIRFLOW_HOME": str(state.airflow),
        CONNECTION: os.environ.get(CONNECTION) or json.dumps({"conn_type": "spark_connect", "host": LOOPBACK, "port": ports["spark"].number}),
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
    }


def _pace() -> dict[str, str]:
    """How fast Airflow looks for work and notices a death, in seconds.

    A scheduler that was killed: its successor takes its tasks for lost 20 s after the last heartbeat and looks every 10 s, so they run again
    within 30 s (defaults: 30 and 300). A task whose process was killed is found out after 40 s without a heartbeat, looked for every 5 s
    (defaults: 300 and 10); tasks send one every 5 s.
    """
    return {
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.2",
        "SCHEDULER__JOB_HEARTBEAT_SEC": "5",
        "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "5",
        "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "20",
        "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "40",
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "5",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "10",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "20",
    }


def process_environment() -> dict[str, str]:
    """This process's own variables, then the lake's and Airflow's, which win."""
    # An environment from elsewhere must not steer the lake's Python.
    inherited = {key: value for key, value in os.environ.items() if key not in {"PYTHONHOME", "SPARK_REMOTE", "VIRTUAL_ENV"}}
    return {**inherited, **lake_environment(), **airflow_environment()}
