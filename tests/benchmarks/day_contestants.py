"""Who makes the same day: the lake through Airflow, its table jobs alone, and what a user would pick instead."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expectations.jobs import JobRequest
from expectations.loader import load_lake
from spark_jobs.run import run
from tests.benchmarks.naive_airflow import RIVALS, delta_jars, naive_airflow, run_day, seconds_of
from tests.benchmarks.server import jobs_of
from tests.end_to_end.running_lake import RunningLake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LAKE = Path(__file__).with_name("flights")
PIPELINE = "flights"
DAILY = f"{PIPELINE}_daily"
HEAP = "3g"
"""The launcher's default; the tuned script gets as much."""
OURS, JOBS, NAIVE = "ours, through Airflow", "ours, table jobs alone", "naive Airflow"
STOCK, TUNED, DUCKDB, POLARS = "script, stock settings", "script, tuned", "duckdb + delta-rs", "polars + delta-rs"
TUNING = {
    "spark.ui.enabled": "false",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.sql.shuffle.partitions": "4",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
}
COMPARED = ("silver.flights", "gold.daily_flights", "gold.carrier_days", "gold.route_days")


@dataclass(frozen=True)
class Days:
    """All contestants on one landing folder; each writes under a root of its own and answers how many seconds a day took it.

    The lake's servers run all the time, as they would: their idle work falls on the others' times. The naive Airflow runs only for its own days.
    """

    folder: Path
    lake: RunningLake

    @property
    def landing(self) -> Path:
        """Where the days are landed, for all of them."""
        return self.lake.landing

    def place(self, contestant: str) -> Path:
        """The contestant's own folder."""
        return self.folder / re.sub(r"\W+", "_", contestant)

    def tables(self, contestant: str) -> Path:
        """Where its tables are."""
        return {OURS: self.lake.root, JOBS: self.place(JOBS) / "data_lake"}.get(contestant, self.place(contestant))

    def contestants(self) -> dict[str, Callable[[str], float]]:
        """Name to what makes a day."""
        return {
            OURS: self.ours,
            JOBS: self.jobs,
            STOCK: lambda day: self._script(day, STOCK, {}),
            TUNED: lambda day: self._script(day, TUNED, TUNING),
            DUCKDB: lambda day: self._process(day, DUCKDB, "duckdb_day.py"),
            POLARS: lambda day: self._process(day, POLARS, "polars_day.py"),
            NAIVE: self._naive,
        }

    def ours(self, day: str, again: str = "") -> float:
        """Seconds from the click to the end of the daily run."""
        run_id = f"{day}{again}"
        state = self.lake.run(DAILY, run_id, first_day=day, last_day=day)
        if state != "success":
            raise RuntimeError(f"{DAILY} of {day} ended {state}: {self.lake.api.task_states(DAILY, run_id)}")
        return seconds_of(self.lake.api, DAILY, run_id)

    def jobs(self, day: str) -> float:
        """The same tables on the same warm server, one after another, without Airflow."""
        with lake_at(self.place(JOBS), self.landing):
            started = time.monotonic()
            make_day(self.lake.spark_address, day)
            return time.monotonic() - started

    def _script(self, day: str, name: str, settings: dict[str, str]) -> float:
        """The whole process, as it is started every day."""
        options = [part for key, value in settings.items() for part in ("--conf", f"{key}={value}")]
        memory = ["--driver-memory", HEAP] if settings else []
        script = [str(RIVALS / "spark_script.py"), str(self.landing), str(self.tables(name)), day]
        command = [str(Path(sys.executable).with_name("spark-submit")), "--master", "local[*]", "--jars", delta_jars(), *memory, *options, *script]
        started = time.monotonic()
        _called(command)
        return time.monotonic() - started

    def _process(self, day: str, name: str, file: str) -> float:
        """Without the start of Python and its imports: what is compared is the computing."""
        return float(_called([sys.executable, str(RIVALS / file), str(self.landing), str(self.tables(name)), day]))

    def _naive(self, day: str) -> float:
        with naive_airflow(self.folder / "naive_home", self.landing, self.tables(NAIVE), LAKE / "expectations") as api:
            return run_day(api, day)


@contextmanager
def started_days(folder: Path) -> Iterator[Days]:
    """The contestants, with the lake running. Its tables are deleted in the end."""
    with ExitStack() as stack:
        lake = RunningLake(folder / "lake", LAKE, HEAP)
        stack.callback(lake.stop)
        lake.start()
        lake.wait_for_dag(DAILY)
        yield Days(folder, lake)


@contextmanager
def lake_at(folder: Path, landing: Path) -> Iterator[None]:
    """This process's jobs go to a lake of their own, with the same contracts."""
    (folder / "state").mkdir(parents=True, exist_ok=True)
    with jobs_of(LAKE_PROJECT=LAKE, LAKE_ROOT=folder / "data_lake", LAKE_STATE=folder / "state", LAKE_LANDING=landing):
        yield


def make_day(remote: str, day: str) -> dict[str, Any]:
    """Every table of the daily run for the day, one after another; table to what its job said."""
    lake = load_lake(LAKE)
    results = {}
    for table in lake.in_order(lake.pipeline(PIPELINE).tables):
        result = run(JobRequest(verb="build", name=table, days=f"{day}..{day}", run_id=day), remote)
        if result.status not in {"done", "unchanged"}:
            raise RuntimeError(result.message)
        results[table] = result
    return results


def job_intervals(lake: RunningLake, run_id: str) -> list[tuple[float, float]]:
    """When each table's job of the run began and ended, in seconds since 1970, by its result record."""
    found = []
    for file in lake.root.glob("_runs/*/build.*.json"):
        record = json.loads(file.read_text())
        if record["request"]["run_id"] == f"{DAILY}/{run_id}":
            found.append((file.stat().st_mtime - record["seconds"], file.stat().st_mtime))
    if not found:
        raise RuntimeError(f"no job of {DAILY}/{run_id} left a record")
    return sorted(found)


def _called(command: list[str]) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, env=_plain_environment(), check=False)
    if ended.returncode:
        raise RuntimeError(f"{' '.join(command[-5:])}: {ended.stderr[-3000:]}")
    return ended.stdout


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "LAKE_", "SPARK_", "PYTHONPATH"))}
