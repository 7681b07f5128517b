"""Another engine and another kind, from contract to predictions: they are changed by the contract and the model's file alone."""

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
    engine: per_group
    group_by: kind
    search: {trees__max_leaf_nodes: [3, 7], trees__learning_rate: [0.01, 0.3]}
    budget: {method: halving, factor: 2}
    folds: 2
    trusted_types:
      - functools.partial
      - sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor
      - sklearn.utils.validation.check_array
"""


@pytest.mark.long
def test_a_number_is_learned_by_each_group_on_its_own_rows_and_all_of_them_serve_as_one_and_are_made_again(calls: LittleLake) -> None:
    # one call by boat: too few for a model of their own
    calls.land("calls/2024-05-01.csv", "called_on,call,kind,hour,answered", *calls_of("2024-05-01"), "2024-05-01,1999,boat,9,true")
    for table in ("bronze.calls", "silver.calls"):
        calls.build(table, "2024-05-01", "build-2")
    columns = (calls.project / "expectations/gold/call_predictions.yaml").read_text()
    columns = columns.replace("chance: {type: double, nullable: false}", "predicted_call: {type: double, nullable: false}")
    calls.write("expectations/gold/hour_predictions.yaml", columns.replace("  predicted: {type: boolean, nullable: false}\n", ""))
    calls.write("expectations/models/hours.yaml", HOURS)
    logic = (calls.project / "spark_jobs/models/answers.py").read_text()
    calls.write("spark_jobs/models/hours.py", logic.replace("Classifier", "Regressor"))

    result = calls.run("train", "hours", LEARNED, run_id="train-1")
    assert (result.status, result.facts["version"], set(result.facts["metrics"]) >= {"mae", "rmse", "r2"}) == ("done", 1, True), result.message
    figures, model = calls.ledger.model_versions("hours")[0].figures, load_lake().model("hours")
    assert sorted(candidate["part"] for candidate in figures["search"]) == [1, 2, 4, 4]
    store = ModelStore(load_settings(), model)
    served = store.load(figures["file"], figures["sha256"])
    assert isinstance(served, Grouped)
    assert list(served.own) == ["home", "mobile", "office"]
    examples: pd.DataFrame = store.examples(figures["training_set"], figures["training_set_sha256"])
    learned = examples[(examples["_day"] <= "2024-05-11") & (examples["kind"] == "home")]
    alone = with_parameters(build_estimator(model), figures["parameters"]).fit(learned[["kind", "hour"]], learned["call"])
    seen = examples[examples["kind"] == "home"][["kind", "hour"]]
    assert (alone.predict(seen) == served.predict(seen)).all()

    again = calls.run("rebuild", "hours", run_id="rebuild-1", version=1)
    assert (again.status, again.facts["rows_differing"], again.facts["changed"]) == ("done", 0, {}), again.message
    calls.ledger.crown("hours", 1, None)
    scored = calls.run("score", "hours", run_id="score-1")
    assert (scored.status, scored.facts["rows_out"]) == ("done", 160), scored.message
    rows = calls.frame("gold.hour_predictions").toArrow().to_pandas().merge(calls.frame("silver.calls").toArrow().to_pandas(), on="call")
    said = served.predict(rows[["kind"]].assign(hour=rows["hour"].astype(float)))
    assert (str(rows["predicted_call"].dtype), abs(rows["predicted_call"] - said).max() < 1e-9) == ("float64", True)
