"""The Spark session of the tests: one local Spark Connect server for all of them, or the one that SPARK_REMOTE names."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspark.sql import SparkSession

# `make test` runs in the environment of the lake, whose Airflow, with its database, is none of the tests' business.
for inherited in [name for name in os.environ if name.startswith("AIRFLOW")]:
    del os.environ[inherited]
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-home-")

START_SECONDS = 90
# The running lake, shared by the folders end_to_end and browser.
pytest_plugins = ["tests.end_to_end.running_lake"]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Whatever asks for the Spark server is marked so, wherever it stands: `make test-fast` leaves it out."""
    if "spark_remote" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.spark)


@pytest.fixture(scope="session")
def spark_remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Spark Connect server with Delta, as the launcher would start it."""
    given = os.environ.get("SPARK_REMOTE")
    if given:
        yield given
        return
    port, folder = _free_port(), tmp_path_factory.mktemp("spark-server")
    with (folder / "server.log").open("w") as log:
        environment = {**os.environ, "LAKE_STATE": str(folder / "state"), "LAKE_SPARK_PORT": str(port), "LAKE_SPARK_MEMORY": "2g"}
        server = subprocess.Popen([sys.executable, "-m", "launcher", "run", "spark"], env=environment, stdout=log, stderr=log)
    try:
        _wait(server, port, folder / "server.log")
        yield f"sc://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="session")
def spark(spark_remote: str) -> Iterator[SparkSession]:
    """A session of the tests' own; its time zone is UTC, as in a job."""
    from pyspark.sql import SparkSession

    from spark_jobs.lake.session import expect_rows

    session = SparkSession.builder.remote(spark_remote).create()
    session.conf.set("spark.sql.session.timeZone", "UTC")
    expect_rows(session, 1)
    yield session
    session.stop()


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail(f"no Spark server on port {port}: {log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
