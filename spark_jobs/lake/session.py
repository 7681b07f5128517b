"""The Spark session of a job: on a warm server, or the one that spark-submit started."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

import pyspark
from pyspark.sql import SparkSession

from expectations.errors import RequestError, TransientError
from expectations.s3 import s3_settings
from spark_jobs.lake import session_guard

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_PORT = 15002
KNOCK_SECONDS = 10.0
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.sources.partitionOverwriteMode": "static",
    # as Delta writes it: staged files may become a table's own
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # the plan of a wide table is read whole
    "spark.sql.debug.maxToStringFields": "100000",
}
"""What the tables' results depend on, so it is set here and not left to a cluster."""
FEW_ROWS = 20_000
"""Up to here a plan is quicker interpreted than compiled to Java: 1,000 rows 0.44 against 0.54 s, 100,000 rows 0.94 against 0.60 s
(a write and 26 aggregates on a warm server of two cores; a cold one spends a quarter less in all on small tables)."""


@contextmanager
def open_session(remote: str | None, tag: str) -> Iterator[SparkSession]:
    """A session of this job's own; operations carry `tag`, and are interrupted where the job ends early.

    `remote` is a Spark Connect address like sc://127.0.0.1:15002, or None for a classic session.
    Raises TransientError where the server does not answer, RequestError where it is of another version of Spark.
    """
    spark = _connect(remote) if remote else SparkSession.builder.getOrCreate()
    with _guarded(remote, spark.session_id) if remote else nullcontext():  # type: ignore[attr-defined] # over Connect it has one
        try:
            # a warm server has an environment of its own, which knows nothing of the job's storage
            for name, value in {**SETTINGS, **s3_settings()}.items():
                spark.conf.set(name, value)
            spark.addTag(tag)
            yield spark
        except BaseException:
            _interrupt(spark, tag)
            raise
        finally:
            if remote:
                spark.stop()


@contextmanager
def _guarded(remote: str, session: str) -> Iterator[None]:
    """A process that ends the session where this one is killed."""
    environment = {**os.environ, session_guard.VARIABLE: session_guard.address_of(remote, session)}
    command = [sys.executable, "-I", "-S", session_guard.__file__]
    # in a session of its own, so that what ends this process's group does not end it
    guard = subprocess.Popen(  # noqa: S603 - no shell, and no word of a user
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", env=environment, start_new_session=True
    )
    try:
        yield
    finally:
        with suppress(BrokenPipeError):  # somebody has ended the guard
            guard.communicate(session_guard.ENDED)


def expect_rows(spark: SparkSession, rows: int) -> None:
    """Let Spark compile its plans where about so many rows are worth it, and interpret them where they are few. Results are the same."""
    is_small = rows <= FEW_ROWS
    spark.conf.set("spark.sql.codegen.wholeStage", str(not is_small).lower())
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN" if is_small else "FALLBACK")


def _connect(remote: str) -> SparkSession:
    address = remote.removeprefix("sc://").split("/")[0].split(";")[0]
    host, _, port = address.rpartition(":")
    try:
        # the client alone would try for ten minutes
        socket.create_connection((host or address, int(port) if host else DEFAULT_PORT), KNOCK_SECONDS).close()
        spark: SparkSession = SparkSession.builder.remote(remote).create()
        found = spark.version  # the first answer of the server
    except Exception as error:
        raise TransientError(
            f"the Spark Connect server {address} does not answer ({type(error).__name__}); start it (make up), or mend the connection."
        ) from None
    if found.split(".")[:2] != pyspark.__version__.split(".")[:2]:
        spark.stop()
        raise RequestError(f"the Spark Connect server {address} runs Spark {found}, and the job has PySpark {pyspark.__version__}: give both one lock.")
    return spark


def _interrupt(spark: SparkSession, tag: str) -> None:
    with suppress(Exception):  # where the session is lost already, the first error is the one to tell
        spark.interruptTag(tag)
