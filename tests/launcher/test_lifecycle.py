"""`up` and `down` without a lake that runs: what they refuse, and what they clear away. tests/faults starts everything."""

import fcntl
import os
import socket
import subprocess
import sys

import pytest

from launcher import lifecycle
from launcher.environment import MARK
from launcher.errors import LauncherError
from launcher.layout import load_state
from launcher.lifecycle import down, up
from launcher.processes import ours
from tests.free_ports import free_port


@pytest.fixture
def taken():
    """A port of this process's own."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_taken_ports_are_told_before_anything_is_started(monkeypatch, taken):
    monkeypatch.setattr(lifecycle, "require_jars", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as another:
        monkeypatch.setenv("LAKE_AIRFLOW_PORT", str(taken))
        monkeypatch.setenv("LAKE_SPARK_PORT", str(free_port()))
        monkeypatch.setenv("LAKE_MLFLOW_PORT", str(another.getsockname()[1]))
        with pytest.raises(LauncherError) as refused:
            up()
        sentences = str(refused.value).splitlines()
        assert len(sentences) == 2
        assert sentences[0].startswith(f"Port {taken}, which Airflow needs, is taken by process {os.getpid()} (")
        assert sentences[1].startswith(f"Port {another.getsockname()[1]}, which MLflow needs, is taken by process {os.getpid()} (")
    assert not (load_state().run / "supervisord.pid").exists()
    assert not load_state().passwords.exists()


def test_down_ends_what_a_killed_up_and_a_killed_supervisor_left(capsys):
    environment = {**os.environ, MARK: str(load_state().folder)}
    with subprocess.Popen([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"], env=environment, stdout=subprocess.PIPE) as left:
        assert left.stdout.readline() == b"up\n"
        assert [process.pid for process in ours(load_state())] == [left.pid]
        down()
    assert ours(load_state()) == []
    assert capsys.readouterr().out == "Nothing of this lake is running.\n"


def test_two_ups_or_downs_at_once_are_refused():
    state = load_state()
    state.folder.mkdir(parents=True)
    with (state.folder / "launcher.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LauncherError, match=r"^Another `make up` or `make down` of this lake is at work \(.*\): wait until it has ended\.$"):
            down()
