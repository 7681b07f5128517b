"""The quarantine: refused rows wait beside their table, with the reason and where they came from."""

from __future__ import annotations

import re
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.errors import DataError
from spark_jobs.lake import commit
from spark_jobs.lake.reading import read_refused

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column, DataFrame

    from expectations.lake import Table
    from spark_jobs.lake.job import Job

TYPE_RULE, LATE_RULE = "type", "late"
WAITING, DISCARDED, REOPENED = "waiting", "discarded", "reopened"
COLUMNS = {
    "_id": "string",
    "_key": "string",
    "_rules": "array<string>",
    "_day": "date",
    "_arrival_day": "date",
    "_row": "string",
    "_source_file": "string",
    "_source_line": "bigint",
    "_values": "string",
    "_run_id": "string",
    "_first_seen": "timestamp",
    "_quarantined_at": "timestamp",
    "_state": "string",
    "_reason": "string",
    "_who": "string",
}
"""One refused row: what a decision calls it (`_id`: its `_row`, else the sha256 of its values), what it is replaced with (`_key`: a day, or
the bronze table and arrival day of rows that belong to no day), the rules it broke, the day it belongs to (null where that cannot be known),
the day it arrived, where it came from, its values as JSON (as they arrived for the rule `type`, else as the table would have had them), when
it was refused first and last, and whether it is `waiting`, `discarded` (with reason and who), or `reopened`, which waits too."""
KEY = re.compile(r"[A-Za-z0-9_./-]+")


def row_id(rows: DataFrame, table: Table) -> Column:
    """What a decision calls a row: its `_row` where it is traced to a file, else the sha256 of its values."""
    return F.col("_row") if "_row" in rows.columns else F.sha2(F.to_json(F.struct(*table.contract.columns)), 256)


def arrival_key(bronze: str, arrival_day: str) -> str:
    """The key of rows that belong to no day: those that do not parse, come too late, or have no day."""
    return f"{bronze}/{arrival_day}"


def arrival_day(row: Column) -> Column:
    """The day on which the bronze row that `_row` names arrived."""
    return F.substring_index(row, "/", 1).try_cast("date")


# rows on their way in


def refused_by_type(job: Job, bronze: str, arrival_days: Iterable[str]) -> DataFrame:
    """The rows of these arrival days that do not parse, as quarantine rows; the rule is `type`, and the columns at fault."""
    rows = read_refused(job, bronze, arrival_days)
    texts = list(job.lake.table(bronze).contract.columns)
    reasons = F.transform(F.col("_errors"), lambda name: F.concat(F.lit(f"{TYPE_RULE}("), name, F.lit(")")))
    values = F.coalesce(F.col("_corrupt"), F.to_json(F.struct(*texts)))
    key = _arrival_key(F.lit(bronze), F.col("_day"))
    return _entries(job, rows, {"_id": F.col("_row"), "_key": key, "_rules": reasons, "_arrival_day": F.col("_day"), "_values": values})


def refused_by_rule(job: Job, table: Table, rows: DataFrame, day: Column, no_day_key: str) -> DataFrame:
    """Refused rows (the rules they broke are in their column `_rules`) as quarantine rows.

    `day` is what they are filed under, null where they belong to no day; then the file they came from is, or `no_day_key`.
    """
    traced = "_row" in rows.columns
    arrival = arrival_day(F.col("_row")) if traced else F.lit(None).cast("date")
    own = [read.table for read in table.contract.inputs if job.lake.table(read.table).contract.source]
    arrived = F.lit(None).cast("string")
    values, identity = F.to_json(F.struct(*table.contract.columns)), row_id(rows, table)
    known = {"_id": identity, "_rules": F.col("_rules"), "_day": day, "_arrival_day": arrival, "_values": values}
    rows = rows.select("*", *(column.alias(f"_known{name}") for name, column in known.items()))
    places = _places(job, table) if traced else None
    if places is not None:
        rows = rows.select("*", arrival.alias("_arrived")).join(places, ["_row", "_arrived"], "left")
        arrived = F.when(F.col("_bronze").isin(own), _arrival_key(F.col("_bronze"), F.col("_arrived")))
    key = F.coalesce(F.col("_known_day").cast("string"), arrived, F.lit(no_day_key))
    return _entries(job, rows, {**{name: F.col(f"_known{name}") for name in known}, "_key": key})


def _places(job: Job, table: Table) -> DataFrame | None:
    """Where the rows of the bronze tables came from that `table` is made of, one row a bronze row; None where they say so themselves."""
    frames = []
    for name in job.lake.bronze_of(table.name):
        rows = job.spark.read.format("delta").load(job.settings.table_path(name))
        frames.append(rows.select("_row", F.col("_day").alias("_arrived"), "_source_file", "_source_line", F.lit(name).alias("_bronze")))
    if not frames:
        return None
    places = reduce(lambda first, second: first.unionByName(second), frames)
    # two bronze tables of one folder have the same rows
    return places.dropDuplicates(["_row", "_arrived"]) if len(frames) > 1 else places


def _arrival_key(bronze: Column, day: Column) -> Column:
    return F.concat(bronze, F.lit("/"), day.cast("string"))


def _entries(job: Job, rows: DataFrame, known: dict[str, Column]) -> DataFrame:
    """`rows` as quarantine rows: `known` columns, those of COLUMNS that the rows have, and what is the same for all."""
    now = F.current_timestamp()
    same = {"_run_id": F.lit(job.request.run_id), "_first_seen": now, "_quarantined_at": now, "_state": F.lit(WAITING)}
    traced: dict[str, Column] = {name: F.col(name) for name in ("_row", "_source_file", "_source_line") if name in rows.columns}
    columns = {**traced, **known, **same}
    return rows.select(*(columns.get(name, F.lit(None)).cast(kind).alias(name) for name, kind in COLUMNS.items()))


# what lies there


def entries(job: Job, table: Table) -> DataFrame | None:
    """All rows of the quarantine, also those that do not count; None where nothing was ever refused.

    Rows from before decisions could be made have no id of their own yet: they get it here.
    """
    path = job.settings.quarantine_path(table.name)
    if not commit.exists(job.spark, path):
        return None
    rows = job.spark.read.format("delta").load(path)
    found = {name: F.col(name) if name in rows.columns else F.lit(None).cast(kind) for name, kind in COLUMNS.items()}
    own = {
        **found,
        "_id": F.coalesce(found["_id"], F.col("_row"), F.sha2(F.col("_values"), 256)),
        "_first_seen": F.coalesce(found["_first_seen"], F.col("_quarantined_at")),
    }
    return rows.select(*(column.alias(name) for name, column in own.items()), found["_id"].isNull().alias("_old"))


def counted(job: Job, table: Table) -> DataFrame | None:
    """The rows that count: those of the run that the ledger names for their key. None where nothing was ever refused.

    What a run wrote that did not end stands there until the next run replaces it, and counts for nobody.
    """
    rows = entries(job, table)
    if rows is None:
        return None
    named = job.ledger.quarantined(table.name)
    pairs = job.spark.createDataFrame(list(named.items()), "_key string, _named string")
    # a key that the ledger never heard of holds rows from before it was told
    counts = F.coalesce(F.col("_run_id") == F.col("_named"), F.col("_old"))
    return rows.join(F.broadcast(pairs), "_key", "left").filter(counts).select(*COLUMNS)


def replace(job: Job, table: Table, rows: list[DataFrame], keys: Iterable[str] | None) -> int:
    """Replace what waits under these keys (None: all that waits) by `rows`, and return how many were written."""
    before = entries(job, table)
    within = None if keys is None else sorted(keys)
    if not rows and (before is None or before.filter(F.col("_key").isin(within) if within is not None else F.lit(True)).isEmpty()):
        return 0
    empty = job.spark.createDataFrame([], ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items()))
    refused = reduce(lambda first, second: first.unionByName(second), rows, empty)
    if rows and before is not None:
        refused = _with_past(refused, before)
        refused = _with_decisions(job, table, refused)
    return write(job, table, refused, within)


def write(job: Job, table: Table, rows: DataFrame, keys: list[str] | None) -> int:
    """Put `rows`, which have COLUMNS, in the place of those under these keys (None: of all), and return how many were written."""
    path = job.settings.quarantine_path(table.name)
    target = commit.Target(job.spark, path, table.contract, None, {"run_id": job.request.run_id, "table": table.name, "quarantine": True})
    commit.replace_where(target, rows, "true" if keys is None else f"_key IN ({', '.join(map(_quoted, keys))})")
    return commit.last_commit(target).rows or 0


def _quoted(key: str) -> str:
    if not KEY.fullmatch(key):  # keys are table names and days; anything else was not written by the engine
        raise DataError(f"the quarantine has a key {key[:80]!r}, which is no day and no table with a day; nothing was written.")
    return f"'{key}'"


def _with_past(rows: DataFrame, before: DataFrame) -> DataFrame:
    """When each row was refused first; and for rows that nobody judges any more, the rules that they broke then."""
    past = before.groupBy("_id").agg(F.min("_first_seen").alias("_since"), F.max("_rules").alias("_broke"))
    since = F.coalesce(F.least("_first_seen", "_since"), F.col("_first_seen"))
    broke = F.when(F.size("_rules") == 0, F.coalesce("_broke", "_rules")).otherwise(F.col("_rules"))
    changed = {"_first_seen": since, "_rules": broke}
    return rows.join(past, "_id", "left").select(*(changed.get(name, F.col(name)).alias(name) for name in COLUMNS))


def _with_decisions(job: Job, table: Table, rows: DataFrame) -> DataFrame:
    """Which rows a person has given up, why and who, as the ledger has it."""
    facts = [(one.row_id, one.reason, one.who) for one in job.ledger.decisions.discards(table.name).values()]
    given_up = job.spark.createDataFrame(facts, "_id string, _why string, _by string")
    is_given_up = F.col("_by").isNotNull()
    reopened = F.when(F.col("_state") == DISCARDED, F.lit(REOPENED)).otherwise(F.col("_state"))
    changed = {"_state": F.when(is_given_up, F.lit(DISCARDED)).otherwise(reopened), "_reason": F.col("_why"), "_who": F.col("_by")}
    return rows.join(F.broadcast(given_up), "_id", "left").select(*(changed.get(name, F.col(name)).alias(name) for name in COLUMNS))


def note_decisions(job: Job, table: Table, ids: list[str]) -> None:
    """Show on the rows with these ids what the ledger says of them now."""
    rows = entries(job, table)
    if rows is None:
        return
    keys = [row["_key"] for row in rows.filter(F.col("_id").isin(ids)).select("_key").distinct().collect()]
    if keys:
        write(job, table, _with_decisions(job, table, rows.filter(F.col("_key").isin(keys)).select(*COLUMNS)), sorted(keys))
