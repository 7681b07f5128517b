"""A day of 100,000, of a million and of ten million rows, made by the lake and by what a user would pick instead: `make bench`.

Contestants make the same days, one after another, round by round; before a time counts, the silver table and the three gold tables of
all are compared row for row. Every round is kept in latest.json, and a benchmark that was stopped goes on with the next one.
"""

from __future__ import annotations

import logging
import statistics
import threading
import time
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from expectations.loader import load_lake
from tests.benchmarks import measured
from tests.benchmarks.day_contestants import COMPARED, DAILY, DUCKDB, JOBS, LAKE, NAIVE, OURS, PIPELINE, POLARS, STOCK, TUNED, Days, job_intervals, started_days
from tests.benchmarks.enlarged_flights import SIZES, land_enlarged, rows_of, unlike

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.end_to_end.running_lake import RunningLake

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(7200)]
log = logging.getLogger(__name__)
ROUNDS = {"S": 3, "M": 3, "L": 1}
ROUNDS_OF_NAIVE = {"S": 1, "M": 1, "L": 0}
"""It takes more than all others together, and its distance is far beyond what a round varies by."""
FIRST = {"S": date(2013, 2, 1), "M": date(2013, 3, 1), "L": date(2013, 4, 1)}
WARM_UP = (date(2013, 1, 1), date(2013, 1, 2))
"""Days that do not count: a server that is up every day has compiled its plans long ago."""
SAMPLE_SECONDS = 1.0


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Days]:
    with started_days(tmp_path_factory.mktemp("day")) as started:
        for day in WARM_UP:
            land_enlarged(started.landing, day, SIZES["S"])
            started.ours(str(day))
            started.jobs(str(day))
        yield started


@pytest.mark.parametrize("size", list(SIZES), ids=lambda size: f"size_{size}")
def test_a_day(size: str, days: Days) -> None:
    known = measured.load().get(size, {})
    seconds: measured.Seconds = known.get("seconds", {}) if known.get("rows") == SIZES[size] else {}
    rounds = {name: ROUNDS_OF_NAIVE[size] if name == NAIVE else ROUNDS[size] for name in days.contestants()}
    for number in range(len(seconds.get(OURS, [])), ROUNDS[size]):
        day = FIRST[size] + timedelta(days=number)
        bytes_landed = land_enlarged(days.landing, day, SIZES[size])
        contestants = {name: make for name, make in days.contestants().items() if number < rounds[name]}
        found = {name: _timed(size, name, make, str(day)) for name, make in contestants.items()}
        _compare(days, list(contestants), str(day), SIZES[size])
        seconds |= {name: [*seconds.get(name, []), round(found[name], 3)] for name in contestants}
        measured.note(size, {"rows": SIZES[size], "bytes": bytes_landed, "seconds": seconds, "ratios": _ratios(seconds)})
    assert {name: len(of_it) for name, of_it in seconds.items()} == {name: number for name, number in rounds.items() if number}


def test_what_a_run_costs_beside_spark(days: Days) -> None:
    """Of days of a million rows: peak memory of the whole tree, a run where nothing changed, and what Airflow adds to the tables' jobs."""
    tasks = len(load_lake(LAKE).pipeline(PIPELINE).tables)
    overheads, again = [], []
    for number in range(3):
        day = str(FIRST["M"] + timedelta(days=10 + number))
        land_enlarged(days.landing, date.fromisoformat(day), SIZES["M"])
        whole = days.ours(day)
        overheads.append((whole - _covered(job_intervals(days.lake, day))) / tasks)
        again.append(days.ours(day, again="_again") / whole)
    peak = _peak_memory(days)
    facts = {
        "overhead_seconds_per_task": measured.spread(overheads),
        "rerun_over_run": measured.spread(again),
        "peak_memory_gb": peak,
        "dag_parse_seconds": _parse_seconds(days.lake),
    }
    measured.note("beside Spark", facts)
    assert peak["all"] > 0


def _timed(size: str, name: str, make: Callable[[str], float], day: str) -> float:
    seconds = make(day)
    log.info("%s, %s, %s: %.2f s", size, day, name, seconds)
    return seconds


def _compare(days: Days, contestants: list[str], day: str, rows: int) -> None:
    """Raises AssertionError where a contestant's tables are not those of the lake, or are not whole."""
    contracts = load_lake(LAKE)
    for table in COMPARED:
        path = table.replace(".", "/")
        columns = list(contracts.table(table).contract.columns)
        ours = days.tables(OURS) / path
        assert rows_of(ours, day) == rows if table == "silver.flights" else rows_of(ours, day) > 0
        for name in contestants:
            assert unlike(ours, days.tables(name) / path, columns, day) == 0, f"{name}: {table} of {day}"


def _ratios(seconds: measured.Seconds) -> dict[str, dict[str, float]]:
    ratios = {
        "naive_over_ours": measured.ratio(seconds, NAIVE, OURS),
        "stock_script_over_ours": measured.ratio(seconds, STOCK, OURS),
        "ours_over_tuned_script": measured.ratio(seconds, OURS, TUNED),
        "jobs_over_tuned_script": measured.ratio(seconds, JOBS, TUNED),
        "ours_over_duckdb": measured.ratio(seconds, JOBS, DUCKDB),
        "ours_over_polars": measured.ratio(seconds, JOBS, POLARS),
    }
    return {name: found for name, found in ratios.items() if found}


def _covered(intervals: list[tuple[float, float]]) -> float:
    """Seconds in which at least one of the intervals was."""
    covered, until = 0.0, 0.0
    for start, end in intervals:
        covered += max(0.0, end - max(start, until))
        until = max(until, end)
    return covered


def _peak_memory(days: Days) -> dict[str, float]:
    """GB (10^9 bytes) of the lake's processes while a day of a million rows is made: proportional set size, sampled once a second."""
    day = str(FIRST["M"] + timedelta(days=20))
    land_enlarged(days.landing, date.fromisoformat(day), SIZES["M"])
    samples: list[dict[str, float]] = []
    is_over = threading.Event()

    def sample() -> None:
        while not is_over.wait(SAMPLE_SECONDS):
            samples.append(_memory(days.lake))

    watcher = threading.Thread(target=sample)
    watcher.start()
    try:
        days.ours(day)
    finally:
        is_over.set()
        watcher.join()
    return max(samples, key=lambda found: found["all"])


def _memory(lake: RunningLake) -> dict[str, float]:
    found: dict[str, float] = {"all": 0.0}
    for process in lake.processes():
        try:
            of_it = process.memory_full_info().pss / 1e9
            kind = process.environ().get("LAKE_PROGRAM", "other")
        except psutil.Error:
            continue
        found[kind] = round(found.get(kind, 0.0) + of_it, 3)
        found["all"] += of_it
    return {**found, "all": round(found["all"], 3)}


def _parse_seconds(lake: RunningLake) -> dict[str, float]:
    """Each DAG's last parsing, by Airflow's own notes; the DAGs of one file share its time."""
    time.sleep(30)  # every file is read again within 20 s; then nothing else runs
    dags: list[dict[str, Any]] = lake.api.get("/dags", limit=100)["dags"]
    seconds = {dag["relative_fileloc"]: dag["last_parse_duration"] for dag in dags if dag["last_parse_duration"]}
    log.info("parsing: %s, of %s", seconds, DAILY)
    return {"most": round(max(seconds.values()), 3), "median": round(statistics.median(seconds.values()), 3)}
