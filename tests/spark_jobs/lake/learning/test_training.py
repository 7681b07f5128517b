"""Training on Spark: read, searched, fitted, judged and registered, from the published table to the champion that serves."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from expectations.settings import load_settings
from tests.spark_jobs.lake.learning.versions import CONTRACT, LEARNED, champion, change, versions_in_mlflow

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark


def test_the_first_model_that_passes_its_gates_is_the_champion(calls: LittleLake) -> None:
    entry = champion(calls)
    assert (entry.version, entry.first_day, entry.last_day) == (1, "2024-05-01", "2024-05-14")
    assert (entry.figures["learned_days"], entry.figures["test_days"]) == ("2024-05-01..2024-05-11", "2024-05-12..2024-05-14")
    assert entry.inputs == {"silver.calls": {f"2024-05-{day:02}": 0 for day in range(1, 15)}}
    assert entry.figures["metrics"]["roc_auc"] > entry.figures["baseline"]["roc_auc"] == 0.5
    assert set(entry.figures["metrics"]) >= {"roc_auc", "calibration_error"}


def test_the_training_set_and_the_model_lie_in_the_lake_under_their_sums(calls: LittleLake) -> None:
    figures, models = champion(calls).figures, Path(load_settings().models_path)
    for path, sha256 in (("file", "sha256"), ("training_set", "training_set_sha256")):
        assert hashlib.sha256((models / figures[path]).read_bytes()).hexdigest() == figures[sha256]
    assert not list((models / "answers" / "_search").iterdir())


def test_mlflow_has_the_version_under_the_alias_with_days_delta_version_and_sum(calls: LittleLake) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{calls.project}/.lake/mlflow.db")
    version = client.get_model_version_by_alias("answers", "champion")
    figures = champion(calls).figures
    assert (int(version.version), version.run_id) == (1, figures["mlflow_run"])
    assert version.tags["lake.sha256"] == figures["sha256"]
    assert (version.tags["lake.learned_days"], version.tags["lake.delta_version"]) == ("2024-05-01..2024-05-11", "0")
    run = client.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["test_roc_auc"] == figures["metrics"]["roc_auc"]
    assert [read.dataset.name for read in run.inputs.dataset_inputs] == ["silver.calls"]
    assert [Path(file.path).name for file in client.list_artifacts(version.run_id, "evaluation")] == ["calibration.png", "precision_recall.png", "slices.json"]


def test_ledger_and_mlflow_say_what_a_version_was_made_of_and_with(calls: LittleLake) -> None:
    from mlflow import MlflowClient

    figures = champion(calls).figures
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


def test_a_training_that_broke_at_the_ledger_goes_on_from_its_fits_and_its_version_scores_only_what_is_new(
    calls: LittleLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_facts: object, **_more: object) -> None:
        raise ConnectionError("MLflow went away")

    assert calls.run("score", "answers", "2024-05-15", run_id="score-1").facts["days"] == ["2024-05-15"]
    before, searches = champion(calls).figures["metrics"], Path(load_settings().models_path) / "answers" / "_search"
    with monkeypatch.context() as patch:
        patch.setattr(type(calls.ledger), "record_model", broken)
        assert calls.run("train", "answers", LEARNED, run_id="train-2", force=True).status == "failed_transient"
    assert len(calls.ledger.model_versions("answers")) == 1
    assert len(list(searches.glob("*/*.json"))) == 4 * 3, "the finished fits are kept"

    again = calls.run("train", "answers", LEARNED, run_id="train-2", force=True)
    assert (again.status, again.facts["promoted"]) == ("done", True), again.message
    assert again.facts["metrics"] == again.facts["champion"] == before
    assert champion(calls).version == again.facts["version"] > 1
    assert versions_in_mlflow(calls) == [entry.version for entry in calls.ledger.model_versions("answers")]
    assert not list(searches.iterdir())

    assert calls.run("score", "answers", run_id="score-2").facts["days"] == ["2024-05-16"]
    predictions = calls.frame("gold.call_predictions").select("called_on", "model_version").distinct().collect()
    assert {str(day): version for day, version in predictions} == {"2024-05-15": 1, "2024-05-16": again.facts["version"]}


def test_a_challenger_worse_than_the_champion_or_with_a_leak_does_not_serve_even_if_it_learned_from_other_columns(calls: LittleLake) -> None:
    change(calls, CONTRACT, "inputs: [kind, hour]", "inputs: [kind]")
    result = calls.run("train", "answers", LEARNED, run_id="train-2")
    assert "is worse than the champion's" in result.message
    assert (result.status, champion(calls).version) == ("done", 1)

    change(calls, CONTRACT, "inputs: [kind]", "inputs: [kind]\nleak_limit: 0.6")
    refused = calls.run("train", "answers", LEARNED, run_id="leaks")
    assert refused.status == "failed_terminal"
    assert "answers: the input 'kind' alone orders the learned rows by 'answered' with ROC AUC 0." in refused.message
    assert (champion(calls).version, len(calls.ledger.model_versions("answers"))) == (1, 2)
