"""No champion is replaced unseen: not where it cannot be asked, not where the surroundings fail."""

from __future__ import annotations

import hashlib
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
from spark_jobs.lake.learning.answering import PREDICTED, PROBABILITY, with_answers
from spark_jobs.lake.learning.evaluation.judging import judged
from spark_jobs.lake.learning.examples import DAY
from spark_jobs.lake.learning.lesson import Lesson, lesson_of
from spark_jobs.lake.learning.registry.model_store import ModelStore
from spark_jobs.lake.learning.splitting import DaySplit
from spark_jobs.lake.learning.training import answers_or_why_not, champion_answers
from tests.spark_jobs.lake.learning.conftest import SILVER
from tests.spark_jobs.lake.learning.versions import CONTRACT, LEARNED, change, examples, job_of, serves

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from tests.spark_jobs.lake.conftest import LittleLake


def keep(estimator: Any) -> dict[str, str]:
    """The figures that tell where an estimator is kept."""
    data, file = skops.io.dumps(estimator), "answers/other/model.skops"
    path = Path(load_settings().models_path) / file
    path.parent.mkdir()
    path.write_bytes(data)
    return {"file": file, "sha256": hashlib.sha256(data).hexdigest()}


def what_the_champion_says(lake: LittleLake) -> pd.DataFrame | str | None:
    """Its answers on the test days of a training, or why there are none."""
    job = job_of(lake, "train", LEARNED, "train-2")
    rows = examples()
    return champion_answers(job, lesson_of(job, job.lake.model("answers")), rows[rows[DAY] > "2024-05-11"])


def test_a_champion_is_asked_about_the_test_days_of_its_challenger(registered: LittleLake) -> None:
    change(registered, CONTRACT, "inputs: [kind, hour]", "inputs: [kind]")
    said = what_the_champion_says(registered)
    assert isinstance(said, pd.DataFrame)
    assert (len(said), said[PROBABILITY].between(0, 1).all(), said[PREDICTED].nunique()) == (3 * 80, True, 2)


def test_a_champion_that_refuses_a_new_category_among_the_test_rows_serves_on(registered: LittleLake) -> None:
    columns = ColumnTransformer([("kinds", OneHotEncoder(handle_unknown="error"), ["kind"])])
    learned = pd.DataFrame({"kind": ["office", "home", None] * 2, "hour": [8.0] * 6})  # and no mobile
    serves(registered, **keep(Pipeline([("columns", columns), ("line", LogisticRegression())]).fit(learned, [1, 0, 0, 1, 0, 1])))
    why_not = what_the_champion_says(registered)
    assert isinstance(why_not, str)
    assert why_not.startswith("ValueError: Found unknown categories ['mobile']")
    contract = job_of(registered, "train").lake.model("answers").contract
    rows = with_answers(contract, trees(registered), examples()[-240:], ["kind", "hour"])
    found = judged(contract, examples()[:-240], rows, why_not)
    assert (found.verdict.outcome, found.champion) == ("kept", None)
    assert found.verdict.reason.startswith("the champion could not be asked about the same days (ValueError: Found unknown categories ['mobile']")


def trees(lake: LittleLake) -> Any:
    """The estimator of the first version."""
    first = lake.ledger.model_versions("answers")[-1].figures
    return ModelStore(load_settings(), load_lake().model("answers")).load(first["file"], first["sha256"])


def test_a_champion_whose_column_only_the_features_still_have_serves_on(registered: LittleLake) -> None:
    registered.write("expectations/silver/call_features.yaml", SILVER.replace("answered: {type: boolean}", "ringing: {type: int}"))
    registered.write("spark_jobs/silver/call_features.sql", "SELECT called_on, call, kind, hour, call AS ringing, _row FROM bronze_calls\n")
    change(registered, CONTRACT, "features: silver.calls", "features: silver.call_features")
    serves(registered, inputs=["kind", "hour", "ringing"])
    assert what_the_champion_says(registered) == "silver.calls has no column ringing any more"


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
