"""Checks of pipelines.yaml: clocks that tick, tables that are there and have their inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from expectations.errors import ContractError
from expectations.lake import ALL_TABLES
from expectations.table_checks import check_table_name
from expectations.yaml_lines import line_of

if TYPE_CHECKING:
    from pathlib import Path

    from expectations.contract import Pipeline
    from expectations.lake import Lake

CRON_FIELDS = 5
A_DAY = (60, 24)
"""Minutes of an hour and hours of a day: what `*` stands for in the first two fields."""


def check_pipelines(lake: Lake, file: Path) -> None:
    """Raises ContractError, with file and line, for the first thing that is wrong."""
    builders: dict[str, str] = {}
    for name, pipeline in lake.pipelines.items():
        if name == ALL_TABLES:
            raise ContractError(f"{file}:{line_of(file, (name,))}: a pipeline cannot be called {name}, which stands for all tables; give it another name.")
        _check_clock(file, name, pipeline)
        for position, table in enumerate(pipeline.tables):
            place = f"{file}:{line_of(file, (name, 'tables', position))}"
            check_table_name(lake, place, table)
            if table in builders:
                where = "twice in this pipeline" if builders[table] == name else f"in the pipeline {builders[table]} too"
                raise ContractError(f"{place}: {table} stands {where}; build it in one place.")
            builders[table] = name
    filled = {name for model in lake.models.values() for name in model.contract.fills}
    for name, pipeline in lake.pipelines.items():
        for position, table in enumerate(pipeline.tables):
            for read in lake.tables[table].contract.inputs:
                if read.table not in builders and read.table not in filled:
                    place = f"{file}:{line_of(file, (name, 'tables', position))}"
                    raise ContractError(f"{place}: {table} reads {read.table}, which no pipeline builds; add it to the tables.")


def waits_for_nobody(lake: Lake) -> list[str]:
    """A sentence for each table that a pipeline reads and another one builds: no run starts when it is published."""
    builders = {table: name for name, pipeline in lake.pipelines.items() for table in pipeline.tables}
    reads = {
        (name, read.table): builders[read.table]
        for name, pipeline in lake.pipelines.items()
        for table in pipeline.tables
        for read in lake.tables[table].contract.inputs
        if builders.get(read.table, name) != name
    }
    return [
        f"the pipeline {name} reads {table}, which the pipeline {other} builds, and does not run when that is published: it runs by its own schedule. "
        f"Let it be later than that of {other}, and run a day again that was not there yet; or build both in one pipeline."
        for (name, table), other in sorted(reads.items())
    ]


def _check_clock(file: Path, name: str, pipeline: Pipeline) -> None:
    from croniter import croniter

    if len(pipeline.schedule.split()) != CRON_FIELDS or not croniter.is_valid(pipeline.schedule):
        place = f"{file}:{line_of(file, (name, 'schedule'))}"
        raise ContractError(f'{place}: {pipeline.schedule!r} is no cron expression of five fields; write one like "0 6 * * *", six in the morning.')
    _check_fires(f"{file}:{line_of(file, (name, 'schedule'))}", pipeline.schedule)
    try:
        ZoneInfo(pipeline.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        place = f"{file}:{line_of(file, (name, 'time_zone'))}"
        raise ContractError(f"{place}: {pipeline.time_zone!r} is no time zone; write one like America/New_York.") from None
    if pipeline.last_day and pipeline.last_day < pipeline.first_day:
        raise ContractError(f"{file}:{line_of(file, (name, 'last_day'))}: last_day {pipeline.last_day} is before first_day {pipeline.first_day}.")


def _check_fires(place: str, schedule: str) -> None:
    """A run is for one whole day: a second one on the same day would find nothing new, or make half a day."""
    from croniter import CroniterBadDateError, croniter

    times = 1
    for values, every in zip(croniter.expand(schedule)[0], A_DAY, strict=False):
        times *= every if "*" in values else len(set(values))
    remedy = 'write one time of the day, like "0 6 * * *".'
    if times > 1:
        why = "but a run is for a whole day, the one before it"
        raise ContractError(f"{place}: {schedule!r} fires {times} times a day, {why}; {remedy}")
    try:
        croniter(schedule).get_next()
    except CroniterBadDateError:
        raise ContractError(f"{place}: {schedule!r} never fires, for no month has such a day; {remedy}") from None
