"""`lake_read("gold.daily_flights")`: published rows, for a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import SparkSession

from expectations.errors import RequestError
from expectations.jobs import JobRequest
from expectations.ledger import Ledger
from expectations.loader import load_lake
from expectations.settings import load_settings
from spark_jobs.lake.job import Job
from spark_jobs.lake.reading import read_published

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def lake_read(table: str, at: int | None = None) -> DataFrame:
    """The published rows of `layer.table`, one row as its contract says; of a bronze table those that parse, typed.

    `at`: a Delta version within `keep_history`; None: the one that the ledger names. What a run that died has written is not among them. Takes
    the notebook's own Spark session. Raises RequestError for an unknown table, one that was never published, and where there is no session;
    LogError where the table's rows cannot be trusted.
    """
    spark = SparkSession.getActiveSession()
    if spark is None:
        raise RequestError(
            "lake_read: there is no Spark session; open one first: SparkSession.builder.remote(<the address that `make status` shows>).create()."
        )
    settings = load_settings()
    job = Job(spark, settings, load_lake(settings.project), Ledger(settings.ledger_url), JobRequest(verb="build", name=table, run_id="lake_read"))
    return read_published(job, table, version=at)
