"""Which parts CI runs, when it stops to begin them, and what its table says."""

from __future__ import annotations

import sys
import time

from launcher.layout import REPOSITORY
from tests.running.parts import PARTS, Part, Ran, chosen, main, run_parts, table

TRIED = [
    Part("faults", ("true",), ("launcher/supervision.py", "tests/faults/*")),
    Part("hdfs", ("false",), ("expectations/storage.py",)),
    Part("s3", ("true",), ("expectations/storage.py", "jars-s3.lock")),
]


def names(parts: tuple[Part, ...]) -> list[str]:
    return [part.name for part in parts]


def test_the_parts_of_a_change_are_run_and_one_more_in_turn() -> None:
    assert names(chosen(TRIED, ["README.md"], "03")) == ["faults"]
    assert names(chosen(TRIED, ["README.md"], "05")) == ["s3"]
    assert names(chosen(TRIED, ["expectations/storage.py"], "03")) == ["faults", "hdfs", "s3"]
    assert names(chosen(TRIED, ["tests/faults/deep/test_x.py"], "04")) == ["faults", "hdfs"]


def test_no_part_is_begun_when_it_is_late_and_each_one_left_out_is_named() -> None:
    ran = list(run_parts(TRIED, time.monotonic() - 1))
    assert ran == [Ran("faults", "left out", 0.0), Ran("hdfs", "left out", 0.0), Ran("s3", "left out", 0.0)]


def test_a_part_that_fails_does_not_end_the_others() -> None:
    assert [(row.part, row.outcome) for row in run_parts(TRIED, None)] == [("faults", "passed"), ("hdfs", "failed"), ("s3", "passed")]


def test_the_table_says_how_to_run_what_did_not_pass() -> None:
    assert list(table([Ran("faults", "passed", 231.4), Ran("hdfs", "left out", 0.0)])) == [
        "part            outcome    seconds",
        "faults          passed         231",
        "hdfs            left out         0  make test-all PARTS=hdfs",
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
            assert Part(part.name, (), (pattern,)).is_touched_by(files), f"{part.name}: no file is like {pattern}"
    clusters = {file.stem.removeprefix("test_") for file in (REPOSITORY / "tests" / "clusters").glob("test_*.py")}
    assert clusters == {part.name for part in PARTS if part.command[0] == "make"}
    assert all(part.command[0] in {"make", sys.executable} for part in PARTS)
