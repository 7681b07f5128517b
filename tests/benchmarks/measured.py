"""What was measured: every round as soon as it has ended, so that a benchmark in parts goes on where it stopped."""

from __future__ import annotations

import json
import os
import statistics
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

FILE = Path(__file__).with_name("latest.json")
PACKAGES = ("apache-airflow", "pyspark", "delta-spark", "great-expectations", "duckdb", "polars", "deltalake")

Seconds = dict[str, list[float]]
"""Contestant to the seconds of its rounds."""


def load() -> dict[str, Any]:
    """All that was measured so far, by part."""
    found: dict[str, Any] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return found


def note(part: str, facts: dict[str, Any]) -> None:
    """Keep a part's facts in latest.json, with the day, the versions and the machine they are of. Takes the place of what the part said before."""
    known = load()
    known[part] = {"date": datetime.now(tz=UTC).date().isoformat(), **facts}
    known["machine"] = {"cores": os.cpu_count(), "memory_gib": round(psutil.virtual_memory().total / 2**30)}
    known["versions"] = {name: version(name) for name in PACKAGES}
    draft = FILE.with_suffix(".draft")
    draft.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    draft.rename(FILE)


def ratio(seconds: Seconds, upper: str, lower: str) -> dict[str, float]:
    """Of each round, so that what else the machine does falls on both: the median, the least and the most."""
    of_rounds = [one / other for one, other in zip(seconds.get(upper, ()), seconds.get(lower, ()), strict=False)]
    return spread(of_rounds) if of_rounds else {}


def spread(values: list[float]) -> dict[str, float]:
    """Median, least, most and how many, to three digits."""
    figures = {"median": statistics.median(values), "least": min(values), "most": max(values)}
    return {**{name: float(f"{figure:.3g}") for name, figure in figures.items()}, "rounds": len(values)}
