"""The launcher with real processes: what is killed comes back, what is stopped is gone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
import requests

from launcher.environment import MARK
from launcher.layout import REPOSITORY
from tests.free_ports import free_ports

PROGRAMS = ("spark", "mlflow", "api-server", "scheduler", "dag-processor", "triggerer", "watch")
SLEEPER = """
from datetime import timedelta

from airflow.sdk import DAG, task

with DAG("sleeper", schedule=None):

    @task(retries=2, retry_delay=timedelta(seconds=1))
    def sleep():
        from time import sleep

        sleep(5)

    sleep()
"""
pytestmark = pytest.mark.end_to_end


class Lake:
    """A second lake beside the user's: its own state folder and ports."""

    def __init__(self, folder):
        self.state = folder / "state"
        dags = folder / "dags"
        dags.mkdir()
        (dags / "sleeper.py").write_text(SLEEPER)
        self.ports = dict(zip(("AIRFLOW", "SPARK", "MLFLOW"), free_ports(3), strict=True))
        self.airflow = f"http://127.0.0.1:{self.ports['AIRFLOW']}"
        moved = {f"LAKE_{name}_PORT": str(number) for name, number in self.ports.items()}
        tables = {"LAKE_ROOT": str(folder / "data_lake"), "LAKE_LANDING": str(folder / "landing")}
        # Neither the Java of the machine nor the settings of the lake that runs this test.
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("LAKE_", "AIRFLOW", "JAVA", "MLFLOW", MARK))}
        self.environment = {**inherited, **moved, **tables, "LAKE_STATE": str(self.state), "LAKE_DAGS": str(dags), "LAKE_SPARK_MEMORY": "1g"}

    def call(self, command, **changed):
        line = [sys.executable, "-m", "launcher", command]
        return subprocess.run(line, cwd=REPOSITORY, env={**self.environment, **changed}, capture_output=True, text=True, check=False)

    def processes(self):
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(self.state):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def pid(self, name):
        """The pid that `status` shows for a program, 0 where it has none."""
        line = next((line for line in self.call("status").stdout.splitlines() if line.split()[0] == name), "")
        return int(line.split("pid ")[1].split(",")[0]) if "pid " in line else 0

    def login(self, password):
        return requests.post(f"{self.airflow}/auth/token", json={"username": "admin", "password": password}, timeout=30)

    def ask(self, method, path, **body):
        password = json.loads((self.state / "airflow" / "passwords.json").read_text())["admin"]
        bearer = {"Authorization": f"Bearer {self.login(password).json()['access_token']}"}
        return requests.request(method, f"{self.airflow}/api/v2/{path}", headers=bearer, json=body or None, timeout=30)

    def trigger(self, dag):
        """Starts a run as soon as the DAG's file has been seen; returns its id."""
        assert wait_for(lambda: self.ask("PATCH", f"dags/{dag}", is_paused=False).status_code == 200)
        return self.ask("POST", f"dags/{dag}/dagRuns", logical_date=None).json()["dag_run_id"]

    def tasks(self, dag, run):
        """Task to state."""
        found = self.ask("GET", f"dags/{dag}/dagRuns/{run}/taskInstances").json()["task_instances"]
        return {task["task_id"]: task["state"] for task in found}

    def is_well(self):
        return self.call("status").returncode == 0

    def replaced(self, name, old):
        return wait_for(lambda: self.pid(name) not in {0, old} and self.is_well())


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    made = Lake(tmp_path_factory.mktemp("lake"))
    started = made.call("up")
    try:
        assert started.returncode == 0, started.stdout + started.stderr
        yield made
    finally:
        made.call("down")


def test_up_says_where_the_pages_are_and_not_the_password(lake):
    answer = lake.call("up")
    password = json.loads((lake.state / "airflow" / "passwords.json").read_text())["admin"]
    assert f"http://127.0.0.1:{lake.ports['AIRFLOW']}   user admin, password in {lake.state}/airflow/passwords.json" in answer.stdout
    assert password not in answer.stdout
    logs = "".join(file.read_text(errors="replace") for file in (lake.state / "logs").glob("*.log"))
    assert password not in logs


def test_a_second_up_starts_nothing_again(lake):
    before = [lake.pid(name) for name in PROGRAMS]
    assert lake.call("up").returncode == 0
    assert [lake.pid(name) for name in PROGRAMS] == before
    assert 0 not in before


def test_nothing_listens_beyond_this_machine(lake):
    assert {address for process in lake.processes() for address in listening(process)} == {"127.0.0.1"}


def test_the_api_lets_in_who_has_the_password_and_nobody_else(lake):
    password = json.loads((lake.state / "airflow" / "passwords.json").read_text())["admin"]
    assert lake.login(password).status_code == 201
    assert lake.login("admin").status_code == 401
    assert requests.get(f"{lake.airflow}/api/v2/dags", timeout=30).status_code == 401


def test_a_killed_scheduler_comes_back_without_its_old_workers(lake):
    old = lake.pid("scheduler")
    workers = psutil.Process(old).children(recursive=True)
    assert workers
    run = lake.trigger("sleeper")
    assert wait_for(lambda: lake.tasks("sleeper", run) == {"sleep": "running"})
    os.kill(old, signal.SIGKILL)
    assert lake.replaced("scheduler", old)
    assert wait_for(lambda: not any(map(lives, workers)))
    # The task died with its worker, was taken for lost, and ran again.
    assert wait_for(lambda: lake.tasks("sleeper", run) == {"sleep": "success"})


def test_a_killed_spark_server_comes_back(lake):
    old = lake.pid("spark")
    os.kill(old, signal.SIGKILL)
    assert lake.replaced("spark", old)


def test_a_spark_server_that_hangs_is_started_again(lake):
    old = lake.pid("spark")
    # The watch must have seen this one answer: one that never did is taken to be starting.
    time.sleep(12)
    os.kill(old, signal.SIGSTOP)
    assert lake.replaced("spark", old)


def test_after_a_killed_supervisor_up_starts_anew_and_nothing_runs_twice(lake):
    os.kill(int((lake.state / "run" / "supervisord.pid").read_text()), signal.SIGKILL)
    orphans = {process.pid for process in lake.processes()}
    answer = lake.call("up")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "processes that an earlier run had left behind" in answer.stdout
    assert not orphans & {process.pid for process in lake.processes()}


def test_a_taken_port_is_told_before_anything_is_started(lake, tmp_path):
    answer = lake.call("up", LAKE_STATE=str(tmp_path / "o"), LAKE_SPARK_PORT=str(free_ports(1)[0]))
    assert answer.returncode == 1
    sentences = answer.stderr.splitlines()
    assert len(sentences) == 2
    assert sentences[0].startswith(f"Port {lake.ports['AIRFLOW']}, which Airflow needs, is taken by process {lake.pid('api-server')} (")
    assert sentences[1].startswith(f"Port {lake.ports['MLFLOW']}, which MLflow needs, is taken by process ")
    assert not (tmp_path / "o" / "run" / "supervisord.pid").exists()


def test_down_leaves_no_process_and_no_open_port(lake):
    assert lake.call("down").returncode == 0
    assert lake.processes() == []
    for number in lake.ports.values():
        with socket.socket() as attempt:
            assert attempt.connect_ex(("127.0.0.1", number)) != 0


def test_down_clears_what_a_killed_up_and_a_killed_supervisor_left(lake):
    command = [sys.executable, "-m", "launcher", "up"]
    with subprocess.Popen(command, cwd=REPOSITORY, env=lake.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
        assert wait_for(lambda: len(lake.processes()) > 3)
        up.kill()
    os.kill(int((lake.state / "run" / "supervisord.pid").read_text()), signal.SIGKILL)
    assert lake.processes()
    assert lake.call("down").returncode == 0
    assert lake.processes() == []


def lives(process):
    """Not even as the entry of a dead process that nobody has asked about."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def listening(process):
    try:
        return {connection.laddr.ip.removeprefix("::ffff:") for connection in process.net_connections("tcp") if connection.status == psutil.CONN_LISTEN}
    except psutil.NoSuchProcess:
        return set()


def wait_for(condition, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.5)
    return False
