"""Scoring: only days after what the champion has seen, each once, exactly as the estimator says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from expectations.loader import load_lake
from expectations.settings import load_settings
from spark_jobs.lake.learning.model_store import ModelStore

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
TABLE = "gold.call_predictions"


def test_the_days_after_the_training_window_are_scored_and_a_second_time_adds_nothing(calls: LittleLake) -> None:
    first = calls.run("score", "answers", run_id="score-1")
    assert (first.status, first.facts["days"], first.facts["rows_out"]) == ("done", ["2024-05-15", "2024-05-16"], 160), first.message
    version = calls.version(TABLE)
    assert calls.run("score", "answers", run_id="score-2").status == "unchanged"
    assert calls.run("score", "answers", run_id="score-1").status == "unchanged"
    assert (calls.version(TABLE), calls.frame(TABLE).count()) == (version, 160)


def test_a_prediction_is_what_the_estimator_says(calls: LittleLake) -> None:
    assert calls.run("score", "answers", "2024-05-15").facts["days"] == ["2024-05-15"]
    champion = calls.ledger.champion("answers")
    assert champion is not None
    estimator = ModelStore(load_settings(), load_lake().model("answers")).load(champion.figures["file"], champion.figures["sha256"])
    found = calls.frame(TABLE).toPandas().set_index("call").sort_index()
    seen = calls.frame("silver.calls").where("called_on = DATE'2024-05-15'").toPandas().set_index("call").sort_index()
    expected = estimator.predict_proba(seen[["kind", "hour"]])[:, 1]
    assert abs(found["chance"] - expected).max() < 1e-12
    assert (found["predicted"] == (expected >= 0.5)).all()
    assert {tuple(row) for row in found[["model_name", "model_version", "features_version"]].to_numpy()} == {("answers", 1, 0)}


def test_a_new_champion_does_not_score_again_what_was_scored(calls: LittleLake) -> None:
    calls.run("score", "answers", "2024-05-15", run_id="score-1")
    assert calls.run("train", "answers", "2024-05-01..2024-05-14", run_id="train-2", force=True).facts["promoted"]
    assert calls.run("score", "answers", run_id="score-2").facts["days"] == ["2024-05-16"]
    assert calls.frame(TABLE).where("called_on = DATE'2024-05-15'").select("model_version").distinct().collect() == [(1,)]


def test_features_that_changed_bring_predictions_for_new_rows_and_rewrite_none(calls: LittleLake) -> None:
    calls.run("score", "answers", "2024-05-15", run_id="score-1")
    before = dict(calls.rows(TABLE, "call", "chance"))
    lines = (calls.project / "landing/calls/2024-05-15.csv").read_text().splitlines()
    calls.land("calls/2024-05-15.csv", *[line.replace(",home,", ",office,") for line in lines], "2024-05-15,15999,office,9,true")
    for table in ("bronze.calls", "silver.calls"):
        calls.build(table, "2024-05-15", "build-2")
    result = calls.run("score", "answers", "2024-05-15", run_id="score-2")
    assert result.status == "done", result.message
    after = dict(calls.rows(TABLE, "call", "chance"))
    assert {call: after[call] for call in before} == before
    assert set(after) - set(before) == {15999}


def test_features_built_again_with_the_same_rows_are_no_error(calls: LittleLake) -> None:
    calls.run("score", "answers", "2024-05-15", run_id="score-1")
    calls.build("silver.calls", "2024-05-15", "build-2", force=True)
    result = calls.run("score", "answers", "2024-05-15", run_id="score-2")
    assert result.status in {"done", "unchanged"}, result.message
    assert calls.run("score", "answers", "2024-05-15", run_id="score-3").status == "unchanged"
    assert calls.frame(TABLE).count() == 80


def test_a_model_file_with_a_changed_byte_scores_nothing(calls: LittleLake) -> None:
    champion = calls.ledger.champion("answers")
    assert champion is not None
    file = Path(load_settings().models_path) / champion.figures["file"]
    data = bytearray(file.read_bytes())
    data[100] ^= 1
    file.write_bytes(data)
    result = calls.run("score", "answers", "2024-05-15")
    assert result.status == "failed_terminal"
    assert "the model file is refused" in result.message
    assert TABLE not in {path.name for path in calls.project.rglob("*")}
    assert calls.ledger.days(TABLE) == {}
