"""Pipelines of Spark ML: built by the model's file, fitted and asked where the rows are, kept as a folder with one sha256.

Nothing in a kept folder is code: it is JSON that names classes, and Parquet. Only classes of Spark ML itself are made from it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from pyarrow import fs
from pyspark.sql import functions as F

from expectations.errors import ContractError, ModelError
from expectations.logic_files import load_module
from expectations.storage import Place
from spark_jobs.lake.learning.answering import PREDICTED, PROBABILITY, SHARE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.ml import Pipeline, PipelineModel
    from pyspark.sql import Column, DataFrame, SparkSession

    from expectations.contract import TableContract
    from expectations.lake import Model
    from expectations.model_contract import Kind, ModelContract

LABEL = "_label"
"""The column that every stage with a labelCol learns: the target as a number, of several classes its place among them."""
PLACE = "_place"
CLASSES = "classes.json"
STAGES = "pipeline"
OWN_CLASS = re.compile(r"(pyspark|org\.apache\.spark)\.ml\.(PipelineModel|(pipeline|classification|clustering|feature|regression)\.(?!SQLTransformer$)\w+)")
"""The classes that are made from a kept folder. SQLTransformer is none of them: it runs whatever text it is given."""
REFUSED_BY_STAGE = "FAILED_EXECUTE_UDF"
"""What Spark calls it where a stage refuses a row: a SparkException, as a lost executor is."""


@dataclass(frozen=True)
class Kept:
    """A model and its training set in the lake: paths under its folder of models, sha256 in hex."""

    file: str
    sha256: str
    training_set: str
    training_set_sha256: str


@dataclass(frozen=True)
class KeptPipeline:
    """A fitted pipeline in its folder, whose bytes and classes were looked at; `classes` are those of a multiclass model, in their order."""

    location: str
    classes: tuple[str, ...]

    def answers(self, rows: DataFrame, kind: Kind, threshold: float) -> DataFrame:
        """The rows, which have the inputs, with PREDICTED and PROBABILITY, and of several classes each one's in SHARE + class."""
        from pyspark.ml import PipelineModel

        return answered(PipelineModel.load(f"{self.location}/{STAGES}").transform(rows), rows.columns, kind, threshold, self.classes)


def build_pipeline(model: Model, parameters: dict[str, Any]) -> Pipeline:
    """The model's unfitted pipeline, seeded, with these parameters: `<class of the stage>__<its parameter>` to value.

    Raises ContractError where the file does not give a pipeline of Spark ML's own stages, ModelError for a parameter that none has.
    """
    from pyspark.ml import Pipeline

    pipeline = load_module(model.logic).build_estimator()
    stages = pipeline.getStages() if isinstance(pipeline, Pipeline) else [pipeline]
    strange = [type(stage).__name__ for stage in stages if not OWN_CLASS.fullmatch(f"{type(stage).__module__}.{type(stage).__name__}")]
    if strange or not isinstance(pipeline, Pipeline):
        raise ContractError(
            f"{model.logic}: build_estimator() returned {', '.join(strange) or 'no'} stage; return a pyspark.ml Pipeline of Spark ML's own stages, "
            "but no SQLTransformer, which runs any text."
        )
    for name, value in {"seed": model.contract.seed, "labelCol": LABEL}.items():
        for stage in stages:
            if stage.hasParam(name):
                stage.set(stage.getParam(name), value)
    for name, value in parameters.items():
        kind, _, parameter = name.partition("__")
        found = [stage for stage in stages if type(stage).__name__ == kind and stage.hasParam(parameter)]
        if not found:
            known = ", ".join(dict.fromkeys(type(stage).__name__ for stage in stages))
            raise ModelError(f"the search space names {name!r}, which build_estimator() does not have; its stages are {known}, write <stage>__<parameter>.")
        for stage in found:
            stage.set(stage.getParam(parameter), value)
    return pipeline


def as_pipeline_input(contract: TableContract, name: str) -> Column:
    """A column as a pipeline sees it: a missing text is the empty one, for most stages refuse nulls; all else is a double."""
    column = F.col(name)
    return F.coalesce(column, F.lit("")) if contract.columns[name].type == "string" else column.cast("double")


def as_pipeline_sees(rows: DataFrame, inputs: Iterable[str]) -> DataFrame:
    """Frozen examples as a pipeline sees them."""
    types = dict(rows.dtypes)
    texts = {name: F.coalesce(name, F.lit("")) for name in inputs if types[name] == "string"}
    return rows.withColumns(texts) if texts else rows


def label(contract: ModelContract, classes: tuple[str, ...]) -> Column:
    """The target as LABEL has it."""
    target = F.col(contract.target)
    if contract.kind != "multiclass":
        return target.cast("double")
    return (F.array_position(F.array(*map(F.lit, classes)), target) - 1).cast("double")


def answered(scored: DataFrame, kept: list[str], kind: Kind, threshold: float, classes: tuple[str, ...]) -> DataFrame:
    """The kept columns of what a fitted pipeline gave, with its answers."""
    from pyspark.ml.functions import vector_to_array

    if kind == "regression":
        return scored.select(*kept, F.col("prediction").alias(PREDICTED))
    if "probability" not in scored.columns:
        raise ModelError("the pipeline gives no probability; let its last stage be a classifier that does, such as LogisticRegression.")
    shares = vector_to_array(F.col("probability"))
    if kind == "binary":
        return scored.select(*kept, shares[1].alias(PROBABILITY), (shares[1] >= F.lit(threshold)).alias(PREDICTED))
    best = F.array_max(shares)
    answer = F.element_at(F.array(*map(F.lit, classes)), F.array_position(shares, best).cast("int"))
    # Spark ML counts the classes up to the last one that it learned: of the others a fold's pipeline has no probability
    each = [F.coalesce(F.get(shares, F.lit(place)), F.lit(0.0)).alias(f"{SHARE}{name}") for place, name in enumerate(classes)]
    return scored.select(*kept, best.alias(PROBABILITY), answer.alias(PREDICTED), *each)


def pipeline_answers(  # noqa: PLR0913, PLR0917 - what is asked, and who
    spark: SparkSession, table: TableContract, pipeline: KeptPipeline, model: ModelContract, examples: pd.DataFrame, inputs: list[str]
) -> pd.DataFrame:
    """The examples, which are of this table, with the pipeline's answers."""
    import pyarrow as pa

    seen = pa.Table.from_pandas(examples[inputs].assign(**{PLACE: range(len(examples))}), preserve_index=False)
    rows = spark.createDataFrame(seen).select(PLACE, *(as_pipeline_input(table, name).alias(name) for name in inputs))
    found: pd.DataFrame = pipeline.answers(rows, model.kind, model.threshold).drop(*inputs).toArrow().to_pandas()
    return pd.concat([examples, found.sort_values(PLACE).drop(columns=PLACE).set_axis(examples.index)], axis="columns")


def keep_pipeline(fitted: PipelineModel, location: str, classes: tuple[str, ...]) -> str:
    """Write a fitted pipeline to a folder, in place of what is there, and return its sha256."""
    Place.of(location).delete_folder()
    fitted.write().overwrite().save(f"{location}/{STAGES}")
    Place.of(f"{location}/{CLASSES}").write_text(json.dumps(classes))
    return folder_sha256(location)


def open_pipeline(location: str, sha256: str) -> KeptPipeline:
    """The pipeline in a folder. Raises ValueError where its bytes are not the registered ones, or a class in it is not Spark ML's own."""
    found = folder_sha256(location)
    if found != sha256:
        raise ValueError(f"{location} has sha256 {found}, but {sha256} was registered")
    for name in _files(location):
        if re.search(r"(^|/)metadata/part-[^/]*$", name):
            named = json.loads(_read(f"{location}/{name}"))["class"]
            if not OWN_CLASS.fullmatch(named):
                raise ValueError(f"{location}/{name} names the class {named[:100]!r}, which is not one of Spark ML's own")
    return KeptPipeline(location, tuple(json.loads(_read(f"{location}/{CLASSES}"))))


def folder_sha256(location: str) -> str:
    """sha256 over the names and sums of all files in a folder, sorted, but for the hidden ones. Raises FileNotFoundError where there is none."""
    sums = [f"{name} {Place.of(f'{location}/{name}').fingerprint()[0]}\n" for name in _files(location)]
    return hashlib.sha256("".join(sums).encode()).hexdigest()


def copy_folder(location: str, target: str) -> None:
    """Copy a folder's files, but for the hidden ones, to a local folder."""
    for name in _files(location):
        Place.of(f"{location}/{name}").copy_to(Place.of(f"{target}/{name}"))


def _files(location: str) -> list[str]:
    """The files under a folder by their names from there, sorted, but for the hidden ones."""
    place = Place.of(location)
    found = place.system.get_file_info(fs.FileSelector(place.path, recursive=True))
    names = [info.path.removeprefix(place.path).lstrip("/") for info in found if info.type == fs.FileType.File]
    return sorted(name for name in names if not name.rpartition("/")[2].startswith("."))


def _read(location: str) -> str:
    return Place.of(location).read_bytes().decode()
