"""A registered version can be made again, and is told apart from one that cannot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from expectations.settings import load_settings
from tests.spark_jobs.lake.learning.conftest import ESTIMATOR

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark


def test_a_version_is_made_again_from_its_frozen_set_and_from_the_tables_history_as_long_as_that_is_kept(calls: LittleLake) -> None:
    lines = (calls.project / "landing/calls/2024-05-03.csv").read_text().splitlines()
    calls.land("calls/2024-05-03.csv", *lines[:40])
    for table in ("bronze.calls", "silver.calls"):
        calls.build(table, "2024-05-03", "corrected")
    old = list((Path(calls.path("silver.calls")) / "called_on=2024-05-03").glob("*.parquet"))
    assert (calls.version("silver.calls"), len(old)) == (1, 2)

    result = calls.run("rebuild", "answers", run_id="rebuild-1", version=1)
    assert result.status == "done", result.message
    assert "answers v1 is what a new fit gives: its frozen training set of 1,120 rows is the registered one" in result.message
    assert "; the same rows are in silver.calls at version 0; the predictions for 2024-05-12..2024-05-14 differ by" in result.message
    assert (result.facts["rows_differing"], result.facts["same_predictions"], result.facts["changed"]) == (0, True, {})
    assert result.facts["largest_difference"] <= 1e-9
    assert len(calls.ledger.model_versions("answers")) == 1

    for file in old:  # as VACUUM would, of which one is that of today
        file.unlink()
    result = calls.run("rebuild", "answers", run_id="rebuild-2", version=1)
    assert result.status == "done", result.message
    assert "version 0 of silver.calls cannot be read any more (silver.calls keeps 30 days of history)" in result.message
    assert result.facts["rows_differing"] is None


def test_other_code_is_told_and_a_training_set_that_somebody_changed_is_refused(calls: LittleLake) -> None:
    calls.write("spark_jobs/models/answers.py", ESTIMATOR.replace("max_iter=20", "max_iter=19"))
    result = calls.run("rebuild", "answers", run_id="rebuild-1", version=1)
    assert result.status == "failed_terminal"
    assert "answers v1 is NOT what a new fit gives" in result.message
    assert result.message.endswith("made with another code than then")
    assert list(result.facts["changed"]) == ["code"]

    figures = calls.ledger.model_versions("answers")[0].figures
    file = Path(load_settings().models_path) / figures["training_set"]
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    result = calls.run("rebuild", "answers", run_id="rebuild-2", version=1)
    assert (result.status, figures["training_set_sha256"] in result.message) == ("failed_terminal", True)
    assert "was registered; find out who changed it" in result.message
    file.unlink()
    assert "is gone; bring it back" in calls.run("rebuild", "answers", run_id="rebuild-3", version=1).message
    assert calls.run("rebuild", "answers", run_id="rebuild-4", version=2).message == "answers has no version 2; registered is 1. Choose one of these."
    assert "which version? Add --version" in calls.run("rebuild", "answers", run_id="rebuild-5").message


def test_ledger_and_mlflow_say_what_a_version_was_made_of_and_with(calls: LittleLake) -> None:
    from mlflow import MlflowClient

    figures = calls.ledger.model_versions("answers")[0].figures
    made = figures["provenance"]
    assert set(made["tables"]) == {"silver.calls", "bronze.calls"}
    silver = made["tables"]["silver.calls"]
    assert (silver["version"], silver["days"], silver["runs"]) == (0, "2024-05-01..2024-05-14", ["build"])
    assert silver["rules"] == {"passed": 14 * 3, "warned": 0, "broken": 0, "not_passed": []}
    assert {"contract", "code", "lock", "lock_file", "seed", "python", "scikit-learn", "numpy", "pyarrow"} <= set(made["made_with"])
    assert len(made["made_with"]["lock"]) == 64

    client = MlflowClient(f"sqlite:///{calls.project}/.lake/mlflow.db")
    tags = client.get_model_version("answers", "1").tags
    assert {name.removeprefix("lake.made_with."): value for name, value in tags.items() if name.startswith("lake.made_with.")} == made["made_with"]
    [artifact] = (calls.project / ".lake").rglob(f"{figures['mlflow_run']}/artifacts/provenance.json")
    assert json.loads(artifact.read_text()) == made


def test_a_model_of_groups_is_made_again_too(calls: LittleLake) -> None:
    text = (calls.project / "expectations/models/answers.yaml").read_text()
    calls.write("expectations/models/answers.yaml", text + "engine: per_group\ngroup_by: kind\n")
    trained = calls.run("train", "answers", "2024-05-01..2024-05-14", run_id="train-2")
    assert trained.status == "done", trained.message
    result = calls.run("rebuild", "answers", run_id="rebuild-1", version=2)
    assert (result.status, result.facts["rows_differing"], result.facts["changed"]) == ("done", 0, {}), result.message
