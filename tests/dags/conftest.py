"""Loads the DAG files as Airflow does, once for the small lake of the tests and once for the sample lake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SHOP = REPOSITORY / "tests" / "plugins" / "lake"


def load_dags(project: Path, home: Path, **variables: str) -> dict[str, Any]:
    """What lake_facts.py found: a process of its own, so that nothing is loaded already."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'plugins'}",
        "LAKE_PROJECT": str(project),
        **variables,
    }
    script = str(Path(__file__).with_name("lake_facts.py"))
    command = [sys.executable, script, str(REPOSITORY / "dags")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    facts: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return facts


@pytest.fixture(scope="session")
def shop_dags(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The DAGs of the tests' own lake."""
    return load_dags(SHOP, tmp_path_factory.mktemp("airflow"))


@pytest.fixture(scope="session")
def sample_dags(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The DAGs of this repository's sample lake."""
    return load_dags(REPOSITORY, tmp_path_factory.mktemp("airflow"))
