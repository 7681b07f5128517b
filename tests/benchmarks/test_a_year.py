"""A year of real days, each a run of its own: whether a day costs more when there is a long history. `make bench PARTS=a_year`.

The jobs of all tables, one after another, on one warm server, without Airflow: what grows with history is in the ledger, the Delta logs and
the tables. Asserts no time.
"""

from __future__ import annotations

import logging
import statistics
import time
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from launcher.landing import land
from tests.benchmarks import measured
from tests.benchmarks.day_contestants import lake_at, make_day
from tests.benchmarks.server import Server, started_server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.benchmark, pytest.mark.timeout(7200)]
log = logging.getLogger(__name__)
FIRST = date(2013, 1, 1)
DAYS = 365
AROUND = 5
"""A day stands for those up to so many before and after it, for a single one may be disturbed."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with started_server(tmp_path / "server") as started, lake_at(tmp_path / "lake", tmp_path / "landing"):
        land(tmp_path / "landing", FIRST, FIRST + timedelta(days=DAYS - 1))
        yield started


def test_a_year(server: Server, tmp_path: Path) -> None:
    seconds, read, of_tables, landed = [], [], [], []
    for number in range(DAYS):
        day = str(FIRST + timedelta(days=number))
        before, started = server.bytes_read(), time.monotonic()
        results = make_day(server.remote, day)
        seconds.append(round(time.monotonic() - started, 3))
        read.append(server.bytes_read() - before)
        landed.append((tmp_path / "landing" / "flights" / f"{day}.csv").stat().st_size)
        of_tables.append({table: result.seconds for table, result in results.items()})
        log.info("day %d: %.2f s, %d bytes read of %d landed", number + 1, seconds[-1], read[-1], landed[-1])

    late, early = _around(seconds, DAYS - AROUND), _around(seconds, 10)
    medians = {table: [round(_around([one[table] for one in of_tables], at), 3) for at in (10, DAYS - AROUND)] for table in of_tables[0]}
    facts = {
        "seconds": seconds,
        "day_10_seconds": early,
        "day_365_seconds": late,
        "day_365_over_day_10": round(late / early, 3),
        "bytes_read_over_bytes_of_the_day": {
            "day 10": round(_around(read, 10) / _around(landed, 10), 2),
            "day 365": round(_around(read, DAYS - AROUND) / _around(landed, DAYS - AROUND), 2),
        },
        "tables_on_day_10_and_365": medians,
    }
    measured.note("year", facts)
    assert len(seconds) == DAYS


def _around(figures: list[float] | list[int], number: int) -> float:
    """The median of the days around day `number`, counted from 1."""
    return float(statistics.median(figures[max(0, number - 1 - AROUND) : number + AROUND]))
