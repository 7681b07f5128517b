"""A little lake on which no job runs: the parts of a job are called one by one, most of them without Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from expectations.jobs import JobRequest
from expectations.ledger import DayEntry
from expectations.loader import load_lake
from expectations.settings import load_settings
from spark_jobs.lake.job import Job
from spark_jobs.lake.sources import look, take_files, why_none
from tests.spark_jobs.lake.conftest import use_lake

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest
    from pyspark.sql import SparkSession

    from spark_jobs.lake.landed_file import LandedFile
    from spark_jobs.lake.landing import Landing
    from tests.spark_jobs.lake.conftest import LittleLake


def without_spark(folder: Path, monkeypatch: pytest.MonkeyPatch) -> LittleLake:
    """An empty lake with a ledger, for parts that need no Spark."""
    return use_lake(folder, cast("SparkSession", None), "", monkeypatch)


def job_of(lake: LittleLake, table: str, run_id: str = "run-1", **more: Any) -> Job:
    """What the parts of a build of `table` are called with."""
    return Job(lake.spark, load_settings(), load_lake(), lake.ledger, JobRequest(verb="build", name=table, run_id=run_id, **more))


def take(lake: LittleLake, table: str, *days: str, **more: Any) -> list[LandedFile]:
    """The days' files that a build would read. Raises SourceError as the build says it."""
    job = job_of(lake, table, **more)
    return take_files(job, job.lake.table(table), look(job, job.lake.table(table), days))


def left(lake: LittleLake, table: str, *days: str) -> Landing:
    """What a build for the days makes of the landing folder."""
    job = job_of(lake, table)
    return look(job, job.lake.table(table), days)


def why(lake: LittleLake, table: str, *days: str) -> str:
    """Why there is nothing to read."""
    job = job_of(lake, table)
    return why_none(job, job.lake.table(table), look(job, job.lake.table(table), days))


def read(lake: LittleLake, files: Iterable[LandedFile]) -> None:
    """Note in the ledger what a build notes that has published these files."""
    taken = list(files)
    for file in taken:
        table = load_lake().table(file.entry.table)
        record(lake, table.name, {file.entry.day: 1}, inputs=file.inputs)
    lake.ledger.take_files("run-1", [file.entry for file in taken])


def record(lake: LittleLake, table: str, rows: dict[str, int], state: str = "published", inputs: dict[str, dict[str, int]] | None = None) -> None:
    """Note days of a table with so many good rows, made with its contract and logic as they are now."""
    facts = load_lake().table(table)
    version = 0 if state == "published" else None
    entries = [
        DayEntry(table, day, state, version, "run-0", facts.contract_hash, facts.logic_hash, inputs or {}, rows_out=count)  # type: ignore[arg-type]
        for day, count in rows.items()
    ]
    lake.ledger.record(entries, [])
