"""Where this lake is. Read from the environment, once, by every process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

from expectations.errors import ContractError, did_you_mean

REPOSITORY = Path(__file__).resolve().parent.parent
ENVIRONMENT_KEYS = ("root", "landing", "ledger_url", "connection", "schedule")


@dataclass(frozen=True)
class Settings:
    """One lake in one environment.

    `root`, `landing`: a local folder or a URI (hdfs://, s3a://) without a slash at the end.
    `ledger_url`: a database URL for SQLAlchemy. `connection`: the Airflow connection its Spark jobs take.
    `schedule`: whether the daily DAGs run by the clock in this environment.
    """

    project: Path
    environment: str
    root: str
    landing: str
    ledger_url: str
    connection: str
    schedule: bool

    def table_path(self, table: str) -> str:
        """The Delta folder of `layer.table`."""
        layer, name = table.split(".")
        return f"{self.root}/{layer}/{name}"

    def quarantine_path(self, table: str) -> str:
        """The Delta folder where refused rows of `layer.table` wait."""
        layer, name = table.split(".")
        return f"{self.root}/_quarantine/{layer}/{name}"

    def staging_path(self, table: str, run_key: str) -> str:
        """A Parquet folder that only one run of one table writes."""
        return f"{self.root}/_staging/{table}/{run_key}"

    @property
    def runs_path(self) -> str:
        """The folder of result records, one JSON file a job."""
        return f"{self.root}/_runs"

    @property
    def models_path(self) -> str:
        """The folder of model files and frozen training sets."""
        return f"{self.root}/_models"


def load_settings() -> Settings:
    """The settings of this process: LAKE_* variables first, then `expectations/environments.yaml` under LAKE_ENV, then defaults.

    Raises ContractError where LAKE_PROJECT is no lake or LAKE_ENV is not declared.
    """
    project = Path(os.environ.get("LAKE_PROJECT") or REPOSITORY).resolve()
    environment = os.environ.get("LAKE_ENV") or "dev"
    declared = _environment(project, environment)
    state = os.environ.get("LAKE_STATE") or str(project / ".lake")

    def setting(key: str, default: str) -> str:
        return (os.environ.get(f"LAKE_{key.upper()}") or str(declared.get(key) or default)).rstrip("/")

    return Settings(
        project=project,
        environment=environment,
        root=_absolute(setting("root", "data_lake"), project),
        landing=_absolute(setting("landing", "landing"), project),
        ledger_url=setting("ledger_url", f"sqlite:///{state}/ledger.db"),
        connection=setting("connection", "spark_lake"),
        schedule=setting("schedule", "on").lower() in {"on", "true", "1"},
    )


def _absolute(place: str, project: Path) -> str:
    return place if "://" in place else str(project / place)


@cache
def _environment(project: Path, environment: str) -> dict[str, object]:
    file = project / "expectations" / "environments.yaml"
    if not (project / "expectations").is_dir():
        raise ContractError(f"LAKE_PROJECT={project} has no folder expectations/: point it at the folder that holds your contracts.")
    declared = yaml.safe_load(file.read_text()) or {} if file.exists() else {"dev": {}}
    if environment not in declared:
        hint = did_you_mean(environment, declared)
        raise ContractError(f"LAKE_ENV={environment} is not declared in {file}, which has {', '.join(declared)}.{hint}")
    keys: dict[str, object] = declared[environment] or {}
    for key in keys:
        if key not in ENVIRONMENT_KEYS:
            raise ContractError(f"{file}: {environment}: unknown key {key!r}; known are {', '.join(ENVIRONMENT_KEYS)}.{did_you_mean(key, ENVIRONMENT_KEYS)}")
    return keys
