"""Commits: the five write modes, each one Delta commit, each safe to run twice."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from pyspark.sql import Window
from pyspark.sql import functions as F

from expectations.errors import LeaseError
from spark_jobs.lake import delta_log
from spark_jobs.lake.gate.rules import GRAIN, gate_rules

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pyspark.sql import DataFrame, DataFrameWriter, SparkSession

    from expectations.contract import TableContract

VALID_FROM, VALID_TO, IS_CURRENT = "_valid_from", "_valid_to", "_is_current"
"""What scd2 adds: from when a version of a row held, until when (null: still), and whether it is the one that holds now."""
COMPARING = {"append", "merge", "scd2"}
"""Write modes that compare rows with those that are there."""
USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"


@dataclass(frozen=True)
class Target:
    """One Delta table: where it is, what it promises, and what is written into the commit for whoever reads its history."""

    spark: SparkSession
    path: str
    contract: TableContract
    day_column: str | None
    metadata: dict[str, Any]
    is_abandoned: bool = False
    """Whether all that lies there is of runs that died before they recorded: it counts for nothing, and the first commit takes its place."""

    @property
    def sql_name(self) -> str:
        """The table as SQL names it."""
        return "delta.`" + self.path.replace("`", "``") + "`"


@dataclass(frozen=True)
class Committed:
    """One Delta commit: its version, and the rows that it wrote (None for merges, which count otherwise)."""

    version: int
    rows: int | None


def replaces(contract: TableContract) -> bool:
    """Whether a write takes the place of all that was there of its days, or of the table."""
    return contract.source is not None or contract.write in {"replace_days", "replace_all"}


def exists(path: str) -> bool:
    """Whether there is a Delta table at `path`."""
    return delta_log.newest_version(path) is not None


def commit(target: Target, rows: DataFrame, days: Iterable[str], *, all_have_rows: bool = False) -> Committed:
    """Write `rows` by the contract's write mode and return the commit.

    `days` are those of the rows, which replace_days replaces; `all_have_rows` says that none of them is without rows.
    """
    days = list(days)
    is_bronze = target.contract.source is not None
    mode = "replace_days" if is_bronze else target.contract.write
    if target.is_abandoned or (mode in COMPARING and not exists(target.path)):
        return _begin(target, rows, mode)
    if mode == "replace_days":
        if all_have_rows and exists(target.path):
            _replace_partitions(target, rows)
            return last_commit(target)
        replace_where(target, rows, _in_days(str(target.day_column), days))
        return _last_commit_of(target, rows)
    if mode == "replace_all":
        _writer(target, rows).mode("overwrite").option("overwriteSchema", "true").save(target.path)
    elif mode == "append" and _are_new(target, days):
        # nothing to compare with, so no join; and still, twice is once
        replace_where(target, one_of_each_grain(target, rows), _in_days(str(target.day_column), days))
        return _last_commit_of(target, rows)
    else:
        before = current_version(target)
        _merge_by_mode(target, rows, mode)
        return last_commit(target, before)
    return last_commit(target)


def _begin(target: Target, rows: DataFrame, mode: str) -> Committed:
    """The first commit that counts: the table's first, or one that takes the place of all that was abandoned."""
    if mode in COMPARING:
        rows = _scd2_history(target, rows) if mode == "scd2" else one_of_each_grain(target, rows)
    writer = _writer(target, rows)
    (writer.mode("overwrite").option("overwriteSchema", "true") if target.is_abandoned else writer.mode("error")).save(target.path)
    done = last_commit(target)
    return Committed(done.version, None) if mode in COMPARING else done  # of several versions of a row one was written, as a merge would


def current_version(target: Target) -> int:
    """The table's version. Raises LeaseError where somebody has deleted the table."""
    return _newest(target).version


def put_back(target: Target, version: int) -> int:
    """Put the table back to an earlier version, as a new commit, and return that. Raises AnalysisException where Delta has it no more."""
    with _described(target):
        target.spark.sql(f"RESTORE TABLE {target.sql_name} TO VERSION AS OF {int(version)}").collect()
    return current_version(target)


@contextmanager
def _described(target: Target) -> Iterator[None]:
    """What SQL commits within the block says who it is."""
    target.spark.conf.set(USER_METADATA, json.dumps(target.metadata))
    try:
        yield
    finally:
        target.spark.conf.unset(USER_METADATA)


def _merge_by_mode(target: Target, rows: DataFrame, mode: str) -> None:
    if mode == "append":
        _merge(target, one_of_each_grain(target, rows), "WHEN NOT MATCHED THEN INSERT *")
    elif mode == "merge":
        newer = f"s.`{target.contract.order_by}` >= t.`{target.contract.order_by}`"
        _merge(target, _latest(target, rows), f"WHEN MATCHED AND {newer} THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *")
    else:
        _merge_scd2(target, rows)


def replace_where(target: Target, rows: DataFrame, predicate: str) -> None:
    """Replace the rows that `predicate` names by `rows`, in one commit."""
    if exists(target.path):
        _writer(target, rows).option("replaceWhere", predicate).option("mergeSchema", "true").mode("overwrite").save(target.path)
    else:
        _writer(target, rows).mode("error").save(target.path)


def _replace_partitions(target: Target, rows: DataFrame) -> None:
    """Replace the days that have rows by these, in one commit.

    As `replace_where`, without its look at all files of the table, for which Delta makes a job of its own: 0.2 of the 0.5 s that a day of a
    thousand rows takes to commit, and more the longer the table.
    """
    _writer(target, rows).option("partitionOverwriteMode", "dynamic").option("mergeSchema", "true").mode("overwrite").save(target.path)


def _last_commit_of(target: Target, rows: DataFrame) -> Committed:
    """The commit just made; where days without rows have none now either, there was nothing to commit, and the version before stands."""
    try:
        return last_commit(target)
    except LeaseError:
        if not rows.isEmpty():
            raise
        return Committed(current_version(target), None)


def last_commit(target: Target, before: int | None = None) -> Committed:
    """The commit just made; the one `before` where a merge found nothing to change, which Delta does not commit.

    Raises LeaseError where the last commit is somebody else's.
    """
    last = _newest(target)
    is_ours = last.metadata.get("run_id") == target.metadata.get("run_id")
    if not is_ours and last.version != before:
        raise LeaseError(f"{target.path}: another writer committed at the same moment; run it again.")
    written = last.metrics.get("numOutputRows") if last.operation == "WRITE" else None
    copied = last.metrics.get("numCopiedRows", 0)  # rows that stay, in files that lost others
    return Committed(last.version, int(written) - int(copied) if written is not None else None)


def _newest(target: Target) -> delta_log.Logged:
    last = delta_log.newest(target.path)
    if last is None:
        raise LeaseError(f"{target.path}: there is no table any more, somebody has deleted it meanwhile; run it again.")
    return last


def _writer(target: Target, rows: DataFrame) -> DataFrameWriter:
    keep = f"interval {target.contract.keep_history} days"
    writer = rows.write.format("delta").option("userMetadata", json.dumps(target.metadata))
    writer = writer.option("delta.deletedFileRetentionDuration", keep).option("delta.logRetentionDuration", keep)
    return writer.partitionBy(target.day_column) if target.day_column else writer


def _in_days(column: str, days: Iterable[str]) -> str:
    dates = ", ".join(f"DATE'{date.fromisoformat(day)}'" for day in sorted(days))
    return f"`{column}` IN ({dates})"


def _are_new(target: Target, days: list[str]) -> bool:
    """Whether no row of an append can be there already: its keys hold the day, and the table has none of these days."""
    if target.day_column is None or target.day_column not in target.contract.grain or not days:
        return False
    return target.spark.read.format("delta").load(target.path).filter(_in_days(target.day_column, days)).isEmpty()


def one_of_each_grain(target: Target, rows: DataFrame) -> DataFrame:
    """One row of each grain."""
    return rows if has_one_row_a_grain(target.contract, target.day_column) else _latest(target, rows)


def has_one_row_a_grain(contract: TableContract, day_column: str | None) -> bool:
    """Whether the gate has held the days with two: where the contract leaves that rule to it and two days cannot share a grain."""
    is_judged = any(rule.name == GRAIN for rule in gate_rules(contract, keeps_rows=False))
    is_of_a_day = day_column is None or day_column in contract.grain
    is_told = all(not contract.columns[name].nullable for name in contract.grain)  # to the rule, nulls are not equal
    return is_judged and is_of_a_day and is_told


def _latest(target: Target, rows: DataFrame) -> DataFrame:
    """One row of each grain: the latest by order_by. An append needs no order: any one, told by all its values."""
    order = [F.col(target.contract.order_by).desc()] if target.contract.order_by else []
    rank = F.row_number().over(Window.partitionBy(*target.contract.grain).orderBy(*order, F.xxhash64(*rows.columns)))
    return rows.select("*", rank.alias("_rank")).filter("_rank = 1").drop("_rank")


def _same(columns: Iterable[str]) -> str:
    return " AND ".join(f"t.`{column}` <=> s.`{column}`" for column in columns)


def _merge(target: Target, source: DataFrame, clauses: str, keys: Iterable[str] | None = None) -> None:
    source.createOrReplaceTempView("_candidate")
    on = _same(keys or target.contract.grain)
    with _described(target):
        target.spark.sql(f"MERGE WITH SCHEMA EVOLUTION INTO {target.sql_name} AS t USING _candidate AS s ON {on} {clauses}").collect()


def _scd2_history(target: Target, rows: DataFrame) -> DataFrame:
    """Every version of every grain with the time it held.

    A version that repeats the one before it is kept too: what may still arrive between the two would make it news, and the history must
    not depend on the order of the runs.
    """
    contract = target.contract
    order = str(contract.order_by)
    once = Window.partitionBy(*contract.grain, order).orderBy(F.xxhash64(*contract.columns))
    versions = rows.select(*contract.columns, F.row_number().over(once).alias("_copy")).filter("_copy = 1")
    following = F.lead(order).over(Window.partitionBy(*contract.grain).orderBy(order))
    return versions.select(*contract.columns, F.col(order).alias(VALID_FROM), following.alias(VALID_TO), following.isNull().alias(IS_CURRENT))


def _merge_scd2(target: Target, rows: DataFrame) -> None:
    """Rebuild the history of every grain that has news, so that the order of the runs does not matter."""
    contract = target.contract
    known = target.spark.read.format("delta").load(target.path)
    touched = rows.select(*contract.grain).distinct()
    old = known.join(touched, list(contract.grain), "left_semi").select(*contract.columns)
    history = _scd2_history(target, old.unionByName(rows.select(*contract.columns)))
    kept = [*contract.grain, VALID_FROM]
    gone = old.select(*contract.grain, F.col(str(contract.order_by)).alias(VALID_FROM)).join(history.select(*kept), kept, "left_anti")
    source = history.select("*", F.lit(False).alias("_gone")).unionByName(gone.select("*", F.lit(True).alias("_gone")), allowMissingColumns=True)
    columns = [*contract.columns, VALID_FROM, VALID_TO, IS_CURRENT]
    # names are from the contract, where they may hold letters, digits and _ only
    update = ", ".join(f"t.`{name}` = s.`{name}`" for name in columns)
    names, values = ", ".join(f"`{name}`" for name in columns), ", ".join(f"s.`{name}`" for name in columns)
    changed = " OR ".join(f"NOT (t.`{name}` <=> s.`{name}`)" for name in columns)
    clauses = (
        f"WHEN MATCHED AND s._gone THEN DELETE WHEN MATCHED AND ({changed}) THEN UPDATE SET {update} "  # noqa: S608
        f"WHEN NOT MATCHED AND NOT s._gone THEN INSERT ({names}) VALUES ({values})"
    )
    _merge(target, source, clauses, keys=kept)
