"""Planted bugs: small patches, each with the tests that catch it. A test suite that no longer catches them has lost something.

A bug is a file `tests/planted/bugs/<area>_<what>.patch`: a sentence, the line `Caught by:`, a test id a line, an empty line, and a diff for `git apply`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BUGS = Path(__file__).parent / "bugs"
HEAD = "Caught by:"


class PlantedBugError(Exception):
    """A patch that is not written as this module says, or the name of no bug."""


@dataclass(frozen=True)
class PlantedBug:
    """One patch. `title`: what is wrong once it is applied. `tests`: pytest ids, all of which fail then. `changes`: the files it changes."""

    name: str
    title: str
    tests: tuple[str, ...]
    changes: tuple[str, ...]
    patch: Path

    @property
    def area(self) -> str:
        """The first word of the name: planning, gate, ledger, ..."""
        return self.name.partition("_")[0]


def parse(file: Path) -> PlantedBug:
    """The bug of a file. Raises PlantedBugError where a part is missing."""
    said, _, diff = file.read_text().partition("\ndiff --git ")
    title, _, listed = said.partition(f"\n{HEAD}\n")
    tests = tuple(line.strip() for line in listed.splitlines() if line.strip())
    changes = tuple(re.findall(r"^\+\+\+ b/(\S+)", diff, flags=re.MULTILINE))
    for part, found in {"a sentence in its first line": title.strip(), f"'{HEAD}' and test ids": tests, "a diff": changes}.items():
        if not found:
            raise PlantedBugError(f"{file.name} lacks {part}: write it as {Path(__file__).name} says.")
    return PlantedBug(file.stem, title.strip(), tests, changes, file)


def planted_bugs(folder: Path = BUGS) -> tuple[PlantedBug, ...]:
    """All of them, by name. Raises PlantedBugError where one cannot be read."""
    return tuple(parse(file) for file in sorted(folder.glob("*.patch")))


def named(bugs: Sequence[PlantedBug], names: Iterable[str]) -> tuple[PlantedBug, ...]:
    """The bugs of these names or areas, in the order of `bugs`; all of them where none is named. Raises PlantedBugError for the name of no bug."""
    wanted = set(names)
    unknown = wanted - {bug.name for bug in bugs} - {bug.area for bug in bugs}
    if unknown:
        raise PlantedBugError(f"No planted bug or area is called {', '.join(sorted(unknown))}: see {BUGS.name}/ in {BUGS.parent}.")
    return tuple(bug for bug in bugs if not wanted or {bug.name, bug.area} & wanted)


def in_turn(bugs: Sequence[PlantedBug], commit: str, count: int) -> tuple[PlantedBug, ...]:
    """`count` neighbours, from a place that the commit's hash (hexadecimal) tells: another one after each commit."""
    start = int(commit, 16) % len(bugs)
    return tuple((bugs * 2)[start : start + min(count, len(bugs))])


def of_files(bugs: Iterable[PlantedBug], changed: Iterable[str]) -> tuple[PlantedBug, ...]:
    """The bugs that are planted in these files, or whose own patch is among them."""
    files = set(changed)
    return tuple(bug for bug in bugs if files & {*bug.changes, f"tests/planted/bugs/{bug.patch.name}"})


def missed(bug: PlantedBug, outcomes: dict[str, str]) -> list[str]:
    """A sentence for each test of the bug that did not catch it; `outcomes`: test id, parameters included, to passed, failed, error or skipped.

    Only a failed assertion or an exception in the test itself counts: an error while the test is collected or set up would be caught by anything.
    """
    sentences = []
    for test in bug.tests:
        found = {outcome for name, outcome in outcomes.items() if name == test or name.startswith(f"{test}[")}
        if "failed" not in found:
            sentences.append(f"{test}: {', '.join(sorted(found)) or 'no such test ran'}")
    return sentences
