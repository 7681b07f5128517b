"""Pipelines of Spark ML are fitted, kept and asked where the rows are; nothing but Spark ML's own classes is made from a kept one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from expectations.errors import ContractError, ModelError
from expectations.settings import load_settings
from spark_jobs.lake.learning.answering import PREDICTED, PROBABILITY, SHARE
from spark_jobs.lake.learning.engines.pipelines import LABEL, KeptPipeline, build_pipeline, folder_sha256, keep_pipeline, label, open_pipeline
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
PLANES = [
    ("BOEING", "Fixed wing multi engine", "737-824", "Turbo-fan"),
    ("AIRBUS INDUSTRIE", "Fixed wing multi engine", "A320-214", "Turbo-fan"),
    ("EMBRAER", "Fixed wing multi engine", "EMB-145LR", "Turbo-fan"),
    ("MCDONNELL DOUGLAS", "Fixed wing multi engine", "MD-88", "Turbo-jet"),
    ("MCDONNELL DOUGLAS AIRCRAFT CO", "Fixed wing multi engine", "MD-82", "Turbo-jet"),
    ("CESSNA", "Fixed wing single engine", "172N", "Reciprocating"),
    ("PIPER", "Fixed wing single engine", "PA-28-180", "Reciprocating"),
    ("BELL", "Rotorcraft", "206B", "Turbo-shaft"),
]
CONTRACT = "expectations/models/answers.yaml"


def alone(calls: LittleLake, verb: str, days: str | None, run_id: str) -> JobResult:
    """Do a job in a thread of its own: Spark ML's client speaks through its thread's first session, which for a real job is the job's."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(calls.run, verb, "answers", days, run_id).result()


@pytest.mark.spark
def test_a_forest_is_searched_fitted_registered_and_asked_where_the_rows_are(calls: LittleLake) -> None:
    text = (calls.project / CONTRACT).read_text()
    space = "search: {RandomForestClassifier__maxDepth: [4]}"
    calls.write(CONTRACT, text.replace(text[text.index("search:") : text.index("folds:")], f"{space}\nengine: spark_ml\nslices: [kind]\n"))
    calls.write("spark_jobs/models/answers.py", FOREST)
    result = alone(calls, "train", LEARNED, "train-2")
    assert (result.status, result.facts["version"], result.facts["rows"]) == ("done", 2, 14 * 80), result.message
    assert result.facts["metrics"]["roc_auc"] > 0.7
    assert result.facts["champion"]["roc_auc"] > 0.7, "the champion, an estimator of scikit-learn, was asked about the same rows"
    figures = calls.ledger.model_versions("answers")[0].figures
    models = Path(load_settings().models_path)
    for path, sha256 in (("file", "sha256"), ("training_set", "training_set_sha256")):
        assert folder_sha256(str(models / figures[path])) == figures[sha256]
    assert calls.spark.read.parquet(str(models / figures["training_set"])).count() == 14 * 80
    assert not list((models / "answers" / "_search").iterdir())
    calls.ledger.crown("answers", 2, 1)
    scored = alone(calls, "score", None, "score-2")
    assert (scored.status, scored.facts["rows_out"], scored.facts["model_version"]) == ("done", 160, 2), scored.message
    asked = ModelStore(load_settings(), calls_model()).load(figures["file"], figures["sha256"])
    assert isinstance(asked, KeptPipeline)


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


@pytest.mark.spark
def test_words_tell_the_engine_of_a_plane_and_a_changed_byte_or_a_foreign_class_is_refused(spark: SparkSession, planes: Model, tmp_path: Path) -> None:
    rows = spark.createDataFrame(PLANES * 20, "manufacturer string, type string, model string, engine string")
    classes = ("Reciprocating", "Turbo-fan", "Turbo-jet", "Turbo-shaft")
    fitted = build_pipeline(planes, {"LogisticRegression__maxIter": 40}).fit(rows.withColumn(LABEL, label(planes.contract, classes)))
    folder = tmp_path / "model"
    sha256 = keep_pipeline(fitted, str(folder), classes)
    asked = spark.createDataFrame(PLANES, rows.schema).drop("engine")
    found = open_pipeline(str(folder), sha256).answers(asked, "multiclass", 0.5).collect()
    assert [row[PREDICTED] for row in found] == [engine for *_, engine in PLANES]
    assert all(row[PROBABILITY] == max(row[f"{SHARE}{name}"] for name in classes) > 0.5 for row in found)

    metadata = next((folder / "pipeline" / "stages").glob("6_*/metadata/part-*"))
    text = metadata.read_text()
    metadata.write_text(text.replace("org.apache.spark.ml.feature.VectorAssembler", "os.system"))
    with pytest.raises(ValueError, match=f"but {sha256} was registered"):
        open_pipeline(str(folder), sha256)
    with pytest.raises(ValueError, match=r"names the class 'os\.system', which is not one of Spark ML's own"):
        open_pipeline(str(folder), folder_sha256(str(folder)))


@pytest.mark.spark
def test_a_parameter_or_a_stage_that_is_not_there_is_told(planes: Model) -> None:
    with pytest.raises(ModelError, match=r"'LogisticRegression__leafs', which build_estimator\(\) does not have; its stages are Tokenizer, HashingTF"):
        build_pipeline(planes, {"LogisticRegression__leafs": 3})
    planes.logic.write_text("def build_estimator():\n    return 7\n")
    with pytest.raises(ContractError, match=r"build_estimator\(\) returned int stage; return a pyspark\.ml Pipeline of Spark ML's own stages"):
        build_pipeline(planes, {})
