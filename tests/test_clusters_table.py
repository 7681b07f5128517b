"""`make test-clusters` ends with a table, in which a part that was skipped says why."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from launcher.layout import REPOSITORY

FILES = {
    "conftest.py": "from tests.clusters.conftest import pytest_terminal_summary",
    "test_yarn.py": """
import pytest

pytestmark = [pytest.mark.cluster, pytest.mark.skipif(True, reason="no Java here")]


def test_one(): ...
def test_two(): ...
""",
    "test_s3.py": """
import pytest

pytestmark = pytest.mark.cluster


@pytest.fixture
def server():
    pytest.skip("no server here")


@pytest.fixture
def broken():
    raise OSError


def test_well(): ...
def test_skipped(server): ...
def test_wrong(): assert False
def test_not_set_up(broken): ...
""",
    "test_local.py": "def test_well(): ...",
}
TABLE = """\
part          passed  skipped  failed  why skipped
s3                 1        1       2  no server here
yarn               0        2       0  no Java here
"""


def run(folder: Path, *words: str) -> str:
    for name, text in FILES.items():
        (folder / name).write_text(text)
    places = ["-c", str(REPOSITORY / "pyproject.toml"), "--rootdir", str(folder)]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *places, *words, str(folder)]
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY}/plugins"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout


def test_each_part_is_counted_and_what_is_skipped_says_why(tmp_path: Path) -> None:
    assert TABLE in run(tmp_path, "-m", "cluster")


def test_where_no_cluster_is_tested_there_is_no_table(tmp_path: Path) -> None:
    said = run(tmp_path, "-m", "not cluster")
    assert "1 passed" in said
    assert "why skipped" not in said
