"""Loads the DAG files as Airflow does, of three lakes: the small one of the tests, the sample, and one with a mistake in a contract."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SHOP = REPOSITORY / "tests" / "plugins" / "lake"


@pytest.fixture(scope="session")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """`shop`, `sample` and `mistaken` to what lake_facts.py found in them."""
    home = tmp_path_factory.mktemp("airflow")
    projects = {"shop": SHOP, "sample": REPOSITORY, "mistaken": mistaken(tmp_path_factory.mktemp("lake") / "mistaken")}
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'plugins'}",
    }
    # A process of its own, so that nothing is loaded already; one for all of them, as most of its time is Airflow's import.
    script = str(Path(__file__).with_name("lake_facts.py"))
    command = [sys.executable, script, str(REPOSITORY / "dags"), *map(str, projects.values())]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return dict(zip(projects, json.loads(ended.stdout.splitlines()[-1]), strict=True))


def mistaken(project: Path) -> Path:
    """The small lake, one of whose tables reads a table that is not there."""
    shutil.copytree(SHOP, project)
    contract = project / "expectations" / "silver" / "shops.yaml"
    contract.write_text(contract.read_text().replace("bronze.shops", "bronze.shop"))
    return project


@pytest.fixture(scope="session")
def shop_dags(lakes: dict[str, Any]) -> dict[str, Any]:
    """The DAGs of the tests' own lake."""
    found: dict[str, Any] = lakes["shop"]
    return found


@pytest.fixture(scope="session")
def sample_dags(lakes: dict[str, Any]) -> dict[str, Any]:
    """The DAGs of this repository's sample lake."""
    found: dict[str, Any] = lakes["sample"]
    return found
