"""The quarantine: refused rows wait beside their table, with the reason and where they came from."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from spark_jobs.lake import commit
from spark_jobs.lake.reading import read_refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column, DataFrame

    from expectations.lake import Table
    from spark_jobs.lake.job import Job

TYPE_RULE, LATE_RULE = "type", "late"
COLUMNS = {
    "_key": "string",
    "_rules": "array<string>",
    "_day": "date",
    "_arrival_day": "date",
    "_row": "string",
    "_source_file": "string",
    "_source_line": "bigint",
    "_values": "string",
    "_run_id": "string",
    "_quarantined_at": "timestamp",
    "_state": "string",
}
"""One refused row: what it is replaced with (`_key`: a day, or the bronze table and arrival day of rows that belong to no day), the rules it
broke, the day it belongs to (null where that cannot be known), the day it arrived, where it came from, its values as JSON (as they arrived
for the rule `type`, else as the table would have had them), and `waiting`."""


def arrival_key(bronze: str, arrival_day: str) -> str:
    """The key of rows that belong to no day: those that do not parse, come too late, or have no day."""
    return f"{bronze}/{arrival_day}"


def refused_by_type(job: Job, bronze: str, arrival_days: Iterable[str]) -> DataFrame:
    """The rows of these arrival days that do not parse, as quarantine rows; the rule is `type`, and the columns at fault."""
    rows = read_refused(job, bronze, arrival_days)
    texts = list(job.lake.table(bronze).contract.columns)
    reasons = F.transform(F.col("_errors"), lambda name: F.concat(F.lit(f"{TYPE_RULE}("), name, F.lit(")")))
    values = F.coalesce(F.col("_corrupt"), F.to_json(F.struct(*texts)))
    return _entries(job, rows, {"_key": _arrival_key(bronze, F.col("_day")), "_rules": reasons, "_arrival_day": F.col("_day"), "_values": values})


def refused_by_rule(job: Job, table: Table, rows: DataFrame, day: Column, no_day_key: str) -> DataFrame:
    """Rows that broke quarantine rules (named in their column `_rules`), as quarantine rows.

    `day` is what they are filed under, null where they belong to no day; then the file they came from is, or `no_day_key`.
    """
    traced = "_row" in rows.columns
    arrival = arrival_day(F.col("_row")) if traced else F.lit(None).cast("date")
    bronze = next((read.table for read in table.contract.inputs if job.lake.table(read.table).contract.source), None)
    arrived = _arrival_key(bronze, arrival) if bronze else F.lit(None).cast("string")
    key = F.coalesce(day.cast("string"), arrived, F.lit(no_day_key))
    values = F.to_json(F.struct(*table.contract.columns))
    if traced and bronze:
        places = job.spark.read.format("delta").load(job.settings.table_path(bronze))
        places = places.select("_row", F.col("_day").alias("_arrived"), "_source_file", "_source_line")
        rows = rows.select("*", arrival.alias("_arrived")).join(places, ["_row", "_arrived"], "left")
    return _entries(job, rows, {"_key": key, "_rules": F.col("_rules"), "_day": day, "_arrival_day": arrival, "_values": values})


def replace(job: Job, table: Table, rows: list[DataFrame], keys: Iterable[str] | None) -> None:
    """Replace what waits under these keys (None: all that waits) by `rows`."""
    path = job.settings.quarantine_path(table.name)
    if not rows and not commit.exists(job.spark, path):
        return
    empty = job.spark.createDataFrame([], ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items()))
    refused = reduce(lambda first, second: first.unionByName(second), rows, empty)
    target = commit.Target(job.spark, path, table.contract, None, {"run_id": job.request.run_id, "table": table.name, "quarantine": True})
    # keys are table names and ISO dates, both checked
    within = "true" if keys is None else f"_key IN ({', '.join(repr(key) for key in sorted(keys))})"
    commit.replace_where(target, refused, within)


def arrival_day(row: Column) -> Column:
    """The day on which the bronze row that `_row` names arrived."""
    return F.substring_index(row, "/", 1).try_cast("date")


def _arrival_key(bronze: str, day: Column) -> Column:
    return F.concat(F.lit(f"{bronze}/"), day.cast("string"))


def _entries(job: Job, rows: DataFrame, known: dict[str, Column]) -> DataFrame:
    """`rows` as quarantine rows: `known` columns, those of COLUMNS that the rows have, and what is the same for all."""
    same = {"_run_id": F.lit(job.request.run_id), "_quarantined_at": F.current_timestamp(), "_state": F.lit("waiting")}
    traced: dict[str, Column] = {name: F.col(name) for name in ("_row", "_source_file", "_source_line") if name in rows.columns}
    columns = {**traced, **known, **same}
    return rows.select(*(columns.get(name, F.lit(None)).cast(kind).alias(name) for name, kind in COLUMNS.items()))
