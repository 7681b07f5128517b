"""Which parts CI runs, when it stops to begin them, and what its table says."""

from __future__ import annotations

import re
import sys

import pytest

from launcher.layout import REPOSITORY
from tests.running.changed import NOT_OF_MAKE_TEST, OF_MAKE_TEST, files_of_make_test
from tests.running.parts import ENGINES, NAMES, PARTS, RAY, Part, Ran, chosen, is_in_time, main, run_parts, table

TRIED = [
    Part("faults", 8, ("true",), ("launcher/supervision.py", "tests/faults/*")),
    Part("hdfs", 5, ("false",), ("expectations/storage.py",)),
    Part("s3", 4, ("true",), ("expectations/storage.py", "jars-s3.lock")),
]


def names(parts: tuple[Part, ...]) -> list[str]:
    return [part.name for part in parts]


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


def test_each_part_that_is_left_out_is_named() -> None:
    ran = list(run_parts(TRIED, lambda _part: False))
    assert ran == [Ran("faults", "left out", 0.0), Ran("hdfs", "left out", 0.0), Ran("s3", "left out", 0.0)]


def test_a_part_that_fails_does_not_end_the_others() -> None:
    assert [(row.part, row.outcome) for row in run_parts(TRIED)] == [("faults", "passed"), ("hdfs", "failed"), ("s3", "passed")]


def test_the_table_says_how_to_run_what_did_not_pass() -> None:
    assert list(table([Ran("faults", "passed", 231.4), Ran("hdfs", "left out", 0.0), Ran("s3", "not asked", 0.0), Ran("yarn", "not asked", 0.0)])) == [
        "part            outcome    seconds",
        "faults          passed         231",
        "hdfs            left out         0  make test-all PARTS=hdfs",
        "not asked: s3, yarn",
    ]


def test_a_part_that_is_none_is_refused_by_name(capsys) -> None:
    assert main(["hfds"]) == 2
    assert capsys.readouterr().err.startswith("No part is called hfds: choose from running_lake, ")


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
    assert clusters == {part.name for part in PARTS if part.command[0] == "make"}
    assert all(part.command[0] in {"make", "env", sys.executable} for part in PARTS)


def test_no_test_is_left_out_of_make_test_without_a_part_that_has_it() -> None:
    [tests] = [line for line in (REPOSITORY / "Makefile").read_text().splitlines() if line.startswith("TESTS := ")]
    assert f'-m "{OF_MAKE_TEST}"' in tests
    assert {f"{folder}/" for folder in re.findall(r"--ignore (\S+)", tests)} | {"tests/benchmarks/"} == set(NOT_OF_MAKE_TEST)
    marked = {
        name for name, text in files_of_make_test().items() if re.search(r"^(?:pytestmark = |@)pytest\.mark\.(?:cluster|long)$", text, flags=re.MULTILINE)
    }
    assert marked - {"tests/test_clusters_table.py"} == {NAMES, RAY, *ENGINES}  # which has such a file in a text
