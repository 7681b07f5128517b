"""New arrivals: a scan of their rows tells which days they touch."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.errors import ContractError
from expectations.storage import Place
from spark_jobs.lake.added_files import can_stay
from spark_jobs.lake.inputs import read_inputs
from spark_jobs.lake.logic import transform
from spark_jobs.lake.quarantine.store import arrival_day
from spark_jobs.lake.staging import stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from expectations.lake import Table
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.planning import Plan
    from spark_jobs.lake.staging import Staged


@dataclass(frozen=True)
class Scan:
    """What the rows of new arrivals have told.

    `touched`: arrival day to the days its rows belong to, late ones left out. `staged`: the candidate made of these arrivals alone; None
    where there are several and the table keeps no `_row`. `plan`: what it was made by.
    """

    plan: Plan
    touched: dict[str, list[str]] = field(default_factory=dict)
    some_are_late: bool = False
    some_have_no_day: bool = False
    staged: Staged | None = None

    def candidate(self, plan: Plan) -> Staged | None:
        """The staged rows, where `plan` would make the same ones again: the common day, whose file alone has its rows."""
        is_same = (plan.reads, plan.stand_ins) == (self.plan.reads, self.plan.stand_ins)
        return self.staged if is_same else None


@contextmanager
def scanned(job: Job, table: Table, bronze: str, plan: Plan) -> Iterator[Scan]:
    """Scan the new arrivals of `bronze`. The staged rows are there until the block ends.

    Of several files a table that keeps no `_row` is asked file by file. Raises ContractError where some rows have a `_row` and others none.
    """
    if not plan.new_arrivals:
        yield Scan(plan)
        return
    plan = _of_arrivals(plan, bronze, tuple(plan.new_arrivals))
    candidate = transform(job, table, read_inputs(job, table, plan))
    is_traced = "_row" in candidate.columns
    if not is_traced and len(plan.new_arrivals) > 1:
        found = {arrival: _days_of(job, table, _of_arrivals(plan, bronze, (arrival,))) for arrival in plan.new_arrivals}
        touched = {arrival: [day.isoformat() for day in days if day] for arrival, days in found.items()}
        yield Scan(plan, touched, some_have_no_day=any(None in days for days in found.values()))
        return
    place = job.settings.staging_path(table.name, f"{job.request.run_key}_scan")
    try:
        may_stay = can_stay(job.settings.root, table.contract)
        staged = stage(job.spark, candidate, place, table.contract.day, may_stay=may_stay)
        if is_traced:
            yield _scan(table, bronze, plan, staged)
        else:
            [arrival] = plan.new_arrivals
            yield Scan(plan, {arrival: sorted(staged.days())}, some_have_no_day=staged.has_rows_without_day, staged=staged)
    finally:
        Place.of(place).delete_folder()


def _of_arrivals(plan: Plan, bronze: str, arrivals: tuple[str, ...]) -> Plan:
    return replace(plan, reads={**plan.reads, bronze: arrivals})


def _days_of(job: Job, table: Table, plan: Plan) -> list[date | None]:
    rows = transform(job, table, read_inputs(job, table, plan))
    return [found[0] for found in rows.select(str(table.contract.day)).distinct().collect()]


def _scan(table: Table, bronze: str, plan: Plan, staged: Staged) -> Scan:
    pairs = staged.rows.select(arrival_day(F.col("_row")).alias("arrival"), F.col(str(table.contract.day)).alias("day")).distinct()
    found = [(pair.arrival, pair.day) for pair in pairs.collect()]
    if any(arrival is None for arrival, _ in found):
        raise ContractError(f"{table.name}: `_row` is null in some rows of {table.logic}; carry it over from {bronze}, or leave it out of all rows.")
    touched, some_are_late = days_touched(found, plan.new_arrivals, table.contract.late)
    return Scan(plan, touched, some_are_late, any(day is None for _, day in found), staged)


def days_touched(pairs: Iterable[tuple[date, date | None]], arrivals: Iterable[str], late: int) -> tuple[dict[str, list[str]], bool]:
    """Arrival day to the days that its rows belong to, and whether some rows come more than `late` days after their day, which touch none.

    `pairs`: the day a row arrived, and the day it belongs to, if it has one.
    """
    touched: dict[str, list[str]] = {arrival: [] for arrival in arrivals}
    some_are_late = False
    for arrival, day in pairs:
        is_late = day is not None and (arrival - day).days > late
        some_are_late |= is_late
        if day is not None and not is_late:
            touched[arrival.isoformat()].append(day.isoformat())
    return touched, some_are_late
