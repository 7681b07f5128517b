"""Which parts CI runs, when it stops to begin them, and what its table says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count
from pathlib import Path

import psutil
import pytest

from launcher.layout import REPOSITORY
from tests.running.changed import files_of_make_test
from tests.running.parts import (
    ENGINES,
    NAMES,
    OUTCOMES,
    PARTS,
    PYTHON,
    RAY,
    Part,
    Ran,
    chosen,
    is_in_time,
    main,
    outcome,
    run_all,
    run_for_ci,
    run_part,
    slowness,
    table,
)

TRIED = [
    Part("faults", 8, ("true",), ("launcher/supervision.py", "tests/faults/*")),
    Part("hdfs", 5, ("false",), ("expectations/storage.py",)),
    Part("s3", 4, ("true",), ("expectations/storage.py", "jars-s3.lock")),
]


def names(parts: tuple[Part, ...]) -> list[str]:
    return [part.name for part in parts]


def outcomes(rows: Iterable[Ran]) -> list[tuple[str, str]]:
    return [(row.part, row.outcome) for row in rows]


def test_one_part_is_run_in_turn_and_then_those_of_a_change() -> None:
    assert names(chosen(TRIED, ["README.md"], "03")) == ["faults"]
    assert names(chosen(TRIED, ["README.md"], "05")) == ["s3"]
    assert names(chosen(TRIED, ["expectations/storage.py"], "05")) == ["s3", "hdfs"]
    assert names(chosen(TRIED, ["tests/faults/deep/test_x.py"], "04")) == ["hdfs", "faults"]


def test_a_part_that_no_file_asks_for_has_no_turn() -> None:
    assert names(chosen([*TRIED, Part("planted", 40, ("true",), ())], ["README.md"], "03")) == ["faults"]


@pytest.mark.parametrize(
    ("after", "slowness", "is_begun"),
    [(22.0, 1.0, True), (55.0, 1.0, True), (55.1, 1.0, False), (44.0, 2.0, True), (44.1, 2.0, False)],
)
def test_ci_begins_no_part_after_55_minutes_nor_one_that_would_not_end_in_80(after: float, slowness: float, is_begun: bool) -> None:
    assert is_in_time(Part("running_lake", 18, ("true",), ()), after, slowness) is is_begun


def test_a_machine_is_as_slow_as_the_parts_that_passed_took_longer_than_their_minutes() -> None:
    known = [Part("install", 4, (), ()), Part("test", 20, (), ())]
    assert slowness([Ran("install", "passed", 480.0), Ran("test", "passed", 2400.0)], known) == 2.0
    assert slowness([Ran("install", "passed", 10.0)], known) == 1.0
    assert slowness([Ran("test", "failed", 9000.0), Ran("hdfs", "passed", 9000.0)], known) == 1.0


@pytest.mark.parametrize(
    ("code", "tests", "word"),
    [
        (0, {}, "passed"),
        (0, {"passed": 9, "skipped": 1}, "passed"),
        (0, {"skipped": 4}, "skipped"),
        (1, {"passed": 9, "failed": 1}, "failed"),
        (None, {"passed": 9}, "ended"),
    ],
)
def test_a_part_whose_tests_were_all_skipped_has_not_passed(code: int | None, tests: dict[str, int], word: str) -> None:
    assert outcome(code, tests) == word


def test_a_parts_tests_are_counted_and_none_of_those_that_they_start(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p tests.running.outcomes\n")
    (tmp_path / "test_x.py").write_text(f"""
import os
import pytest

def test_a():
    assert {OUTCOMES!r} not in os.environ

@pytest.mark.skip
def test_b():
    pass

@pytest.fixture
def broken():
    raise OSError

def test_c(broken):
    pass
""")
    ran = run_part(Part("x", 1, (PYTHON, "-m", "pytest", "-q", str(tmp_path)), ()), 60)
    assert (ran.outcome, ran.tests) == ("failed", {"passed": 1, "skipped": 1, "failed": 1})


def test_a_part_that_takes_too_long_is_ended_with_what_it_started(tmp_path: Path) -> None:
    late = f"trap 'echo cleaned > {tmp_path}/said; exit' INT; sleep 60 & echo $! > {tmp_path}/pid; wait"
    assert run_part(Part("x", 1, ("bash", "-c", late), ()), 1).outcome == "ended"
    assert (tmp_path / "said").read_text() == "cleaned\n"
    pid = (tmp_path / "pid").read_text().strip()
    assert not psutil.pid_exists(int(pid)) or psutil.Process(int(pid)).status() == psutil.STATUS_ZOMBIE


def test_a_part_that_fails_does_not_end_the_others() -> None:
    assert outcomes(run_all(TRIED)) == [("faults", "passed"), ("hdfs", "failed"), ("s3", "passed")]


def test_ci_leaves_out_what_comes_after_a_first_part_that_failed() -> None:
    first = [Part("install", 4, ("true",), ()), Part("test", 20, ("false",), ()), Part("planted_in_turn", 2, ("true",), ())]
    assert outcomes(run_for_ci(first, TRIED[:1], lambda: 0.0)) == [
        ("install", "passed"),
        ("test", "failed"),
        ("planted_in_turn", "left out"),
        ("faults", "left out"),
    ]


def test_ci_leaves_out_what_comes_too_late_and_goes_on_after_a_part_that_failed() -> None:
    clock = count(26.0, 14.0)
    assert outcomes(run_for_ci([Part("test", 20, ("true",), ())], [TRIED[1], TRIED[0]], lambda: next(clock))) == [
        ("test", "passed"),
        ("hdfs", "failed"),
        ("faults", "left out"),
    ]


def test_the_table_counts_tests_and_says_how_to_run_what_did_not_pass() -> None:
    rows = [Ran("faults", "passed", 231.4, {"passed": 8, "skipped": 1}), Ran("planted", "passed", 2400.0), Ran("hdfs", "left out"), Ran("s3", "not asked")]
    assert list(table([*rows, Ran("yarn", "not asked")])) == [
        "part            outcome    seconds  passed  failed skipped",
        "faults          passed         231       8       0       1",
        "planted         passed        2400",
        "hdfs            left out         0                          make test-all PARTS=hdfs",
        "not asked: s3, yarn",
    ]


def test_a_part_that_is_none_is_refused_by_name(capsys) -> None:
    assert main(["hfds"]) == 2
    assert capsys.readouterr().err.startswith("No part is called hfds: choose from test, running_lake, ")


def test_every_pattern_of_a_part_is_that_of_a_file_and_every_cluster_has_its_part() -> None:
    files = [
        str(file.relative_to(REPOSITORY))
        for folder in ("", "tests", "launcher", "plugins", "dags", "expectations", "spark_jobs")
        for file in (REPOSITORY.glob("*") if not folder else (REPOSITORY / folder).rglob("*"))
        if file.is_file()
    ]
    for part in PARTS:
        for pattern in part.paths:
            assert Part(part.name, 1, (), (pattern,)).is_touched_by(files), f"{part.name}: no file is like {pattern}"
    clusters = {file.stem.removeprefix("test_") for file in (REPOSITORY / "tests" / "clusters").glob("test_*.py")}
    assert clusters == {part.name for part in PARTS if part.command[:2] == ("make", "test-clusters")}
    assert all(part.command[0] in {"make", "env", PYTHON} for part in PARTS)


def test_no_test_is_left_out_of_make_test_without_a_part_that_has_it() -> None:
    of_make_test = files_of_make_test()
    left_out = {str(file.relative_to(REPOSITORY)) for file in (REPOSITORY / "tests").rglob("test_*.py")} - of_make_test.keys()
    in_folders = {"tests/browser", "tests/end_to_end", "tests/faults", "tests/watched_year", "tests/clusters"}
    assert {file.rpartition("/")[0] for file in left_out} == {*in_folders, "tests/benchmarks"}
    assert in_folders - {"tests/clusters"} <= {word for part in PARTS for word in part.command}
    marked = {name for name, text in of_make_test.items() if re.search(r"^(?:pytestmark = .*|@)pytest\.mark\.(?:cluster|long)\b", text, flags=re.MULTILINE)}
    assert marked - {"tests/test_clusters_table.py"} == {NAMES, RAY, *ENGINES}  # which has such a file in a text
