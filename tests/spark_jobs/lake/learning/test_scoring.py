"""Scoring: only days after what the champion has seen, each once, exactly as the estimator says."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sklearn.pipeline import Pipeline

from expectations.jobs import JobRequest
from expectations.loader import load_lake
from expectations.settings import load_settings
from spark_jobs.lake.job import Job
from spark_jobs.lake.learning import scoring
from spark_jobs.lake.learning.examples import days_without_labels
from spark_jobs.lake.learning.registry.model_store import ModelStore
from spark_jobs.lake.learning.scoring import predict
from tests.spark_jobs.lake.learning.conftest import PREDICTIONS, calls_of
from tests.spark_jobs.lake.learning.test_model_store import hostile_pickle
from tests.spark_jobs.lake.learning.test_rival import keep
from tests.spark_jobs.lake.learning.versions import CONTRACT, OTHER, champion, serves

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
TABLE = "gold.call_predictions"


def estimator_of_champion(lake: LittleLake) -> Any:
    figures = champion(lake).figures
    return ModelStore(load_settings(), load_lake().model("answers")).load(figures["file"], figures["sha256"])


def test_the_days_after_the_training_window_are_scored_as_the_estimator_says_and_a_second_time_adds_nothing(calls: LittleLake) -> None:
    first = calls.run("score", "answers", run_id="score-1")
    assert (first.status, first.facts["days"], first.facts["rows_out"]) == ("done", ["2024-05-15", "2024-05-16"], 160), first.message
    found = calls.frame(TABLE).toPandas().set_index("call").sort_index()
    seen = calls.frame("silver.calls").where("called_on > DATE'2024-05-14'").toPandas().set_index("call").sort_index()
    expected = estimator_of_champion(calls).predict_proba(seen[["kind", "hour"]])[:, 1]
    assert abs(found["chance"] - expected).max() < 1e-12
    assert (found["predicted"] == (expected >= 0.5)).all()
    assert {tuple(row) for row in found[["model_name", "model_version", "features_version"]].to_numpy()} == {("answers", 1, 0)}

    version = calls.version(TABLE)
    assert calls.run("score", "answers", run_id="score-2").status == "unchanged"
    assert calls.run("score", "answers", run_id="score-1").status == "unchanged"
    assert (calls.version(TABLE), calls.frame(TABLE).count()) == (version, 160)


def test_features_that_change_bring_predictions_for_new_rows_and_rewrite_none(calls: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    def predict_late(*args: Any) -> DataFrame:
        calls.build("silver.calls", "2024-05-15", "build-2", force=True)
        return predict(*args)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(scoring, "predict", predict_late)
        late = calls.run("score", "answers", "2024-05-15", run_id="score-1")
    assert (late.status, late.message) == (
        "failed_transient",
        "silver.calls changed while it was scored for gold.call_predictions; nothing was written, run it again.",
    )
    assert not Path(calls.path(TABLE)).exists() and calls.ledger.days(TABLE) == {}
    assert calls.run("score", "answers", "2024-05-15", run_id="score-1").status == "done"
    assert set(calls.rows(TABLE, "features_version")) == {(calls.ledger.versions("silver.calls")["2024-05-15"],)}

    # other values of rows that have their prediction, and two rows more: of a kind that was never seen, and of none
    before = dict(calls.rows(TABLE, "call", "chance"))
    lines = (calls.project / "landing/calls/2024-05-15.csv").read_text().splitlines()
    more = ["2024-05-15,15998,fax,,true", "2024-05-15,15999,,,true"]
    calls.land("calls/2024-05-15.csv", *[line.replace(",home,", ",office,") for line in lines], *more)
    for table in ("bronze.calls", "silver.calls"):
        calls.build(table, "2024-05-15", "build-3")
    result = calls.run("score", "answers", "2024-05-15", run_id="score-2")
    assert result.status == "done", result.message
    after = dict(calls.rows(TABLE, "call", "chance"))
    assert {call: after[call] for call in before} == before
    assert set(after) - set(before) == {15998, 15999}
    assert after[15998] == after[15999], "what was never seen and what is missing are scored alike"

    # the same rows once more are no error
    calls.build("silver.calls", "2024-05-15", "build-4", force=True)
    same = calls.run("score", "answers", "2024-05-15", run_id="score-3")
    assert same.status in {"done", "unchanged"}, same.message
    assert calls.run("score", "answers", "2024-05-15", run_id="score-4").status == "unchanged"
    assert calls.frame(TABLE).count() == 82


def test_a_row_that_a_model_refuses_waits_with_the_reason_until_another_model_scores_it(calls: LittleLake) -> None:
    able = champion(calls)
    serves(calls, **keep(refusing(estimator_of_champion(calls))))
    calls.land("calls/2024-05-15.csv", "called_on,call,kind,hour,answered", *calls_of("2024-05-15"), "2024-05-15,15999,fax,9,true")
    for table in ("bronze.calls", "silver.calls"):
        calls.build(table, "2024-05-15", "build-2")

    result = calls.run("score", "answers", run_id="score-1")
    assert (result.status, result.facts["rows_out"], result.facts["rows_quarantined"]) == ("done", 160, 1), result.message
    day = calls.ledger.days(TABLE)["2024-05-15"]
    assert (day.rows_in, day.rows_out, day.rows_quarantined) == (81, 80, 1)
    [(rules, values, when)] = calls.quarantine(TABLE, "_rules", "_values", "_day")
    assert rules == ["unscored(ValueError: Found unknown categories ['fax'] in column 0 during transform)"]
    assert (json.loads(values)["call"], json.loads(values)["model_version"], str(when)) == (15999, OTHER, "2024-05-15")
    assert calls.run("score", "answers", run_id="score-2").status == "unchanged"

    calls.ledger.record_model(replace(able, version=OTHER + 1, run_id="later"), instead_of=OTHER)
    before = calls.rows(TABLE)
    result = calls.run("score", "answers", run_id="score-3")
    assert (result.status, result.facts["days"], result.facts["rows_out"]) == ("done", ["2024-05-15"], 1), result.message
    assert [row for row in calls.rows(TABLE) if row not in before] == [row for row in calls.rows(TABLE) if row[0] == 15999]
    assert calls.quarantine(TABLE) == []
    assert calls.run("score", "answers", run_id="score-4").status == "unchanged"


def refusing(model: Pipeline) -> Pipeline:
    """The same model, but one that refuses a kind of call that it has not seen."""
    [(_, codes, _), *_] = model.named_steps["columns"].transformers_
    codes.handle_unknown = "error"
    return model


def test_a_day_of_which_rows_have_no_label_yet_is_told(calls: LittleLake) -> None:
    lines = (calls.project / "landing/calls/2024-05-16.csv").read_text().splitlines()
    calls.land("calls/2024-05-16.csv", *lines[:-1], lines[-1].rpartition(",")[0] + ",")
    for table in ("bronze.calls", "silver.calls"):
        calls.build(table, "2024-05-16", "build-2")
    job = Job(calls.spark, load_settings(), load_lake(), calls.ledger, JobRequest(verb="train", name="answers", run_id="train-2"))
    assert days_without_labels(job, job.lake.model("answers"), calls.ledger.versions("silver.calls")) == {"2024-05-16"}


def test_a_version_scores_any_days_beside_what_serves_and_one_whose_file_was_changed_scores_nothing(calls: LittleLake) -> None:
    calls.write("expectations/gold/call_comparisons.yaml", PREDICTIONS.rstrip() + "\n    quarantine_limit: {share: 0.05}\n")
    calls.write(CONTRACT, (calls.project / CONTRACT).read_text() + "comparisons: gold.call_comparisons\n")
    serves(calls)

    compared = calls.run("score", "answers", "2024-05-13..2024-05-15", run_id="compare-1", version=1)
    assert (compared.status, compared.facts["table"], compared.facts["rows_out"]) == ("done", "gold.call_comparisons", 240), compared.message
    again = calls.run("score", "answers", "2024-05-13..2024-05-15", run_id="compare-2", version=1)
    assert (again.status, calls.version("gold.call_comparisons")) == ("unchanged", 0)
    other = calls.run("score", "answers", run_id="compare-3", version=OTHER)
    assert other.facts["days"] == ["2024-05-15", "2024-05-16"], other.message
    calls.build("silver.calls", "2024-05-15", "build-2", force=True)
    changed = [calls.run("score", "answers", "2024-05-14..2024-05-15", run_id=f"compare-{number}", version=1) for number in (4, 5)]
    assert [(result.status, result.facts["days"]) for result in changed] == [("done", ["2024-05-15"]), ("unchanged", [])]
    found = calls.frame("gold.call_comparisons").groupBy("model_version").count().collect()
    assert {tuple(row) for row in found} == {(1, 240), (OTHER, 160)}

    command = f"touch {calls.project}/ran"
    hostile = Path(load_settings().models_path) / "answers/other/model.skops"
    figures = keep([1])
    hostile.write_bytes(hostile_pickle(command))
    served = champion(calls)
    for sha256 in (figures["sha256"], sha256_of(hostile)):
        calls.ledger.record_model(replace(served, figures={**served.figures, **figures, "sha256": sha256}))
        refused = calls.run("score", "answers", "2024-05-15", run_id="score-1")
        assert refused.status == "failed_terminal"
        assert refused.message.startswith("answers: the model file is refused: ")
    assert not (calls.project / "ran").exists()
    assert TABLE not in {path.name for path in calls.project.rglob("*")}
    assert calls.ledger.days(TABLE) == {}, "neither comparisons nor a refused file are predictions"


def sha256_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
