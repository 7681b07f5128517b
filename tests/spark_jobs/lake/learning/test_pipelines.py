"""Pipelines of Spark ML are fitted, kept and asked where the rows are; nothing but Spark ML's own classes is made from a kept one."""

from __future__ import annotations

import re
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

from expectations.errors import ContractError, ModelError
from expectations.settings import load_settings
from launcher.landing import _data
from spark_jobs.lake.learning.answering import PREDICTED, PROBABILITY, SHARE
from spark_jobs.lake.learning.engines import pipeline_training
from spark_jobs.lake.learning.engines.pipelines import (
    LABEL,
    KeptPipeline,
    as_pipeline_sees,
    build_pipeline,
    folder_sha256,
    keep_pipeline,
    label,
    open_pipeline,
)
from spark_jobs.lake.learning.evaluation.baselines import baselines_of
from spark_jobs.lake.learning.registry.model_store import ModelStore
from tests.spark_jobs.lake.learning.conftest import LEARNED

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from expectations.jobs import JobResult
    from expectations.lake import Model
    from tests.spark_jobs.lake.conftest import LittleLake

FOREST = """
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import RandomForestClassifier
    from pyspark.ml.feature import Imputer, StandardScaler, StringIndexer, VectorAssembler


    def build_estimator():
        kinds = StringIndexer(inputCol="kind", outputCol="kind_code", handleInvalid="keep")
        hours = Imputer(inputCols=["hour"], outputCols=["known_hour"])
        columns = VectorAssembler(inputCols=["kind_code", "known_hour"], outputCol="columns")
        scaled = StandardScaler(inputCol="columns", outputCol="features")
        return Pipeline(stages=[kinds, hours, columns, scaled, RandomForestClassifier(numTrees=100)])
"""
WORDS = """
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import LogisticRegression
    from pyspark.ml.feature import HashingTF, Tokenizer, VectorAssembler

    TEXTS = ["manufacturer", "type", "model"]


    def build_estimator():
        words = [Tokenizer(inputCol=text, outputCol=f"{text}_words") for text in TEXTS]
        counts = [HashingTF(inputCol=f"{text}_words", outputCol=f"{text}_counts", numFeatures=256) for text in TEXTS]
        columns = VectorAssembler(inputCols=[f"{text}_counts" for text in TEXTS], outputCol="features")
        return Pipeline(stages=[*words, *counts, columns, LogisticRegression(regParam=0.01)])
"""
CONTRACT = "expectations/models/answers.yaml"


def alone(calls: LittleLake, verb: str, days: str | None, run_id: str, **more: Any) -> JobResult:
    """Do a job in a thread of its own: Spark ML's client speaks through its thread's first session, which for a real job is the job's."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(calls.run, verb, "answers", days, run_id, **more).result()


@pytest.mark.spark
def test_a_forest_is_searched_fitted_registered_asked_and_rebuilt_where_the_rows_are(calls: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_training, "MOST_COLLECTED", 300)
    text = (calls.project / CONTRACT).read_text()
    space = "search: {RandomForestClassifier__maxDepth: [4]}"
    calls.write(
        CONTRACT,
        text.replace(text[text.index("search:") : text.index("folds:")], f"{space}\nengine: spark_ml\nslices: [kind]\nhistory: {{keys: [kind], days: 5}}\n"),
    )
    calls.write("spark_jobs/models/answers.py", FOREST)
    result = alone(calls, "train", LEARNED, "train-2")
    assert (result.status, result.facts["version"], result.facts["rows"]) == ("done", 2, 14 * 80), result.message
    assert result.facts["metrics"]["roc_auc"] > 0.7
    assert result.facts["champion"]["roc_auc"] > 0.7, "the champion, an estimator of scikit-learn, was asked about the same rows"
    figures = calls.ledger.model_versions("answers")[0].figures
    models = Path(load_settings().models_path)
    for path, sha256 in (("file", "sha256"), ("training_set", "training_set_sha256")):
        assert folder_sha256(str(models / figures[path])) == figures[sha256]
    examples = calls.spark.read.parquet(str(models / figures["training_set"])).toArrow().to_pandas()
    assert (len(examples), examples["kind"].isna().any(), (examples["kind"] == "").any()) == (14 * 80, True, False), (
        "as they are; a pipeline sees the empty text"
    )
    is_test = examples["_day"] >= "2024-05-12"
    told = baselines_of(calls_model().contract, examples[~is_test], examples[is_test], "_day")["history"]
    assert figures["history"] == pytest.approx(told, abs=1e-9), "the history is that of all rows, though only a third were collected"
    assert not list((models / "answers" / "_search").iterdir())
    calls.ledger.crown("answers", 2, 1)
    scored = alone(calls, "score", None, "score-2")
    assert (scored.status, scored.facts["rows_out"], scored.facts["model_version"]) == ("done", 160, 2), scored.message
    asked = ModelStore(load_settings(), calls_model()).load(figures["file"], figures["sha256"])
    assert isinstance(asked, KeptPipeline)
    again = alone(calls, "rebuild", None, "rebuild-1", version=2)
    assert (again.status, again.facts["rows"], again.facts["rows_differing"], again.facts["same_predictions"]) == ("done", 1120, 0, True), again.message
    next((models / figures["training_set"]).glob("part-*")).unlink()
    changed = alone(calls, "rebuild", None, "rebuild-2", version=2)
    assert (changed.status, "find out who changed it" in changed.message) == ("failed_terminal", True)


@pytest.mark.spark
def test_a_row_that_a_stage_refuses_ends_the_training_with_what_to_do(calls: LittleLake) -> None:
    text = (calls.project / CONTRACT).read_text()
    calls.write(CONTRACT, text.replace(text[text.index("search:") : text.index("folds:")], "engine: spark_ml\n"))
    calls.write("spark_jobs/models/answers.py", FOREST.replace('known_hour"], output', 'hour"], output').replace("[kinds, hours, columns", "[kinds, columns"))
    result = alone(calls, "train", LEARNED, "train-2")
    assert result.status == "failed_terminal", result.message
    assert "a stage refuses a row, often for a null: put an Imputer before it, or let its handleInvalid keep or skip" in result.message


@pytest.mark.spark
def test_a_missing_text_is_shown_as_the_empty_one_and_a_missing_number_as_missing(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("new", 1.0), (None, None)], "kind string, hour double")
    assert [tuple(row) for row in as_pipeline_sees(rows, ["kind", "hour"]).collect()] == [("new", 1.0), ("", None)]
    assert [tuple(row) for row in as_pipeline_sees(rows, ["hour"]).collect()] == [("new", 1.0), (None, None)]


def calls_model() -> Model:
    """The model of the little lake."""
    from expectations.loader import load_lake

    return load_lake().model("answers")


@pytest.fixture
def planes(calls: LittleLake) -> Model:
    """A model of several classes, whose pipeline counts words."""
    text = (calls.project / CONTRACT).read_text()
    calls.write(CONTRACT, text.replace(text[text.index("search:") : text.index("folds:")], "engine: spark_ml\n"))
    calls.write("spark_jobs/models/answers.py", WORDS)
    model = calls_model()
    facts = {"kind": "multiclass", "target": "engine", "inputs": ("manufacturer", "type", "model")}
    return type(model)(model.name, model.contract.model_copy(update=facts), model.file, model.logic)


def real_planes() -> pd.DataFrame:
    """Aircraft of 2013: what their makers call them, and the engine that they have."""
    found = pd.read_csv(_data() / "planes.csv")
    return found[["tailnum", "manufacturer", "type", "model", "engine"]]


@pytest.mark.spark
def test_words_tell_the_engine_of_planes_never_seen_and_a_changed_byte_or_a_foreign_class_is_refused(
    spark: SparkSession, planes: Model, tmp_path: Path
) -> None:
    known = real_planes()
    is_asked = known["tailnum"].map(lambda number: zlib.crc32(number.encode()) % 3 == 0)
    classes = tuple(sorted(known["engine"].unique()))
    rows = spark.createDataFrame(pa.Table.from_pandas(known[~is_asked], preserve_index=False))
    fitted = build_pipeline(planes, {"LogisticRegression__maxIter": 40}).fit(rows.withColumn(LABEL, label(planes.contract, classes)))
    folder = tmp_path / "model"
    sha256 = keep_pipeline(fitted, str(folder), classes)
    asked = spark.createDataFrame(pa.Table.from_pandas(known[is_asked], preserve_index=False))
    found = open_pipeline(str(folder), sha256).answers(asked, "multiclass", 0.5).toArrow().to_pandas()
    commonest = (found["engine"] == known.loc[~is_asked, "engine"].mode()[0]).mean()
    assert (found[PREDICTED] == found["engine"]).mean() > max(0.95, commonest + 0.1)
    assert (found[PROBABILITY] == found[[f"{SHARE}{name}" for name in classes]].max(axis="columns")).all()

    metadata = next((folder / "pipeline" / "stages").glob("6_*/metadata/part-*"))
    text = metadata.read_text()
    metadata.write_text(text.replace("org.apache.spark.ml.feature.VectorAssembler", "os.system"))
    with pytest.raises(ValueError, match=f"but {sha256} was registered"):
        open_pipeline(str(folder), sha256)
    for hostile in ("os.system", "org.apache.spark.ml.feature.SQLTransformer", "org.apache.spark.ml.util.DefaultParamsReader"):
        metadata.write_text(text.replace("org.apache.spark.ml.feature.VectorAssembler", hostile))
        with pytest.raises(ValueError, match=rf"names the class '{re.escape(hostile)}', which is not one of Spark ML's own"):
            open_pipeline(str(folder), folder_sha256(str(folder)))


@pytest.mark.spark
def test_a_parameter_or_a_stage_that_is_not_there_is_told(planes: Model) -> None:
    with pytest.raises(ModelError, match=r"'LogisticRegression__leafs', which build_estimator\(\) does not have; its stages are Tokenizer, HashingTF"):
        build_pipeline(planes, {"LogisticRegression__leafs": 3})
    text = "from pyspark.ml import Pipeline\nfrom pyspark.ml.feature import SQLTransformer\n\n\ndef build_estimator():\n"
    planes.logic.write_text(text + "    return Pipeline(stages=[SQLTransformer(statement='SELECT 1')])\n")
    with pytest.raises(ContractError, match=r"returned SQLTransformer stage; .* but no SQLTransformer, which runs any text"):
        build_pipeline(planes, {})
    planes.logic.write_text("def build_estimator():\n    return 7\n")
    with pytest.raises(ContractError, match=r"build_estimator\(\) returned int stage; return a pyspark\.ml Pipeline of Spark ML's own stages"):
        build_pipeline(planes, {})
