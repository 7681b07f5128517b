import json

import pytest

from launcher.environment import airflow_environment, lake_environment, process_environment
from launcher.layout import REPOSITORY, load_state
from launcher.programs import program


def test_every_process_learns_where_the_lake_is(tmp_path):
    found = lake_environment()
    assert found["LAKE_PROJECT"] == str(REPOSITORY)
    assert found["LAKE_ROOT"] == f"{REPOSITORY}/data_lake"
    assert found["LAKE_LANDING"] == f"{REPOSITORY}/landing"
    assert found["LAKE_LEDGER_URL"] == f"sqlite:///{tmp_path}/s/ledger.db"
    assert found["MLFLOW_TRACKING_URI"] == f"sqlite:///{tmp_path}/s/mlflow.db"
    assert found["PYTHONPATH"] == f"{REPOSITORY}:{REPOSITORY}/plugins"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MLFLOW_DISABLE_TELEMETRY", "true"),
        ("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false"),
        ("GX_ANALYTICS_ENABLED", "false"),
    ],
)
def test_libraries_neither_phone_home_nor_unpickle(name, value):
    assert lake_environment()[name] == value


def test_airflow_listens_on_the_loopback_interface_and_loads_no_examples(monkeypatch):
    monkeypatch.setenv("LAKE_AIRFLOW_PORT", "18080")
    found = airflow_environment()
    assert found["AIRFLOW__API__HOST"] == "127.0.0.1"
    assert found["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:18080/execution/"
    assert found["AIRFLOW__CORE__LOAD_EXAMPLES"] == "False"


def test_the_connection_leads_to_the_local_spark_server(monkeypatch):
    monkeypatch.setenv("LAKE_SPARK_PORT", "16002")
    assert json.loads(airflow_environment()["AIRFLOW_CONN_SPARK_LAKE"]) == {"conn_type": "spark_connect", "host": "127.0.0.1", "port": 16002}


def test_a_connection_to_another_spark_that_is_set_already_stays(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_SPARK_LAKE", "spark://master:7077")
    assert process_environment()["AIRFLOW_CONN_SPARK_LAKE"] == "spark://master:7077"


def test_an_mlflow_server_of_ones_own_is_asked_and_linked_and_not_served_again(monkeypatch):
    assert lake_environment()["LAKE_MLFLOW_URL"] == "http://127.0.0.1:5000"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ada:of-a-test@mlflow.example:5000")
    found = lake_environment()
    assert (found["MLFLOW_TRACKING_URI"], found["LAKE_MLFLOW_URL"]) == ("http://ada:of-a-test@mlflow.example:5000", "http://mlflow.example:5000")
    monkeypatch.setenv("LAKE_MLFLOW_URL", "https://mlflow.example")
    assert lake_environment()["LAKE_MLFLOW_URL"] == "https://mlflow.example"
    command = program("mlflow").command()
    assert command[command.index("--backend-store-uri") + 1] == f"sqlite:///{load_state().folder}/mlflow.db"


def test_a_death_is_noticed_within_a_minute():
    found = airflow_environment()
    lost_task = int(found["AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"])
    looked_for = int(found["AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL"])
    lost_scheduler = int(found["AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD"])
    orphans = int(found["AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL"])
    assert (lost_task, looked_for) == (40, 5)
    assert (lost_scheduler, orphans) == (20, 10)


def test_no_secret_is_in_the_environment():
    names = " ".join(airflow_environment()).lower()
    assert "fernet" not in names
    assert "secret" not in names


def test_another_airflow_or_spark_of_the_user_does_not_steer_this_one(monkeypatch, tmp_path):
    monkeypatch.setenv("AIRFLOW_HOME", "/elsewhere")
    monkeypatch.setenv("SPARK_REMOTE", "sc://elsewhere")
    found = process_environment()
    assert found["AIRFLOW_HOME"] == f"{tmp_path}/s/airflow"
    assert "SPARK_REMOTE" not in found
