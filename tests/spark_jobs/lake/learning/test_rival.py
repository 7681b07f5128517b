"""No champion is replaced unseen: not where it cannot be asked, not where the surroundings fail, not where another one came meanwhile."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import skops.io
from pyspark.errors.exceptions.connect import SparkConnectGrpcException
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from expectations.errors import ModelError, TransientError
from expectations.ledger import ModelEntry
from expectations.loader import load_lake
from expectations.settings import Settings, load_settings
from spark_jobs.lake.learning.lesson import Lesson
from spark_jobs.lake.learning.registry import promotion
from spark_jobs.lake.learning.registry.model_store import ModelStore
from spark_jobs.lake.learning.splitting import DaySplit
from spark_jobs.lake.learning.training import answers_or_why_not, champion_answers
from tests.spark_jobs.lake.learning.conftest import SILVER
from tests.spark_jobs.lake.learning.test_promotion import crowned_in_mlflow
from tests.spark_jobs.lake.learning.test_training import CONTRACT, LEARNED, champion, change

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from tests.spark_jobs.lake.conftest import LittleLake

OTHER = 7
"""A version that nobody trained here: the first one's entry, with other figures."""
CROWNS = """

    build_trees = build_estimator


    def build_estimator():
        from expectations.ledger import Ledger

        ledger = Ledger("{url}")
        if ledger.champion("answers").version == 7:
            ledger.crown("answers", 1, 7)
        return build_trees()
"""
CANNOT = "could not be asked about the same days ({}); to let this version serve all the same, promote it by hand"


def serves(lake: LittleLake, **figures: Any) -> None:
    """Let OTHER be champion in the first one's place."""
    first = champion(lake)
    lake.ledger.record_model(replace(first, version=OTHER, run_id="elsewhere", figures={**first.figures, **figures}), instead_of=first.version)


def keep(estimator: Any) -> dict[str, str]:
    """The figures that tell where an estimator is kept."""
    data, file = skops.io.dumps(estimator), "answers/other/model.skops"
    path = Path(load_settings().models_path) / file
    path.parent.mkdir()
    path.write_bytes(data)
    return {"file": file, "sha256": hashlib.sha256(data).hexdigest()}


def what_came_of(lake: LittleLake) -> str:
    """What a training says of its challenger; it must not serve."""
    result = lake.run("train", "answers", LEARNED, run_id="train-2", force=True)
    assert (result.status, result.facts["promoted"], champion(lake).version) == ("done", False, OTHER), result.message
    assert crowned_in_mlflow(lake) == 1
    return str(result.facts["reason"])


@pytest.mark.spark
def test_a_champion_that_refuses_a_new_category_among_the_test_rows_serves_on(calls: LittleLake) -> None:
    columns = ColumnTransformer([("kinds", OneHotEncoder(handle_unknown="error"), ["kind"])])
    learned = pd.DataFrame({"kind": ["office", "home", None] * 2, "hour": [8.0] * 6})  # and no mobile
    serves(calls, **keep(Pipeline([("columns", columns), ("line", LogisticRegression())]).fit(learned, [1, 0, 0, 1, 0, 1])))
    assert what_came_of(calls).startswith("the champion could not be asked about the same days (ValueError: Found unknown categories ['mobile']")


@pytest.mark.spark
def test_a_champion_whose_column_only_the_features_still_have_serves_on(calls: LittleLake) -> None:
    calls.write("expectations/silver/call_features.yaml", SILVER.replace("answered: {type: boolean}", "ringing: {type: int}"))
    calls.write("spark_jobs/silver/call_features.sql", "SELECT called_on, call, kind, hour, call AS ringing, _row FROM bronze_calls\n")
    change(calls, CONTRACT, "features: silver.calls", "features: silver.call_features")
    serves(calls, inputs=["kind", "hour", "ringing"])
    assert what_came_of(calls) == "the champion " + CANNOT.format("silver.calls has no column ringing any more")


def asked(root: str, figures: dict[str, Any]) -> pd.DataFrame | str | None:
    """What comes of asking a champion of the sample's model, of which nothing but this is known; its file is not there."""
    lake, settings = load_lake(), Settings(Path(root), "dev", root, "", f"sqlite:///{root}/ledger.db", "spark_lake", schedule=True)
    model, known = lake.model("flight_delay"), {"inputs": ["distance_miles"], "file": "flight_delay/gone/model.skops", "sha256": "0"}
    entry = ModelEntry(model.name, 1, "run-1", True, "2013-01-01", "2013-01-31", {}, {**known, **figures}, datetime(2013, 2, 1, tzinfo=UTC))
    job: Any = SimpleNamespace(lake=lake, settings=settings)
    lesson = Lesson(model, DaySplit((), (), ()), {}, entry, ("distance_miles",))
    return champion_answers(job, lesson, pd.DataFrame({"distance_miles": [200.0]}))


@pytest.mark.parametrize("figures", [{}, {"inputs": ["distance_in_furlongs"]}, {"kind": "regression"}], ids=["file gone", "features lost it", "another kind"])
def test_a_champion_that_could_not_serve_any_more_is_no_rival(tmp_path: Path, figures: dict[str, Any]) -> None:
    assert asked(str(tmp_path), figures) is None


def test_a_champion_whose_file_cannot_be_reached_now_ends_the_training() -> None:
    with pytest.raises(TransientError, match="cannot be reached"):
        asked("nowhere://bucket", {"file": "flight_delay/a pipeline/model"})


@pytest.mark.spark
def test_a_search_of_which_every_candidate_fails_is_one_error_and_the_champion_stays(calls: LittleLake) -> None:
    change(calls, CONTRACT, "[0.01, 0.3]", "[-1, -2]")
    result = calls.run("train", "answers", LEARNED, run_id="train-2")
    assert result.status == "failed_terminal"
    assert "InvalidParameterError" in result.message
    assert result.message.count("failed:") == 1
    assert ([entry.version for entry in calls.ledger.model_versions("answers")], champion(calls).version, crowned_in_mlflow(calls)) == ([1], 1, 1)


@pytest.mark.spark
def test_a_training_ends_where_another_version_became_champion_while_it_searched(calls: LittleLake) -> None:
    change(calls, CONTRACT, "inputs: [kind, hour]", "inputs: [kind]")
    serves(calls, inputs=["kind"])
    file = calls.project / "spark_jobs/models/answers.py"
    file.write_text(file.read_text() + CROWNS.replace("\n    ", "\n").format(url=load_settings().ledger_url))
    result = calls.run("train", "answers", LEARNED, run_id="train-2")
    told = "answers: another version became champion during the training; train again, the finished fits are kept."
    assert (result.status, result.message) == ("failed_transient", told)
    assert [(entry.version, entry.champion) for entry in calls.ledger.model_versions("answers")] == [(OTHER, False), (1, True)]
    assert list((Path(load_settings().models_path) / "answers" / "_search").iterdir()), "the finished fits are kept"


@pytest.mark.spark
def test_a_version_crowned_between_the_comparison_and_the_ledger_stays_champion(calls: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = ModelStore.register

    def upload_slowly(*facts: Any) -> Any:
        serves(calls)
        return upload(*facts)

    with monkeypatch.context() as patch:
        patch.setattr(ModelStore, "register", upload_slowly)
        late = calls.run("train", "answers", LEARNED, run_id="train-2", force=True)
    told = "answers: v2 was to be champion in the place of v1, but v7 is champion now; do it again, compared with that."
    assert (late.status, late.message) == ("failed_transient", told)
    assert [(entry.version, entry.champion) for entry in calls.ledger.model_versions("answers")] == [(OTHER, True), (1, False)]
    assert crowned_in_mlflow(calls) == 1, "the alias follows the ledger, and is not moved by one that it refuses"

    again = calls.run("train", "answers", LEARNED, run_id="train-2", force=True)
    assert (again.status, again.facts["promoted"]) == ("done", True), again.message
    assert champion(calls).version == crowned_in_mlflow(calls) == again.facts["version"]

    # and by hand
    able = promotion._require_able

    def able_slowly(*facts: Any) -> None:
        calls.ledger.crown("answers", OTHER, again.facts["version"])
        able(*facts)

    monkeypatch.setattr(promotion, "_require_able", able_slowly)
    refused = calls.run("promote", "answers", run_id="by hand", version=1)
    assert (refused.status, champion(calls).version, crowned_in_mlflow(calls)) == ("failed_transient", OTHER, again.facts["version"])


@pytest.mark.parametrize("fault", [SparkConnectGrpcException("the server is gone"), TransientError("the disk is away"), ConnectionResetError("reset")])
def test_a_fault_of_the_surroundings_is_raised_and_says_nothing_of_the_champion(fault: Exception) -> None:
    with pytest.raises(type(fault)):
        answers_or_why_not(lambda: raised(fault))


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (ValueError("Found unknown categories\n ['truck']"), "ValueError: Found unknown categories ['truck']"),
        (AttributeError("no predict_proba"), "AttributeError: no predict_proba"),
        (ModelError("the pipeline gives no probability"), "ModelError: the pipeline gives no probability"),
    ],
)
def test_why_a_champion_refuses_is_told_in_one_line(fault: Exception, told: str) -> None:
    assert answers_or_why_not(lambda: raised(fault)) == told


def raised(fault: Exception) -> pd.DataFrame:
    raise fault


@pytest.mark.spark
def test_a_pipeline_that_refuses_a_row_tells_why(spark: SparkSession) -> None:
    from pyspark.ml.feature import StringIndexer

    kinds = StringIndexer(inputCol="kind", outputCol="code").fit(spark.createDataFrame([("office",), ("home",)], "kind string"))
    asked = kinds.transform(spark.createDataFrame([("office",), ("mobile",)], "kind string")).select("code")
    why_not = answers_or_why_not(lambda: asked.toArrow().to_pandas())
    assert isinstance(why_not, str)
    assert why_not.startswith("SparkException: [FAILED_EXECUTE_UDF]")
