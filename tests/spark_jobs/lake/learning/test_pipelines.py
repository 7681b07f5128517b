"""Pipelines of Spark ML are fitted, kept and asked where the rows are; nothing but Spark ML's own classes is made from a kept one."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pytest

from expectations.errors import ContractError, ModelError
from expectations.lake import Model
from expectations.model_contract import History
from launcher.landing import _data
from spark_jobs.lake.learning.answering import PREDICTED, PROBABILITY, SHARE
from spark_jobs.lake.learning.engines.pipeline_training import first_day_of, fit_pipeline, past_on_spark
from spark_jobs.lake.learning.engines.pipelines import (
    LABEL,
    answered,
    as_pipeline_sees,
    build_pipeline,
    folder_sha256,
    keep_pipeline,
    label,
    open_pipeline,
)
from spark_jobs.lake.learning.evaluation.baselines import past_of
from tests.spark_jobs.lake.learning.evaluation.contracts import contract_of

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

FOREST = """
from pyspark.ml import Pipeline
from pyspark.ml.classification import RandomForestClassifier
from pyspark.ml.feature import Imputer, StandardScaler, StringIndexer, VectorAssembler


def build_estimator():
    kinds = StringIndexer(inputCol="kind", outputCol="kind_code", handleInvalid="keep")
    hours = Imputer(inputCols=["hour"], outputCols=["known_hour"])
    columns = VectorAssembler(inputCols=["kind_code", "known_hour"], outputCol="columns")
    scaled = StandardScaler(inputCol="columns", outputCol="features")
    return Pipeline(stages=[kinds, hours, columns, scaled, RandomForestClassifier(numTrees=5)])
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


def model_of(folder: Path, logic: str, **facts: Any) -> Model:
    """A model with this file."""
    file = folder / "model.py"
    file.write_text(logic)
    return Model("answers", contract_of(engine="spark_ml", **facts), folder / "model.yaml", file)


@pytest.mark.spark
def test_a_forest_tells_the_chance_of_rows_with_and_without_what_they_are_asked_about(spark: SparkSession, tmp_path: Path) -> None:
    rows = [("office", float(hour), 1) if hour % 4 else ("home", float(hour), 0) for hour in range(40)] + [(None, 3.0, 1), ("home", None, 0)]
    model = model_of(tmp_path, FOREST, inputs=["kind", "hour"], seed=11)
    learned = spark.createDataFrame(rows, "kind string, hour double, late int")
    parameters = {"RandomForestClassifier__maxDepth": 4}
    fitted, again = (fit_pipeline(model, parameters, learned, ()) for _ in range(2))
    asked = as_pipeline_sees(spark.createDataFrame([("office", 9.0), ("home", 8.0), (None, None), ("boat", 1.0)], "kind string, hour double"), ["kind", "hour"])
    found = answered(fitted.transform(asked), ["kind"], "binary", 0.5, ()).toArrow().to_pandas()
    assert found.columns.tolist() == ["kind", PROBABILITY, PREDICTED]
    assert found[PREDICTED].tolist()[:2] == [True, False]
    assert (found[PREDICTED] == (found[PROBABILITY] >= 0.5)).all() and found[PROBABILITY].between(0, 1).all()
    same = answered(again.transform(asked), ["kind"], "binary", 0.5, ()).toArrow().to_pandas()
    assert abs(found[PROBABILITY] - same[PROBABILITY]).max() <= 1e-9
    forest = build_pipeline(model, parameters).getStages()[-1]
    assert forest.getSeed() == model.contract.seed == 11


@pytest.mark.spark
def test_a_row_that_a_stage_refuses_ends_the_training_with_what_to_do(spark: SparkSession, tmp_path: Path) -> None:
    logic = FOREST.replace('known_hour"], output', 'hour"], output').replace("[kinds, hours, columns", "[kinds, columns")
    rows = spark.createDataFrame([("office", 9.0, 1), ("home", None, 0)], "kind string, hour double, late int")
    with pytest.raises(ModelError, match="a stage refuses a row, often for a null: put an Imputer before it, or let its handleInvalid keep or skip"):
        fit_pipeline(model_of(tmp_path, logic, inputs=["kind", "hour"]), {}, rows, ())


@pytest.mark.spark
def test_a_missing_text_is_shown_as_the_empty_one_and_a_missing_number_as_missing(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("new", 1.0), (None, None)], "kind string, hour double")
    assert [tuple(row) for row in as_pipeline_sees(rows, ["kind", "hour"]).collect()] == [("new", 1.0), ("", None)]
    assert [tuple(row) for row in as_pipeline_sees(rows, ["hour"]).collect()] == [("new", 1.0), (None, None)]


def test_the_history_of_a_week_begins_a_week_before_the_first_day_that_is_asked() -> None:
    assert first_day_of(History(keys=("kind",), days=7), "2024-05-08") == "2024-05-01"


@pytest.mark.spark
@pytest.mark.parametrize(("facts", "classes"), [({}, ()), ({"kind": "multiclass", "score": "accuracy"}, ("jet", "prop"))])
def test_what_happened_before_is_added_up_as_of_collected_rows_for_the_keys_that_are_asked(
    spark: SparkSession, facts: dict[str, Any], classes: tuple[str, ...]
) -> None:
    late: list[Any] = ["jet", "jet", "prop", "prop", "jet"] if classes else [1, 0, 1, 1, 0]
    of = History(keys=("kind",), days=2)
    rows = pd.DataFrame({"_day": [f"2024-05-0{day}" for day in (1, 1, 2, 2, 2)], "kind": ["home", "home", None, "home", "boat"], "late": late})
    asked = pd.DataFrame({"kind": ["home", None, "home"]})
    contract = contract_of(history=of, **facts)
    found = past_on_spark(contract, of, spark.createDataFrame(rows), spark.createDataFrame(asked, "kind string"), classes)
    told = past_of(contract, of, rows[rows["kind"] != "boat"], "_day")
    assert sums(found) == sums(told)


def sums(past: pd.DataFrame) -> list[list[tuple[str, Any]]]:
    """The rows, sorted, each as its columns with their values."""
    return sorted((sorted(row.items()) for row in past.where(past.notna(), None).to_dict("records")), key=str)


@pytest.fixture
def planes(tmp_path: Path) -> Model:
    """A model of several classes, whose pipeline counts words."""
    return model_of(tmp_path, WORDS, kind="multiclass", score="accuracy", target="engine", inputs=["manufacturer", "type", "model"])


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
