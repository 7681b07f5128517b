import os
import socket
import subprocess
import sys
import time

import pytest

from launcher.environment import MARK, PROGRAM
from launcher.errors import LauncherError
from launcher.layout import Port, load_state
from launcher.ports import require_free
from launcher.processes import end, end_all, ours

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
# A parent that forks a child into a session of its own and dies: what a killed scheduler does to its tasks.
ORPHAN = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\n"


@pytest.fixture
def start():
    started = []

    def go(code, **variables):
        environment = {**os.environ, **variables}
        process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield go
    for process in started:
        process.kill()
        process.wait()


def pids(processes):
    return [process.pid for process in processes]


def test_only_processes_with_this_lakes_mark_are_ours(start):
    mine = start("import time; time.sleep(60)", **{MARK: str(load_state().folder)})
    start("import time; time.sleep(60)", **{MARK: "/another/lake"})
    start("import time; time.sleep(60)")
    assert wait_for(lambda: pids(ours(load_state())) == [mine.pid])


def test_one_programs_leftovers_are_told_from_the_others(start):
    folder = str(load_state().folder)
    start("import time; time.sleep(60)", **{MARK: folder, PROGRAM: "spark"})
    scheduler = start("import time; time.sleep(60)", **{MARK: folder, PROGRAM: "scheduler"})
    assert wait_for(lambda: pids(ours(load_state(), "scheduler")) == [scheduler.pid])


def test_a_child_whose_parent_died_is_found_in_its_own_session_and_ended(start):
    parent = start(ORPHAN, **{MARK: str(load_state().folder)})
    parent.wait()
    assert len(ours(load_state())) == 1
    assert end_all(load_state()) == 1
    assert ours(load_state()) == []


def test_a_process_that_does_not_listen_is_killed(start, monkeypatch):
    monkeypatch.setattr("launcher.processes.GRACE_SECONDS", 0.2)
    deaf = start(DEAF, **{MARK: str(load_state().folder)})
    assert deaf.stdout.readline() == "up\n"
    assert end(ours(load_state())) == 1
    assert ours(load_state()) == []


def test_this_process_is_never_among_them(monkeypatch):
    monkeypatch.setenv(MARK, str(load_state().folder))
    assert os.getpid() not in pids(ours(load_state()))


def test_a_taken_port_is_one_sentence_that_names_the_holder():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        with pytest.raises(LauncherError) as caught:
            require_free([Port("Airflow", "LAKE_AIRFLOW_PORT", number)])
    message = str(caught.value)
    assert message.startswith(f"Port {number}, which Airflow needs, is taken by process {os.getpid()} (")
    assert message.endswith("end that process, or choose another port with LAKE_AIRFLOW_PORT=<number>.")


def test_a_port_taken_on_every_interface_is_taken_on_loopback_too():
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))  # noqa: S104
        taken.listen()
        with pytest.raises(LauncherError, match="which Spark Connect needs"):
            require_free([Port("Spark Connect", "LAKE_SPARK_PORT", taken.getsockname()[1])])


def test_a_free_port_is_accepted():
    with socket.socket() as lent:
        lent.bind(("127.0.0.1", 0))
        number = lent.getsockname()[1]
    require_free([Port("MLflow", "LAKE_MLFLOW_PORT", number)])


def wait_for(condition):
    for _ in range(50):
        if condition():
            return True
        time.sleep(0.1)
    return False
