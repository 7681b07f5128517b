"""Care of published tables: put one back to an earlier version, compact, and forget what history no longer needs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyspark.errors import AnalysisException
from pyspark.sql import functions as F

from expectations.days import ALL, in_words
from expectations.errors import ForeignCommitError, RequestError
from expectations.jobs import JobResult
from expectations.ledger import DayEntry, Head
from expectations.storage import Place
from spark_jobs.lake import commit, delta_log
from spark_jobs.lake.reading import read_table
from spark_jobs.lake.settling import settle

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from expectations.lake import Table
    from expectations.ledger.entries import Inputs
    from spark_jobs.lake.job import Job

ABANDONED_SECONDS = 24 * 3600.0
NO_VERSION = -1
"""Of an arrival that is to be read again."""


def restore(job: Job) -> JobResult:
    """Put a table back to `request.version`, as a new commit; the ledger's days follow, so readers become stale and are made again.

    Nobody judges the restored rows, so their days are not clean. What waits in quarantine stays what the last build refused: it is made
    of the files, which a restore leaves alone, and no row is lost from sight.
    """
    table, version = job.lake.table(job.request.name), job.request.version
    if version is None:
        raise RequestError(f"{table.name}: which version? Add --version; `DESCRIBE HISTORY` of the table lists them.")
    target = _target(job, table)
    with job.ledger.lease(table.name, job.request.run_id) as lease:
        with suppress(ForeignCommitError):  # to go back is one of the ways out of it
            settle(job, table)
        current = _current_version(target, table)
        if version > current:
            raise RequestError(f"{table.name} has no version {version}; it is at {current}. Choose one from 0 to {current}.")
        lease.check()
        restored = _restore(target, table, version)
        rows = _rows(job, table, restored)
        back, gone = days_restored(job.ledger.days(table.name).values(), version, rows, job.request.run_id)
        job.ledger.forget_profiles(table.name, [*gone, *(entry.day for entry in back)])
        job.ledger.forget_days(table.name, gone)
        job.ledger.record(back, [], head=Head(table.name, restored, job.request.run_id))
    return _said(job, table, restored, [entry.day for entry in back])


def _said(job: Job, table: Table, restored: int, days: list[str]) -> JobResult:
    version = job.request.version
    facts = {"table": table.name, "version": restored, "restored_version": version, "days": days}
    unclean = f"; not clean until rebuilt, as nobody judged what is back: {in_words(days)}" if days else ""
    return JobResult(request=job.request, status="done", message=f"{table.name}: version {version} is back, as version {restored}{unclean}", facts=facts)


def maintain(job: Job) -> JobResult:
    """Compact the table's small files and delete files that no version within `keep_history` needs."""
    table = job.lake.table(job.request.name)
    if not commit.exists(job.settings.table_path(table.name)):
        return JobResult(request=job.request, status="unchanged", message=f"{table.name}: never published; nothing to do")
    target = _target(job, table)
    hours = table.contract.keep_history * 24
    with job.ledger.lease(table.name, job.request.run_id):
        settle(job, table)
        metrics = job.spark.sql(f"OPTIMIZE {target.sql_name}").select("metrics").collect()[0].metrics
        job.spark.sql(f"VACUUM {target.sql_name} RETAIN {hours} HOURS").collect()
        settle(job, table)
    # what a killed run has left: a live one is never as old
    Place.of(f"{job.settings.root}/_staging/{table.name}").delete_folders_older_than(ABANDONED_SECONDS)
    facts = {"table": table.name, "files_added": metrics.numFilesAdded, "files_removed": metrics.numFilesRemoved}
    message = f"{table.name}: {metrics.numFilesRemoved} files compacted into {metrics.numFilesAdded}; history of {table.contract.keep_history} days kept"
    return JobResult(request=job.request, status="done", message=message, facts=facts)


def adopt(job: Job) -> JobResult:
    """Take what lies in a table's folder for right, as a person says it: the ledger follows it, and whatever reads the table is made again.

    Nobody judges the rows, so their days are not clean. Days that have no rows any more are forgotten, and made by the next run that asks for
    them. Without a version, a table whose folder is gone is forgotten whole.
    """
    table, version = job.lake.table(job.request.name), job.request.version
    newest = delta_log.newest_version(job.settings.table_path(table.name))
    if newest is None and (version is not None or job.ledger.heads.of(table.name) is None):
        raise RequestError(f"{table.name}: there is no Delta table to adopt.")
    if newest is not None and version != newest:
        asked = "which version?" if version is None else f"version {version} is not the newest."
        raise RequestError(f"{table.name}: {asked} Its log ends at {newest}: look at that, and add --version {newest} where it is right.")
    with job.ledger.lease(table.name, job.request.run_id):
        rows = None if newest is None else _rows(job, table, newest)
        entries = job.ledger.days(table.name)
        unknown = DayEntry(table.name, ALL, "published", newest, job.request.run_id, table.contract_hash, table.logic_hash, {})
        found, gone = days_adopted(entries, rows, unknown)
        job.ledger.forget_profiles(table.name, [*gone, *(entry.day for entry in found)])
        job.ledger.forget_days(table.name, gone)
        _forget_reading(job, table.name)
        run_id = delta_log.read(job.settings.table_path(table.name), newest).run_id if newest is not None else ""
        job.ledger.record(found, [], head=Head(table.name, newest, run_id))
    days = [entry.day for entry in found]
    facts = {"table": table.name, "version": newest, "days": days, "forgotten": gone}
    parts = [f"version {newest} is taken for right" if rows else "forgotten"]
    parts += [f"not clean until rebuilt, as nobody judged it: {in_words(days)}"] if days else []
    parts += [f"no rows of {in_words(gone)}: run them again"] if gone else []
    return JobResult(request=job.request, status="done", message=f"{table.name}: {'; '.join(parts)}", facts=facts)


def days_adopted(entries: Mapping[str, DayEntry], rows: Rows | None, unknown: DayEntry) -> tuple[list[DayEntry], list[str]]:
    """What the ledger has to say of a table whose rows are these (None: it is gone): its days, and the days that are gone.

    `unknown`: what it says of a day that it did not know, but for the day and its rows.
    """
    there = {} if rows is None else rows.of_days
    new = [replace(unknown, day=day, rows_in=count) for day, count in there.items() if day not in entries and (day != ALL or not entries)]
    known = [replace(entry, run_id=unknown.run_id) for day, entry in entries.items() if day in there]
    found = [] if rows is None else [_restored(entry, rows) for entry in sorted([*known, *new], key=lambda entry: entry.day)]
    return found, sorted(day for day in entries if day not in there)


def _forget_reading(job: Job, name: str) -> None:
    """Make every day stale that was made from the table: the numbers of its versions may come again with other rows."""
    for reader in job.lake.tables:
        read = [entry for entry in job.ledger.days(reader).values() if name in entry.inputs]
        arrivals = [replace(arrival, version=NO_VERSION) for arrival in job.ledger.arrivals(reader) if arrival.input == name]
        job.ledger.record([replace(entry, inputs=_without(entry.inputs, name)) for entry in read], [], arrivals)


def _without(inputs: Inputs, name: str) -> Inputs:
    return {read: days for read, days in inputs.items() if read != name}


def _target(job: Job, table: Table) -> commit.Target:
    day = "_day" if table.contract.source else table.contract.day
    return commit.Target(job.spark, job.settings.table_path(table.name), table.contract, day, {"run_id": job.request.run_id})


def _current_version(target: commit.Target, table: Table) -> int:
    if not commit.exists(target.path):
        raise RequestError(f"{table.name} was never published, so there is no version to go back to.")
    return commit.current_version(target)


def _restore(target: commit.Target, table: Table, version: int) -> int:
    try:
        return commit.put_back(target, version)
    except AnalysisException as error:
        keep = table.contract.keep_history
        reason = str(error).splitlines()[0][:200]
        raise RequestError(f"{table.name} cannot go back to version {version}: {reason} Versions are kept for {keep} days (keep_history).") from None


def _rows(job: Job, table: Table, version: int) -> Rows:
    unparsed = _counts(job, table, version, "_errors IS NOT NULL") if table.contract.source else {}
    return Rows(version, _counts(job, table, version), unparsed)


def _counts(job: Job, table: Table, version: int, which: str = "true") -> dict[str, int]:
    rows = read_table(job, table.name, version).filter(which)
    day = "_day" if table.contract.source else table.contract.day
    if not day:
        return {ALL: rows.count()}
    return {row.day: row["count"] for row in rows.groupBy(F.col(day).cast("string").alias("day")).count().collect()}


@dataclass(frozen=True)
class Rows:
    """The rows of a table at a version: day (or ALL) to how many there are. `unparsed`: of a bronze table, those that its readers refuse."""

    version: int
    of_days: dict[str, int]
    unparsed: dict[str, int]


def days_restored(entries: Iterable[DayEntry], version: int, now: Rows, run_id: str) -> tuple[list[DayEntry], list[str]]:
    """What a restore of `version` makes of a table's `entries`: those that changed with it, and the days that are gone.

    A day that changed after `version` changed again with the restore; one that is younger is as if it had never been published.
    """
    changed = [entry for entry in entries if entry.version is not None and entry.version > version]
    back = [_restored(replace(entry, run_id=run_id), now) for entry in changed if entry.day in now.of_days]
    return back, [entry.day for entry in changed if entry.day not in now.of_days]


def _restored(entry: DayEntry, now: Rows) -> DayEntry:
    quarantined = now.unparsed.get(entry.day, 0) if entry.table.startswith("bronze.") else entry.rows_quarantined
    return replace(entry, version=now.version, rows_out=now.of_days[entry.day], rows_quarantined=quarantined, clean=False)
