"""`python -m tests.running.parts [PART ...]`: the parts of `make test-all` beyond `make test`, one after the other, and a table of what became of them.

Without names all parts run. With `--ci` those run that the newest twenty commits touch, and the one whose turn it is; none is begun when too many
seconds have passed since `--since`, and the table names what was left out.
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

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

COMMITS = 20
LATEST_START = 55 * 60
"""Seconds after which `--ci` begins no part: CI is cut off after ninety minutes, and the longest part takes thirty on a slow machine."""


@dataclass(frozen=True)
class Part:
    """Tests that need more than a Spark server. `paths`: patterns of the files whose change asks for them; `*` goes over slashes, too."""

    name: str
    command: tuple[str, ...]
    paths: tuple[str, ...]

    def is_touched_by(self, files: Iterable[str]) -> bool:
        """Whether one of the files is among the part's."""
        return any(fnmatch(file, pattern) for file in files for pattern in self.paths)


def _pytest(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "launcher", "exec", "python", "-m", "pytest", "--budgets", *words)


def _cluster(name: str, *paths: str) -> Part:
    return Part(name, ("make", "test-clusters", f"PARTS={name}"), (f"tests/clusters/test_{name}.py", *paths))


PARTS = (
    Part(
        "running_lake",
        _pytest("tests/browser", "tests/end_to_end"),
        ("tests/end_to_end/*", "tests/browser/*", "launcher/*", "dags/*", "plugins/*", "spark_jobs/run.py", "expectations/*.yaml", "README.md"),
    ),
    Part(
        "faults",
        _pytest("tests/faults"),
        ("tests/faults/*", *(f"launcher/{name}.py" for name in ("supervision", "lifecycle", "watch", "health", "processes", "programs", "python_workers"))),
    ),
    Part("watched_year", _pytest("tests/watched_year"), ("tests/watched_year/*", "spark_jobs/lake/learning/*", "spark_jobs/models/*")),
    Part("planted", (sys.executable, "-m", "tests.planted"), ()),  # CI tries some at every run
    _cluster("hdfs", "expectations/file_systems.py", "expectations/storage.py", "tests/clusters/hadoop*"),
    _cluster("s3", "expectations/s3.py", "expectations/file_systems.py", "expectations/storage.py", "plugins/medallion/storage_connection.py", "jars-s3.lock"),
    _cluster("standalone", "plugins/medallion/spark_submission.py", "plugins/medallion/submission.py", "tests/clusters/standalone.py"),
    _cluster("emr", "plugins/medallion/emr.py"),
    _cluster("hive", "expectations/metastore.py", "spark_jobs/lake/naming.py", "tests/clusters/*metastore*", "tests/clusters/thrift_server.py"),
    _cluster("kubernetes", "plugins/medallion/on_kubernetes.py", "launcher/kubernetes.py"),
    _cluster("yarn", "plugins/medallion/yarn*", "plugins/medallion/shipping.py", "launcher/bundle.py"),
    _cluster("compose", "docker-compose.yaml", "Dockerfile", "launcher/container_health.py", "launcher/databases.py", "tests/clusters/images/*"),
)


@dataclass(frozen=True)
class Ran:
    """What became of a part: passed, failed or left out; and its seconds."""

    part: str
    outcome: str
    seconds: float


def chosen(parts: Sequence[Part], changed: Iterable[str], commit: str) -> tuple[Part, ...]:
    """The part whose turn it is, which the commit's hash (hexadecimal) tells, and those that the changed files touch."""
    files, turn = set(changed), parts[int(commit, 16) % len(parts)]
    return tuple(part for part in parts if part == turn or part.is_touched_by(files))


def run_parts(parts: Sequence[Part], latest_start: float | None) -> Iterator[Ran]:
    """Runs the parts; none is begun after `latest_start`, a moment of time.monotonic()."""
    for part in parts:
        started = time.monotonic()
        if latest_start is not None and started > latest_start:
            yield Ran(part.name, "left out", 0.0)
            continue
        print(f"\n== {part.name}: {' '.join(part.command)}", flush=True)
        code = subprocess.run(part.command, cwd=REPOSITORY, check=False).returncode
        yield Ran(part.name, "failed" if code else "passed", time.monotonic() - started)


def table(rows: Iterable[Ran]) -> Iterator[str]:
    """The rows in words."""
    yield f"{'part':16}{'outcome':10}{'seconds':>8}"
    for row in rows:
        command = f"  make test-all PARTS={row.part}" if row.outcome != "passed" else ""
        yield f"{row.part:16}{row.outcome:10}{row.seconds:>8.0f}{command}"


def _git(*words: str) -> list[str]:
    return subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split("\n")


def main(arguments: list[str]) -> int:
    """0 where no part failed, 2 for a part that is none."""
    parser = argparse.ArgumentParser(prog="python -m tests.running.parts", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="PART")
    parser.add_argument("--ci", action="store_true", help="the parts that the newest commits touch and the one whose turn it is")
    parser.add_argument("--since", type=float, default=0.0, metavar="SECONDS", help="how long ago CI began")
    asked = parser.parse_args(arguments)
    unknown = set(asked.names) - {part.name for part in PARTS}
    if unknown:
        print(f"No part is called {', '.join(sorted(unknown))}: choose from {', '.join(part.name for part in PARTS)}.", file=sys.stderr)
        return 2
    parts, latest_start = tuple(part for part in PARTS if not asked.names or part.name in asked.names), None
    if asked.ci:
        changed, [commit, *_] = _git("log", f"-{COMMITS}", "--name-only", "--format="), _git("rev-parse", "HEAD")
        parts, latest_start = chosen(PARTS, filter(None, changed), commit), time.monotonic() - asked.since + LATEST_START
    rows = list(run_parts(parts, latest_start))
    rows += [Ran(part.name, "not asked", 0.0) for part in PARTS if part not in parts]
    print("\n" + "\n".join(table(rows)))
    return int(any(row.outcome == "failed" for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
