"""What the gate costs, and what it finds: `make bench-gates`. Ratios of runs side by side; nothing here asserts a time.

At 1,000,000 rows in five days and 30 rules. `gate_overhead`: (table task with 30 rules - plain write) / plain write, read and transform in
both. `extra_jobs`: Spark jobs of the table task with 30 rules beyond those of the same task with one. `versus_stock_gx`: (plain write, then
a stock validation of the 30 rules) / table task. `recall`: planted defects found. `verdicts_equal`: each day's verdicts are those of stock
Great Expectations on the rows of that day.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
import statistics
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from pyspark.sql import SparkSession

from expectations.ledger import Ledger
from expectations.settings import load_settings
from tests.benchmarks.contestants import NOT_NULL_DAY, build, validate_plainly, validated, write_plainly
from tests.benchmarks.gates_lake import CHECKS, DAYS, DEFECTS_A_RULE, FIRST, ROWS, UNIQUE, write_lake
from tests.benchmarks.server import MEMORY, Server, jobs_of, started_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(3000)]
log = logging.getLogger(__name__)
ROUNDS = 3
WARM_UP = {"cheap": 2, "dear": 1}
"""Rounds that do not count, first of a server that is just started."""
PLAIN, ONE, THIRTY, UNIQUE_TOO = "plain write", "task, one rule", "task, 30 rules", "task, 30 rules, one of them uniqueness"
STOCK, STOCK_UNIQUE = "plain write, then stock validation", "plain write, then stock validation, uniqueness"
FILE = Path(__file__).with_name("gates.json")
RULES = [*(check.rule() for check in CHECKS), NOT_NULL_DAY]
UNIQUE_RULES = [*(check.rule() for check in [*CHECKS[:-1], UNIQUE]), NOT_NULL_DAY]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, and a lake with a million rides."""
    folder = tmp_path_factory.mktemp("gates")
    write_lake(folder)
    with jobs_of(LAKE_PROJECT=folder), started_server(folder / "server") as found:
        for table in ("bronze.seed", "silver.trips"):
            build(found.remote, table)
        yield found


def test_what_the_gate_costs_and_what_it_finds(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    costs = {logic: _measured(server, logic) for logic in ("cheap", "dear")}
    found = {"recall": _recall(server), "verdicts_equal": _verdicts_equal(server)}

    report = {**_facts(), "figures": {**_figures(costs), **found}, "seconds": _seconds(costs)}
    FILE.write_text(re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda many: f"[{' '.join(many[1].split())}]", json.dumps(report, indent=1)) + "\n")
    with capsys.disabled():
        sys.stdout.write(_table(report))
    assert len(RULES) == len(UNIQUE_RULES) == 30
    assert found == {"recall": 1.0, "verdicts_equal": True}


# what it costs


def _measured(server: Server, logic: str) -> dict[str, list[tuple[float, int]]]:
    """Contestant to seconds and Spark jobs of each round, after some to warm up; each round runs them all, one after another."""
    contestants: dict[str, Callable[[], Any]] = {
        PLAIN: lambda: write_plainly(server.remote, logic),
        ONE: lambda: build(server.remote, f"silver.{logic}_free"),
        THIRTY: lambda: build(server.remote, f"silver.{logic}_thirty"),
        UNIQUE_TOO: lambda: build(server.remote, f"silver.{logic}_unique"),
        STOCK: lambda: validate_plainly(server.remote, logic, RULES),
        STOCK_UNIQUE: lambda: validate_plainly(server.remote, logic, UNIQUE_RULES),
    }
    chosen = contestants if logic == "cheap" else {name: contestants[name] for name in (PLAIN, THIRTY, STOCK)}
    found: dict[str, list[tuple[float, int]]] = {name: [] for name in chosen}
    for number in range(WARM_UP[logic] + ROUNDS):
        for name, contestant in chosen.items():
            jobs, started = server.jobs(), time.monotonic()
            contestant()
            seconds = time.monotonic() - started
            log.info("%s, round %d, %s: %.2f s, %d jobs", logic, number, name, seconds, server.jobs() - jobs)
            if number >= WARM_UP[logic]:
                found[name].append((seconds, server.jobs() - jobs))
    return found


def _ratios(found: dict[str, list[tuple[float, int]]], upper: str, lower: str, less: float = 0) -> list[float]:
    """Of each round, so that what else the machine does falls on both; median, least and most."""
    of_rounds = [one / other - less for (one, _), (other, _) in zip(found[upper], found[lower], strict=True)]
    return [round(figure, 3) for figure in (statistics.median(of_rounds), min(of_rounds), max(of_rounds))]


def _figures(costs: dict[str, dict[str, list[tuple[float, int]]]]) -> dict[str, Any]:
    cheap = costs["cheap"]
    jobs = {name: int(statistics.median(count for _, count in rounds)) for name, rounds in cheap.items()}
    return {
        "gate_overhead": {logic: _ratios(found, THIRTY, PLAIN, 1) for logic, found in costs.items()},
        "gate_overhead, with uniqueness": {"cheap": _ratios(cheap, UNIQUE_TOO, PLAIN, 1)},
        "gate_overhead, one rule": {"cheap": _ratios(cheap, ONE, PLAIN, 1)},
        "versus_stock_gx": {logic: _ratios(found, STOCK, THIRTY) for logic, found in costs.items()},
        "versus_stock_gx, with uniqueness": {"cheap": _ratios(cheap, STOCK_UNIQUE, UNIQUE_TOO)},
        "extra_jobs": jobs[THIRTY] - jobs[ONE],
        "extra_jobs, with uniqueness": jobs[UNIQUE_TOO] - jobs[ONE],
        "jobs": jobs,
    }


def _seconds(costs: dict[str, dict[str, list[tuple[float, int]]]]) -> dict[str, dict[str, list[float]]]:
    return {logic: {name: [round(seconds, 2) for seconds, _ in rounds] for name, rounds in found.items()} for logic, found in costs.items()}


def _facts() -> dict[str, Any]:
    names = ("pyspark", "delta-spark", "great-expectations")
    return {
        "date": datetime.now(tz=UTC).date().isoformat(),
        "rows": ROWS,
        "days": len(DAYS),
        "rules": len(RULES),
        "versions": {name: version(name) for name in names},
        "machine": {"cores": os.cpu_count(), "memory_gib": round(psutil.virtual_memory().total / 2**30), "spark_heap": MEMORY},
        "notes": os.environ.get("BENCHMARK_NOTES", "") or "Three numbers: median, least and most of the ratios of the rounds.",
    }


def _table(report: dict[str, Any]) -> str:
    """The report for a person: seconds of each contestant, then the figures; median, least and most."""
    lines = ["", f"{'':50}{'cheap transform':>24}{'dear transform':>24}{'jobs':>6}"]
    for name, jobs in report["figures"]["jobs"].items():
        times = [sorted(found[name]) for found in report["seconds"].values() if name in found]
        shown = "".join(f"{f'{statistics.median(found):.1f} ({found[0]:.1f} to {found[-1]:.1f}) s':>24}" for found in times)
        lines.append(f"{name:50}{shown:48}{jobs:>6}")
    for name, figure in report["figures"].items():
        if isinstance(figure, dict) and name != "jobs":
            lines.append(f"{name:50}" + "".join(f"{f'{median} ({least} to {most})':>24}" for median, least, most in figure.values()))
        elif name != "jobs":
            lines.append(f"{name:50}{figure!s:>24}")
    return "\n".join(lines) + "\n"


# what it finds


def _recall(server: Server) -> float:
    """Planted defects that are found, of all: as verdicts, as rows in quarantine, as days that are held."""
    for table in ("silver.spoilt_trips", "silver.spoilt_keys", "silver.watched", "silver.parted"):
        build(server.remote, table)
    verdicts = {(verdict.day, verdict.rule): verdict for verdict in Ledger(load_settings().ledger_url).verdicts("benchmark", "silver.watched")}
    planted = [check for check in CHECKS if check.day]
    caught = [_is_caught(check, verdicts[check.day, check.name]) for check in planted]

    spark = SparkSession.builder.remote(server.remote).create()
    waiting = spark.read.format("delta").load(load_settings().quarantine_path("silver.parted")).select("_rules").collect()
    spark.stop()
    quarantining = [check.name for check in planted if check.on_fail == "quarantine"]
    caught += [[row["_rules"] for row in waiting].count([name]) == DEFECTS_A_RULE for name in quarantining]
    caught.append(len(waiting) == DEFECTS_A_RULE * len(quarantining))  # and nothing else

    stopped = build(server.remote, "silver.stopped", "held", "done")
    caught += [check.name in " ".join(stopped.facts["held"].get(check.day, [])) for check in planted if check.on_fail == "stop"]
    keyed = build(server.remote, "silver.keyed", "held", "done")
    caught.append(list(keyed.facts["held"]) == [FIRST])
    return sum(caught) / len(caught)


def _is_caught(check: Any, verdict: Any) -> bool:
    return not verdict.success and (not check.spoilt or verdict.rows_broken >= DEFECTS_A_RULE)


def _verdicts_equal(server: Server) -> bool:
    """Every rule on every spoilt day: the same success, broken rows and value as stock Great Expectations on the rows of that day alone."""
    verdicts = {(verdict.day, verdict.rule): verdict for verdict in Ledger(load_settings().ledger_url).verdicts("benchmark", "silver.watched")}
    spark = SparkSession.builder.remote(server.remote).create()
    rides = spark.read.format("delta").load(load_settings().table_path("silver.watched"))
    equal = True
    for day in DAYS:
        for result in validated(rides.filter(f"day = DATE'{day}'"), RULES).results:
            verdict = verdicts[day, result.expectation_config.meta["rule"]]
            broken = result.result.get("unexpected_count") or 0
            same = (verdict.success, verdict.rows_broken) == (result.success, broken) and _is_same(verdict.observed, result.result.get("observed_value"))
            if not same:
                log.warning("not equal on %s: %s; stock %s %s", day, verdict, result.success, result.result)
            equal = equal and same
    spark.stop()
    return equal


def _is_same(noted: str, observed: Any) -> bool:
    if isinstance(observed, float):
        return math.isclose(float(noted), observed, rel_tol=1e-9)
    return noted == ("" if observed is None else str(observed)) or isinstance(observed, list)
