"""What a run of a model's DAGs decides by the ledger: whether it has made a new champion, and whether an alarm rings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from expectations.ledger import Attempt, Ledger, ModelEntry, Question
from expectations.settings import load_settings
from medallion.model_dags import champion_is_new
from medallion.watching import alarm_rings

RUN: Any = SimpleNamespace(dag_id="spender_training", run_id="1")
NAME = "spender_training/1"
CHAMPION = ModelEntry("spender", 1, "spender_training/0", True, "2013-01-01", "2013-01-31", {}, {}, datetime(2013, 2, 1, tzinfo=UTC))


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(load_settings().ledger_url)


def test_only_the_run_that_trained_the_champion_wakes_inference(ledger: Ledger) -> None:
    assert not champion_is_new("spender", RUN)
    ledger.record_model(CHAMPION)
    assert not champion_is_new("spender", RUN)
    ledger.record_model(replace(CHAMPION, version=2, run_id=NAME, champion=False))
    assert not champion_is_new("spender", RUN)
    ledger.record_model(replace(CHAMPION, version=3, run_id=NAME), instead_of=1)
    assert champion_is_new("spender", RUN)


@pytest.mark.parametrize(("answer", "is_new"), [("promote", True), ("keep", False)])
def test_a_run_whose_question_was_answered_wakes_inference_where_the_version_serves(ledger: Ledger, answer: Any, is_new: bool) -> None:
    asked = Question("spender", "all", "promotion", "v2 abc", NAME, {"version": 2})
    ledger.record_model(CHAMPION)
    ledger.record_model(replace(CHAMPION, version=2, run_id="spender_training/before", champion=False), [asked])
    ledger.decisions.answer(asked, answer, "ada", "")
    if answer == "promote":
        ledger.crown("spender", 2, 1)
    assert champion_is_new("spender", RUN) is is_new


@pytest.mark.parametrize(
    ("watched", "rings"),
    [([], False), ([{"alarms": []}], False), ([{"alarms": ["drift of visit"]}], True), ([{"alarms": ["drift of visit"]}, {"alarms": []}], False)],
    ids=["not watched", "all well", "an alarm", "watched again, and well"],
)
def test_an_alarm_is_that_of_the_runs_last_watching(ledger: Ledger, watched: list[dict[str, Any]], rings: bool) -> None:
    ledger.note(Attempt("spender_inference/0", "spender", "done", "", [], {"alarms": ["of an earlier run"]}))
    for facts in watched:
        ledger.note(Attempt(NAME, "spender", "done", "", [], facts))
    ledger.note(Attempt(NAME, "spender", "done", "scored", [], {"rows_out": 3}))
    assert alarm_rings("spender", RUN) is rings
