"""The glue's tests: a small lake of their own, an Airflow home that is thrown away, and an engine that answers what a test asks for."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

# Airflow reads these when it is imported.
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__PLUGINS_FOLDER"] = str(Path(__file__).resolve().parents[2] / "plugins")
os.environ["AIRFLOW__API_AUTH__JWT_SECRET"] = secrets.token_hex(64)

if TYPE_CHECKING:
    from collections.abc import Callable

    from expectations.jobs import JobRequest, JobResult

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The lake of these tests; its tables and ledger lie in a folder of the test."""
    for variable in ("LAKE_ENV", "LAKE_LANDING", "LAKE_LEDGER_URL", "LAKE_CONNECTION", "LAKE_SCHEDULE", "LAKE_PYTHON", "LAKE_JARS", "LAKE_METASTORE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LAKE_PROJECT", str(HERE / "lake"))
    monkeypatch.setenv("LAKE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("LAKE_ROOT", str(tmp_path / "root"))
    return HERE / "lake"


@pytest.fixture(scope="session")
def airflow_database() -> None:
    """Airflow's own database, with nothing in it, in the Airflow home of this process."""
    from airflow.utils.db import initdb

    initdb()


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[JobRequest, str | None], JobResult]], None]:
    """Puts a function in the place of `spark_jobs.run.run`."""

    def put(run: Callable[[JobRequest, str | None], JobResult]) -> None:
        module = ModuleType("spark_jobs.run")
        module.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "spark_jobs.run", module)

    return put
