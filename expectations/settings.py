"""Where this lake is. Read from the environment, once, by every process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from expectations.errors import ContractError, did_you_mean
from expectations.metastore import EMBEDDED, OFF, Metastore, metastore_of
from expectations.yaml_lines import line_of, read_yaml

REPOSITORY = Path(__file__).resolve().parent.parent
SWITCH = {"on": True, "true": True, "1": True, "yes": True, "off": False, "false": False, "0": False, "no": False}
NO_METASTORE = Metastore(OFF, Path())
PRIVATE_FILE = "LAKE_PRIVATE_FILE"
"""A job's variable: a JSON file with variables that may not be among its own, as a cluster shows those."""
ENVIRONMENT_KEYS = ("root", "landing", "ledger_url", "connection", "storage_connection", "schedule", "metastore")


@dataclass(frozen=True)
class Settings:
    """One lake in one environment.

    `root`, `landing`: a local folder or a URI (hdfs://, s3a://) without a slash at the end.
    `ledger_url`: a database URL for SQLAlchemy. `connection`: the Airflow connection its Spark jobs take.
    `storage_connection`: the one with the credentials of `root` and `landing`; empty where the machines have rights of their own.
    `schedule`: whether the daily DAGs run by the clock in this environment. `metastore`: where the tables' names are kept.
    """

    project: Path
    environment: str
    root: str
    landing: str
    ledger_url: str
    connection: str
    schedule: bool
    storage_connection: str = ""
    metastore: Metastore = NO_METASTORE

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
    def reports_path(self) -> str:
        """The folder of quality reports, one folder a run."""
        return f"{self.root}/_reports"

    @property
    def models_path(self) -> str:
        """The folder of model files and frozen training sets."""
        return f"{self.root}/_models"


def load_settings() -> Settings:
    """The settings of this process: LAKE_* variables first, then `expectations/environments.yaml` under LAKE_ENV, then defaults.

    Raises ContractError where LAKE_PROJECT is no lake, LAKE_ENV is not declared, or a setting cannot be meant.
    """
    project = Path(os.environ.get("LAKE_PROJECT") or REPOSITORY).resolve()
    environment = os.environ.get("LAKE_ENV") or "dev"
    declared = _environment(project, environment)
    state = Path(os.environ.get("LAKE_STATE") or project / ".lake").resolve()

    def setting(key: str, default: str) -> str:
        return os.environ.get(f"LAKE_{key.upper()}") or declared.get(key) or default

    return Settings(
        project=project,
        environment=environment,
        root=_absolute(setting("root", "data_lake"), project),
        landing=_absolute(setting("landing", "landing"), project),
        ledger_url=_absolute_url(setting("ledger_url", f"sqlite:///{state}/ledger.db"), project),
        connection=setting("connection", "spark_lake"),
        schedule=_switch(setting("schedule", "on")),
        storage_connection=setting("storage_connection", ""),
        metastore=_metastore(setting("metastore", EMBEDDED), state / "metastore"),
    )


def _absolute(place: str, project: Path) -> str:
    return place.rstrip("/") if "://" in place else str(project / Path(place).expanduser())


def _absolute_url(url: str, project: Path) -> str:
    """A relative SQLite file is one of the project: else every process would have its own, by where it was started."""
    file = url.removeprefix("sqlite:///")
    is_relative = url.startswith("sqlite:///") and file and not file.startswith(("/", ":", "file:"))
    return f"sqlite:///{project / file}" if is_relative else url


def _metastore(word: str, folder: Path) -> Metastore:
    """`off` too may come as false."""
    return metastore_of({True: EMBEDDED, False: OFF}[SWITCH[word.lower()]] if word.lower() in SWITCH else word, folder)


def _switch(word: str) -> bool:
    if word.lower() not in SWITCH:
        raise ContractError(f"LAKE_SCHEDULE or `schedule` is {word[:40]!r}; write on or off.")
    return SWITCH[word.lower()]


@cache
def _environment(project: Path, environment: str) -> dict[str, str]:
    """What the environment declares, as texts; YAML's on and off come as true and false."""
    file = project / "expectations" / "environments.yaml"
    if not (project / "expectations").is_dir():
        raise ContractError(f"LAKE_PROJECT={project} has no folder expectations/: point it at the folder that holds your contracts.")
    declared = (read_yaml(file) if file.exists() else None) or {"dev": {}}
    if not isinstance(declared, dict):
        raise ContractError(f"{file}:1: expected one entry an environment, found {type(declared).__name__}.")
    if environment not in declared:
        names = list(map(str, declared))
        raise ContractError(f"LAKE_ENV={environment} is not declared in {file}, which has {', '.join(names)}.{did_you_mean(environment, names)}")
    facts = declared[environment] or {}
    if not isinstance(facts, dict):
        place = f"{file}:{line_of(file, (environment,))}"
        raise ContractError(f"{place}: {environment}: expected keys and values, found {type(facts).__name__}; known are {', '.join(ENVIRONMENT_KEYS)}.")
    for key, value in facts.items():
        place = f"{file}:{line_of(file, (environment, key))}"
        if key not in ENVIRONMENT_KEYS:
            known = ", ".join(ENVIRONMENT_KEYS)
            raise ContractError(f"{place}: {environment}: unknown key {key!r}; known are {known}.{did_you_mean(str(key), ENVIRONMENT_KEYS)}")
        if isinstance(value, (dict, list)):
            raise ContractError(f"{place}: {environment}: {key} must be one value, found {type(value).__name__}.")
    return {key: str(value) for key, value in facts.items() if value is not None}
