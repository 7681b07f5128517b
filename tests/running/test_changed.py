"""Which tests a change reaches, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.planted.planted_bugs import PlantedBug
from tests.running.changed import distances, file_of, importers, module_of, naming, nearest_tests
from tests.running.git import newest_commit, require_commit

IMPORTERS = {
    "lake.planning": {"lake.build", "tests.lake.test_planning"},
    "lake.build": {"lake.run"},
    "lake.run": {"tests.lake.conftest"},
    "tests.lake.conftest": {"tests.lake.test_days", "tests.lake.test_planning"},
    "tests.lake.test_days": set(),
    "tests.lake.test_planning": set(),
}


@pytest.mark.parametrize(
    ("file", "module"),
    [
        ("spark_jobs/lake/planning.py", "spark_jobs.lake.planning"),
        ("spark_jobs/lake/gate/__init__.py", "spark_jobs.lake.gate"),
        ("plugins/medallion/forms.py", "medallion.forms"),
        ("tests/conftest.py", "tests.conftest"),
        ("expectations/silver/flights.yaml", None),
        ("dags/daily.py", None),
    ],
)
def test_a_python_file_of_the_project_is_a_module(file: str, module: str | None) -> None:
    assert module_of(file) == module


def test_the_module_of_a_plugin_is_a_file_of_the_plugins_folder() -> None:
    assert file_of("medallion.forms") == "plugins/medallion/forms.py"
    assert file_of("tests.running.test_changed") == "tests/running/test_changed.py"


def test_the_distance_is_the_number_of_imports_on_the_shortest_way() -> None:
    assert distances(["lake.planning"], IMPORTERS) == {
        "lake.planning": 0,
        "lake.build": 1,
        "tests.lake.test_planning": 1,
        "lake.run": 2,
        "tests.lake.conftest": 3,
        "tests.lake.test_days": 4,
    }
    assert distances(["no.such"], IMPORTERS) == {}


def test_a_file_is_reached_by_a_test_that_names_it_or_that_is_called_as_it_is() -> None:
    texts = {"tests/test_compose.py": 'read("docker-compose.yaml")', "tests/silver/test_flights.py": "", "tests/test_days.py": ""}
    assert naming(["docker-compose.yaml"], texts) == ["tests/test_compose.py"]
    assert naming(["expectations/silver/flights.yaml"], texts) == ["tests/silver/test_flights.py"]


def test_the_nearest_tests_come_first_and_before_them_those_that_catch_a_bug_in_the_file() -> None:
    texts = dict.fromkeys(["tests/spark/test_far.py", "tests/spark/test_near.py", "tests/spark/test_bug.py", "tests/spark/test_other.py"], "")
    found = {
        "spark_jobs.lake.planning": {"tests.spark.test_near", "tests.spark.conftest"},
        "tests.spark.conftest": {"tests.spark.test_far"},
        "tests.spark.test_near": set(),
        "tests.spark.test_far": set(),
    }
    bugs = [PlantedBug("planning_x", "", ("tests/spark/test_bug.py::test_x",), ("spark_jobs/lake/planning.py",), Path("x.patch"))]
    assert nearest_tests(["spark_jobs/lake/planning.py"], bugs, found, texts) == [
        "tests/spark/test_bug.py",
        "tests/spark/test_near.py",
        "tests/spark/test_far.py",
    ]


def test_a_contract_reaches_the_tests_that_load_the_dags_and_read_every_contract() -> None:
    texts = dict.fromkeys(["tests/dags/test_dags_load.py", "tests/test_every_contract.py", "tests/test_readme.py"], "")
    assert nearest_tests(["expectations/pipelines.yaml"], [], {}, texts) == ["tests/dags/test_dags_load.py", "tests/test_every_contract.py"]


def test_a_module_that_is_named_in_a_text_and_a_conftest_count_as_imported() -> None:
    found = importers()
    assert "spark_jobs.lake.verbs" in found["spark_jobs.lake.build"]
    assert "tests.spark_jobs.lake.test_planning" in found["tests.spark_jobs.lake.conftest"]
    assert "tests.spark_jobs.lake.test_planning" in found["spark_jobs.lake.planning"]


def test_no_test_is_begun_after_the_time_is_over_and_the_files_left_out_are_told(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_first="import time\n\ndef test_a():\n    time.sleep(1.1)\n\ndef test_b():\n    pass\n", test_second="def test_c():\n    pass\n")
    ran = pytester.runpytest_inprocess("-p", "tests.running.stopping", "--stop-after=1", "--left-out=left", "test_first.py", "test_second.py")
    ran.assert_outcomes(passed=1)
    assert (ran.ret, (pytester.path / "left").read_text().splitlines()) == (0, ["test_first.py", "test_second.py"])


@pytest.mark.parametrize("name", ["nonsense", "--help", "HEAD~100000", ""])
def test_what_is_no_commit_is_said_to_be_none(name: str) -> None:
    with pytest.raises(SystemExit) as refused:
        require_commit(name)
    assert str(refused.value) == f"{name} is no commit of this repository; `git log --oneline` lists them."


def test_a_commit_is_one_by_its_name_or_hash() -> None:
    require_commit("HEAD")
    require_commit(newest_commit()[:10])
