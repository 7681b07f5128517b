"""`python -m tests.running.parts [PART ...]`: the parts of `make test-all` beyond `make test`, one after the other, and a table of what became of them.

Without names all parts run. With `--ci` the one whose turn it is runs, then those that the newest twenty commits touch. None is begun too late for CI,
which is cut off after ninety minutes, and the table names what was left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from launcher.layout import REPOSITORY
from tests.running.git import git, newest_commit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

COMMITS = 20
LATEST_START = 55.0
LATEST_END = 80.0
"""Minutes after which `--ci` begins no part, and after which none may end: CI is cut off after ninety."""
BEFORE_PARTS = 24.0
"""Minutes that CI takes until it comes to the parts, on the machine on which those of the parts were measured."""


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


def _pytest(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "launcher", "exec", "python", "-m", "pytest", "--budgets", *words)


def _cluster(name: str, minutes: float, *paths: str) -> Part:
    return Part(name, minutes, ("make", "test-clusters", f"PARTS={name}"), (f"tests/clusters/test_{name}.py", *paths))


NAMES = "tests/spark_jobs/lake/test_naming.py"
RAY = "tests/spark_jobs/lake/learning/test_clusters.py"
ENGINES = ("tests/spark_jobs/lake/learning/test_engines.py", "tests/spark_jobs/lake/learning/test_multiclass.py")
"""A model for each group of rows, and a pipeline of Spark ML: from the training to the version that is made again."""
STORAGE = (
    *("expectations/file_systems.py", "expectations/storage.py"),
    *(f"spark_jobs/lake/{name}.py" for name in ("added_files", "commit", "delta_log", "heads", "published_files", "reading", "staging")),
)
"""What is done otherwise on a local disk than on HDFS and S3."""
PARTS = (
    Part(
        "running_lake",
        22,
        _pytest("tests/browser", "tests/end_to_end"),
        ("tests/end_to_end/*", "tests/browser/*", "launcher/*", "dags/*", "plugins/*", "spark_jobs/run.py", "expectations/*.yaml", "README.md"),
    ),
    Part(
        "faults",
        8,
        _pytest("tests/faults"),
        ("tests/faults/*", *(f"launcher/{name}.py" for name in ("supervision", "lifecycle", "watch", "health", "processes", "programs", "python_workers"))),
    ),
    Part("watched_year", 6, _pytest("tests/watched_year"), ("tests/watched_year/*", "spark_jobs/lake/learning/*", "spark_jobs/models/*")),
    Part(
        "generated_rows",
        8,
        ("env", "LAKE_TEST_EXAMPLES=8", *_pytest("tests/spark_jobs/lake/gate/test_agreement_on_generated_rows.py")),
        ("spark_jobs/lake/gate/*", "expectations/expectation_catalogue.py"),
    ),
    Part("names", 2.5, _pytest("-m", "cluster", NAMES), (NAMES, "expectations/metastore.py", "spark_jobs/lake/naming.py")),
    Part("ray", 3, _pytest("-m", "cluster", RAY), (RAY, "spark_jobs/lake/learning/engines/clusters.py", "spark_jobs/lake/learning/engines/search*")),
    Part("engines", 4, _pytest("-m", "long", *ENGINES), (*ENGINES, "spark_jobs/lake/learning/*")),
    Part("planted", 40, (sys.executable, "-m", "tests.planted"), ()),  # CI tries some at every run
    _cluster("hdfs", 5, *STORAGE, "tests/clusters/hadoop*"),
    _cluster("s3", 6, "expectations/s3.py", *STORAGE, "plugins/medallion/storage_connection.py", "jars-s3.lock"),
    _cluster("standalone", 15, "plugins/medallion/spark_submission.py", "plugins/medallion/submission.py", "tests/clusters/standalone.py"),
    _cluster("emr", 8, "plugins/medallion/emr.py"),
    _cluster("hive", 6, "expectations/metastore.py", "spark_jobs/lake/naming.py", "tests/clusters/*metastore*", "tests/clusters/thrift_server.py"),
    _cluster("kubernetes", 5, "plugins/medallion/on_kubernetes.py", "launcher/kubernetes.py"),
    _cluster("yarn", 15, "plugins/medallion/yarn*", "plugins/medallion/shipping.py", "launcher/bundle.py"),
    _cluster("compose", 20, "docker-compose.yaml", "Dockerfile", "launcher/container_health.py", "launcher/databases.py", "tests/clusters/images/*"),
)


@dataclass(frozen=True)
class Ran:
    """What became of a part: passed, failed, left out or not asked; and its seconds."""

    part: str
    outcome: str
    seconds: float


def chosen(parts: Sequence[Part], changed: Iterable[str], commit: str) -> tuple[Part, ...]:
    """The part whose turn it is, which the commit's hash (hexadecimal) tells, then those that the changed files touch."""
    files, in_ci = set(changed), [part for part in parts if part.paths]
    turn = in_ci[int(commit, 16) % len(in_ci)]
    return (turn, *(part for part in in_ci if part != turn and part.is_touched_by(files)))


def is_in_time(part: Part, minutes: float, slowness: float) -> bool:
    """Whether CI begins a part after so many minutes, on a machine that is so many times slower than the one on which the part was measured."""
    return minutes <= LATEST_START and minutes + part.minutes * slowness <= LATEST_END


def run_parts(parts: Sequence[Part], is_begun: Callable[[Part], bool] = lambda _part: True) -> Iterator[Ran]:
    """Runs the parts that `is_begun` says are begun when their turn has come."""
    for part in parts:
        started = time.monotonic()
        if not is_begun(part):
            yield Ran(part.name, "left out", 0.0)
            continue
        print(f"\n== {part.name}: {' '.join(part.command)}", flush=True)
        code = subprocess.run(part.command, cwd=REPOSITORY, check=False).returncode
        yield Ran(part.name, "failed" if code else "passed", time.monotonic() - started)


def table(rows: Iterable[Ran]) -> Iterator[str]:
    """The rows in words; parts that nobody asked for in one line."""
    yield f"{'part':16}{'outcome':10}{'seconds':>8}"
    others = []
    for row in rows:
        if row.outcome == "not asked":
            others.append(row.part)
        else:
            command = f"  make test-all PARTS={row.part}" if row.outcome != "passed" else ""
            yield f"{row.part:16}{row.outcome:10}{row.seconds:>8.0f}{command}"
    if others:
        yield f"not asked: {', '.join(others)}"


def main(arguments: list[str]) -> int:
    """0 where no part failed, 2 for the name of no part."""
    parser = argparse.ArgumentParser(prog="python -m tests.running.parts", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="PART")
    parser.add_argument("--ci", type=float, metavar="SECONDS", help="the part whose turn it is and those that the newest commits touch; CI began so long ago")
    asked = parser.parse_args(arguments)
    unknown = set(asked.names) - {part.name for part in PARTS}
    if unknown:
        print(f"No part is called {', '.join(sorted(unknown))}: choose from {', '.join(part.name for part in PARTS)}.", file=sys.stderr)
        return 2
    if asked.ci is None:
        parts = tuple(part for part in PARTS if not asked.names or part.name in asked.names)
        rows = list(run_parts(parts))
    else:
        parts = chosen(PARTS, filter(None, git("log", f"-{COMMITS}", "--name-only", "--format=")), newest_commit())
        began, slowness = time.monotonic() - asked.ci, max(1.0, asked.ci / 60 / BEFORE_PARTS)
        rows = list(run_parts(parts, lambda part: is_in_time(part, (time.monotonic() - began) / 60, slowness)))
    rows += [Ran(part.name, "not asked", 0.0) for part in PARTS if part not in parts]
    print("\n" + "\n".join(table(rows)))
    return int(any(row.outcome == "failed" for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
