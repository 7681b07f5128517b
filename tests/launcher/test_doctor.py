"""`make doctor`: a line for each part, whatever it meets, and no secret in any."""

import json
import os
import secrets
import subprocess
import sys
import time

import pytest

from launcher import doctor
from launcher.doctor import Probe, environment, examine, installed, probes
from launcher.doctor.servers import airflow_address, mlflow_address, shown
from launcher.errors import LauncherError
from launcher.layout import REPOSITORY, load_state
from tests.free_ports import free_ports

PASSWORD = secrets.token_hex()


def raising(error):
    raise error


def test_each_part_has_a_line_in_their_order_whatever_happens_to_it():
    release = []
    asked = [
        Probe("slow", lambda: time.sleep(0.1) or "there", 5),
        Probe("wrong", lambda: raising(LauncherError("not there:\nstart it")), 5),
        Probe("broken", lambda: raising(ValueError(PASSWORD)), 5),
        Probe("hanging", lambda: [time.sleep(0.01) for _ in iter(lambda: len(release), 1)] and "never", 0.2),
        Probe("quick", lambda: "there", 5),
    ]
    assert list(examine(asked)) == [
        ("slow", "there", True),
        ("wrong", "not there: start it", False),
        ("broken", "cannot be looked at (ValueError): a fault of this machine, or of the doctor's own.", False),
        ("hanging", "no answer within 0 s: see whether its host is reached from here, and whether it is busy.", False),
        ("quick", "there", True),
    ]
    release.append("over")


def test_every_part_of_a_local_lake_is_asked(monkeypatch):
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    parts = ["Python", "packages", "Java", "jars", "ledger", "root", "landing", "tables", "Spark", "Airflow", "MLflow"]
    assert [probe.part for probe in probes(environment())] == parts


def test_all_parts_together_take_less_than_a_minute():
    assert max(probe.seconds for probe in probes(environment())) < 60


def test_the_launchers_environment_counts_unless_another_airflow_is_meant(monkeypatch):
    monkeypatch.delenv("AIRFLOW_HOME", raising=False)
    monkeypatch.setenv("AIRFLOW__API__HOST", "another")
    assert environment()["AIRFLOW__API__HOST"] == "127.0.0.1"
    monkeypatch.setenv("AIRFLOW_HOME", str(load_state().airflow))
    assert environment()["AIRFLOW__API__HOST"] == "127.0.0.1"
    monkeypatch.setenv("AIRFLOW_HOME", "/opt/airflow")
    assert environment()["AIRFLOW__API__HOST"] == "another"
    assert environment()["PYTHONPATH"].split(":")[:2] == [str(REPOSITORY), f"{REPOSITORY}/plugins"]
    assert "Java" not in [probe.part for probe in probes(environment())]


def test_a_package_that_is_not_the_locks_is_named(monkeypatch, tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text("psutil==0.0.1 \\\n    --hash=sha256:00\n    # via nothing\nno-such-package[extra]==1.0 \\\n    --hash=sha256:00\n")
    monkeypatch.setattr(installed, "PACKAGES", lock)
    with pytest.raises(
        LauncherError, match=r"^not those of requirements\.lock: psutil .*, expected 0\.0\.1; no-such-package missing, expected 1\.0: run `make setup`"
    ):
        installed.packages()


def test_the_packages_are_those_of_the_lock():
    assert installed.packages().endswith("of requirements.lock")


@pytest.mark.parametrize(
    ("program", "sentence"),
    [("", "LAKE_PYTHON={} cannot be started; point it to the jobs' Python."), ("echo 3.9.2", "Python 3.11 is needed, found 3.9.2 in {}: run `make setup`, or")],
)
def test_a_python_that_jobs_cannot_run_on_is_told(tmp_path, program, sentence):
    python = tmp_path / "python"
    if program:
        python.write_text(f"#!/bin/sh\n{program}\n")
        python.chmod(0o700)
    with pytest.raises(LauncherError) as caught:
        installed.python({"LAKE_PYTHON": str(python)})
    assert str(caught.value).startswith(sentence.format(python))


def test_airflow_is_asked_where_tasks_find_it():
    known = {"AIRFLOW__CORE__EXECUTION_API_SERVER_URL": "http://airflow-apiserver:8080/execution/", "AIRFLOW__API__BASE_URL": "https://lake.example/"}
    assert airflow_address(known) == "http://airflow-apiserver:8080"
    assert airflow_address({"AIRFLOW__API__BASE_URL": "https://lake.example/"}) == "https://lake.example"
    assert airflow_address({}) == "http://localhost:8080"


def test_mlflow_is_asked_where_jobs_find_it():
    known = {"MLFLOW_TRACKING_URI": "http://mlflow:5000", "LAKE_MLFLOW_URL": "http://127.0.0.1:5000"}
    assert mlflow_address(known, is_local=False) == "http://mlflow:5000"
    assert mlflow_address({**known, "MLFLOW_TRACKING_URI": "sqlite:///mlflow.db"}, is_local=True) == "http://127.0.0.1:5000"
    assert mlflow_address({**known, "MLFLOW_TRACKING_URI": "postgresql://mlflow"}, is_local=False) == ""


@pytest.mark.parametrize("address", ["https://ada:{}@mlflow:5000/x", "https://mlflow:5000/x?token={}", "http://a:?/{}@mlflow:5000/x?y=@"])
def test_no_address_shows_what_is_secret_in_it(address):
    assert PASSWORD not in shown(address.format(PASSWORD))
    assert "mlflow:5000" in shown(address.format(PASSWORD)) or "?y" in address


def test_a_lake_none_of_whose_parts_is_there_is_a_line_each_and_no_secret_is_shown(tmp_path):
    nobody = free_ports(3)
    known = {
        "PATH": os.environ["PATH"],
        "AIRFLOW_HOME": str(tmp_path / "airflow"),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{nobody[0]}/execution/",
        "AIRFLOW_CONN_SPARK_LAKE": json.dumps({"conn_type": "spark_connect", "host": "127.0.0.1", "port": nobody[1], "extra": {"token": PASSWORD}}),
        "AIRFLOW_CONN_LAKE_S3": json.dumps(
            {"conn_type": "aws", "login": "key", "password": PASSWORD, "extra": {"endpoint_url": f"http://127.0.0.1:{nobody[2]}"}}
        ),
        "MLFLOW_TRACKING_URI": f"http://ada:{PASSWORD}@127.0.0.1:{nobody[2]}",
        "LAKE_STORAGE_CONNECTION": "lake_s3",
        "LAKE_ROOT": "s3a://lake/tables",
        "LAKE_LANDING": "s3a://lake/landing",
        "LAKE_LEDGER_URL": f"postgresql+psycopg2://ada:{PASSWORD}@127.0.0.1:{nobody[1]}/ledger?password={PASSWORD}",
        "LAKE_JARS": str(tmp_path),
    }
    done = subprocess.run([sys.executable, "-m", "launcher", "doctor"], cwd=REPOSITORY, env=known, capture_output=True, text=True, check=False)
    lines = {line[7:16].strip(): (line[:6].strip(), line[17:]) for line in done.stdout.splitlines()}
    assert done.returncode == 1
    assert list(lines) == ["Python", "packages", "jars", "ledger", "root", "landing", "tables", "Spark", "Airflow", "MLflow"]
    assert [part for part, (found, _) in lines.items() if found == "ok"] == ["Python", "packages"]
    assert lines["ledger"][1].startswith(f"the ledger postgresql+psycopg2://ada:***@127.0.0.1:{nobody[1]}/ledger does not answer (")
    assert lines["root"][1] == "s3a://lake/tables cannot be used: nothing answers at its address: check endpoint, host, port and network."
    assert lines["landing"][1] == "s3a://lake/landing cannot be used: nothing answers at its address: check endpoint, host, port and network."
    assert lines["tables"][1].startswith(f"the ledger postgresql+psycopg2://ada:***@127.0.0.1:{nobody[1]}/ledger does not answer (")
    assert lines["Spark"][1].startswith(f"no Spark Connect server answers at 127.0.0.1:{nobody[1]} (Connection refused); start it")
    assert lines["Airflow"][1].startswith(f"http://127.0.0.1:{nobody[0]}: not healthy: api-server: no answer; ")
    assert lines["MLflow"][1].startswith(f"http://***@127.0.0.1:{nobody[2]}: no answer; ")
    assert "is missing): run `make setup`" in lines["jars"][1]
    assert PASSWORD not in done.stdout + done.stderr


def test_the_exit_code_says_whether_all_is_well(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "probes", lambda _: [Probe("Spark", lambda: "there", 5)])
    assert doctor.doctor()
    monkeypatch.setattr(doctor, "probes", lambda _: [Probe("Spark", lambda: "there", 5), Probe("MLflow", lambda: raising(LauncherError("gone")), 5)])
    assert not doctor.doctor()
    assert capsys.readouterr().out.splitlines()[-2:] == ["ok     Spark     there", "fault  MLflow    gone"]
