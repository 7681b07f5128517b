"""The planted bugs themselves: each can be planted, names tests that exist, and counts as caught only by a test that fails."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.layout import REPOSITORY
from tests.planted.planted_bugs import PlantedBug, PlantedBugError, in_turn, missed, named, of_files, parse, planted_bugs
from tests.planted.trying import applies, planted
from tests.running.changed import files_of_make_test

BUGS = planted_bugs()
OF_MAKE_TEST = files_of_make_test()
TEXT = """A day is lost.

Caught by:
  tests/test_days.py::test_no_day_is_lost

diff --git a/lake/days.py b/lake/days.py
--- a/lake/days.py
+++ b/lake/days.py
@@ -1,2 +1,2 @@
 first = 1
-last = 31
+last = 30
"""


def bug(name: str, *tests: str, changes: tuple[str, ...] = ("lake/days.py",)) -> PlantedBug:
    return PlantedBug(name, "A day is lost.", tests, changes, Path(f"{name}.patch"))


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "lake").mkdir()
    (tmp_path / "lake" / "days.py").write_text("first = 1\nlast = 31\n")
    (tmp_path / "days_lost.patch").write_text(TEXT)
    return tmp_path


@pytest.mark.parametrize("planted_bug", BUGS, ids=lambda one: one.name)
def test_a_planted_bug_still_applies_and_its_tests_are_in_files_of_make_test(planted_bug: PlantedBug) -> None:
    assert applies(planted_bug, REPOSITORY) == ""
    for test in planted_bug.tests:
        file, _, name = test.partition("::")
        assert file in OF_MAKE_TEST
        assert f"def {name.partition('[')[0]}(" in (REPOSITORY / file).read_text()


def test_the_code_with_a_bug_is_still_python_whose_names_are_known(tmp_path: Path) -> None:
    """Else a test would fail for that, whatever it asserts."""
    with_bugs = tmp_path / "with_bugs"
    with_bugs.mkdir()
    for one in BUGS:
        tree = tmp_path / one.name
        for file in one.changes:
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / file, tree / file)
        with planted(one, tree) as fault:
            assert fault == ""
            for file in one.changes:
                shutil.copy2(tree / file, with_bugs / f"{one.name}_{Path(file).name}")
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E9,F821", str(with_bugs)]
    done = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert len(list(with_bugs.glob("*.py"))) > len(BUGS) / 2


def test_a_patch_is_read_as_a_sentence_tests_and_files(tree: Path) -> None:
    read = parse(tree / "days_lost.patch")
    assert (read.name, read.area, read.title) == ("days_lost", "days", "A day is lost.")
    assert (read.tests, read.changes) == (("tests/test_days.py::test_no_day_is_lost",), ("lake/days.py",))


@pytest.mark.parametrize(("missing", "part"), [("A day is lost.", "a sentence"), ("Caught by:", "test ids"), ("+++ b/lake/days.py", "a diff")])
def test_a_patch_that_lacks_a_part_is_refused_by_name(tree: Path, missing: str, part: str) -> None:
    (tree / "days_lost.patch").write_text(TEXT.replace(missing, ""))
    with pytest.raises(PlantedBugError, match=rf"days_lost\.patch lacks .*{part}"):
        parse(tree / "days_lost.patch")


def test_a_bug_is_there_while_it_is_planted_and_gone_afterwards(tree: Path) -> None:
    with planted(parse(tree / "days_lost.patch"), tree) as fault:
        assert (fault, (tree / "lake/days.py").read_text()) == ("", "first = 1\nlast = 30\n")
    assert (tree / "lake/days.py").read_text() == "first = 1\nlast = 31\n"


def test_a_patch_that_does_not_apply_any_more_is_told(tree: Path) -> None:
    (tree / "lake/days.py").write_text("first = 1\nlast = 28\n")
    with planted(parse(tree / "days_lost.patch"), tree) as fault:
        assert fault.startswith("the patch does not apply any more: error: patch failed: lake/days.py:1")
    assert (tree / "lake/days.py").read_text() == "first = 1\nlast = 28\n"


@pytest.mark.parametrize(
    ("outcomes", "sentences"),
    [
        ({"t.py::test_a": "failed"}, []),
        ({"t.py::test_a[1]": "passed", "t.py::test_a[2]": "failed"}, []),
        ({"t.py::test_a": "passed"}, ["t.py::test_a: passed"]),
        ({"t.py::test_a": "error"}, ["t.py::test_a: error"]),
        ({"t.py::test_ab": "failed"}, ["t.py::test_a: no such test ran"]),
    ],
)
def test_only_a_test_that_fails_has_caught_a_bug(outcomes: dict[str, str], sentences: list[str]) -> None:
    assert missed(bug("days_lost", "t.py::test_a"), outcomes) == sentences


def test_bugs_are_named_one_by_one_or_by_area() -> None:
    bugs = [bug("days_lost"), bug("days_twice"), bug("gate_open")]
    assert named(bugs, ["days"]) == (bugs[0], bugs[1])
    assert named(bugs, ["gate_open", "days_twice"]) == (bugs[1], bugs[2])
    assert named(bugs, []) == tuple(bugs)
    with pytest.raises(PlantedBugError, match="No planted bug or area is called ledger"):
        named(bugs, ["days", "ledger"])


def test_the_commits_hash_tells_whose_turn_it_is() -> None:
    bugs = [bug("a"), bug("b"), bug("c")]
    assert [one.name for one in in_turn(bugs, "05", 2)] == ["c", "a"]
    assert [one.name for one in in_turn(bugs, "06", 9)] == ["a", "b", "c"]


def test_the_bugs_of_a_change_are_those_in_its_files_and_those_whose_patch_it_changes() -> None:
    bugs = [bug("a"), bug("b", changes=("lake/gate.py",)), bug("c", changes=("lake/ledger.py",))]
    assert of_files(bugs, ["lake/gate.py", "tests/planted/bugs/a.patch"]) == (bugs[0], bugs[1])
