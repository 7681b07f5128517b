"""Has quarantined rows judged again: their files are read in with what people have corrected, and their days go through the same gate."""

from __future__ import annotations

from dataclasses import dataclass, replace
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
    from collections.abc import Callable, Collection, Iterable, Mapping

    from pyspark.sql import DataFrame

    from expectations.jobs import JobRequest
    from expectations.lake import Lake, Table
    from spark_jobs.lake.job import Job

GOOD = ("done", "unchanged")


@dataclass(frozen=True)
class Group:
    """Waiting rows that are filed alike: under `key`, of a day and an arrival day (None where that is not known), in one state."""

    key: str
    day: str | None
    arrival_day: str | None
    state: str
    rows: int


@dataclass(frozen=True)
class Step:
    """A table that a replay builds, for which days, and whether also where nothing changed."""

    table: str
    days: tuple[str, ...]
    force: bool = False


def replay(job: Job, table: Table) -> JobResult:
    """Judge the waiting rows of the request again, with the other rows of their days; what passes is published.

    Bronze days with corrections that were not read yet come first, then the tables between. Where nothing changed since the rows were
    refused, nothing is written. Raises RequestError for a table that is filled by inference.
    """
    if not table.contract.source and not table.logic:
        raise RequestError(f"{table.name} is filled by a model; run its inference: it scores what waits once its features changed or another version serves.")
    waiting = _waiting(job, table)
    groups = _groups(waiting) if waiting is not None else []
    sources = [table.name] if table.contract.source else job.lake.bronze_of(table.name)
    corrected = {name: unread for name in sources if (unread := corrections.pending(job.ledger, name))}
    read_before = job.ledger.days_of_run(job.request.run_id, sources)  # by a first try of this run
    if not groups and not corrected and not read_before:
        return JobResult(request=job.request, status="unchanged", message=f"{table.name}: no such row waits; nothing to do", facts={"table": table.name})
    touched = {arrival.arrival_day: arrival.days for arrival in job.ledger.arrivals(table.name)}
    days = days_to_make(groups, by_arrival=_is_of_files(job.lake, table), touched=touched, made=job.ledger.days(table.name))
    arrivals = sorted({*read_before, *(day for unread in corrected.values() for day in unread)})
    results = _build_all(job, steps(job.lake, table.name, corrected, arrivals, days, {group.state for group in groups}))
    after = _waiting(job, table)
    return joined(job.request, table.name, results, arrivals, sum(group.rows for group in groups), after.count() if after is not None else 0)


def _waiting(job: Job, table: Table) -> DataFrame | None:
    rows = chosen(job, table, must_be_there=False)  # a row that a first replay has mended is not there any more
    return rows.filter(F.col("_state") != DISCARDED) if rows is not None else None


def _groups(waiting: DataFrame) -> list[Group]:
    days = (F.col(name).cast("string") for name in ("_day", "_arrival_day"))
    return [Group(*row) for row in waiting.groupBy("_key", *days, "_state").count().collect()]


def _is_of_files(lake: Lake, table: Table) -> bool:
    """Whether a table is asked for the arrival days of daily files."""
    return table.contract.source is not None or any(lake.is_arrival(read.table) for read in table.contract.inputs)


def _build_all(job: Job, wanted: Iterable[Step]) -> list[JobResult]:
    """Build what is needed, up to the first table that is held."""

    def build(step: Step) -> JobResult:
        asked = job.request.model_copy(update={"verb": "build", "name": step.table, "days": None, "review": None, "force": step.force})
        return build_days(replace(job, request=asked), job.lake.table(step.table), step.days)

    return built_up_to_held(wanted, build)


def built_up_to_held(wanted: Iterable[Step], build: Callable[[Step], JobResult]) -> list[JobResult]:
    """What `build` says of each step; those after the first table that is held, or fails, are not built."""
    results: list[JobResult] = []
    for step in wanted:
        results.append(build(step))
        if results[-1].status not in GOOD:
            break
    return results


def steps(  # noqa: PLR0913, PLR0917 - what is known of one replay
    lake: Lake, table: str, corrected: Mapping[str, Iterable[str]], arrivals: Iterable[str], days: Iterable[str], states: Collection[str]
) -> list[Step]:
    """What a replay of `table` builds, inputs first.

    `corrected`: bronze table to its arrival days with corrections that were not read yet. `arrivals`: all arrival days that this run reads
    again. `days`: what the table itself is asked for on behalf of its waiting rows. `states`: those of these rows.
    """
    between = [name for name in lake.ancestors(table) if lake.table(name).logic and corrected.keys() & set(lake.bronze_of(name))]
    found = []
    for name in lake.in_order({*corrected, *between, table}):
        is_last = name == table
        wanted = {*corrected.get(name, arrivals), *(days if is_last else ())}
        # a reopened row was left out before the gate: nothing else tells that its days have to be made again
        found.append(Step(name, tuple(sorted(wanted)), force=is_last and REOPENED in states))
    return found


def days_to_make(groups: Iterable[Group], *, by_arrival: bool, touched: Mapping[str, Iterable[str]], made: Collection[str]) -> set[str]:
    """What to ask a table for so that its waiting rows are made again.

    Where it is made of daily files (`by_arrival`) that is the day that the rows arrived, or all arrival days that touch (`touched`) the day
    they are filed under; elsewhere that day itself, as far as the table has `made` it.
    """
    days: set[str] = set()
    for group in groups:
        own = {group.day} if group.day else days_of(group.key, made)
        if group.arrival_day and (by_arrival or not own):
            days.add(group.arrival_day)
            continue
        arrived = {arrival for arrival, theirs in touched.items() if own & set(theirs)}
        days |= arrived if by_arrival and touched else own
    return days


def joined(request: JobRequest, table: str, results: list[JobResult], arrivals: list[str], before: int, after: int) -> JobResult:  # noqa: PLR0913, PLR0917 - one run
    """What is said of a replay. `results`: of what it has built, inputs first; `before` and `after`: how many rows waited."""
    last = results[-1]
    statuses = [result.status for result in results]
    status = last.status if last.status not in GOOD else "done" if "done" in statuses else "unchanged"
    built = [{"table": result.request.name, "status": result.status, "message": result.message, "facts": result.facts} for result in results]
    days = last.facts.get("days", []) if last.request.name == table else []
    facts: dict[str, Any] = {**last.facts, "table": table, "days": days, "arrival_days": arrivals, "built": built, "waited": before, "waiting": after}
    message = f"{table}: of {before:,} waiting row{'' if before == 1 else 's'} {after:,} still wait{'s' if after == 1 else ''}"
    return JobResult(request=request, status=status, message="; ".join([message, *(result.message for result in results)]), facts=facts)
