"""Builds one table for the days of a run: read, transform, gate, publish, record."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from expectations.days import ALL, in_words
from expectations.errors import RequestError
from expectations.jobs import JobResult
from expectations.ledger import DayEntry
from expectations.logic_files import file_hash
from spark_jobs.lake import drift
from spark_jobs.lake.batch import Batch
from spark_jobs.lake.inputs import read_inputs
from spark_jobs.lake.landing import left_in_words, source_of
from spark_jobs.lake.logic import transform
from spark_jobs.lake.outcome import held_in_words
from spark_jobs.lake.planning import Plan, Planner
from spark_jobs.lake.publishing import publish
from spark_jobs.lake.quarantine.store import arrival_day
from spark_jobs.lake.reading import read_files, read_refused
from spark_jobs.lake.scanning import scanned
from spark_jobs.lake.session import expect_rows
from spark_jobs.lake.settling import repair
from spark_jobs.lake.sources import look, take_files, why_none

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column, DataFrame

    from expectations.lake import Table
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.landing import Landing
    from spark_jobs.lake.scanning import Scan

BYTES_A_ROW = 100
"""Of a landed file, roughly: only whether there are thousands or millions of rows matters."""


def build(job: Job) -> JobResult:
    """Publish what the days of the request ask for; days where nothing changed are left alone, without a commit."""
    table = job.lake.table(job.request.name)
    if job.request.day_range is None:
        raise RequestError(f"{table.name}: which days? Add --days, for example --days 2013-01-01..2013-01-31.")
    return build_days(job, table, tuple(job.request.day_range.keys))


def build_days(job: Job, table: Table, days: tuple[str, ...]) -> JobResult:
    """As `build`, for days that need not follow each other."""
    restamp(job, table)
    repair(job, table)
    return _ingest(job, table, days) if table.contract.source else _derive(job, table, days)


def restamp(job: Job, table: Table) -> None:
    """Write the hash of all its code where the ledger has that of the table's file alone, as it was once: the days are not stale for that."""
    if table.logic is None:
        return
    alone = file_hash(table.logic)
    if alone != table.logic_hash:
        job.ledger.restamp(table.name, alone, table.logic_hash)


def _ingest(job: Job, table: Table, days: tuple[str, ...]) -> JobResult:
    landing = look(job, table, days)
    files = take_files(job, table, landing)
    if not files:
        return with_landing(_unchanged(job, table, why_none(job, table, landing)), table, landing)
    expect_rows(job.spark, rows_landed(file.entry.bytes for file in files))
    rows = read_files(job, table, files)
    inputs = {file.entry.day: file.inputs for file in files}
    landed = {file.entry.day: file.entry.landed_at for file in files if file.entry.landed_at}
    result = publish(job, table, rows, Batch(inputs, landed=landed, findings=drift.findings(table, files)))
    published = set(result.facts["days"])
    entries = [file.entry for file in files if file.entry.day in published]
    job.ledger.take_files(job.request.run_id, entries)
    facts = {**result.facts, "files": {entry.path: entry.sha256 for entry in entries}, **drift.as_facts(job.lake, table, files)}
    return with_landing(result.model_copy(update={"facts": facts}), table, landing, drift.in_words(job.lake, table, files))


def with_landing(result: JobResult, table: Table, landing: Landing, more: str = "") -> JobResult:
    """The result with the files that were not taken, which make it a warning; `more` ends its message."""
    facts: dict[str, Any] = {**result.facts, "not_taken": landing.names_not_taken}
    if landing.not_taken:
        facts["warnings"] = {**facts.get("warnings", {}), "not_taken": len(landing.not_taken)}
    message = "; ".join(filter(None, [result.message, left_in_words(source_of(table), landing), more]))
    return result.model_copy(update={"facts": facts, "message": message})


def _derive(job: Job, table: Table, days: tuple[str, ...]) -> JobResult:
    planner = Planner(job.lake, job.ledger, table, days, job.request.run_id, job.request.force)
    plan = planner.plan()
    if plan.is_empty:
        return _nothing_to_do(job, table, plan.reason)
    expect_rows(job.spark, rows_known(job, table, plan))
    with scanned(job, table, str(planner.arrival_input), plan) as scan:
        plan = planner.with_arrivals(plan, scan.touched) if plan.new_arrivals else plan
        result = _make(job, table, planner, plan, scan) if plan.days or plan.new_arrivals else _nothing_to_do(job, table, plan.reason)
    return hold_back(job, table, plan, result) if plan.refused else result


def rows_landed(sizes: Iterable[int]) -> int:
    """About how many rows landed files of so many bytes hold."""
    return sum(sizes) // BYTES_A_ROW


def rows_known(job: Job, table: Table, plan: Plan) -> int:
    """How many rows the job will meet, by the ledger: of its inputs, and of the table itself where rows are compared with those that are there."""
    reads = {**plan.reads, **({} if table.contract.write in {"replace_days", "replace_all"} else {table.name: None})}
    return sum(entry.rows_out for name, days in reads.items() for entry in job.ledger.days(name, days).values())


def _make(job: Job, table: Table, planner: Planner, plan: Plan, scan: Scan) -> JobResult:
    staged = scan.candidate(plan)
    candidate = transform(job, table, read_inputs(job, table, plan)) if staged is None else staged.rows
    is_new = _is_new_arrival(candidate, plan)
    late = comes_too_late(table, is_new) if scan.some_are_late and is_new is not None else None
    bronze = planner.arrival_input
    emptied = frozenset(day for day, wanted in plan.inputs.items() if bronze and not wanted[bronze])
    batch = Batch(plan.inputs, emptied, plan.arrivals, late, rows_refused(job, table, planner, plan), is_whole=makes_only_its_days(planner, plan))
    has_rows = bool(plan.inputs) or late is not None or scan.some_have_no_day
    if not has_rows and not any(any(days.values()) for days in batch.refused.values()):
        job.ledger.record([], [], plan.arrivals)
        return _nothing_to_do(job, table, f"the files of {in_words(plan.new_arrivals)} hold no rows")
    rows = without_days_around(table, candidate, plan) if batch.is_whole else rows_to_publish(table, candidate, plan, is_new)
    return publish(job, table, rows, batch, staged.place if staged else None)


def _is_new_arrival(candidate: DataFrame, plan: Plan) -> Column | None:
    if not plan.new_arrivals or "_row" not in candidate.columns:
        return None
    is_new: Column = arrival_day(F.col("_row")).isin([date.fromisoformat(day) for day in plan.new_arrivals])
    return is_new


def comes_too_late(table: Table, is_new: Column) -> Column:
    """Rows of new arrivals that come too long after their day: they are refused, their day stays as it is."""
    days_late = F.datediff(arrival_day(F.col("_row")), F.col(str(table.contract.day)))
    late: Column = F.coalesce(is_new & (days_late > table.contract.late), F.lit(False))
    return late


def makes_only_its_days(planner: Planner, plan: Plan) -> bool:
    """Whether a candidate's rows are of the days that the plan makes, or of those around them that it reads.

    So it is where the days of an input say which days are made. Files bring rows of any day, and a whole table has rows of all.
    """
    return planner.table.contract.day is not None and planner.arrival_input is None and any(days is not None for days in plan.reads.values())


def without_days_around(table: Table, candidate: DataFrame, plan: Plan) -> DataFrame:
    """The rows, but for those of days that are read and not made: what a look-back sees. Rows of any other day stay, and are refused."""
    around = days_around(plan)
    if not around:
        return candidate
    day = F.col(str(table.contract.day))
    return candidate.filter(day.isNull() | ~day.isin([date.fromisoformat(key) for key in around]))


def days_around(plan: Plan) -> list[str]:
    """The days of inputs that the plan reads and does not make, sorted."""
    return sorted({day for days in plan.reads.values() for day in days or ()} - {*plan.days, ALL})


def rows_to_publish(table: Table, candidate: DataFrame, plan: Plan, is_new: Column | None) -> DataFrame:
    """The rows of the days to publish, and those of new arrivals, but for days that are held: some have no day, and one of any other day is refused."""
    if not table.contract.day:
        return candidate
    day = F.col(table.contract.day)
    wanted = day.isin([date.fromisoformat(key) for key in plan.days if key != ALL])
    if is_new is None:
        return candidate.filter(wanted | day.isNull())
    late = F.datediff(arrival_day(F.col("_row")), day) > table.contract.late
    is_held = day.isin([date.fromisoformat(key) for key in plan.refused if key != ALL])
    return candidate.filter(F.coalesce((wanted & ~late) | (is_new & (day.isNull() | late | ~is_held)), F.lit(False)))


def rows_refused(job: Job, table: Table, planner: Planner, plan: Plan) -> dict[str, dict[str, int]]:
    """Bronze table to arrival day to its rows that did not parse, for all arrivals that are read anew."""
    refused: dict[str, dict[str, int]] = {}
    for read in table.contract.inputs:
        if job.lake.table(read.table).contract.source:
            days = plan.new_arrivals if read.table == planner.arrival_input else plan.reads[read.table]  # None: all that are there
            entries = job.ledger.days(read.table, days)
            refused[read.table] = {day: entry.rows_quarantined for day, entry in entries.items() if entry.state == "published"}
            held = [day for day, entry in entries.items() if entry.state == "held" and entry.version is not None]
            if held:  # its counts are those of the attempt, not of the rows that are published
                found = read_refused(job, read.table, held).groupBy(F.col("_day").cast("string").alias("day")).count().collect()
                refused[read.table] |= dict.fromkeys(held, 0) | {row.day: row["count"] for row in found}
    return refused


def hold_back(job: Job, table: Table, plan: Plan, result: JobResult) -> JobResult:
    """Hold the days of which an input is not as clean as it is needed; their published rows stay as they were."""
    held = {day: [_not_clean(job, table, day)] for day in plan.refused}
    run = job.request.run_id
    with job.ledger.lease(table.name, run):
        before = job.ledger.days(table.name, plan.refused)
        entries = []
        for day, inputs in plan.refused.items():
            known = before.get(day)
            version, clean = (known.version, known.clean) if known else (None, True)
            entries.append(DayEntry(table.name, day, "held", version, run, table.contract_hash, table.logic_hash, inputs, clean=clean))
        job.ledger.record(entries, [])
    done = "" if result.status == "unchanged" else f"{result.message}; "
    message = f"{done}{table.name}: {held_in_words(job.request, held)}"
    held = {**result.facts.get("held", {}), **held}
    status = "asks" if result.status == "asks" else "held"
    return result.model_copy(update={"status": status, "message": message, "facts": {**result.facts, "held": held}})


def _not_clean(job: Job, table: Table, day: str) -> str:
    """Which input is not clean, and by which rules."""
    found = []
    for name in [read.table for read in table.contract.inputs if read.needs == "clean" and read.otherwise == "hold"]:
        by_day = day != ALL and job.lake.has_days(name)
        dirty = [entry for entry in job.ledger.days(name, [day] if by_day else None).values() if entry.version is not None and not entry.clean]
        rules = {verdict.rule for entry in dirty for verdict in job.ledger.verdicts(entry.run_id, name) if verdict.day == entry.day and not verdict.success}
        found += [f"it needs {name} clean, which broke {', '.join(sorted(rules)) or 'a rule'}."] if dirty else []
    return " ".join(found) or "an input is not clean."


def _nothing_to_do(job: Job, table: Table, reason: str) -> JobResult:
    return _unchanged(job, table, f"{reason}; nothing to do")


def _unchanged(job: Job, table: Table, reason: str) -> JobResult:
    facts = {"table": table.name, "days": []}
    return JobResult(request=job.request, status="unchanged", message=f"{table.name}: {reason}", facts=facts)
