"""Training: one version a run, nothing twice for the same days, and only a better model serves."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from expectations.settings import load_settings

if TYPE_CHECKING:
    from expectations.ledger import ModelEntry
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
LEARNED = "2024-05-01..2024-05-14"
CONTRACT = "expectations/models/answers.yaml"


def champion(lake: LittleLake) -> ModelEntry:
    found = lake.ledger.champion("answers")
    assert found is not None
    return found


def change(lake: LittleLake, path: str, old: str, new: str) -> None:
    text = (lake.project / path).read_text()
    assert old in text
    lake.write(path, text.replace(old, new))


def test_the_first_model_that_passes_its_gates_is_the_champion(calls: LittleLake) -> None:
    entry = champion(calls)
    assert (entry.version, entry.first_day, entry.last_day) == (1, "2024-05-01", "2024-05-14")
    assert (entry.figures["learned_days"], entry.figures["test_days"]) == ("2024-05-01..2024-05-11", "2024-05-12..2024-05-14")
    assert entry.inputs == {"silver.calls": {f"2024-05-{day:02}": 0 for day in range(1, 15)}}
    assert entry.figures["metrics"]["roc_auc"] > entry.figures["baseline"]["roc_auc"] == 0.5


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


def test_the_same_run_again_registers_nothing(calls: LittleLake) -> None:
    again = calls.run("train", "answers", LEARNED, run_id="train-1")
    assert (again.status, again.facts["version"], again.facts["promoted"]) == ("done", 1, True)
    assert len(calls.ledger.model_versions("answers")) == 1


def test_the_same_days_again_are_left_alone_unless_forced(calls: LittleLake) -> None:
    again = calls.run("train", "answers", LEARNED, run_id="train-2")
    assert (again.status, again.facts["version"]) == ("unchanged", 1)
    before = champion(calls).figures["metrics"]
    forced = calls.run("train", "answers", LEARNED, run_id="train-3", force=True)
    assert (forced.status, forced.facts["version"], forced.facts["promoted"]) == ("done", 2, True), forced.message
    assert forced.facts["metrics"] == forced.facts["champion"] == before
    assert champion(calls).version == 2


def test_a_model_that_misses_a_gate_is_registered_but_does_not_serve(calls: LittleLake) -> None:
    change(calls, CONTRACT, "at_least: 0.6", "at_least: 0.99")
    result = calls.run("train", "answers", LEARNED, run_id="train-2")
    assert (result.status, result.facts["promoted"]) == ("done", False)
    assert "v2 is registered but does not serve, because roc_auc" in result.message
    assert champion(calls).version == 1


def test_a_challenger_worse_than_the_champion_does_not_serve_even_if_it_learned_from_other_columns(calls: LittleLake) -> None:
    change(calls, CONTRACT, "inputs: [kind, hour]", "inputs: [kind]")
    result = calls.run("train", "answers", LEARNED, run_id="train-2")
    assert "is worse than the champion's" in result.message
    assert champion(calls).version == 1


def test_too_few_days_are_an_error_that_a_retry_cannot_mend(calls: LittleLake) -> None:
    result = calls.run("train", "answers", "2024-05-01..2024-05-05", run_id="train-2")
    assert result.status == "failed_terminal"
    assert "silver.calls has 5 published days" in result.message


def test_a_version_that_a_broken_attempt_left_behind_is_replaced(calls: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_facts: object, **_more: object) -> None:
        raise ConnectionError("MLflow went away")

    ledger = type(calls.ledger)
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "record_model", broken)
        assert calls.run("train", "answers", LEARNED, run_id="train-2", force=True).status == "failed_transient"
    assert len(calls.ledger.model_versions("answers")) == 1
    assert calls.run("train", "answers", LEARNED, run_id="train-2", force=True).status == "done"
    from mlflow import MlflowClient

    found = MlflowClient(f"sqlite:///{calls.project}/.lake/mlflow.db").search_model_versions("name = 'answers'")
    assert sorted(int(version.version) for version in found) == [entry.version for entry in reversed(calls.ledger.model_versions("answers"))]
