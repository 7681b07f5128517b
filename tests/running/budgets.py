"""A pytest plugin: how many seconds each suite took, beside how many it may take on a machine like this one.

`tests/budget.json` has the seconds of each suite on the machine on which they were last set, and how long two fixed pieces of work took there: one of
Python and one of Spark on a new server. The same pieces are timed at the start, and a machine on which they take longer has as much more time. A suite
above its budget is a warning; above twice its budget the run is red. Seconds are those of the tests, set-up and clean-up included, of all workers
together.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FILE = Path(__file__).parents[1] / "budget.json"
RED = 2.0
TIMES = 5


@dataclass(frozen=True)
class Budget:
    """A suite's seconds where the budget was set, and the piece of work (python or spark) whose time scales them."""

    seconds: float
    scaled_by: str


@dataclass(frozen=True)
class Spent:
    """A suite's tests and seconds, and the seconds that it may take here; None for a suite that has no budget."""

    suite: str
    tests: int
    seconds: float
    allowed: float | None

    @property
    def is_red(self) -> bool:
        """Whether the run fails for it."""
        return self.allowed is not None and self.seconds > RED * self.allowed

    @property
    def verdict(self) -> str:
        """Empty where the suite is within its budget."""
        if self.allowed is None:
            return "has no budget"
        return "OVER TWICE ITS BUDGET" if self.is_red else "above its budget" if self.seconds > self.allowed else ""


def scales(reference: Mapping[str, float], measured: Mapping[str, float]) -> dict[str, float]:
    """How much slower this machine is, by piece of work; never below 1, as a faster one need not hurry."""
    return {piece: max(1.0, measured[piece] / seconds) for piece, seconds in reference.items() if piece in measured}


def spent(budgets: Mapping[str, Budget], scale: Mapping[str, float], tests: Mapping[str, int], seconds: Mapping[str, float]) -> list[Spent]:
    """A row a suite that ran, by name. A piece that was not timed scales nothing."""
    allowed = {suite: budget.seconds * scale.get(budget.scaled_by, 1.0) for suite, budget in budgets.items()}
    return [Spent(suite, tests[suite], seconds[suite], allowed.get(suite)) for suite in sorted(tests)]


def table(rows: list[Spent], scale: Mapping[str, float]) -> Iterator[str]:
    """The rows in words."""
    yield f"{'suite':16}{'tests':>7}{'seconds':>10}{'allowed':>10}"
    for row in rows:
        allowed = "" if row.allowed is None else f"{row.allowed:.0f}"
        yield f"{row.suite:16}{row.tests:>7}{row.seconds:>10.0f}{allowed:>10}  {row.verdict}".rstrip()
    yield "this machine beside that of the budget: " + (", ".join(f"{piece} {times:.2f}" for piece, times in scale.items()) or "not timed")


def suite_of(part: str, keywords: Mapping[str, object]) -> str:
    """What a test of a part counts to: that part; in `test`, which is `make test`, `spark` where it needs the Spark server, else `fast`."""
    if part != "test":
        return part
    return "spark" if "spark" in keywords else "fast"


def python_seconds() -> float:
    """Of a fixed piece of Python: hashing, sorting and JSON. The best of several times."""

    def piece() -> None:
        texts = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(60_000)]
        json.loads(json.dumps(sorted(texts)))

    return _best(piece)


def spark_seconds(remote: str) -> float:
    """Of a fixed piece of Spark work, on the server that has just started: two aggregations of little data. The best of several times."""
    from pyspark.sql import SparkSession

    session = SparkSession.builder.remote(remote).create()
    try:
        session.conf.set("spark.sql.shuffle.partitions", "2")

        def piece() -> None:
            for number in range(2):
                session.range(5_000).selectExpr(f"id % {7 + number} AS key", "id").groupBy("key").agg({"id": "sum"}).orderBy("key").collect()

        return _best(piece)
    finally:
        session.stop()


def _best(piece: Callable[[], None]) -> float:
    found = []
    for _ in range(TIMES):
        started = time.perf_counter()
        piece()
        found.append(time.perf_counter() - started)
    return min(found)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Its option."""
    parser.addoption("--budgets", default="", metavar="PART", help="time this machine, and hold the part's seconds against tests/budget.json")


def pytest_configure(config: pytest.Config) -> None:
    """Only the process that hears of all tests counts them."""
    part = config.getoption("--budgets")
    if part and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Counting(part))


class Counting:
    """Adds up the seconds of the suites."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.tests: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()
        self.measured: dict[str, float] = {}
        known = json.loads(FILE.read_text())
        self.reference: dict[str, float] = known["reference"]
        self.budgets = {suite: Budget(**budget) for suite, budget in known["suites"].items()}

    def pytest_sessionstart(self) -> None:
        """Times the machine before anything else keeps it busy."""
        self.measured["python"] = python_seconds()
        if "SPARK_REMOTE" in os.environ:
            self.measured["spark"] = spark_seconds(os.environ["SPARK_REMOTE"])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts a test at its call, and its seconds in each of its three phases."""
        suite = suite_of(self.part, report.keywords)
        self.seconds[suite] += report.duration
        self.tests[suite] += report.when == "call"

    @property
    def scale(self) -> dict[str, float]:
        """How much slower this machine is."""
        return scales(self.reference, self.measured)

    @property
    def rows(self) -> list[Spent]:
        """A row a suite."""
        return spent(self.budgets, self.scale, self.tests, self.seconds)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Red where a suite took twice its budget."""
        if exitstatus == 0 and any(row.is_red for row in self.rows):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The table."""
        terminalreporter.section("budgets")
        for line in table(self.rows, self.scale):
            terminalreporter.write_line(line)
        terminalreporter.write_line("measured here: " + ", ".join(f"{piece} {seconds:.3f} s" for piece, seconds in self.measured.items()))
