"""What a suite may take on a machine like this one, and what is said of it."""

from __future__ import annotations

import json

import pytest

from tests.running.budgets import FILE, Budget, Spent, scales, spent, suite_of, table
from tests.running.parts import PARTS

BUDGETS = {"fast": Budget(100, "python"), "spark": Budget(600, "spark")}


def test_a_slow_machine_has_more_time_and_a_fast_one_need_not_hurry() -> None:
    assert scales({"python": 0.2, "spark": 0.5}, {"python": 0.3, "spark": 0.25}) == {"python": pytest.approx(1.5), "spark": 1.0}


def test_a_piece_that_was_not_timed_scales_nothing() -> None:
    assert scales({"python": 0.2, "spark": 0.5}, {"python": 0.4}) == {"python": 2.0}
    assert spent(BUDGETS, {"python": 2.0}, {"spark": 3}, {"spark": 5.0}) == [Spent("spark", 3, 5.0, 600.0)]


@pytest.mark.parametrize(
    ("seconds", "verdict"),
    [(150.0, ""), (150.1, "above its budget"), (300.0, "above its budget"), (300.1, "OVER TWICE ITS BUDGET")],
)
def test_above_its_budget_a_suite_is_warned_of_and_above_twice_of_it_it_is_red(seconds: float, verdict: str) -> None:
    (row,) = spent(BUDGETS, {"python": 1.5}, {"fast": 10}, {"fast": seconds})
    assert (row.allowed, row.verdict) == (150.0, verdict)


def test_a_suite_without_a_budget_is_told() -> None:
    assert spent(BUDGETS, {}, {"hdfs": 2}, {"hdfs": 7.0}) == [Spent("hdfs", 2, 7.0, None)]
    assert Spent("hdfs", 2, 7.0, None).verdict == "has no budget"


def test_the_table_has_a_line_a_suite_and_one_for_the_machine() -> None:
    rows = [Spent("fast", 2210, 212.4, 150.0), Spent("hdfs", 9, 7.0, None)]
    assert list(table(rows, {"python": 1.5})) == [
        "suite             tests   seconds   allowed",
        "fast               2210       212       150  above its budget",
        "hdfs                  9         7            has no budget",
        "this machine beside that of the budget: python 1.50",
    ]


@pytest.mark.parametrize(
    ("part", "keywords", "suite"),
    [("test", {}, "fast"), ("test", {"spark": 1}, "spark"), ("running_lake", {}, "running_lake"), ("watched_year", {"spark": 1}, "watched_year")],
)
def test_a_test_counts_to_its_part_and_in_make_test_to_the_fast_ones_or_to_those_with_spark(part: str, keywords: dict[str, int], suite: str) -> None:
    assert suite_of(part, keywords) == suite


def test_every_part_of_tests_has_a_budget_that_is_within_its_minutes() -> None:
    suites = json.loads(FILE.read_text())["suites"]
    with_tests = {part.name: part for part in PARTS if part.name not in {"test", "planted"}}
    assert suites.keys() - {"fast", "spark"} == with_tests.keys()
    assert [name for name, part in with_tests.items() if suites[name]["seconds"] > 60 * part.minutes] == []


def test_a_run_that_takes_twice_its_budget_is_red_and_says_so(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    (pytester.path / "budget.json").write_text('{"reference": {"python": 1000}, "suites": {"fast": {"seconds": 0.01, "scaled_by": "python"}}}')
    pytester.makeconftest(f"""
        from pathlib import Path
        from tests.running import budgets
        pytest_plugins = ["tests.running.budgets"]
        budgets.FILE = Path({str(pytester.path)!r}) / "budget.json"
    """)
    (pytester.path / "tests" / "unit").mkdir(parents=True)
    (pytester.path / "tests" / "unit" / "test_slow.py").write_text("import time\n\ndef test_slow():\n    time.sleep(0.1)\n")
    monkeypatch.delenv("SPARK_REMOTE", raising=False)
    red = pytester.runpytest_inprocess("--budgets=test", "tests/unit")
    red.assert_outcomes(passed=1)
    assert red.ret == 1
    red.stdout.fnmatch_lines(["*budgets*", "fast*1*0*0*OVER TWICE ITS BUDGET", "*python 1.00", "measured here: python *"])
    assert pytester.runpytest_inprocess("tests/unit").ret == 0
