"""Has quarantined rows judged again: their files are read in with what people have corrected, and their days go through the same gate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from expectations.errors import RequestError
from expectations.jobs import JobResult
from spark_jobs.lake.build import build_days
from spark_jobs.lake.quarantine import corrections
from spark_jobs.lake.quarantine.keys import days_of
from spark_jobs.lake.quarantine.review import chosen
from spark_jobs.lake.quarantine.store import DISCARDED, REOPENED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame, Row

    from expectations.lake import Table
    from spark_jobs.lake.job import Job

GOOD = ("done", "unchanged")


def replay(job: Job, table: Table) -> JobResult:
    """Judge the waiting rows of the request again, with the other rows of their days; what passes is published.

    Bronze days with corrections that were not read yet come first, then the tables between. Where nothing changed since the rows were
    refused, nothing is written. Raises RequestError for a table that is filled by inference.
    """
    if not table.contract.source and not table.logic:
        raise RequestError(f"{table.name} is filled by a model; run its inference: it scores what waits once its features changed or another version serves.")
    waiting = _waiting(job, table)
    groups = waiting.groupBy("_key", "_day", "_arrival_day", "_state").count().collect() if waiting is not None else []
    sources = [table.name] if table.contract.source else job.lake.bronze_of(table.name)
    corrected = {name: days for name in sources if (days := corrections.pending(job, name))}
    read_before = job.ledger.days_of_run(job.request.run_id, sources)  # by a first try of this run
    if not groups and not corrected and not read_before:
        return JobResult(request=job.request, status="unchanged", message=f"{table.name}: no such row waits; nothing to do", facts={"table": table.name})
    arrivals = sorted({*read_before, *(day for days in corrected.values() for day in days)})
    results = _build_all(job, table, groups, corrected, arrivals)
    after = _waiting(job, table)
    return _joined(job, table, results, arrivals, sum(group["count"] for group in groups), after.count() if after is not None else 0)


def _waiting(job: Job, table: Table) -> DataFrame | None:
    rows = chosen(job, table, must_be_there=False)  # a row that a first replay has mended is not there any more
    return rows.filter(F.col("_state") != DISCARDED) if rows is not None else None


def _build_all(job: Job, table: Table, groups: list[Row], corrected: dict[str, list[str]], arrivals: list[str]) -> list[JobResult]:
    """Build what is needed, inputs first, up to the first table that is held."""
    between = [name for name in job.lake.ancestors(table.name) if job.lake.table(name).logic and corrected.keys() & set(job.lake.bronze_of(name))]
    results: list[JobResult] = []
    for name in job.lake.in_order({*corrected, *between, table.name}):
        days = set(corrected.get(name, arrivals))
        is_last = name == table.name
        if is_last:
            days |= _days_of(job, table, groups)
        # a reopened row was left out before the gate: nothing else tells that its days have to be made again
        force = is_last and any(group["_state"] == REOPENED for group in groups)
        asked = job.request.model_copy(update={"verb": "build", "name": name, "days": None, "review": None, "force": force})
        results.append(build_days(replace(job, request=asked), job.lake.table(name), tuple(sorted(days))))
        if results[-1].status not in GOOD:
            break
    return results


def _days_of(job: Job, table: Table, groups: Iterable[Row]) -> set[str]:
    """What to ask for so that these rows are made again: arrival days of a table that is made of daily files, else the days they are filed under."""
    by_arrival = table.contract.source is not None or any(job.lake.is_arrival(read.table) for read in table.contract.inputs)
    touched = {arrival.arrival_day: arrival.days for arrival in job.ledger.arrivals(table.name)}
    made = job.ledger.days(table.name)
    days: set[str] = set()
    for group in groups:
        own = {group["_day"].isoformat()} if group["_day"] else days_of(group["_key"], made)
        if group["_arrival_day"] and (by_arrival or not own):
            days.add(group["_arrival_day"].isoformat())
            continue
        arrived = {arrival for arrival, theirs in touched.items() if own & set(theirs)}
        days |= arrived if by_arrival and touched else own
    return days


def _joined(job: Job, table: Table, results: list[JobResult], arrivals: list[str], before: int, after: int) -> JobResult:  # noqa: PLR0913, PLR0917 - one run
    last = results[-1]
    statuses = [result.status for result in results]
    status = last.status if last.status not in GOOD else "done" if "done" in statuses else "unchanged"
    built = [{"table": result.request.name, "status": result.status, "message": result.message, "facts": result.facts} for result in results]
    days = last.facts.get("days", []) if last.request.name == table.name else []
    facts: dict[str, Any] = {**last.facts, "table": table.name, "days": days, "arrival_days": arrivals, "built": built, "waited": before, "waiting": after}
    message = f"{table.name}: of {before:,} waiting row{'' if before == 1 else 's'} {after:,} still wait{'s' if after == 1 else ''}"
    return JobResult(request=job.request, status=status, message="; ".join([message, *(result.message for result in results)]), facts=facts)
