"""The quarantine: refused rows wait beside their table, with the reason and where they came from."""

from __future__ import annotations

import re
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.days import ALL
from expectations.errors import DataError
from expectations.ledger import Quarantine
from spark_jobs.lake import commit
from spark_jobs.lake.quarantine.keys import batch_key
from spark_jobs.lake.reading import read_refused, read_table

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
"""One refused row: what a decision calls it (`_id`: its `_row`, else the sha256 of its values), what it is replaced with (`_key`, see
keys.py), the rules it broke, the day it belongs to (null where that cannot be known, and in a table without days), the day it arrived, where
it came from, its values as JSON (as they arrived for the rule `type`, else as the table would have had them), when it was refused first and
last, and whether it is `waiting`, `discarded` (with reason and who), or `reopened`, which waits too."""
KEY = re.compile(r"[A-Za-z0-9_./-]+")


def row_id(rows: DataFrame, table: Table) -> Column:
    """What a decision calls a row: its `_row` where it is traced to a file, else the sha256 of its values."""
    return F.col("_row") if "_row" in rows.columns else F.sha2(F.to_json(F.struct(*table.contract.columns)), 256)


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


def refused_by_rule(job: Job, table: Table, rows: DataFrame, day: Column, made: Iterable[str]) -> DataFrame:
    """Refused rows (the rules they broke are in their column `_rules`) as quarantine rows.

    `day` is the day they belong to. Where that is null they are filed under the day of an input, or else the arrival day, that they came
    from; those that are not traced under all days that are `made`.
    """
    made = list(made)
    traced = "_row" in rows.columns
    arrival = arrival_day(F.col("_row")) if traced else F.lit(None).cast("date")
    values, identity = F.to_json(F.struct(*table.contract.columns)), row_id(rows, table)
    known = {"_id": identity, "_rules": F.col("_rules"), "_day": day, "_arrival_day": arrival, "_values": values}
    rows = rows.select("*", *(column.alias(f"_known{name}") for name, column in known.items()))
    keys = [F.col("_known_day").cast("string")]
    read_as = _input_days(job, table, made) if traced and not table.contract.day else None
    if read_as is not None:
        rows = rows.join(read_as, "_row", "left")
        keys.append(F.col("_read_as"))
    places = _places(job, table, rows) if traced else None
    if places is not None:
        rows = rows.select("*", arrival.alias("_arrived")).join(places, ["_row", "_arrived"], "left")
        own = [read.table for read in table.contract.inputs if job.lake.table(read.table).contract.source]
        keys.append(F.when(F.col("_bronze").isin(own), _arrival_key(F.col("_bronze"), F.col("_arrived"))))
    key = F.coalesce(*keys, F.lit(batch_key(made)))
    return _entries(job, rows, {**{name: F.col(f"_known{name}") for name in known}, "_key": key})


def _input_days(job: Job, table: Table, made: list[str]) -> DataFrame | None:
    """`_row` to the one of the days `made` under which a table was read that has days of its own; None where no such input keeps `_row`."""
    frames = []
    for read in table.contract.inputs:
        day = job.lake.table(read.table).contract.day
        if day and read.days == (0, 0):
            rows = read_table(job, read.table)
            if "_row" in rows.columns:
                of_days = rows.filter(F.col(day).isin([date.fromisoformat(key) for key in made if key != ALL]))
                frames.append(of_days.select("_row", F.col(day).cast("string").alias("_read_as")))
    return reduce(_union, frames).groupBy("_row").agg(F.min("_read_as").alias("_read_as")) if frames else None


def _places(job: Job, table: Table, refused: DataFrame) -> DataFrame | None:
    """Where the bronze rows came from that `refused` ones were made of, one row a bronze row; None where the table is bronze itself."""
    names = job.lake.bronze_of(table.name)
    if not names:
        return None
    arrived = [row[0] for row in refused.select("_known_arrival_day").distinct().collect() if row[0]]
    frames = []
    for name in names:
        rows = read_table(job, name).filter(F.col("_day").isin(arrived))
        frames.append(rows.select("_row", F.col("_day").alias("_arrived"), "_source_file", "_source_line", F.lit(name).alias("_bronze")))
    return each_once(frames)


def each_once(places: list[DataFrame]) -> DataFrame:
    """Where the bronze rows of several tables came from, each row once: two bronze tables of one folder have the same rows."""
    found = reduce(_union, places)
    return found.dropDuplicates(["_row", "_arrived"]) if len(places) > 1 else found


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


def counted(job: Job, table: Table) -> DataFrame | None:
    """The rows that count: those of the version that the ledger names. None where nothing was ever refused.

    What a run wrote that did not end is a later version, which the next run puts back; it counts for nobody.
    """
    target = _target(job, table)
    if not commit.exists(target.path):
        return None
    return _counted(target, *_standing(job, table, target))


def replace(job: Job, table: Table, rows: list[DataFrame], keys: Iterable[str], *, whole: bool = False) -> tuple[int, Quarantine | None]:
    """Replace what waits under these keys (`whole`: all that waits) by `rows`, which are filed under them.

    Returns how many were written, and what the ledger has to name so that they count; None where all stays as it was.
    """
    known, within, target = job.ledger.quarantine(table.name), set(keys), _target(job, table)
    if not rows and known is not None and not waits_within(known, within, whole=whole):
        return 0, None
    standing, head = _standing(job, table, target) if commit.exists(target.path) else (None, None)
    if standing is not None and known is None:  # else nothing would tell these rows from what a run leaves that does not end
        job.ledger.record([], [], quarantine=standing)
    before = _counted(target, standing, head)
    replaced = before if before is None or whole else before.filter(F.col("_key").isin(sorted(within)))
    if rows:
        refused = reduce(_union, rows)
        refused = _with_past(refused, replaced) if replaced is not None else refused
        return _written(target, _with_decisions(job, table, refused), standing, head, within, whole=whole)
    if standing is None or replaced is None:
        return 0, None
    left = Quarantine(table.name, standing.version, keys_after(standing, within, 0, whole=whole))
    return (0, left) if replaced.isEmpty() else _written(target, replaced.limit(0), standing, head, within, whole=whole)


def waits_within(known: Quarantine, within: set[str], *, whole: bool) -> bool:
    """Whether rows may wait under one of the keys `within` (`whole`: at all)."""
    return bool(known.keys if whole else within & set(known.keys))


def _target(job: Job, table: Table) -> commit.Target:
    metadata = {"run_id": job.request.run_id, "table": table.name, "quarantine": True}
    return commit.Target(job.spark, job.settings.quarantine_path(table.name), table.contract, None, metadata)


def _standing(job: Job, table: Table, target: commit.Target) -> tuple[Quarantine | None, int]:
    """What counts (None: nothing, since the only run that wrote here did not end), and the newest version."""
    head = commit.current_version(target)
    known = job.ledger.quarantine(table.name)
    if known is not None:
        return still_there(known, head), head
    rows = job.spark.read.format("delta").load(target.path)
    if "_id" in rows.columns:
        return None, head
    # from before decisions could be made, when the ledger named none: all of it counts
    return Quarantine(table.name, head, [row["_key"] for row in rows.select("_key").distinct().collect()]), head


def still_there(known: Quarantine, head: int) -> Quarantine | None:
    """What the ledger names, where the folder still has that version; it has not where it was deleted meanwhile."""
    return known if known.version <= head else None


def _counted(target: commit.Target, standing: Quarantine | None, head: int | None) -> DataFrame | None:
    """The rows of the standing version. Those from before decisions could be made have no id of their own yet: they get it here."""
    if standing is None:
        return None
    reader = target.spark.read.format("delta")
    # Delta reads its newest version however old that is, an earlier one only within keep_history
    rows = (reader if standing.version == head else reader.option("versionAsOf", str(standing.version))).load(target.path)
    found = {name: F.col(name) if name in rows.columns else F.lit(None).cast(kind) for name, kind in COLUMNS.items()}
    own = {
        **found,
        "_id": F.coalesce(found["_id"], F.col("_row"), F.sha2(F.col("_values"), 256)),
        "_first_seen": F.coalesce(found["_first_seen"], F.col("_quarantined_at")),
    }
    return rows.select(*(column.alias(name) for name, column in own.items()))


def _written(  # noqa: PLR0913 - one commit
    target: commit.Target, rows: DataFrame, standing: Quarantine | None, head: int | None, within: set[str], *, whole: bool
) -> tuple[int, Quarantine]:
    """Put `rows`, which have COLUMNS, in the place of those under the keys `within` (`whole`, or where nothing stands: of all)."""
    if standing is not None and standing.version != head:
        head = commit.put_back(target, standing.version)
    commit.replace_where(target, rows, "true" if whole or standing is None else f"_key IN ({', '.join(map(_quoted, sorted(within)))})")
    done = commit.last_commit(target, head)
    count = (done.rows or 0) if done.version != head else 0  # where nothing goes and nothing comes, Delta commits nothing
    return count, Quarantine(target.metadata["table"], done.version, keys_after(standing, within, count, whole=whole))


def keys_after(standing: Quarantine | None, within: set[str], count: int, *, whole: bool) -> list[str]:
    """Under which keys rows may wait once `count` rows were put in the place of those under the keys `within` (`whole`: of all)."""
    kept = set[str]() if whole or standing is None else set(standing.keys) - within
    return sorted(kept | within if count else kept)


def _union(first: DataFrame, second: DataFrame) -> DataFrame:
    return first.unionByName(second)


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
    target = _target(job, table)
    if not commit.exists(target.path):
        return
    standing, head = _standing(job, table, target)
    rows = _counted(target, standing, head)
    if rows is None:
        return
    keys = {row["_key"] for row in rows.filter(F.col("_id").isin(ids)).select("_key").distinct().collect()}
    if keys:
        job.ledger.record([], [], quarantine=standing)
        changed = _with_decisions(job, table, rows.filter(F.col("_key").isin(sorted(keys))))
        _, noted = _written(target, changed, standing, head, keys, whole=False)
        job.ledger.record([], [], quarantine=noted)
