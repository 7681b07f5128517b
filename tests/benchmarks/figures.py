"""Figures and a picture from latest.json: `python -m tests.benchmarks.figures` prints the aims beside what was measured and draws docs/benchmark.png."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from statistics import median
from typing import Any

from matplotlib.figure import Figure

from tests.benchmarks import measured
from tests.benchmarks.day_contestants import DUCKDB, JOBS, NAIVE, OURS, POLARS, STOCK, TUNED
from tests.benchmarks.enlarged_flights import SIZES

PICTURE = Path(__file__).parents[2] / "docs" / "benchmark.png"
AIMS = {
    "naive_over_ours": "4 / 10",
    "stock_script_over_ours": "1.0 / 2.0",
    "ours_over_tuned_script": "1.3 / 1.1",
    "ours_over_duckdb": "5 / 3",
    "day_365_over_day_10": "1.25 / 1.05",
    "bytes_read_over_bytes_of_the_day": "5 / 2",
    "growth_exponent": "1.05 / 1.0",
    "overhead_seconds_per_task": "1.0 / 0.4",
    "peak_memory_gb": "4 / 2.5",
    "rerun_over_run": "0.2 / 0.05",
    "dag_parse_seconds": "0.3 / 0.1",
    "skew_ratio": "1.3",
}
"""Figure to its aim, good / stunning."""
FARTHEST = 1e12
"""Rows a day up to which a curve is carried on."""


def growth(found: dict[str, Any], name: str, small: str, large: str) -> float | None:
    """The exponent k of seconds ~ rows^k between two sizes; None where one was not measured."""
    if any(name not in found.get(size, {}).get("seconds", {}) for size in (small, large)):
        return None
    times = [median(found[size]["seconds"][name]) for size in (small, large)]
    return math.log(times[1] / times[0]) / math.log(SIZES[large] / SIZES[small])


def even_from(found: dict[str, Any], name: str, other: str) -> str:
    """From how many rows on `name` is as quick as `other`, by the growth from each round of M to L carried on; one sentence."""
    seconds = {size: found.get(size, {}).get("seconds", {}) for size in ("M", "L")}
    if any(one not in of_size for of_size in seconds.values() for one in (name, other)):
        return "not measured"
    behind = math.log(median(seconds["L"][name]) / median(seconds["L"][other]))
    if behind <= 0:
        return f"ahead at {SIZES['L']:,} rows already"
    nearing = [behind_then - behind for behind_then in map(math.log, map(float.__truediv__, seconds["M"][name], seconds["M"][other]))]
    steps = math.log(SIZES["L"] / SIZES["M"])
    powers = [math.log(SIZES["L"]) + behind * steps / one if one > 0 else math.inf for one in nearing]
    told = [f"{math.exp(power):.1e}" if power < math.log(FARTHEST) else f"more than {FARTHEST:.0e}" for power in (min(powers), max(powers))]
    return f"{told[0]} rows by the nearest round of M, {told[1]} by the farthest"


def lines(found: dict[str, Any]) -> list[str]:
    """One line a figure: name, size, aim, what was measured."""
    told = []
    for size in SIZES:
        for name, figure in found.get(size, {}).get("ratios", {}).items():
            told.append(f"{name:36}{size:4}{AIMS.get(name, ''):14}{figure['median']} ({figure['least']} to {figure['most']})")
    for name in (OURS, JOBS, TUNED, DUCKDB, POLARS):
        exponents = [growth(found, name, small, large) for small, large in (("S", "M"), ("M", "L"), ("S", "L"))]
        told += [f"growth_exponent, {name:30}S to M, M to L, S to L: {', '.join(f'{one:.2f}' for one in exponents if one is not None)}"]
    told += [f"as quick as {other}: {even_from(found, JOBS, other)}" for other in (DUCKDB, POLARS)]
    for part in ("beside Spark", "year", "a million rows, jobs alone", "bigger than memory", "skew"):
        told += [f"{name:40}{AIMS.get(name, ''):14}{figure}" for name, figure in found.get(part, {}).items() if name not in {"seconds", "date"}]
    return told


def draw(found: dict[str, Any]) -> None:
    """Seconds of a day by its rows, one line a contestant, both axes logarithmic; and each run of a year beside it."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    by_size, by_day = figure.subplots(1, 2)
    for name in (NAIVE, STOCK, OURS, TUNED, JOBS, POLARS, DUCKDB):
        points = [(SIZES[size], median(found[size]["seconds"][name])) for size in SIZES if name in found.get(size, {}).get("seconds", {})]
        by_size.plot(*zip(*points, strict=True), marker="o", label=name, linewidth=2.5 if name == OURS else 1.2)
    by_size.set(xscale="log", yscale="log", xlabel="rows a day", ylabel="seconds", title="One day, by its rows")
    by_size.legend(fontsize=7)
    by_size.grid(alpha=0.3)
    seconds = found.get("year", {}).get("seconds", [])
    by_day.plot(range(1, len(seconds) + 1), seconds, ".", markersize=3)
    by_day.set(ylim=(0, None), xlabel="daily run", ylabel="seconds", title="A year of daily runs, jobs alone")
    by_day.grid(alpha=0.3)
    figure.savefig(PICTURE, dpi=110)


if __name__ == "__main__":
    measurements = measured.load()
    draw(measurements)
    sys.stdout.write("\n".join(lines(measurements)) + "\n")
