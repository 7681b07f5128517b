"""The launcher with real processes: what is killed comes back, what is stopped is gone. One start shows all of it, and begins after one that was killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from functools import cached_property

import psutil
import pytest
import requests

from launcher.airflow_api import AirflowApi
from launcher.environment import MARK
from launcher.layout import REPOSITORY, State
from launcher.watch import PAUSE_SECONDS
from tests.free_ports import free_ports

PROGRAMS = ("spark", "mlflow", "api-server", "scheduler", "dag-processor", "triggerer", "watch")
SLEEPER = """
from datetime import timedelta

from airflow.sdk import DAG, task

with DAG("sleeper", schedule=None, is_paused_upon_creation=False):

    @task(retries=2, retry_delay=timedelta(seconds=1))
    def sleep():
        from time import sleep

        sleep(5)

    sleep()
"""
PATIENCE_SECONDS = 300
pytestmark = pytest.mark.end_to_end


class Lake:
    """A second lake beside the user's: its own state folder and ports."""

    def __init__(self, folder):
        self.state = State(folder / "state")
        dags = folder / "dags"
        dags.mkdir()
        (dags / "sleeper.py").write_text(SLEEPER)
        self.ports = dict(zip(("AIRFLOW", "SPARK", "MLFLOW"), free_ports(3), strict=True))
        self.airflow = f"http://127.0.0.1:{self.ports['AIRFLOW']}"
        moved = {f"LAKE_{name}_PORT": str(number) for name, number in self.ports.items()}
        tables = {"LAKE_ROOT": str(folder / "data_lake"), "LAKE_LANDING": str(folder / "landing")}
        # Neither the Java of the machine nor the settings of the lake that runs this test.
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("LAKE_", "AIRFLOW", "JAVA", "MLFLOW", MARK))}
        # The jars belong to the environment.
        jars = {name: os.environ[name] for name in ("LAKE_JARS",) if name in os.environ}
        places = {"LAKE_STATE": str(self.state.folder), "LAKE_DAGS": str(dags), "LAKE_SPARK_MEMORY": "1g"}
        self.environment = {**inherited, **moved, **tables, **jars, **places}

    def command(self, word):
        return {"args": [sys.executable, "-m", "launcher", word], "cwd": REPOSITORY, "env": self.environment}

    def call(self, word):
        return subprocess.run(**self.command(word), capture_output=True, text=True, check=False)

    def processes(self):
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == str(self.state.folder):
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def kill_supervisor(self):
        os.kill(int((self.state.run / "supervisord.pid").read_text()), signal.SIGKILL)

    def kill_an_up(self):
        """An `up` that is killed with its supervisor once Airflow's database is there; returns the pids of what it left."""
        with subprocess.Popen(**self.command("up"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as up:
            assert wait_for(lambda: (self.state.airflow / "database-version").exists() and len(self.processes()) > 3)
            up.kill()
        self.kill_supervisor()
        return {process.pid for process in self.processes()}

    def status(self):
        """Program to the pid that `status` shows, 0 where it has none; and whether all is well."""
        told = self.call("status")
        lines = {line.split()[0]: line for line in told.stdout.splitlines() if line.strip()}
        return {name: pid_of(lines.get(name, "")) for name in PROGRAMS}, told.returncode == 0

    @cached_property
    def password(self):
        return json.loads(self.state.passwords.read_text())["admin"]

    @cached_property
    def api(self):
        return AirflowApi(self.airflow, self.state.passwords)

    def login(self, password):
        return requests.post(f"{self.airflow}/auth/token", json={"username": "admin", "password": password}, timeout=30)

    def is_replaced(self, name, old):
        """Whether the program runs as another process, and all is well."""
        pids, is_well = self.status()
        return is_well and pids[name] not in {0, old}


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    made = Lake(tmp_path_factory.mktemp("lake"))
    try:
        made.orphans = made.kill_an_up()
        made.started = made.call("up")
        made.well_since = time.monotonic()
        yield made
    finally:
        made.call("down")


@pytest.fixture(scope="module")
def struck(lake):
    """At once a scheduler that is killed while a task runs, and a Spark server that hangs; their pids, and the scheduler's workers."""
    assert wait_for(lambda: lake.api.has_dag("sleeper"))
    pids, _ = lake.status()
    # The watch must have seen the server answer: one that never did is taken to be starting.
    time.sleep(max(0.0, lake.well_since + 2 * PAUSE_SECONDS + 2 - time.monotonic()))
    lake.api.trigger("sleeper", "one", {})
    assert wait_for(lambda: lake.api.task_states("sleeper", "one") == {"sleep": "running"})
    workers = psutil.Process(pids["scheduler"]).children(recursive=True)
    assert workers
    os.kill(pids["scheduler"], signal.SIGKILL)
    os.kill(pids["spark"], signal.SIGSTOP)
    return pids, workers


def test_after_a_killed_up_and_a_killed_supervisor_up_starts_anew_and_nothing_runs_twice(lake):
    assert lake.started.returncode == 0, lake.started.stdout + lake.started.stderr
    assert lake.orphans
    assert "processes that an earlier run had left behind" in lake.started.stdout
    assert not lake.orphans & {process.pid for process in lake.processes()}


def test_up_says_where_the_pages_are_and_not_the_password_and_a_second_one_starts_nothing_again(lake):
    before, is_well = lake.status()
    assert is_well
    assert 0 not in before.values()
    answer = lake.call("up")
    assert answer.returncode == 0
    assert lake.status()[0] == before
    assert f"http://127.0.0.1:{lake.ports['AIRFLOW']}   user admin, password in {lake.state.passwords}" in answer.stdout
    assert lake.password not in answer.stdout
    assert lake.password not in "".join(file.read_text(errors="replace") for file in lake.state.logs.glob("*.log"))


def test_nothing_listens_beyond_this_machine(lake):
    assert {address for process in lake.processes() for address in listening(process)} == {"127.0.0.1"}


def test_the_api_lets_in_who_has_the_password_and_nobody_else(lake):
    assert lake.login(lake.password).status_code == 201
    assert lake.login("admin").status_code == 401
    assert requests.get(f"{lake.airflow}/api/v2/dags", timeout=30).status_code == 401


def test_a_killed_scheduler_comes_back_without_its_old_workers(lake, struck):
    pids, workers = struck
    assert wait_for(lambda: lake.status()[0]["scheduler"] not in {0, pids["scheduler"]})
    assert wait_for(lambda: not any(map(lives, workers)))
    # The task died with its worker, was taken for lost, and ran again.
    assert wait_for(lambda: lake.api.task_states("sleeper", "one") == {"sleep": "success"})


def test_a_spark_server_that_hangs_is_started_again(lake, struck):
    pids, _ = struck
    assert wait_for(lambda: lake.is_replaced("spark", pids["spark"]))


@pytest.mark.usefixtures("struck")
def test_a_killed_spark_server_comes_back(lake):
    old = lake.status()[0]["spark"]
    os.kill(old, signal.SIGKILL)
    assert wait_for(lambda: lake.is_replaced("spark", old))


def test_after_a_killed_supervisor_down_leaves_no_process_and_no_open_port(lake):
    lake.kill_supervisor()
    assert lake.processes()
    assert lake.call("down").returncode == 0
    assert lake.processes() == []
    for number in lake.ports.values():
        with socket.socket() as attempt:
            assert attempt.connect_ex(("127.0.0.1", number)) != 0


def pid_of(line):
    return int(line.split("pid ")[1].split(",")[0]) if "pid " in line else 0


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


def wait_for(condition):
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.2)
    return False
