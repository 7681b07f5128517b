"""A Spark Connect server of the benchmark's own, which tells how many jobs it has run and how many bytes they read."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from expectations.loader import _load
from launcher.spark_server import server_command
from tests.free_ports import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_SECONDS = 90
MEMORY = "4g"


@dataclass(frozen=True)
class Server:
    """The addresses of Spark Connect and of Spark's own REST interface, both on 127.0.0.1."""

    remote: str
    rest: str

    def jobs(self) -> int:
        """How many jobs have been started since the server did; the newest one's number tells."""
        (application, *_) = self._ask("applications")
        numbers = [job["jobId"] for job in self._ask(f"applications/{application['id']}/jobs")]
        return max(numbers, default=-1) + 1

    def bytes_read(self) -> int:
        """How many bytes of files its tasks have read since it was started, by Spark's own count: landed files, tables and their logs."""
        (application, *_) = self._ask("applications")
        return sum(int(executor["totalInputBytes"]) for executor in self._ask(f"applications/{application['id']}/allexecutors"))

    def _ask(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self.rest}/api/v1/{what}", timeout=30) as answer:  # noqa: S310 - our own address
            return json.load(answer)


@contextmanager
def jobs_of(**variables: object) -> Iterator[None]:
    """This process's jobs go to the lake that these variables name, until the block ends, and to no other that the environment names."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("LAKE_") and name != "LAKE_JARS"]:
        del os.environ[name]
    os.environ.update({name: str(value) for name, value in variables.items()})
    _load.cache_clear()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        _load.cache_clear()


@contextmanager
def started_server(folder: Path) -> Iterator[Server]:
    """As the launcher starts it, with a heap of MEMORY, Spark's page switched on, and Parquet reading file by file so that all bytes are counted."""
    port, page = free_ports(2)
    environment = {"LAKE_STATE": str(folder), "LAKE_SPARK_PORT": str(port), "LAKE_SPARK_MEMORY": MEMORY, "SPARK_LOCAL_IP": "127.0.0.1"}
    environment["LAKE_METASTORE"] = "off"  # its lakes are many, and each has its silver.flights
    (folder / "spark" / "tmp").mkdir(parents=True)
    before = dict(os.environ)
    os.environ.update(environment)  # server_command() reads them
    command = server_command()
    os.environ.clear()
    os.environ.update(before)
    # what Parquet reads by ranges Spark does not count: of 18.6 MB it told 10 KB
    counted = ["--conf", "spark.hadoop.parquet.hadoop.vectored.io.enabled=false"]
    shown = [*counted, "--conf", "spark.ui.enabled=true", "--conf", f"spark.ui.port={page}", "--conf", "spark.ui.retainedJobs=100000"]
    place = len(command) - 5  # before --class ... --name ... spark-internal
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen([*command[:place], *shown, *command[place:]], env={**before, **environment}, stdout=log, stderr=log)
    try:
        found = Server(f"sc://127.0.0.1:{port}", f"http://127.0.0.1:{page}")
        _wait(server, found, port, folder)
        yield found
    finally:
        server.terminate()
        server.wait(30)


def _wait(server: subprocess.Popen[bytes], found: Server, port: int, folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with suppress(OSError, ValueError):
            found.jobs()
            socket.create_connection(("127.0.0.1", port), 5).close()
            return
        time.sleep(0.5)
    raise RuntimeError(f"the Spark server did not start: {(folder / 'server.log').read_text()[-2000:]}")
