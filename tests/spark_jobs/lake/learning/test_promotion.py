"""Who serves is said by the training, by a person who was asked, or by hand; whatever fails, the old champion serves on."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.spark_jobs.lake.learning.test_training import CONTRACT, LEARNED, champion, change

if TYPE_CHECKING:
    from expectations.ledger import Question
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark


def crowned_in_mlflow(lake: LittleLake) -> int:
    from mlflow import MlflowClient

    return int(MlflowClient(f"sqlite:///{lake.project}/.lake/mlflow.db").get_model_version_by_alias("answers", "champion").version)


def question(lake: LittleLake, run_id: str) -> Question:
    [found] = lake.ledger.decisions.questions("answers", run_id)
    return found


def test_a_person_who_is_asked_decides_and_what_she_says_is_done_once(calls: LittleLake) -> None:
    change(calls, CONTRACT, "folds: 2", "folds: 2\nwhen_better: ask\nslices: [kind]\nhistory: {keys: [kind], days: 5}")
    result = calls.run("train", "answers", LEARNED, run_id="asks")
    assert result.status == "asks", result.message
    assert "answers v2 passed, and waits for a person to say whether it serves: roc_auc 0." in result.message
    assert "(the majority class)" in result.message and "(the history of the same keys)" in result.message and "(the champion)" in result.message
    evidence = question(calls, "asks").evidence
    assert (evidence["version"], evidence["instead_of"], set(evidence["history"]) >= {"roc_auc"}) == (2, 1, True)
    assert set(champion(calls).figures["metrics"]) >= {"roc_auc", "calibration_error"}

    # nobody has answered: a retry and the job that obeys change nothing, and a later run asks the same again
    assert calls.run("train", "answers", LEARNED, run_id="asks").status == "asks"
    assert calls.run("promote", "answers", run_id="asks").status == "asks"
    assert calls.run("train", "answers", LEARNED, run_id="asks again").status == "asks"
    assert (champion(calls).version, crowned_in_mlflow(calls), len(calls.ledger.model_versions("answers"))) == (1, 1, 2)

    calls.ledger.decisions.answer(question(calls, "asks again"), "promote", "Ada", "better for homes")
    promoted = calls.run("promote", "answers", run_id="asks again")
    assert (promoted.status, promoted.message) == ("done", "answers: v2 is champion (v1 before), as said by Ada: better for homes")
    assert (champion(calls).version, crowned_in_mlflow(calls)) == (2, 2)
    assert calls.run("promote", "answers", run_id="asks again").message == "answers: v2 is champion already"

    # back to the old version by hand; the old answer does not undo that
    back = calls.run("promote", "answers", run_id="by hand", version=1)
    assert (back.status, back.message, champion(calls).version) == ("done", "answers: v1 is champion (v2 before), by hand", 1)
    forced = calls.run("train", "answers", LEARNED, run_id="a third", force=True)
    assert forced.status == "asks"
    calls.run("promote", "answers", run_id="by hand again", version=2)
    calls.ledger.decisions.answer(question(calls, "a third"), "promote", "Bob", "late")
    late = calls.run("promote", "answers", run_id="a third")
    assert (late.status, late.message) == ("unchanged", "answers: v2 serves since v3 was asked about, so the old answer crowns nothing")
    assert [entry.version for entry in calls.ledger.model_versions("answers") if entry.champion] == [2]
    assert crowned_in_mlflow(calls) == 2
    assert "answers has no version 9" in calls.run("promote", "answers", run_id="by hand", version=9).message
    assert "has asked nobody; name the version" in calls.run("promote", "answers", run_id="nobody").message


def test_an_mlflow_server_that_does_not_answer_is_told_at_once_and_the_champion_stays(calls: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    for result in (calls.run("train", "answers", LEARNED, run_id="lost", force=True), calls.run("promote", "answers", run_id="lost", version=1)):
        assert result.status == "failed_transient"
        assert result.message.startswith(f"answers: the MLflow server at http://127.0.0.1:{port} does not answer (")
        assert result.seconds < 30
    assert champion(calls).version == 1


def test_a_feature_that_is_known_only_afterwards_is_refused_and_the_champion_stays(calls: LittleLake) -> None:
    change(calls, "expectations/silver/calls.yaml", "answered: {type: boolean}", "answered: {type: boolean}\n  seconds: {type: int}")
    change(calls, "spark_jobs/silver/calls.sql", "answered,", "answered, IF(answered, 30 + call % 7, call % 30) AS seconds,")
    calls.build("silver.calls", "2024-05-01..2024-05-14", "build again")
    change(calls, CONTRACT, "inputs: [kind, hour]", "inputs: [kind, hour, seconds]")
    result = calls.run("train", "answers", LEARNED, run_id="leaks")
    assert result.status == "failed_terminal"
    assert "answers: the input 'seconds' alone orders the learned rows by 'answered' with ROC AUC 1.000, the limit is 0.98" in result.message
    assert (champion(calls).version, len(calls.ledger.model_versions("answers"))) == (1, 1)


def test_a_test_set_of_one_class_judges_nothing(calls: LittleLake) -> None:
    change(calls, "spark_jobs/silver/calls.sql", "answered,", "answered AND called_on < '2024-05-12' AS answered,")
    calls.build("silver.calls", "2024-05-01..2024-05-14", "build again")
    result = calls.run("train", "answers", LEARNED, run_id="one class")
    assert result.status == "failed_terminal"
    assert "answers: on the test days the target 'answered' is always 0, which teaches and tells nothing; take more days." in result.message
    assert champion(calls).version == 1
