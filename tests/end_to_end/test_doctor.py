"""`make doctor` beside a lake that runs, and beside one of whose parts has died."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.end_to_end.running_lake import RunningLake

PARTS = ["Python", "packages", "Java", "jars", "ledger", "root", "landing", "Spark", "Airflow", "MLflow"]


@pytest.mark.end_to_end
def test_every_part_of_a_running_lake_is_well_and_tells_its_version(lake: RunningLake) -> None:
    ended = lake.make("doctor")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = ended.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["ok", part] for part in PARTS]
    assert re.search(r"spark_lake: the server 127\.0\.0\.1:\d+, Spark 4\.2\.\d+, workers on Python 3\.11\.\d+$", lines[7])
    assert lake.password not in ended.stdout + ended.stderr


@pytest.mark.end_to_end
def test_the_part_that_is_not_there_is_the_one_that_is_told(lake: RunningLake) -> None:
    ended = lake.make("doctor", LAKE_CONNECTION="nowhere")
    assert ended.returncode != 0
    faults = [line for line in ended.stdout.splitlines() if not line.startswith("ok ")]
    assert [line.split()[:2] for line in faults] == [["fault", "Spark"]]
    assert "there is no Airflow connection 'nowhere'; add it with the type" in faults[0]


@pytest.mark.end_to_end
def test_a_connection_that_somebody_made_on_airflows_page_is_found_too(lake: RunningLake) -> None:
    added = lake.call("-m", "launcher", "exec", "airflow", "connections", "add", "of_the_page", "--conn-type", "spark", "--conn-host", "yarn")
    assert added.returncode == 0, added.stderr
    ended = lake.make("doctor", LAKE_CONNECTION="of_the_page", HADOOP_CONF_DIR="")
    [spark] = [line for line in ended.stdout.splitlines() if line.split()[1] == "Spark"]
    assert spark.split(maxsplit=2)[0] == "fault"
    assert "HADOOP_CONF_DIR is not set: spark-submit finds YARN by the yarn-site.xml in the folder that HADOOP_CONF_DIR names" in spark
