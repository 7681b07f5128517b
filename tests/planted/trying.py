"""Plants a bug in a copy of the working tree and runs the tests that are to catch it."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from launcher.layout import REPOSITORY, jars_folder
from tests.planted.planted_bugs import missed
from tests.spark_server import running_spark

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.planted.planted_bugs import PlantedBug

SIDE_BY_SIDE = 2
PATIENCE_SECONDS = 600
"""For one bug's tests; a control run has a tenth of it for each test, too."""
AFTER_THE_TIME = 30.0
"""Seconds that a bug begun in time may go on after it."""


@dataclass(frozen=True)
class Tried:
    """What became of a bug: `missed` has a sentence for each test that did not catch it, or the one reason why it could not be planted."""

    bug: PlantedBug
    seconds: float
    missed: list[str]

    @property
    def in_words(self) -> str:
        """A line, and one more for each test that missed the bug."""
        line = f"{'MISSED' if self.missed else 'caught'}  {self.seconds:5.0f} s  {self.bug.name}: {self.bug.title}"
        return "\n".join([line, *(f"                {sentence}" for sentence in self.missed)])


def try_all(bugs: Sequence[PlantedBug], until: float = math.inf, *, with_control: bool = False) -> Iterator[Tried]:
    """Tries the bugs two at a time, on one Spark server, that of SPARK_REMOTE or its own; yields each as it ends, but those not begun `until` a moment.

    `with_control`: first the tests run without a bug; one that does not pass then catches nothing.
    Code that Spark's Python workers import comes from this checkout, not from the copy, so no bug is planted there.
    """
    with tempfile.TemporaryDirectory(prefix="planted-") as folder, _spark(Path(folder)) as remote:
        copies: SimpleQueue[Path] = SimpleQueue()
        for number in range(min(SIDE_BY_SIDE, len(bugs))):
            copies.put(copy_tree(Path(folder) / f"copy-{number}"))
        fail_anyway = _control(bugs, copies, remote) if with_control else {}

        def attempt(bug: PlantedBug) -> Tried | None:
            if time.monotonic() > until:
                return None
            copy = copies.get()
            try:
                return _try_one(bug, copy, remote, fail_anyway, min(PATIENCE_SECONDS, until - time.monotonic() + AFTER_THE_TIME))
            finally:
                copies.put(copy)

        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            yield from filter(None, pool.map(attempt, bugs))


@contextmanager
def _spark(folder: Path) -> Iterator[str]:
    if "SPARK_REMOTE" in os.environ:
        yield os.environ["SPARK_REMOTE"]
    else:
        with running_spark(folder) as started:
            yield started.remote


def copy_tree(target: Path) -> Path:
    """The files of the working tree that git knows or would take, and a link to its environment."""
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, target / name)
    (target / ".venv").symlink_to(REPOSITORY / ".venv")
    return target


def _control(bugs: Sequence[PlantedBug], copies: SimpleQueue[Path], remote: str) -> dict[str, str]:
    """The tests that do not pass though no bug is planted, or do not run, and how they end; the two copies share the files."""
    tests = sorted({test for bug in bugs for test in bug.tests})
    files = [list(of_file) for _, of_file in groupby(tests, key=lambda test: test.partition("::")[0])]
    shares = [list(chain.from_iterable(files[number::SIDE_BY_SIDE])) for number in range(SIDE_BY_SIDE)]

    def run(share: Sequence[str]) -> dict[str, str]:
        copy = copies.get()
        try:
            return run_tests(share, copy, remote, PATIENCE_SECONDS * (1 + len(share) / 10))
        finally:
            copies.put(copy)

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        found = {test: outcome for outcomes in pool.map(run, filter(None, shares)) for test, outcome in outcomes.items()}
    ran = {test.partition("[")[0] for test in found}
    not_run = {test: "did not run" for test in tests if test.partition("[")[0] not in ran}
    return not_run | {test: outcome for test, outcome in found.items() if outcome != "passed"}


def _try_one(bug: PlantedBug, copy: Path, remote: str, fail_anyway: Mapping[str, str], patience: float) -> Tried:
    started = time.monotonic()
    with planted(bug, copy) as fault:
        sentences = [fault] if fault else missed(bug, run_tests(bug.tests, copy, remote, patience))
    sentences += [f"{test}: {outcome} without the bug, too" for test, outcome in fail_anyway.items() if test.partition("[")[0] in bug.tests]
    return Tried(bug, time.monotonic() - started, sentences)


@contextmanager
def planted(bug: PlantedBug, copy: Path) -> Iterator[str]:
    """The copy with the bug in it, until the block ends; yields why it could not be planted, or an empty text."""
    done = _apply(bug, copy)
    if done.returncode:
        yield f"the patch does not apply any more: {done.stderr.strip()}"
        return
    try:
        yield ""
    finally:
        _apply(bug, copy, "--reverse").check_returncode()


def _apply(bug: PlantedBug, copy: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "apply", *more, str(bug.patch)], cwd=copy, capture_output=True, text=True, check=False, env=_outside_git())


def applies(bug: PlantedBug, tree: Path) -> str:
    """Why the bug cannot be planted in a tree, or an empty text."""
    return _apply(bug, tree, "--check").stderr.strip()


def _outside_git() -> dict[str, str]:
    """A copy below a repository's folder would be taken for a part of it, and the patch for one of other files."""
    return {**{name: value for name, value in os.environ.items() if not name.startswith("GIT_")}, "GIT_CEILING_DIRECTORIES": "/"}


def run_tests(tests: Sequence[str], copy: Path, remote: str, patience: float = PATIENCE_SECONDS) -> dict[str, str]:
    """Test id to passed, failed, error or skipped; or to a few words where they took more than `patience` seconds, and were ended."""
    report = copy.parent / f"{copy.name}.xml"
    report.unlink(missing_ok=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LAKE_", "AIRFLOW", "MLFLOW", "PYTEST", "SPARK_", "PYTHONPATH"))}
    # A file's date has whole seconds: byte code of the tree without the bug would be taken for that of the tree with it.
    environment = {**inherited, "LAKE_JARS": str(jars_folder()), "PYTHONDONTWRITEBYTECODE": "1"}
    pytest = ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "junit_family=xunit1", f"--junitxml={report}", *tests]
    command = [sys.executable, "-m", "launcher", "exec", "env", f"SPARK_REMOTE={remote}", *pytest]
    with (copy.parent / f"{copy.name}.log").open("w") as log:
        process = subprocess.Popen(command, cwd=copy, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            return dict.fromkeys(tests, f"did not end in {patience:.0f} s")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what it may have left behind, or all of it
            process.wait()
    return outcomes(report) if report.exists() else {}


def outcomes(report: Path) -> dict[str, str]:
    """Test id to outcome, of pytest's JUnit report."""
    found: dict[str, str] = {}
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 - pytest wrote it
        name = f"{case.get('file')}::{case.get('name')}"
        outcome = next((word for tag, word in (("failure", "failed"), ("error", "error"), ("skipped", "skipped")) if case.find(tag) is not None), "passed")
        if found.get(name) != "failed":  # a failed test whose clean-up fails, too, stands there twice
            found[name] = outcome
    return found
