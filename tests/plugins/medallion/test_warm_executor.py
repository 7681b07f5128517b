"""The imports behind a task, in a process forked from one that has started the executor as the scheduler does."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

SCHEDULER = """
import json, os, sys, threading
import psutil
from medallion.warm_executor import HEAVY, WarmExecutor

executor = WarmExecutor(parallelism=1)
executor.start()
threads, connections = threading.active_count(), len(psutil.Process().net_connections())
read, write = os.pipe()
if os.fork() == 0:
    known = set(sys.modules)
    import spark_jobs.lake.build, spark_jobs.lake.gate.judging
    new = {name.partition(".")[0] for name in set(sys.modules) - known}
    os.write(write, json.dumps({"heavy": sorted(set(HEAVY) & known), "new": sorted(new), "threads": threads, "connections": connections}).encode())
    os._exit(0)
print("FOUND", os.read(read, 65536).decode())
executor.end()
"""


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    """What a forked process finds loaded, and what it has to import itself for a table with rules."""
    ended = subprocess.run([sys.executable, "-c", SCHEDULER], capture_output=True, text=True, timeout=120, check=False)
    line = next((line for line in ended.stdout.splitlines() if line.startswith("FOUND ")), None)
    assert line, ended.stdout[-2000:] + ended.stderr[-2000:]
    facts: dict[str, Any] = json.loads(line.removeprefix("FOUND "))
    return facts


def test_a_task_finds_the_heavy_modules_loaded(found: dict[str, Any]) -> None:
    from medallion.warm_executor import HEAVY

    assert found["heavy"] == sorted(HEAVY)


def test_what_a_task_still_imports_is_the_engine_and_no_part_of_great_expectations(found: dict[str, Any]) -> None:
    assert "spark_jobs" in found["new"]
    assert not {"great_expectations", "pandas", "grpc", "marshmallow", "numpy", "scipy"} & set(found["new"])


def test_the_imports_start_no_thread_and_open_no_connection_that_a_fork_would_lose(found: dict[str, Any]) -> None:
    assert (found["threads"], found["connections"]) == (1, 0)
