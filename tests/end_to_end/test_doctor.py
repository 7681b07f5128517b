"""`make doctor` beside a lake that runs. What it says of parts that are not there: tests/launcher/test_doctor.py, and of Spark test_reachability.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.end_to_end.running_lake import RunningLake

PARTS = ["Python", "packages", "Java", "jars", "ledger", "root", "landing", "tables", "Spark", "Airflow", "MLflow"]


@pytest.mark.end_to_end
def test_every_part_of_a_running_lake_is_well_and_tells_its_version(lake: RunningLake) -> None:
    ended = lake.make("doctor")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = ended.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", part] for part in PARTS]
    assert re.search(r"spark_lake: the server 127\.0\.0\.1:\d+, Spark 4\.2\.\d+, workers on Python 3\.11\.\d+$", lines[8])
    assert re.search(r"the logs of \d+ tables are as the ledger has them$", lines[7])
    assert lake.password not in ended.stdout + ended.stderr
