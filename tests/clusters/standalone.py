"""A Spark standalone cluster of processes on this machine, each started as docker-compose starts it: master, workers, a Connect server."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from launcher.layout import REPOSITORY
from tests.free_ports import free_port, free_ports

if TYPE_CHECKING:
    from collections.abc import Callable

START_SECONDS = 300
NEEDED = (17, 21)


def java_home() -> tuple[str, str]:
    """The folder of a whole Java 17 or 21 (JAVA_HOME, else of `java` on PATH), or why there is none. The wheel's lacks a module that executors need."""
    found = shutil.which("java")
    home = os.environ.get("JAVA_HOME") or (str(Path(found).resolve().parent.parent) if found else "")
    if not home or not Path(home, "bin", "java").is_file():
        return "", "a cluster's executors need a whole Java 17 or 21, and there is none: `.ci/install java=openjdk-17-jre-headless` brings one"
    told = subprocess.run([f"{home}/bin/java", "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', told)
    if version is None or int(version[1]) not in NEEDED:
        return "", f"a cluster's executors need Java 17 or 21, found {version[1] if version else 'none'} in {home}: let JAVA_HOME name one"
    return home, ""


class Standalone:
    """The cluster's processes by name: master, worker-1, worker-2, connect."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.secret = secrets.token_hex(16)
        self.port, self.page, self.connect_port = free_ports(3)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def master(self) -> str:
        """Its address."""
        return f"spark://127.0.0.1:{self.port}"

    @property
    def remote(self) -> str:
        """The address of the Connect server that works on the cluster."""
        return f"sc://127.0.0.1:{self.connect_port}"

    def start(self, name: str, is_ready: Callable[[], bool]) -> None:
        """Start a part and wait until it is ready."""
        scratch = self.folder / name
        scratch.mkdir(exist_ok=True)
        environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("SPARK_", "AWS_"))},
            "JAVA_HOME": java_home()[0],
            "PYTHONPATH": str(REPOSITORY),
            "SPARK_AUTH_SECRET": self.secret,
            "SPARK_EXECUTOR_MEMORY": "1g",
            "SPARK_LOCAL_HOSTNAME": "127.0.0.1",
            "SPARK_MASTER_HOST": "127.0.0.1",
            "SPARK_MASTER_PORT": str(self.port),
            "SPARK_MASTER_WEBUI_PORT": str(self.page),
            "SPARK_WORKER_WEBUI_PORT": str(free_port()),
            "LAKE_SPARK_PORT": str(self.connect_port),
            "LAKE_SPARK_MEMORY": "1g",
            "SPARK_SCRATCH": str(scratch),
            "TMPDIR": str(scratch),
        }
        with self.log(name).open("w") as output:
            command = [sys.executable, "-m", "launcher.spark_cluster", name.partition("-")[0]]
            self.processes[name] = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=output, stderr=output)
        until = time.monotonic() + START_SECONDS
        while not is_ready():
            assert self.processes[name].poll() is None and time.monotonic() < until, self.log(name).read_text()[-3000:]
            time.sleep(0.3)

    def start_cluster(self) -> None:
        """Master, and two workers of one core."""
        self.start("master", lambda: self.state() is not None)
        for number in (1, 2):
            self.start_worker(number)

    def start_connect(self) -> None:
        """The Connect server."""
        self.start("connect", lambda: "Spark Connect server started" in self.log("connect").read_text())

    def start_worker(self, number: int) -> None:
        """One more worker."""
        alive = self.alive()
        self.start(f"worker-{number}", lambda: self.alive() == alive + 1)

    def state(self) -> dict[str, Any] | None:
        """What the master says of workers and applications; None where it does not answer."""
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.page}/json/", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
        return None

    def alive(self) -> int:
        """How many workers the master counts on."""
        state = self.state()
        return int(state["aliveworkers"]) if state else 0

    def log(self, name: str) -> Path:
        """What a part has said."""
        return self.folder / f"{name}.log"

    def kill_worker(self, number: int) -> None:
        """As a machine that goes dark: the worker and the executors on it, with SIGKILL."""
        worker = psutil.Process(self.processes.pop(f"worker-{number}").pid)
        family = [worker, *worker.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        worker.wait(20)

    def worker_of(self, pid: int) -> int:
        """The number of the worker that this process belongs to."""
        ancestors = {process.pid for process in psutil.Process(pid).parents()}
        return next(int(name[-1]) for name, process in self.processes.items() if name.startswith("worker") and process.pid in ancestors)

    def end(self, name: str) -> None:
        """End a part, if it runs."""
        process = self.processes.pop(name, None)
        if process is not None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()

    def stop(self) -> None:
        """End all of them, the last one first."""
        for name in reversed(list(self.processes)):
            self.end(name)
