"""The inputs of a table, as its plan wants them read."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.errors import RequestError
from spark_jobs.lake.reading import read_published

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from expectations.contract import Input
    from expectations.lake import Table
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.planning import Plan


def read_inputs(job: Job, table: Table, plan: Plan) -> dict[str, DataFrame]:
    """Argument name to the published rows that the plan reads. Raises RequestError where an input was never published."""
    for name, days in plan.reads.items():
        if not days and not job.ledger.versions(name):
            raise RequestError(f"{table.name} reads {name}, of which nothing was ever published; build {name} first, or land its files.")
    return {read.argument: _stood_in(job, table, read, read_published(job, read.table, plan.reads[read.table]), plan) for read in table.contract.inputs}


def _stood_in(job: Job, table: Table, read: Input, rows: DataFrame, plan: Plan) -> DataFrame:
    """The rows, with those of a last good day once more under each day that they stand in for."""
    others = plan.stand_ins.get(read.table)
    day = job.lake.table(read.table).contract.day
    if not others or not day:
        return rows
    read_as = [(others.get(key, key), key) for key in plan.inputs]
    pairs = job.spark.createDataFrame([(date.fromisoformat(good), date.fromisoformat(key)) for good, key in read_as], "_good date, _stands_for date")
    columns = [F.col("_stands_for").alias(name) if name == day else F.col(name) for name in rows.columns]
    return rows.join(F.broadcast(pairs), F.col(day) == F.col("_good")).select(*columns)
