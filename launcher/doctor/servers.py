"""The servers and the database that this environment names, asked over their own protocols."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from expectations.ledger.database import look_at_database
from expectations.settings import load_settings
from launcher.environment import is_server
from launcher.errors import LauncherError
from launcher.health import airflow_ills, mlflow_answers

if TYPE_CHECKING:
    from collections.abc import Mapping

EXECUTION_API = "/execution/"
START = "`make up` starts it, `make logs` or its container's log says why it ended"


def ledger() -> str:
    """The ledger's address and schema. Raises LakeError where it cannot be opened."""
    return look_at_database(load_settings().ledger_url)


def airflow_address(environment: Mapping[str, str]) -> str:
    """Where tasks find Airflow's API server, else where browsers do, else its default."""
    execution = environment.get("AIRFLOW__CORE__EXECUTION_API_SERVER_URL", "").removesuffix(EXECUTION_API)
    return execution or environment.get("AIRFLOW__API__BASE_URL", "").rstrip("/") or "http://localhost:8080"


def airflow(address: str) -> str:
    """Airflow's address and that all of its parts are healthy. Raises LauncherError with those that are not."""
    if ills := airflow_ills(address):
        named = ", ".join(f"{part}: {ill}" for part, ill in ills.items())
        raise LauncherError(f"{shown(address)}: not healthy: {named}; {START}.")
    return f"{shown(address)}: API server, database, scheduler, triggerer and DAG processor are healthy"


def mlflow_address(environment: Mapping[str, str], *, is_local: bool) -> str:
    """Where MLflow's server is; empty where jobs write to its store without one. Elsewhere LAKE_MLFLOW_URL is a browser's address, not ours."""
    store = environment.get("MLFLOW_TRACKING_URI", "")
    return store.rstrip("/") if is_server(store) else environment.get("LAKE_MLFLOW_URL", "") if is_local else ""


def mlflow(address: str) -> str:
    """MLflow's address, where its server says that it is well. Raises LauncherError where it does not."""
    if not mlflow_answers(address):
        raise LauncherError(f"{shown(address)}: no answer; {START}.")
    return f"{shown(address)}: healthy"


def shown(address: str) -> str:
    """An address without the name, password and query that may be in it."""
    return re.sub(r"//.*@", "//***@", address).partition("?")[0]
