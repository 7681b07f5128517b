"""The quarantine: refused rows wait beside their table, with the reason and where they came from."""

from __future__ import annotations

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
"""One refused row: the rules it broke, the day it belongs to (null where that cannot be known), the day it arrived, where it came from,
its values as JSON (as they arrived for the rule `type`, else as the table would have had them), and `waiting`."""


def refused_by_type(job: Job, bronze: str, arrival_days: Iterable[str]) -> DataFrame:
    """The rows of these arrival days that do not parse, as quarantine rows; the rule is `type`, and the columns at fault."""
    rows = read_refused(job, bronze, arrival_days)
    texts = list(job.lake.table(bronze).contract.columns)
    reasons = F.transform(F.col("_errors"), lambda name: F.concat(F.lit(f"{TYPE_RULE}("), name, F.lit(")")))
    values = F.coalesce(F.col("_corrupt"), F.to_json(F.struct(*texts)))
    return _entries(job, rows, {"_rules": reasons, "_day": F.lit(None), "_arrival_day": F.col("_day"), "_values": values})


def refused_by_rule(job: Job, table: Table, rows: DataFrame, day_column: str | None) -> DataFrame:
    """Rows that broke quarantine rules (named in their column `_rules`), as quarantine rows."""
    traced = "_row" in rows.columns
    day = F.col(day_column) if day_column else F.lit(None).cast("date")
    arrival = arrival_day(F.col("_row")) if traced else F.lit(None).cast("date")
    values = F.to_json(F.struct(*table.contract.columns))
    bronze = next((i.table for i in table.contract.inputs if job.lake.table(i.table).contract.source), None)
    if traced and bronze:
        places = job.spark.read.format("delta").load(job.settings.table_path(bronze)).select("_row", "_day", "_source_file", "_source_line")
        arrived = places.withColumnRenamed("_day", "_arrived")
        rows = rows.select("*", arrival.alias("_arrived")).join(arrived, ["_row", "_arrived"], "left")
    return _entries(job, rows, {"_rules": F.col("_rules"), "_day": day, "_arrival_day": arrival, "_values": values})


def replace(job: Job, table: Table, rows: DataFrame | None, days: list[str], arrival_days: list[str]) -> None:
    """Replace what waits for these days, and what waits without a day from these arrival days, by `rows` (None: by nothing)."""
    path = job.settings.quarantine_path(table.name)
    if rows is None and not commit.exists(job.spark, path):
        return
    metadata = {"run_id": job.request.run_id, "table": table.name, "quarantine": True}
    target = commit.Target(job.spark, path, table.contract, None, metadata)
    empty = job.spark.createDataFrame([], ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items()))
    commit.replace_where(target, empty if rows is None else rows, _predicate(days, arrival_days))


def arrival_day(row: Column) -> Column:
    """The day on which the bronze row that `_row` names arrived."""
    return F.substring_index(row, "/", 1).try_cast("date")


def _predicate(days: list[str], arrival_days: list[str]) -> str:
    def within(column: str, keys: list[str]) -> str:
        dates = ", ".join(f"DATE'{key}'" for key in keys)
        return f"{column} IN ({dates})" if keys else "false"

    return f"({within('_day', days)}) OR (_day IS NULL AND {within('_arrival_day', arrival_days)})"


def _entries(job: Job, rows: DataFrame, known: dict[str, Column]) -> DataFrame:
    """`rows` as quarantine rows: `known` columns, those of COLUMNS that the rows have, and what is the same for all."""
    same = {"_run_id": F.lit(job.request.run_id), "_quarantined_at": F.current_timestamp(), "_state": F.lit("waiting")}
    traced: dict[str, Column] = {name: F.col(name) for name in ("_row", "_source_file", "_source_line") if name in rows.columns}
    columns = {**traced, **known, **same}
    return rows.select(*(columns.get(name, F.lit(None)).cast(kind).alias(name) for name, kind in COLUMNS.items()))
