"""The Spark session of the tests: one local Spark Connect server for all of them, or the one that SPARK_REMOTE names."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.debian_packages import may_skip_nothing
from tests.spark_server import RunningSpark, running_spark

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from pyspark.sql import SparkSession

# `make test` runs in the environment of the lake, whose Airflow, with its database, is none of the tests' business.
for inherited in [name for name in os.environ if name.startswith("AIRFLOW")]:
    del os.environ[inherited]
_home = tempfile.TemporaryDirectory(prefix="airflow-home-")  # gone with this process
os.environ["AIRFLOW_HOME"] = _home.name

pytest_plugins = ["pytester", "tests.end_to_end.running_lake", "tests.running.budgets", "tests.running.outcomes"]
_shared = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Side by side (`-n 2`) all workers use one Spark server: what it has compiled for one of them is warm for the others."""
    if getattr(config.option, "numprocesses", None) and "SPARK_REMOTE" not in os.environ:
        folder = _shared.enter_context(tempfile.TemporaryDirectory(prefix="spark-server-", ignore_cleanup_errors=True))
        os.environ["SPARK_REMOTE"] = _shared.enter_context(running_spark(Path(folder))).remote


def pytest_unconfigure() -> None:
    """Ends it."""
    _shared.close()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Whatever asks for the Spark server is marked so, wherever it stands: `make test-fast` leaves it out."""
    if "spark_remote" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.spark)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Side by side, files with Spark tests come first: the many quick files are then left to fill the time of the worker that is done earlier."""
    if not hasattr(config, "workerinput"):
        return
    with_spark = {item.path for item in items if item.get_closest_marker("spark")}
    items.sort(key=lambda item: item.path not in with_spark)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where nothing may be skipped, a skipped test has failed."""
    report = yield
    if report.skipped and may_skip_nothing():
        report.outcome, report.longrepr = "failed", f"SKIP_NOTHING is true, and this was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def spark_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSpark]:
    """One server for all tests."""
    with running_spark(tmp_path_factory.mktemp("spark-server")) as made:
        yield made


@pytest.fixture(scope="session")
def spark_remote(request: pytest.FixtureRequest) -> str:
    """The address of a Spark Connect server with Delta."""
    return os.environ.get("SPARK_REMOTE") or str(request.getfixturevalue("spark_server").remote)


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
