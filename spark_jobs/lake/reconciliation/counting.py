"""Counts a table's days anew: in the kept files, in the table, in its quarantine, and in what its logic returns."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.days import ALL
from expectations.storage import Place
from spark_jobs.lake import delta_log
from spark_jobs.lake.build import days_around, rows_known
from spark_jobs.lake.inputs import read_inputs
from spark_jobs.lake.landing import source_of
from spark_jobs.lake.logic import transform
from spark_jobs.lake.planning import Planner
from spark_jobs.lake.quarantine import store
from spark_jobs.lake.quarantine.set_aside import NO_DAY
from spark_jobs.lake.reading import read_table
from spark_jobs.lake.reconciliation.figures import Counted, Figures, FileOfDay, Waiting, of_bronze, of_changes, of_day, of_files_left, without_day
from spark_jobs.lake.reconciliation.landed_rows import rows_in
from spark_jobs.lake.session import expect_rows
from spark_jobs.lake.sources import kept_copy, look

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import Column, DataFrame

    from expectations.lake import Table
    from expectations.ledger import DayEntry, FileEntry
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.planning import Plan

TAKES_CHANGES = frozenset({"merge", "append", "scd2"})
KEY = "_counted_under"


def figures_of(job: Job, table: Table) -> list[Figures]:
    """A row for each day of the table; none where nothing was ever published. Raises LakeError where its rows cannot be read."""
    entries = {day: entry for day, entry in job.ledger.days(table.name).items() if entry.version is not None}
    if table.contract.source:
        return _of_bronze(job, table, entries)
    if not entries:
        return []
    return _of_days(job, table, entries) if table.contract.day else [_of_all(job, table, entries)]


# bronze


def _of_bronze(job: Job, table: Table, entries: Mapping[str, DayEntry]) -> list[Figures]:
    taken = job.ledger.files_taken(table.name)
    landing = look(job, table, sorted({*entries, *taken})) if entries or taken else None
    parsed, unparsed = _parsed(job, table) if entries else ({}, {})
    found = []
    for day in sorted({*entries, *parsed, *unparsed}):
        listed = landing.files.get(day) if landing else None
        file = _file(job, table, taken[day], listed.bytes if listed else None) if day in taken else None
        found.append(of_bronze(table.name, day, file, parsed.get(day, 0), unparsed.get(day, 0), is_known=day in entries))
    left = [*landing.names_not_taken, *landing.refused] if landing else []
    return [*found, *([of_files_left(table.name, left)] if left else [])]


def _parsed(job: Job, table: Table) -> tuple[dict[str, int], dict[str, int]]:
    """Day to its rows that parse, and to those that do not."""
    parses = F.col("_errors").isNull().alias("parses")
    rows = read_table(job, table.name).groupBy(F.col("_day").cast("string").alias("day"), parses).count().collect()
    return {row.day: row["count"] for row in rows if row.parses}, {row.day: row["count"] for row in rows if not row.parses}


def _file(job: Job, table: Table, entry: FileEntry, landed_bytes: int | None) -> FileOfDay:
    kept = Place.of(kept_copy(job, table, entry))
    is_whole = kept.exists() and kept.fingerprint()[0] == entry.sha256
    return FileOfDay(entry.path, entry.bytes, rows_in(kept, source_of(table)) if is_whole else None, landed_bytes)


# tables that are made of others


@dataclass(frozen=True)
class Returned:
    """What a table's logic returns of its inputs now: day to rows, NO_DAY for those without and for late ones; ALL of a table without days.

    `absent`: of a table that takes changes, day to those whose key is not in it. `unparsed`: rows of its bronze inputs that do not parse.
    `stale`: days whose inputs or code are others since they were made. `note`: why nothing was counted, else empty.
    """

    of_days: dict[str, int] = field(default_factory=dict)
    absent: dict[str, int] = field(default_factory=dict)
    unparsed: int = 0
    stale: frozenset[str] = frozenset()
    note: str = ""


def _of_days(job: Job, table: Table, entries: Mapping[str, DayEntry]) -> list[Figures]:
    published = _by_day(read_table(job, table.name), str(table.contract.day))
    waiting, returned = _waiting(job, table), _returned(job, table, entries)
    found = []
    for day in sorted({*entries, *published, *returned.of_days, *waiting} - {NO_DAY}):
        entry = entries.get(day)
        rows_in, note = _expected(job, table, entry, returned, day)
        counted = Counted(rows_in, waiting.get(day, Waiting()), entry.rows_dropped if entry else 0, note)
        if _takes_changes(table):
            found.append(of_changes(table.name, day, returned.absent.get(day, 0), counted))
        else:
            found.append(of_day(table.name, day, published.get(day, 0), counted, is_known=entry is not None))
    rows_in, waits = returned.of_days.get(NO_DAY, 0) + returned.unparsed, waiting.get(NO_DAY, Waiting())
    if not returned.stale and not returned.note and (rows_in or waits.rows):
        found.append(without_day(table.name, rows_in, waits))
    return found


def _of_all(job: Job, table: Table, entries: Mapping[str, DayEntry]) -> Figures:
    """A table without days is one row: its batches are counted together."""
    waits, returned = _waiting(job, table).get(NO_DAY, Waiting()), _returned(job, table, entries)
    newest = max(entries.values(), key=lambda entry: entry.version or 0)
    rows_in, note = _expected(job, table, newest, returned, ALL)
    rows_in = None if rows_in is None else rows_in + returned.unparsed
    if _takes_changes(table):
        counted = Counted(None if returned.stale else rows_in, waits, sum(entry.rows_dropped for entry in entries.values()), note)
        return of_changes(table.name, ALL, returned.absent.get(ALL, 0) + returned.unparsed, counted)
    return of_day(table.name, ALL, read_table(job, table.name).count(), Counted(rows_in, waits, newest.rows_dropped, note), is_known=True)


def _returned(job: Job, table: Table, entries: Mapping[str, DayEntry]) -> Returned:
    """Asks the table's logic again, of the inputs as they are now."""
    if table.logic is None:
        return Returned(note="made by a model")
    planner = Planner(job.lake, job.ledger, table, _requested(job, table, entries), job.request.run_id)
    changed = planner.plan()
    arrivals = {arrival.arrival_day: arrival.days for arrival in job.ledger.arrivals(table.name)}
    stale = frozenset({*changed.days, *changed.refused, *(day for arrival in changed.new_arrivals for day in arrivals.get(arrival, ()))})
    known = tuple(day for day in planner.requested if day not in changed.new_arrivals)
    plan = replace(planner, requested=known, force=True).plan()
    if plan.is_empty:
        return Returned(stale=stale, note="its inputs are gone")
    expect_rows(job.spark, rows_known(job, table, plan))
    rows = transform(job, table, read_inputs(job, table, plan))
    keyed = rows.select("*", _day_key(table, rows, plan).alias(KEY))
    absent = _by_key(_without_those_in(keyed, read_table(job, table.name), table.contract.grain)) if _takes_changes(table) else {}
    around = days_around(plan) if table.contract.day and not planner.arrival_input else []
    of_days = {day: count for day, count in _by_key(keyed).items() if day not in around}
    return Returned(of_days, absent, _unparsed(job, table, plan), stale)


def _takes_changes(table: Table) -> bool:
    """Whether the rows that a table's logic returns are changes of what is there; a model's answers are told by nobody but the model."""
    return table.contract.write in TAKES_CHANGES and table.logic is not None


def _requested(job: Job, table: Table, entries: Mapping[str, DayEntry]) -> tuple[str, ...]:
    """What the runs that made the table asked for: its days, or those of the files that it has read."""
    arrived = {arrival.arrival_day for arrival in job.ledger.arrivals(table.name)}
    return tuple(sorted(arrived or entries))


def _day_key(table: Table, rows: DataFrame, plan: Plan) -> Column:
    """The day under which a returned row is counted."""
    if not table.contract.day:
        return F.lit(ALL)
    day = F.col(table.contract.day)
    key = F.coalesce(day.cast("string"), F.lit(NO_DAY))
    if not plan.new_arrivals or "_row" not in rows.columns:
        return key
    is_late = F.datediff(store.arrival_day(F.col("_row")), day) > table.contract.late
    return F.when(F.coalesce(is_late, F.lit(False)), F.lit(NO_DAY)).otherwise(key)


def _without_those_in(rows: DataFrame, published: DataFrame, grain: Iterable[str]) -> DataFrame:
    keys = list(grain)
    there = published.select(*(F.col(name).alias(f"_there_{name}") for name in keys)).distinct()
    is_same = reduce(and_, (F.col(name).eqNullSafe(F.col(f"_there_{name}")) for name in keys))
    return rows.join(there, is_same, "left_anti")


def _expected(job: Job, table: Table, entry: DayEntry | None, returned: Returned, day: str) -> tuple[int | None, str]:
    """The rows that the table should have of a day, before the gate, and why that cannot be told."""
    if entry is not None and entry.state == "held":
        return None, "held: its rows are of an earlier run"
    if entry is not None and not _was_built(job, table, entry):
        return None, "restored or adopted"
    if returned.note:  # of rows that are added to others, the last run's number says nothing of all
        is_whole = entry is not None and table.contract.write not in TAKES_CHANGES
        return (entry.rows_in if entry and is_whole else None), returned.note
    if day in returned.stale:
        return None, "an input changed since: run it again"
    return returned.of_days.get(day, 0), ""


def _was_built(job: Job, table: Table, entry: DayEntry) -> bool:
    """Whether the commit of the day's version is of the run that made the day: a restored or adopted one is not what the logic returned."""
    try:
        logged = delta_log.read(job.settings.table_path(table.name), entry.version or 0)
    except (FileNotFoundError, ValueError):  # the log is cleaned of old commits
        return True
    return logged.run_id == entry.run_id and logged.operation != "RESTORE"


# counts by day


def _by_day(rows: DataFrame, day: str) -> dict[str, int]:
    return _by_key(rows.select(F.coalesce(F.col(day).cast("string"), F.lit(NO_DAY)).alias(KEY)))


def _by_key(rows: DataFrame) -> dict[str, int]:
    return {row[KEY]: row["count"] for row in rows.groupBy(KEY).count().collect()}


def _waiting(job: Job, table: Table) -> dict[str, Waiting]:
    """Day, NO_DAY for those without, to what lies in quarantine."""
    rows = store.counted(job, table)
    if rows is None:
        return {}
    discarded = F.count_if(F.col("_state") == store.DISCARDED).alias("discarded")
    day = F.coalesce(F.col("_day").cast("string"), F.lit(NO_DAY)).alias("day")
    return {row.day: Waiting(row.rows, row.discarded) for row in rows.groupBy(day).agg(F.count("*").alias("rows"), discarded).collect()}


def _unparsed(job: Job, table: Table, plan: Plan) -> int:
    """The rows that do not parse of the bronze days that the table reads; they wait in its quarantine."""
    found = 0
    for read in table.contract.inputs:
        bronze, days = job.lake.table(read.table), plan.reads[read.table]
        if bronze.contract.source:
            _, unparsed = _parsed(job, bronze)
            found += sum(count for day, count in unparsed.items() if days is None or day in days)
    return found
