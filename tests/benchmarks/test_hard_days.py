"""A day that is bigger than the heap, and a day of which one carrier has four fifths: `make bench PARTS=big_day` and `PARTS=skewed_day`. Asserts no time."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from expectations.jobs import JobRequest
from spark_jobs.run import run
from tests.benchmarks import measured
from tests.benchmarks.day_contestants import lake_at, make_day
from tests.benchmarks.enlarged_flights import SIZES, land_enlarged, rows_of
from tests.benchmarks.server import MEMORY, Server, started_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(7200)]
log = logging.getLogger(__name__)
BIG = 30_000_000
DAY = date(2013, 6, 1)
CARRIER = "UA"
ROUNDS = 3
JOIN = "silver.flight_papers"
"""Joined on the carrier with rows too long to be handed to every task."""


@contextmanager
def _server(folder: Path) -> Iterator[Server]:
    with started_server(folder / "server") as started, lake_at(folder / "lake", folder / "landing"):
        for number in (2, 1):
            day = DAY - timedelta(days=number)
            land_enlarged(folder / "landing", day, SIZES["S"])
            make_day(started.remote, str(day))
        yield started


@pytest.mark.parametrize("size", [SIZES["M"], BIG])
def test_a_big_day(size: int, tmp_path: Path) -> None:
    with _server(tmp_path) as server:
        bytes_landed = land_enlarged(tmp_path / "landing", DAY, size)
        before, started = server.bytes_read(), time.monotonic()
        results = make_day(server.remote, str(DAY))
        seconds = time.monotonic() - started
        facts = {
            "rows": size,
            "bytes": bytes_landed,
            "heap": MEMORY,
            "seconds": round(seconds, 1),
            "seconds_of_tables": {table: round(result.seconds, 1) for table, result in results.items()},
            "bytes_read_over_bytes_of_the_day": round((server.bytes_read() - before) / bytes_landed, 2),
        }
    measured.note("bigger than memory" if size == BIG else "a million rows, jobs alone", facts)
    assert rows_of(tmp_path / "lake" / "data_lake" / "silver" / "flights", str(DAY)) == size


def test_a_skewed_day(tmp_path: Path) -> None:
    """Even and skewed days of as many rows in turn: the whole day, and one join on the carrier alone."""
    whole: measured.Seconds = {"even": [], "skewed": []}
    join: measured.Seconds = {"even": [], "skewed": []}
    with _server(tmp_path) as server:
        for number in range(-1, ROUNDS):
            for name, carrier, shift in (("even", "", 0), ("skewed", CARRIER, 10)):
                day = str(DAY + timedelta(days=shift + number + 1))
                land_enlarged(tmp_path / "landing", date.fromisoformat(day), SIZES["M"], carrier)
                started = time.monotonic()
                make_day(server.remote, day)
                made = time.monotonic()
                _build(server, "silver.carrier_papers", day)
                ready = time.monotonic()
                _build(server, JOIN, day)
                log.info("%s %s: %.2f s, the join %.2f s", name, day, made - started, time.monotonic() - ready)
                if number >= 0:  # the first round warms up
                    whole[name].append(round(made - started, 3))
                    join[name].append(round(time.monotonic() - ready, 3))
    ratios = {"skew_ratio": measured.ratio(whole, "skewed", "even"), "skew_ratio_of_the_join": measured.ratio(join, "skewed", "even")}
    measured.note("skew", {"rows": SIZES["M"], "seconds": whole, "seconds_of_the_join": join, **ratios})
    assert len(whole["skewed"]) == ROUNDS


def _build(server: Server, table: str, day: str) -> None:
    result = run(JobRequest(verb="build", name=table, days=f"{day}..{day}", run_id=day), server.remote)
    if result.status not in {"done", "unchanged"}:
        raise RuntimeError(result.message)
