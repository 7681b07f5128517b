"""A lake of its own for each test: its state, ports and tables are not those of the machine's user."""

import pytest

VARIABLES = (
    "LAKE_ENV LAKE_PROJECT LAKE_ROOT LAKE_LANDING LAKE_LEDGER_URL LAKE_METASTORE LAKE_JARS LAKE_DAGS LAKE_SPARK_MEMORY LAKE_SPARK_MASTER LAKE_PARALLEL_TASKS "
    "LAKE_AIRFLOW_PORT LAKE_SPARK_PORT LAKE_MLFLOW_PORT LAKE_AIRFLOW_DATABASE MLFLOW_TRACKING_URI AIRFLOW_CONN_SPARK_LAKE LAKE_MLFLOW_URL"
)


@pytest.fixture(autouse=True)
def lake(tmp_path, monkeypatch):
    for name in VARIABLES.split():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAKE_STATE", str(tmp_path / "s"))
    return tmp_path
