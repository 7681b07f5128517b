"""Who serves is said by the training, by a person who was asked, or by hand; whatever fails, the old champion serves on."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from expectations.errors import TransientError
from spark_jobs.lake.learning import training
from spark_jobs.lake.learning.lesson import lesson_of
from spark_jobs.lake.learning.registry import promotion
from spark_jobs.lake.learning.registry.promotion import candidate_of, question_on
from spark_jobs.lake.learning.training import recorded, train
from tests.spark_jobs.lake.conftest import copy_lake, use_lake
from tests.spark_jobs.lake.learning.conftest import NO_SPARK, NOWHERE
from tests.spark_jobs.lake.learning.versions import (
    CONTRACT,
    LEARNED,
    OTHER,
    champion,
    change,
    crowned_in_mlflow,
    job_of,
    register_version,
    serves,
    trained,
    versions_in_mlflow,
)

if TYPE_CHECKING:
    from pathlib import Path

    from expectations.jobs import JobResult
    from expectations.ledger import Question
    from tests.spark_jobs.lake.conftest import LittleLake


@pytest.fixture(scope="module")
def asked_project(registered_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a lake where a second version has passed, and run `asks` has asked a person about it."""
    folder = tmp_path_factory.mktemp("asked") / "lake"
    with pytest.MonkeyPatch.context() as monkeypatch:
        lake = use_lake(folder, NO_SPARK, NOWHERE, monkeypatch)
        copy_lake(registered_project, folder)
        change(lake, CONTRACT, "folds: 2", "folds: 2\nwhen_better: ask\nslices: [kind]\nhistory: {keys: [kind], days: 5}")
        register_version(lake, "asks", "asks")
    return folder


@pytest.fixture
def asked(asked_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LittleLake:
    """A copy of that lake, for one test."""
    lake = use_lake(tmp_path / "lake", NO_SPARK, NOWHERE, monkeypatch)
    copy_lake(asked_project, lake.project)
    return lake


def trained_again(lake: LittleLake, run_id: str) -> JobResult | None:
    """What a training of the same days says before it reads anything; None where it goes on."""
    job = job_of(lake, "train", LEARNED, run_id)
    return recorded(job, lesson_of(job, job.lake.model("answers")))


def question(lake: LittleLake, run_id: str) -> Question:
    [found] = lake.ledger.decisions.questions("answers", run_id)
    return found


def answer(lake: LittleLake, run_id: str, says: Any, who: str, reason: str) -> JobResult:
    """What the run's job does with this answer."""
    lake.ledger.decisions.answer(question(lake, run_id), says, who, reason)
    return lake.run("promote", "answers", run_id=run_id)


def test_a_training_that_passes_asks_where_its_contract_says_so(registered: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    change(registered, CONTRACT, "folds: 2", "folds: 2\nwhen_better: ask")
    monkeypatch.setattr(training, "_learn", lambda _job, lesson: trained(lesson))  # fitted and asked, but without Spark
    monkeypatch.setattr(training, "days_without_labels", lambda *_: set())
    result = train(job_of(registered, "train", LEARNED, "asks"))
    assert result.status == "asks", result.message
    assert result.message.startswith("answers v2 passed, and waits for a person to say whether it serves: roc_auc 0.")
    assert (question(registered, "asks").evidence["version"], champion(registered).version, crowned_in_mlflow(registered)) == (2, 1, 1)


def test_a_person_is_told_what_she_has_to_know(asked: LittleLake) -> None:
    evidence = question(asked, "asks").evidence
    told = "v2 passed: roc_auc 0.700 against 0.500 (the majority class), 0.550 (the history of the same keys), 0.690 (the champion) on 2024-05-12..2024-05-14."
    assert (evidence["version"], evidence["instead_of"], evidence["sentence"]) == (2, 1, told)
    assert (evidence["history"], evidence["gates"]) == ({"roc_auc": 0.55}, ["roc_auc at least 0.6"])
    assert evidence["weakest"] == ["kind home: roc_auc 0.650 (60 rows)"]
    assert evidence["worse"] == ["kind mobile: roc_auc 0.600, the champion 0.700 (60 rows)"]
    first = question_on(job_of(asked, "train").lake.model("answers"), champion(asked), None)
    assert (first.evidence["instead_of"], first.candidate) == (None, candidate_of(champion(asked)))


def test_as_long_as_nobody_answers_nothing_changes_and_a_later_run_asks_the_same_again(asked: LittleLake) -> None:
    retried = trained_again(asked, "asks")
    assert retried is not None and retried.status == "asks"
    assert "answers v2 passed, and waits for a person to say whether it serves: roc_auc 0.700 against" in retried.message
    waits = asked.run("promote", "answers", run_id="asks")
    assert (waits.status, waits.message) == ("asks", "answers: nobody has answered yet whether v2 shall serve")
    later = trained_again(asked, "asks again")
    assert later is not None and (later.status, later.facts["version"]) == ("asks", 2)
    assert question(asked, "asks again").candidate == candidate_of(asked.ledger.model_versions("answers")[0])
    assert (champion(asked).version, crowned_in_mlflow(asked), len(asked.ledger.model_versions("answers"))) == (1, 1, 2)


def test_what_a_person_says_is_done_once(asked: LittleLake) -> None:
    promoted = answer(asked, "asks", "promote", "Ada", "better for homes")
    assert (promoted.status, promoted.message) == ("done", "answers: v2 is champion (v1 before), as said by Ada: better for homes")
    assert (champion(asked).version, crowned_in_mlflow(asked)) == (2, 2)
    again = asked.run("promote", "answers", run_id="asks")
    assert (again.status, again.message) == ("unchanged", "answers: v2 is champion already")


def test_a_version_that_a_person_refuses_does_not_serve_and_is_not_asked_about_again(asked: LittleLake) -> None:
    refused = answer(asked, "asks", "keep", "Bob", "not now")
    assert (refused.status, refused.message) == ("unchanged", "answers: v2 does not serve, as said by Bob: not now")
    later = trained_again(asked, "later")
    assert later is not None and later.status == "unchanged"
    assert (champion(asked).version, crowned_in_mlflow(asked)) == (1, 1)


def test_an_old_version_is_brought_back_by_hand(asked: LittleLake) -> None:
    answer(asked, "asks", "promote", "Ada", "better for homes")
    back = asked.run("promote", "answers", run_id="by hand", version=1)
    assert (back.status, back.message, champion(asked).version) == ("done", "answers: v1 is champion (v2 before), by hand", 1)


def test_an_answer_that_comes_after_another_version_was_promoted_crowns_nothing(asked: LittleLake) -> None:
    register_version(asked, "a third", "asks")
    asked.run("promote", "answers", run_id="by hand", version=2)
    late = answer(asked, "a third", "promote", "Bob", "late")
    assert (late.status, late.message) == ("unchanged", "answers: v2 serves since v3 was asked about, so the old answer crowns nothing")
    assert [entry.version for entry in asked.ledger.model_versions("answers") if entry.champion] == [2]
    assert crowned_in_mlflow(asked) == 2
    assert trained_again(asked, "later").status == "unchanged", "nor is it asked about again"  # type: ignore[union-attr]


def test_a_version_that_is_none_and_a_run_that_has_asked_nobody_are_told(registered: LittleLake) -> None:
    assert "answers has no version 9" in registered.run("promote", "answers", run_id="by hand", version=9).message
    assert "has asked nobody; name the version" in registered.run("promote", "answers", run_id="nobody").message


def test_a_version_overtaken_while_its_file_was_looked_at_is_not_promoted(registered: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    register_version(registered, "train-2")
    able = promotion._require_able

    def able_slowly(*facts: Any) -> None:
        serves(registered)
        able(*facts)

    monkeypatch.setattr(promotion, "_require_able", able_slowly)
    refused = registered.run("promote", "answers", run_id="by hand", version=1)
    assert (refused.status, champion(registered).version, crowned_in_mlflow(registered)) == ("failed_transient", OTHER, 2)


def test_a_version_whose_column_the_features_have_lost_cannot_serve(registered: LittleLake) -> None:
    serves(registered, inputs=["kind", "ringing"])
    registered.ledger.crown("answers", 1, OTHER)
    refused = registered.run("promote", "answers", run_id="by hand", version=OTHER)
    assert (refused.status, refused.message) == ("failed_terminal", "answers v7 cannot serve: silver.calls has no column ringing any more.")
    assert champion(registered).version == 1


def test_an_mlflow_server_that_does_not_answer_is_told_at_once_and_the_champion_stays(registered: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    told = f"answers: the MLflow server at http://127.0.0.1:{port} does not answer ("
    with pytest.raises(TransientError) as lost:  # before anything is read
        train(job_of(registered, "train", LEARNED, "lost", force=True))
    assert str(lost.value).startswith(told)
    result = registered.run("promote", "answers", run_id="lost", version=1)
    assert (result.status, result.message.startswith(told)) == ("failed_transient", True)
    assert result.seconds < 30
    assert (champion(registered).version, len(registered.ledger.model_versions("answers"))) == (1, 1)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert versions_in_mlflow(registered) == [1]
