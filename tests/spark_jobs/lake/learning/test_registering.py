"""A version is registered once, whole, and never in the place of a champion that it was not compared with; nothing here needs Spark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from expectations.errors import ModelError, TransientError
from expectations.jobs import JobRequest
from expectations.settings import load_settings
from spark_jobs.lake.learning.lesson import lesson_of
from spark_jobs.lake.learning.registry.model_store import ModelStore
from spark_jobs.lake.learning.registry.registering import register
from spark_jobs.lake.learning.registry.telling import training_result
from spark_jobs.lake.learning.training import recorded, train
from tests.spark_jobs.lake.learning.evaluation.contracts import contract_of
from tests.spark_jobs.lake.learning.versions import (
    CONTRACT,
    JUDGEMENT,
    LEARNED,
    OTHER,
    champion,
    change,
    crowned_in_mlflow,
    job_of,
    publish_by_hand,
    register_version,
    serves,
    trained,
    versions_in_mlflow,
)

if TYPE_CHECKING:
    from expectations.jobs import JobResult
    from tests.spark_jobs.lake.conftest import LittleLake

MADE = "answers: another version became champion during the training; train again, the finished fits are kept."
LATE = "answers: v2 was to be champion in the place of v1, but v7 is champion now; do it again, compared with that."


def known(lake: LittleLake, run_id: str, days: str = LEARNED, **more: Any) -> JobResult | None:
    """What a training says before it reads anything; None where it goes on to learn."""
    job = job_of(lake, "train", days, run_id, **more)
    return recorded(job, lesson_of(job, job.lake.model("answers")))


def test_the_ledger_says_what_a_version_learned_and_how_good_it_is(registered: LittleLake) -> None:
    entry = champion(registered)
    assert (entry.version, entry.run_id, entry.first_day, entry.last_day) == (1, "train-1", "2024-05-01", "2024-05-14")
    assert entry.inputs == {"silver.calls": {f"2024-05-{day:02}": 0 for day in range(1, 15)}}
    figures = entry.figures
    assert (figures["learned_days"], figures["test_days"], figures["rows"]) == ("2024-05-01..2024-05-11", "2024-05-12..2024-05-14", 14 * 80)
    assert (figures["metrics"], figures["baseline"], figures["history"], figures["champion"]) == (
        {"roc_auc": 0.7, "calibration_error": 0.1},
        {"roc_auc": 0.5},
        {"roc_auc": 0.55},
        {"roc_auc": 0.69},
    )
    assert (figures["kind"], figures["score"], figures["inputs"], figures["outcome"]) == ("binary", "roc_auc", ["kind", "hour"], "promoted")
    assert figures["search"] == [{"parameters": {"trees__max_leaf_nodes": 3}, "scores": [0.6, 0.7, 0.8], "mean": pytest.approx(0.7), "part": 1}]
    assert figures["seconds"] == {"read": 0.25, "search": 2.0, "fit": 0.5}
    assert figures["provenance"]["first_test_day"] == "2024-05-12"
    assert figures["provenance"]["tables"]["bronze.calls"]["days"] == LEARNED


def test_mlflow_has_the_version_with_its_figures_and_what_it_read(registered: LittleLake) -> None:
    from mlflow import MlflowClient

    client, figures = MlflowClient(f"sqlite:///{registered.project}/.lake/mlflow.db"), champion(registered).figures
    version = client.get_model_version_by_alias("answers", "champion")
    assert (int(version.version), version.run_id) == (1, figures["mlflow_run"])
    assert (version.tags["lake.learned_days"], version.tags["lake.delta_version"]) == ("2024-05-01..2024-05-11", "0")
    run = client.get_run(version.run_id)
    shown = {"test_roc_auc": 0.7, "majority_roc_auc": 0.5, "history_roc_auc": 0.55, "champion_roc_auc": 0.69, "search_roc_auc": pytest.approx(0.7)}
    assert (run.info.status, {name: run.data.metrics[name] for name in shown}) == ("FINISHED", shown)
    assert [read.dataset.name for read in run.inputs.dataset_inputs] == ["silver.calls"]
    assert [Path(file.path).name for file in client.list_artifacts(version.run_id, "evaluation")] == ["slices.json"]


def test_the_same_run_again_and_the_same_days_again_are_known_unless_they_are_forced(registered: LittleLake) -> None:
    same_run = known(registered, "train-1", force=True)
    assert same_run is not None and (same_run.status, same_run.facts["version"], same_run.facts["promoted"]) == ("done", 1, True)
    same_days = known(registered, "train-2")
    assert same_days is not None and (same_days.status, same_days.facts["version"]) == ("unchanged", 1)
    assert same_days.message == (
        "answers: nothing changed since v1 was trained; roc_auc 0.700 against 0.500 (the majority class), 0.550 (the history of the same keys), "
        "0.690 (the champion) on 2024-05-12..2024-05-14"
    )
    assert same_days.facts["days"] == [f"2024-05-{day:02}" for day in range(1, 15)]
    assert known(registered, "train-3", force=True) is None
    assert len(registered.ledger.model_versions("answers")) == 1


def test_other_days_or_a_day_that_changed_or_another_contract_is_something_to_learn(registered: LittleLake) -> None:
    assert known(registered, "train-2", "2024-05-01..2024-05-15") is None
    publish_by_hand(registered, "silver.calls", {"2024-05-15": 9})
    assert known(registered, "train-2") is not None, "a day that it did not learn from"
    publish_by_hand(registered, "silver.calls", {"2024-05-03": 9})
    assert known(registered, "train-2") is None
    publish_by_hand(registered, "silver.calls", {"2024-05-03": 0})
    assert known(registered, "train-2") is not None
    change(registered, CONTRACT, "at_least: 0.6", "at_least: 0.61")
    assert known(registered, "train-2") is None


def test_too_few_days_are_an_error_that_a_retry_cannot_mend(registered: LittleLake) -> None:
    with pytest.raises(ModelError, match=r"silver\.calls has 5 published days"):
        train(job_of(registered, "train", "2024-05-01..2024-05-05", "train-2"))


def test_days_of_which_rows_have_no_label_yet_are_left_out_and_said(registered: LittleLake) -> None:
    job = job_of(registered, "train", LEARNED)
    lesson = lesson_of(job, job.lake.model("answers"), {"2024-05-13", "2024-05-20"})
    assert "2024-05-13" not in lesson.days.days
    assert (lesson.days.test, lesson.left_out) == (("2024-05-11", "2024-05-12", "2024-05-14"), ("2024-05-13",))
    with pytest.raises(ModelError, match=r"need at least 8: .* Left out, as rows of them have no 'answered' yet: 2024-05-04\.\.2024-05-14\."):
        lesson_of(job, job.lake.model("answers"), {f"2024-05-{day:02}" for day in range(4, 15)})


def test_the_champions_columns_are_read_too_as_long_as_the_table_has_them(registered: LittleLake) -> None:
    def columns() -> tuple[str, ...]:
        job = job_of(registered, "train", LEARNED)
        return lesson_of(job, job.lake.model("answers")).columns

    assert columns() == ("kind", "hour")
    change(registered, CONTRACT, "inputs: [kind, hour]", "inputs: [kind]")
    assert columns() == ("kind", "hour")
    serves(registered, inputs=["kind", "ringing"])
    assert columns() == ("kind",)


def test_a_version_that_does_not_pass_is_registered_and_does_not_serve(registered: LittleLake) -> None:
    entry = register_version(registered, "train-2", "kept", "roc_auc 0.700 is below the gate 0.99")
    assert (entry.version, entry.champion, champion(registered).version, crowned_in_mlflow(registered)) == (2, False, 1, 1)
    assert registered.ledger.decisions.questions("answers") == []
    result = known(registered, "train-2")
    assert result is not None and (result.status, result.facts["promoted"]) == ("done", False)
    assert result.message.startswith("answers v2 is registered but does not serve, because roc_auc 0.700 is below the gate 0.99: roc_auc 0.700 against ")
    assert result.message.endswith(", 1,120 rows of 2024-05-01..2024-05-14")


def test_a_better_version_serves_from_then_on(registered: LittleLake) -> None:
    entry = register_version(registered, "train-2")
    assert (entry.version, champion(registered).version, crowned_in_mlflow(registered)) == (2, 2, 2)
    request, contract = JobRequest(verb="train", name="answers", run_id="train-2"), contract_of(kind="multiclass", score="accuracy")
    told = training_result(request, contract, champion(registered), "done")
    assert told.message.startswith("answers v2 is champion: roc_auc 0.700 against 0.500 (the commonest class), 0.550 (the history of the same keys), ")


def test_a_version_that_a_broken_attempt_left_behind_is_replaced(registered: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_facts: object, **_more: object) -> None:
        raise ConnectionError("MLflow went away")

    with monkeypatch.context() as patch:
        patch.setattr(type(registered.ledger), "record_model", broken)
        with pytest.raises(ConnectionError):
            register_version(registered, "train-2")
    assert len(registered.ledger.model_versions("answers")) == 1
    register_version(registered, "train-2")
    assert versions_in_mlflow(registered) == [entry.version for entry in registered.ledger.model_versions("answers")]


def test_nothing_is_uploaded_where_another_version_became_champion_while_it_was_trained(registered: LittleLake) -> None:
    job = job_of(registered, "train", LEARNED, "train-2", force=True)
    lesson = lesson_of(job, job.lake.model("answers"))
    serves(registered)
    with pytest.raises(TransientError) as late:
        register(job, lesson, trained(lesson), JUDGEMENT)
    assert str(late.value) == MADE
    assert [(entry.version, entry.champion) for entry in registered.ledger.model_versions("answers")] == [(OTHER, True), (1, False)]
    assert versions_in_mlflow(registered) == [1]


def test_a_version_crowned_between_the_comparison_and_the_ledger_stays_champion(registered: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = ModelStore.register

    def upload_slowly(*facts: Any) -> Any:
        serves(registered)
        return upload(*facts)

    with monkeypatch.context() as patch:
        patch.setattr(ModelStore, "register", upload_slowly)
        with pytest.raises(TransientError) as late:
            register_version(registered, "train-2")
    assert str(late.value) == LATE
    assert [(entry.version, entry.champion) for entry in registered.ledger.model_versions("answers")] == [(OTHER, True), (1, False)]
    assert crowned_in_mlflow(registered) == 1, "the alias follows the ledger, and is not moved by one that it refuses"

    again = register_version(registered, "train-2")
    assert champion(registered).version == crowned_in_mlflow(registered) == again.version


def test_what_it_learned_from_lies_in_the_lake_as_it_was(registered: LittleLake) -> None:
    figures = champion(registered).figures
    store = ModelStore(load_settings(), job_of(registered, "train").lake.model("answers"))
    frozen = store.examples(figures["training_set"], figures["training_set_sha256"])
    assert (len(frozen), frozen["kind"].isna().any(), sorted(frozen["answered"].unique())) == (14 * 80, True, [0, 1])
