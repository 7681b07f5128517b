"""Scoring: only days after what the champion has seen, each once, exactly as the estimator says."""

from __future__ import annotations

import hashlib
import json
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from expectations.loader import load_lake
from expectations.settings import load_settings
from spark_jobs.lake.learning import scoring
from spark_jobs.lake.learning.registry.model_store import ModelStore
from spark_jobs.lake.learning.scoring import predict
from tests.spark_jobs.lake.learning.conftest import ESTIMATOR, MODEL, PREDICTIONS, calls_of
from tests.spark_jobs.lake.learning.test_model_store import hostile_pickle, hostile_skops

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

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


def test_features_that_change_while_they_are_scored_are_scored_again_and_nothing_says_that_it_was_made_from_the_old_ones(
    calls: LittleLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def predict_late(*args: Any) -> DataFrame:
        calls.build("silver.calls", "2024-05-15", "build-2", force=True)
        return predict(*args)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(scoring, "predict", predict_late)
        result = calls.run("score", "answers", "2024-05-15", run_id="score-1")
    assert (result.status, result.message) == (
        "failed_transient",
        "silver.calls changed while it was scored for gold.call_predictions; nothing was written, run it again.",
    )
    assert not Path(calls.path(TABLE)).exists() and calls.ledger.days(TABLE) == {}
    assert calls.run("score", "answers", "2024-05-15", run_id="score-1").status == "done"
    assert set(calls.rows(TABLE, "features_version")) == {(calls.ledger.versions("silver.calls")["2024-05-15"],)}


def test_a_model_file_that_somebody_changed_scores_nothing_and_runs_nothing(calls: LittleLake) -> None:
    champion = calls.ledger.champion("answers")
    assert champion is not None
    file, changed = Path(load_settings().models_path) / champion.figures["file"], bytearray()
    changed += file.read_bytes()
    changed[100] ^= 1
    command = f"touch {calls.project}/ran"
    for data in (bytes(changed), hostile_skops(command), hostile_pickle(command)):
        file.write_bytes(data)
        for sha256 in (champion.figures["sha256"], hashlib.sha256(data).hexdigest()):
            calls.ledger.record_model(replace(champion, figures={**champion.figures, "sha256": sha256}))
            result = calls.run("score", "answers", "2024-05-15")
            assert result.status == "failed_terminal"
            assert result.message.startswith("answers: the model file is refused: ")
            assert "\n" not in result.message
    assert not (calls.project / "ran").exists()
    assert TABLE not in {path.name for path in calls.project.rglob("*")}
    assert calls.ledger.days(TABLE) == {}


def train(lake: LittleLake, run_id: str, estimator: str = ESTIMATOR, more: str = "") -> None:
    """Register another version, which serves."""
    lake.write("expectations/models/answers.yaml", textwrap.dedent(MODEL).replace("gates: [{metric: roc_auc, at_least: 0.6}]", "tolerance: 1") + more)
    lake.write("spark_jobs/models/answers.py", estimator)
    result = lake.run("train", "answers", "2024-05-01..2024-05-14", run_id=run_id, force=True)
    assert result.facts["promoted"], result.message


def test_a_row_that_a_model_refuses_waits_with_the_reason_until_another_model_scores_it(calls: LittleLake) -> None:
    train(calls, "train-2", ESTIMATOR.replace('handle_unknown="use_encoded_value", unknown_value=NAN', 'handle_unknown="error"'))
    calls.land("calls/2024-05-15.csv", "called_on,call,kind,hour,answered", *calls_of("2024-05-15"), "2024-05-15,15999,fax,9,true")
    for table in ("bronze.calls", "silver.calls"):
        calls.build(table, "2024-05-15", "build-2")

    result = calls.run("score", "answers", run_id="score-1")
    assert (result.status, result.facts["rows_out"], result.facts["rows_quarantined"]) == ("done", 160, 1), result.message
    day = calls.ledger.days(TABLE)["2024-05-15"]
    assert (day.rows_in, day.rows_out, day.rows_quarantined) == (81, 80, 1)
    [(rules, values, when)] = calls.quarantine(TABLE, "_rules", "_values", "_day")
    assert rules == ["unscored(ValueError: Found unknown categories ['fax'] in column 0 during transform)"]
    assert (json.loads(values)["call"], json.loads(values)["model_version"], str(when)) == (15999, 2, "2024-05-15")
    assert calls.run("score", "answers", run_id="score-2").status == "unchanged"

    train(calls, "train-3")
    before = calls.rows(TABLE)
    result = calls.run("score", "answers", run_id="score-3")
    assert (result.status, result.facts["days"], result.facts["rows_out"]) == ("done", ["2024-05-15"], 1), result.message
    assert [row for row in calls.rows(TABLE) if row not in before] == [row for row in calls.rows(TABLE) if row[0] == 15999]
    assert calls.quarantine(TABLE) == []
    assert calls.run("score", "answers", run_id="score-4").status == "unchanged"


def test_any_version_scores_any_days_beside_what_serves(calls: LittleLake) -> None:
    calls.write("expectations/gold/call_comparisons.yaml", PREDICTIONS.rstrip() + "\n    quarantine_limit: {share: 0.05}\n")
    train(calls, "train-2", more="comparisons: gold.call_comparisons\n")
    champion = calls.run("score", "answers", "2024-05-15", run_id="score-1")
    assert champion.facts["model_version"] == 2

    nothing = {day: calls.run("score", "answers", day, run_id=f"of {day}").message for day in ("2024-05-13", "2024-05-15", "2024-06-01")}
    assert nothing == {
        "2024-05-13": "answers: version 2 was shown the days to 2024-05-14, and silver.calls has none after them; "
        "name a version to score these days for comparison; nothing to score",
        "2024-05-15": "answers: 2024-05-15 has its predictions by version 2; nothing to score",
        "2024-06-01": "answers: silver.calls has no published day in 2024-06-01; land and build those days first; nothing to score",
    }

    compared = calls.run("score", "answers", "2024-05-13..2024-05-15", run_id="compare-1", version=1)
    assert (compared.status, compared.facts["table"], compared.facts["rows_out"]) == ("done", "gold.call_comparisons", 240), compared.message
    again = calls.run("score", "answers", "2024-05-13..2024-05-15", run_id="compare-2", version=1)
    assert (again.status, calls.version("gold.call_comparisons"), calls.version(TABLE)) == ("unchanged", 0, 0)
    other = calls.run("score", "answers", run_id="compare-3", version=2)
    assert other.facts["days"] == ["2024-05-15", "2024-05-16"], other.message
    calls.build("silver.calls", "2024-05-15", "build-2", force=True)
    changed = [calls.run("score", "answers", "2024-05-14..2024-05-15", run_id=f"compare-{number}", version=1) for number in (4, 5)]
    assert [(result.status, result.facts["days"]) for result in changed] == [("done", ["2024-05-15"]), ("unchanged", [])]
    found = calls.frame("gold.call_comparisons").groupBy("model_version").count().collect()
    assert {tuple(row) for row in found} == {(1, 240), (2, 160)}
    assert {row[0] for row in calls.rows(TABLE, "model_version")} == {2}


def test_a_version_that_is_none_and_a_contract_without_comparisons_are_told_before_spark_is_asked(calls: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "remote", "sc://127.0.0.1:1")
    unknown = calls.run("score", "answers", "2024-05-15", version=7)
    assert (unknown.status, unknown.message) == ("failed_terminal", "answers has no version 7; registered is 1. Choose one of these.")
    nowhere = calls.run("score", "answers", "2024-05-15", version=1)
    assert nowhere.status == "failed_terminal"
    assert "answers has no table for what a named version says; add `comparisons: gold.<table>` to" in nowhere.message


def test_what_was_never_seen_and_what_is_missing_are_scored_alike(calls: LittleLake) -> None:
    calls.land("calls/2024-05-15.csv", "called_on,call,kind,hour,answered", "2024-05-15,1,fax,,true", "2024-05-15,2,,,true")
    for table in ("bronze.calls", "silver.calls"):
        calls.build(table, "2024-05-15", "build-2")
    assert calls.run("score", "answers", "2024-05-15").facts["rows_out"] == 2
    (_, unseen), (_, missing) = calls.rows(TABLE, "call", "chance")
    assert unseen == missing
