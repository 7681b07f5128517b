"""`python -m tests.running.parts [PART ...]`: `make test` and the parts of `make test-all`, one after the other, and a table of what became of them.

Without names all of them run. With `--ci`: the installation, `make test`, two planted bugs, the part whose turn it is and those that the newest twenty
commits touch. No part is begun too late for CI, which is cut off after ninety minutes, and the table names what was left out.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from launcher.layout import REPOSITORY
from tests.running.git import git, newest_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

COMMITS = 20
LATEST_START, LATEST_END, CUT_OFF = 55.0, 80.0, 86.0
"""Minutes of CI: after the first no part is begun, after the second none may be expected to end, at the third one is ended, to leave time for the table."""
PATIENCE = 4.0
"""A part that takes so many times its minutes is ended."""
TO_CLEAN_UP_SECONDS = 90.0
OUTCOMES = "TEST_OUTCOMES"
"""The variable with the name of the file that gets the numbers of tests (tests/running/outcomes.py)."""
PYTHON = str(REPOSITORY / ".venv" / "bin" / "python")


@dataclass(frozen=True)
class Part:
    """Tests that need more than a Spark server, or more time.

    `minutes`: what they take on two cores. `paths`: patterns of the files whose change asks for them, and `*` goes over slashes, too; CI never runs a part
    without.
    """

    name: str
    minutes: float
    command: tuple[str, ...]
    paths: tuple[str, ...]

    def is_touched_by(self, files: Iterable[str]) -> bool:
        """Whether one of the files is among the part's."""
        return any(fnmatch(file, pattern) for file in files for pattern in self.paths)


def _pytest(suite: str, *words: str) -> tuple[str, ...]:
    return (PYTHON, "-m", "launcher", "exec", "python", "-m", "pytest", f"--budgets={suite}", *words)


def _cluster(name: str, minutes: float, *paths: str) -> Part:
    return Part(name, minutes, ("make", "test-clusters", f"PARTS={name}"), (f"tests/clusters/test_{name}.py", "tests/clusters/conftest.py", *paths))


NAMES = "tests/spark_jobs/lake/test_naming.py"
RAY = "tests/spark_jobs/lake/learning/test_clusters.py"
ENGINES = ("tests/spark_jobs/lake/learning/test_engines.py", "tests/spark_jobs/lake/learning/test_multiclass.py")
"""A model for each group of rows, and a pipeline of Spark ML: from the training to the version that is made again."""
STORAGE = (
    *("expectations/file_systems.py", "expectations/storage.py"),
    *(f"spark_jobs/lake/{name}.py" for name in ("added_files", "commit", "delta_log", "heads", "published_files", "reading", "staging")),
)
"""What is done otherwise on a local disk than on HDFS and S3."""
TABLES_BY_NAME = ("expectations/metastore.py", *(f"spark_jobs/lake/{name}.py" for name in ("commit", "naming", "settling")))
INSTALL, TEST = Part("install", 4, ("make", "setup-dev"), ()), Part("test", 20, ("make", "test"), ())
IN_TURN = Part("planted_in_turn", 2, (PYTHON, "-m", "tests.planted", "--turn", "2"), ())
PARTS = (
    TEST,
    Part(
        "running_lake",
        22,
        _pytest("running_lake", "tests/browser", "tests/end_to_end"),
        (
            *("tests/end_to_end/*", "tests/browser/*", "launcher/*", "dags/*", "plugins/*", "spark_jobs/run.py", "expectations/*.yaml"),
            *("README.md", "Makefile", "requirements.lock", "jars.lock"),
        ),
    ),
    Part(
        "faults",
        8,
        _pytest("faults", "tests/faults"),
        ("tests/faults/*", *(f"launcher/{name}.py" for name in ("supervision", "lifecycle", "watch", "health", "processes", "programs", "python_workers"))),
    ),
    Part("watched_year", 6, _pytest("watched_year", "tests/watched_year"), ("tests/watched_year/*", "spark_jobs/lake/learning/*", "spark_jobs/models/*")),
    Part(
        "generated_rows",
        8,
        ("env", "LAKE_TEST_EXAMPLES=8", *_pytest("generated_rows", "tests/spark_jobs/lake/gate/test_agreement_on_generated_rows.py")),
        ("spark_jobs/lake/gate/*", "expectations/expectation_catalogue.py"),
    ),
    Part("names", 2.5, _pytest("names", "-m", "cluster", NAMES), (NAMES, *TABLES_BY_NAME)),
    Part(
        "ray",
        3,
        _pytest("ray", "-m", "cluster", RAY),
        (RAY, "spark_jobs/lake/learning/engines/clusters.py", "spark_jobs/lake/learning/engines/search*"),
    ),
    Part("engines", 4, _pytest("engines", "-m", "long", *ENGINES), (*ENGINES, "spark_jobs/lake/learning/*")),
    Part("planted", 45, (PYTHON, "-m", "tests.planted"), ()),  # CI tries some at every run
    _cluster("hdfs", 6, *STORAGE, "tests/clusters/hadoop*"),
    _cluster("s3", 6, "expectations/s3.py", *STORAGE, "plugins/medallion/storage_connection.py", "jars-s3.lock", "tests/clusters/s3_server.py"),
    _cluster("standalone", 15, "plugins/medallion/spark_submission.py", "plugins/medallion/submission.py", "tests/clusters/standalone.py"),
    _cluster("emr", 8, "plugins/medallion/emr.py"),
    _cluster("hive", 6, *TABLES_BY_NAME, "tests/clusters/*metastore*", "tests/clusters/thrift_server.py"),
    _cluster("kubernetes", 5, "plugins/medallion/on_kubernetes.py", "launcher/kubernetes.py"),
    _cluster("yarn", 15, "plugins/medallion/yarn*", "plugins/medallion/shipping.py", "launcher/bundle.py", "tests/clusters/hadoop*"),
    _cluster(
        "compose",
        20,
        *("docker-compose.yaml", "Dockerfile", "launcher/container_health.py", "launcher/databases.py", "tests/clusters/images/*"),
        "tests/clusters/engine.py",
    ),
)


@dataclass(frozen=True)
class Ran:
    """What became of a part: passed, failed, ended (it took too long), skipped (all of its tests were), left out or not asked.

    `tests`: outcome to number of tests; empty for a part that counts none.
    """

    part: str
    outcome: str
    seconds: float = 0.0
    tests: Mapping[str, int] = field(default_factory=dict)


def chosen(parts: Sequence[Part], changed: Iterable[str], commit: str) -> tuple[Part, ...]:
    """The part whose turn it is, which the commit's hash (hexadecimal) tells, then those that the changed files touch."""
    files, in_ci = set(changed), [part for part in parts if part.paths]
    turn = in_ci[int(commit, 16) % len(in_ci)]
    return (turn, *(part for part in in_ci if part != turn and part.is_touched_by(files)))


def is_in_time(part: Part, minutes: float, slowness: float) -> bool:
    """Whether CI begins a part after so many minutes, on a machine that is so many times slower than the one on which the part was measured."""
    return minutes <= LATEST_START and minutes + part.minutes * slowness <= LATEST_END


def slowness(ran: Iterable[Ran], known: Iterable[Part]) -> float:
    """How many times longer than their minutes the parts took that passed; 1 where they took less."""
    minutes = {part.name: part.minutes for part in known}
    passed = [row for row in ran if row.outcome == "passed" and row.part in minutes]
    return max(1.0, sum(row.seconds for row in passed) / 60 / (sum(minutes[row.part] for row in passed) or 1))


def outcome(code: int | None, tests: Mapping[str, int]) -> str:
    """In a word; `code`: of the command, None where it was ended."""
    if code is None:
        return "ended"
    if code:
        return "failed"
    return "skipped" if tests.get("skipped") and not tests.get("passed") else "passed"


def run_part(part: Part, seconds: float) -> Ran:
    """Runs a part, and ends it with all that it started where it takes longer."""
    print(f"\n== {part.name}: {' '.join(part.command)}", flush=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="part-") as folder:
        counted = Path(folder) / "tests.json"
        code = _code(part.command, {**os.environ, OUTCOMES: str(counted)}, seconds)
        tests = json.loads(counted.read_text()) if counted.exists() else {}
    return Ran(part.name, outcome(code, tests), time.monotonic() - started, tests)


def _code(command: Sequence[str], environment: Mapping[str, str], seconds: float) -> int | None:
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL, process_group=0)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and its group: first as Ctrl-C does, after which pytest cleans up."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(TO_CLEAN_UP_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run_all(parts: Iterable[Part]) -> Iterator[Ran]:
    """Runs each part."""
    for part in parts:
        yield run_part(part, part.minutes * PATIENCE * 60)


def run_for_ci(first: Sequence[Part], then: Sequence[Part], minutes: Callable[[], float]) -> Iterator[Ran]:
    """Runs the first parts, each where those before it passed, then the others, as far as the time reaches; `minutes`: since CI began."""
    ran: list[Ran] = []
    for part in (*first, *then):
        goes_on = all(row.outcome == "passed" for row in ran[: len(first)])
        in_time = part in first or is_in_time(part, minutes(), slowness(ran, first))
        ran.append(run_part(part, (CUT_OFF - minutes()) * 60) if goes_on and in_time else Ran(part.name, "left out"))
        yield ran[-1]


def table(rows: Iterable[Ran]) -> Iterator[str]:
    """The rows in words; parts that nobody asked for in one line."""
    yield f"{'part':16}{'outcome':10}{'seconds':>8}{'passed':>8}{'failed':>8}{'skipped':>8}"
    others = []
    for row in rows:
        if row.outcome == "not asked":
            others.append(row.part)
            continue
        counts = "".join(f"{row.tests.get(word, 0):>8}" for word in ("passed", "failed", "skipped")) if row.tests else " " * 24
        command = f"  make test-all PARTS={row.part}" if row.outcome != "passed" else ""
        yield f"{row.part:16}{row.outcome:10}{row.seconds:>8.0f}{counts}{command}".rstrip()
    if others:
        yield f"not asked: {', '.join(others)}"


def main(arguments: list[str]) -> int:
    """0 where no part failed, 2 for the name of no part."""
    parser = argparse.ArgumentParser(prog="python -m tests.running.parts", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="PART")
    parser.add_argument("--ci", action="store_true", help="what CI runs, as far as its time reaches")
    asked = parser.parse_args(arguments)
    unknown = set(asked.names) - {part.name for part in PARTS}
    if unknown:
        print(f"No part is called {', '.join(sorted(unknown))}: choose from {', '.join(part.name for part in PARTS)}.", file=sys.stderr)
        return 2
    if asked.ci:
        began = time.monotonic()
        touched = chosen(PARTS, filter(None, git("log", f"-{COMMITS}", "--name-only", "--format=")), newest_commit())
        rows = list(run_for_ci((INSTALL, TEST, IN_TURN), touched, lambda: (time.monotonic() - began) / 60))
    else:
        rows = list(run_all(part for part in PARTS if not asked.names or part.name in asked.names))
    ran = {row.part for row in rows}
    rows += [Ran(part.name, "not asked") for part in PARTS if part.name not in ran]
    print("\n" + "\n".join(table(rows)))
    return int(any(row.outcome in {"failed", "ended"} for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
