"""Engines and kinds other than one classifier, from contract to predictions: they are changed by the contract and the model's file alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from expectations.loader import load_lake
from expectations.settings import load_settings
from spark_jobs.lake.learning.engines.estimators import build_estimator, with_parameters
from spark_jobs.lake.learning.engines.grouped import Grouped
from spark_jobs.lake.learning.registry.model_store import ModelStore
from tests.spark_jobs.lake.learning.conftest import LEARNED, calls_of

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
CONTRACT = "expectations/models/answers.yaml"
HOURS = """
    contract: 1
    description: At which hour a call is made.
    kind: regression
    score: mae
    training: silver.calls
    features: silver.calls
    predictions: gold.hour_predictions
    target: call
    predicted: predicted_call
    inputs: [kind, hour]
    split: {validation_days: 2, test_days: 3}
    folds: 2
    trusted_types:
      - functools.partial
      - sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor
      - sklearn.utils.validation.check_array
"""


def test_each_group_is_fitted_on_its_own_rows_at_once_and_all_of_them_serve_as_one(calls: LittleLake) -> None:
    # one call by boat: too few for a model of their own
    calls.land("calls/2024-05-01.csv", "called_on,call,kind,hour,answered", *calls_of("2024-05-01"), "2024-05-01,1999,boat,9,true")
    for table in ("bronze.calls", "silver.calls"):
        calls.build(table, "2024-05-01", "build-2")
    text = (calls.project / CONTRACT).read_text()
    calls.write(CONTRACT, text + "budget: {method: halving, factor: 2}\nengine: per_group\ngroup_by: kind\n")
    result = calls.run("train", "answers", LEARNED, run_id="train-2")
    assert (result.status, result.facts["version"]) == ("done", 2), result.message
    figures, model = calls.ledger.model_versions("answers")[0].figures, load_lake().model("answers")
    assert sorted(candidate["part"] for candidate in figures["search"]) == [1, 2, 4, 4]
    store = ModelStore(load_settings(), model)
    served = store.load(figures["file"], figures["sha256"])
    assert isinstance(served, Grouped)
    assert list(served.own) == ["home", "mobile", "office"]

    examples: pd.DataFrame = store.examples(figures["training_set"], figures["training_set_sha256"])
    learned = examples[(examples["_day"] <= "2024-05-11") & (examples["kind"] == "home")]
    alone = with_parameters(build_estimator(model), figures["parameters"]).fit(learned[["kind", "hour"]], learned["answered"])
    seen = examples[examples["kind"] == "home"][["kind", "hour"]]
    assert (alone.predict_proba(seen) == served.predict_proba(seen)).all()

    calls.ledger.crown("answers", 2, 1)
    scored = calls.run("score", "answers", run_id="score-2")
    assert (scored.status, scored.facts["rows_out"]) == ("done", 160), scored.message
    rows = calls.frame("gold.call_predictions").toArrow().to_pandas().merge(calls.frame("silver.calls").toArrow().to_pandas(), on="call")
    said = served.predict_proba(rows[["kind"]].assign(hour=rows["hour"].astype(float)))[:, 1]
    assert abs(rows["chance"] - said).max() < 1e-12


def test_a_regression_learns_numbers_and_publishes_numbers(calls: LittleLake) -> None:
    columns = (calls.project / "expectations/gold/call_predictions.yaml").read_text()
    columns = columns.replace("chance: {type: double, nullable: false}", "predicted_call: {type: double, nullable: false}")
    calls.write("expectations/gold/hour_predictions.yaml", columns.replace("  predicted: {type: boolean, nullable: false}\n", ""))
    calls.write("expectations/models/hours.yaml", HOURS)
    logic = (calls.project / "spark_jobs/models/answers.py").read_text()
    calls.write("spark_jobs/models/hours.py", logic.replace("Classifier", "Regressor"))
    result = calls.run("train", "hours", LEARNED, run_id="train-1")
    assert (result.status, set(result.facts["metrics"]) >= {"mae", "rmse", "r2"}) == ("done", True), result.message
    calls.ledger.crown("hours", 1, None)
    assert calls.run("score", "hours", run_id="score-1").facts["rows_out"] == 160
    assert {type(row.predicted_call) for row in calls.frame("gold.hour_predictions").collect()} == {float}
