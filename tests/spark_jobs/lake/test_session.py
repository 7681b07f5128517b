"""The session of a job."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from expectations.errors import TransientError
from launcher.layout import REPOSITORY
from spark_jobs.lake import session_guard
from spark_jobs.lake.session import FEW_ROWS, expect_rows, open_session
from tests.free_ports import free_port

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BUSY = """
import sys
from spark_jobs.lake.session import open_session

with open_session(sys.argv[1], "busy") as spark:
    print(spark.session_id, flush=True)
    spark.range(0, 10**13, 1, 64).selectExpr("sum(xxhash64(id) % 7)").collect()
"""
PATIENCE_SECONDS, SOON_SECONDS = 60.0, 10.0


def test_a_server_that_is_not_there_is_told_at_once() -> None:
    port = free_port()
    sentence = rf"the Spark Connect server 127.0.0.1:{port} does not answer \(ConnectionRefusedError\); start it"
    with pytest.raises(TransientError, match=sentence), open_session(f"sc://127.0.0.1:{port}/;token=secret", "tag"):
        pass


@pytest.mark.parametrize(("rows", "is_compiled"), [(FEW_ROWS, False), (FEW_ROWS + 1, True)])
def test_a_plan_is_compiled_where_many_rows_are_expected(spark_remote: str, rows: int, is_compiled: bool) -> None:
    with open_session(spark_remote, "tag") as spark:
        expect_rows(spark, rows)
        plan = spark.range(3).selectExpr("id + 1 AS next")
        assert ("*(1) Project" in plan._explain_string()) == is_compiled
        assert [row.next for row in plan.collect()] == [1, 2, 3]


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("sc://127.0.0.1:15002", "sc://127.0.0.1:15002/;session_id=a-b"),
        ("sc://127.0.0.1:15002/", "sc://127.0.0.1:15002/;session_id=a-b"),
        ("sc://spark.example:443/;token=secret;use_ssl=true", "sc://spark.example:443/;token=secret;use_ssl=true;session_id=a-b"),
    ],
)
def test_a_sessions_address_is_the_servers_with_its_id(remote: str, address: str) -> None:
    assert session_guard.address_of(remote, "a-b") == address


def guards() -> list[psutil.Process]:
    """The guards that this process has started."""
    return [child for child in psutil.Process().children() if session_guard.__file__ in child.cmdline()]


@pytest.mark.spark
def test_a_session_is_guarded_as_long_as_it_is_open_and_its_token_stands_on_no_command_line(spark_remote: str) -> None:
    with open_session(f"{spark_remote}/;user_agent=secret", "tag") as spark:
        [guard] = guards()
        assert spark.range(3).count() == 3
        assert "secret" not in " ".join(guard.cmdline())
        assert os.getsid(guard.pid) != os.getsid(0)
        files = {Path(f"/proc/{guard.pid}/fd/{number}").readlink().name for number in os.listdir(f"/proc/{guard.pid}/fd")}
        assert [name for name in files if name != "null"] == [name for name in files if name.startswith("pipe:")]
    assert guards() == []


def small_job(pool: ThreadPoolExecutor, spark: SparkSession) -> Future[int]:
    """A job that has to wait, begun; those before it found a free core."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < give_up:
        job = pool.submit(lambda: spark.range(0, 3, 1, 1).selectExpr("id + 1").count())
        with suppress(TimeoutError):
            job.result(3)
            continue
        return job
    raise AssertionError("the server is never busy")


@pytest.mark.spark
def test_the_work_of_a_killed_job_ends_and_others_go_on(spark: SparkSession, spark_remote: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    busy = subprocess.Popen([sys.executable, "-c", BUSY, spark_remote], env=environment, stdout=subprocess.PIPE, text=True)
    assert busy.stdout
    session = busy.stdout.readline().strip()
    with ThreadPoolExecutor(1) as pool:
        try:
            waiting = small_job(pool, spark)
        finally:
            busy.kill()
            busy.wait()
        try:
            assert waiting.result(SOON_SECONDS) == 3
        except TimeoutError:  # or neither the job that waits nor the test would end
            session_guard.release(session_guard.address_of(spark_remote, session))
            raise
