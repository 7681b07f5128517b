"""Searches and fits pipelines of Spark ML where the rows are: what is collected is a sample, to judge by."""

from __future__ import annotations

import hashlib
import json
import math
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from pyspark.errors import AnalysisException, IllegalArgumentException, PySparkException
from pyspark.sql import functions as F

from expectations.errors import ModelError, TransientError
from expectations.model_contract import SMALLER_IS_BETTER
from expectations.storage import Place
from spark_jobs.lake.learning.engines.fitting import Fitted
from spark_jobs.lake.learning.engines.pipelines import (
    LABEL,
    REFUSED_BY_STAGE,
    Kept,
    answered,
    as_pipeline_sees,
    build_pipeline,
    folder_sha256,
    keep_pipeline,
    label,
    open_pipeline,
)
from spark_jobs.lake.learning.engines.search import Candidate, best_of, climb
from spark_jobs.lake.learning.engines.search_folder import SearchFolder, outcome_key
from spark_jobs.lake.learning.evaluation.baselines import ROWS, SUM
from spark_jobs.lake.learning.evaluation.figures import figures_of_answers
from spark_jobs.lake.learning.examples import DAY, TARGET_TYPE, as_input, check_target, keys_of
from spark_jobs.lake.learning.lesson import columns_told, learning_code
from spark_jobs.lake.learning.splitting import day_folds
from spark_jobs.lake.learning.worker import write_whole
from spark_jobs.lake.reading import read_published

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame

    from expectations.lake import Model
    from expectations.model_contract import History, ModelContract
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.learning.lesson import Lesson

PARTITIONS = "16"
"""Into about so many parts a frozen training set is read."""
MOST_COLLECTED = 200_000
"""Rows of the learned days, and of the test days, that are collected to judge by: the error of a ROC AUC is then about 0.001."""


@dataclass(frozen=True)
class FrozenExamples:
    """The training set as a folder of Parquet: `rows` of them, with DAY, keys, inputs, told columns and target; its place and its sum."""

    path: str
    sha256: str
    frame: DataFrame
    rows: int
    classes: tuple[str, ...]

    def of(self, days: Iterable[str]) -> DataFrame:
        """The rows of these days."""
        return self.frame.filter(F.col(DAY).isin(list(days)))


def freeze(job: Job, lesson: Lesson) -> FrozenExamples:
    """Write the training set, sorted by day and grain. Raises TransientError where a day changed meanwhile, ModelError where the target cannot be learned."""
    model, contract = lesson.model, lesson.model.contract
    table = job.lake.table(contract.training)
    keys, seen = keys_of(table.contract), lesson.columns
    told = [name for name in columns_told(model) if name not in {*keys, *seen, contract.target}]
    rows = read_published(job, table.name, lesson.versions).select(
        F.col(keys[0]).cast("string").alias(DAY),
        *(key for key in keys if key not in {*seen, contract.target}),
        *told,
        *(as_input(table.contract, name).alias(name) for name in seen),
        F.col(contract.target).cast(TARGET_TYPE[contract.kind]).alias(contract.target),
    )
    path = f"{model.name}/{job.request.run_key}/examples.parquet"
    location = f"{job.settings.models_path}/{path}"
    rows.sort(DAY, *keys).write.mode("overwrite").parquet(location)
    if job.ledger.versions(table.name, lesson.versions) != lesson.versions:
        raise TransientError(f"{table.name} changed while {model.name} read it; train again.")
    frame = read_frozen(job, location)
    found = frame.filter(F.col(DAY).isin(list(lesson.days.learned))).select(contract.target).distinct()
    values = [row[0] for row in found.filter(F.col(contract.target).isNotNull()).sort(contract.target).limit(1000).collect()]
    nulls = [row[0] for row in frame.filter(F.col(contract.target).isNull()).select(contract.target).limit(1).collect()]
    check_target(model, [*values, *nulls])
    classes = tuple(values) if contract.kind == "multiclass" else ()
    return FrozenExamples(path, folder_sha256(location), frame, frame.count(), classes)


def read_frozen(job: Job, location: str) -> DataFrame:
    """A frozen training set. How its files are split hangs on themselves alone, not on the cores of who reads: so a fit can be repeated."""
    job.spark.conf.set("spark.sql.files.minPartitionNum", PARTITIONS)
    return job.spark.read.parquet(location)


def past_of_frozen(job: Job, lesson: Lesson, frozen: FrozenExamples) -> pd.DataFrame:
    """What past_of says, over all rows of the days before the test rows of the sample, for the keys that these have."""
    contract, of = lesson.model.contract, lesson.model.contract.history
    if of is None:
        raise ModelError(f"{lesson.model.name} has no history.")
    asked = some(frozen.of(lesson.days.test), keys_of(job.lake.table(contract.training).contract))
    return past_on_spark(contract, of, frozen.frame.filter(F.col(DAY) >= first_day_of(of, lesson.days.test[0])), asked, frozen.classes)


def first_day_of(of: History, first_asked: str) -> str:
    """The first day that counts as history of rows that are asked from a day on."""
    return (date.fromisoformat(first_asked) - timedelta(days=of.days)).isoformat()


def past_on_spark(contract: ModelContract, of: History, rows: DataFrame, asked: DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """What past_of says of the rows whose keys the asked rows have, too; `classes`: those of a multiclass target."""
    asked = asked.select(*(F.col(key).alias(f"_{key}") for key in of.keys)).distinct()
    rows = rows.join(asked, [F.col(key).eqNullSafe(F.col(f"_{key}")) for key in of.keys], "left_semi")
    target = F.col(contract.target)
    values = {name: (target == name).cast("double") for name in classes} or {contract.target: target}
    sums = [F.sum(value).alias(f"{SUM}{name}") for name, value in values.items()]
    found: pd.DataFrame = rows.groupBy(DAY, *of.keys).agg(F.count(F.lit(1)).cast("double").alias(ROWS), *sums).toArrow().to_pandas()
    return found


def sample(job: Job, lesson: Lesson, frozen: FrozenExamples) -> pd.DataFrame:
    """At most about MOST_COLLECTED rows of the learned days and as many of the test days, the same every time, sorted by day and grain."""
    import pandas as pd

    keys = keys_of(job.lake.table(lesson.model.contract.training).contract)
    parts = []
    for days in (lesson.days.learned, lesson.days.test):
        parts.append(some(frozen.of(days), keys).toArrow().to_pandas())
    found: pd.DataFrame = pd.concat(parts).sort_values([DAY, *keys], kind="stable", ignore_index=True)
    return found


def some(rows: DataFrame, keys: list[str]) -> DataFrame:
    """At most about MOST_COLLECTED of them, the same every time."""
    one_of = math.ceil(rows.count() / MOST_COLLECTED)
    return rows.filter(F.pmod(F.xxhash64(*keys), F.lit(one_of)) == 0) if one_of > 1 else rows


def search_and_fit_pipeline(job: Job, lesson: Lesson, frozen: FrozenExamples) -> Fitted:
    """The best pipeline for these rows, kept in the lake. Raises ModelError where a fit fails; the fits that went well are then not made again."""
    model, contract, started = lesson.model, lesson.model.contract, time.monotonic()
    fits = _PipelineFits(lesson, frozen, _folder(job, lesson), [DAY, *keys_of(job.lake.table(contract.training).contract)[1:]])
    candidates = climb(contract, fits.rung)
    searched, best = time.monotonic(), best_of(candidates)
    fitted = fits.fit(best.parameters, lesson.days.learned)
    file = f"{model.name}/{job.request.run_key}/model"
    location = f"{job.settings.models_path}/{file}"
    sha256 = keep_pipeline(fitted, location, frozen.classes)
    seconds = {"search": searched - started, "fit": time.monotonic() - searched}
    kept = Kept(file, sha256, frozen.path, frozen.sha256)
    return Fitted(open_pipeline(location, sha256), best, candidates, fits.folder, seconds, kept)


def _folder(job: Job, lesson: Lesson) -> SearchFolder:
    facts = repr((sorted(lesson.versions.items()), learning_code(lesson.model)))
    folder = SearchFolder(f"{job.settings.models_path}/{lesson.model.name}/_search/{hashlib.sha256(facts.encode()).hexdigest()[:16]}")
    place = Place.of(folder.location)
    place.system.create_dir(place.path, recursive=True)
    return folder


@dataclass(frozen=True)
class _PipelineFits:
    """The fits of one search: one after the other, for each takes all of Spark."""

    lesson: Lesson
    frozen: FrozenExamples
    folder: SearchFolder
    keys: list[str]

    def rung(self, grid: list[dict[str, Any]], part: int) -> list[Candidate]:
        """Every one of the grid on every fold."""
        folds = day_folds(self.lesson.days, self.lesson.model.contract.folds, part)
        found = []
        for parameters in grid:
            outcomes = [self._outcome(parameters, learned, judged) for learned, judged in folds]
            found.append(Candidate(parameters, tuple(row["score"] for row in outcomes), sum(row["seconds"] for row in outcomes), part))
        return found

    def fit(self, parameters: dict[str, Any], days: Iterable[str]) -> PipelineModel:
        """The pipeline with these parameters, fitted on these days."""
        return fit_pipeline(self.lesson.model, parameters, self.frozen.of(days), self.frozen.classes)

    def _outcome(self, parameters: dict[str, Any], learned: tuple[str, ...], judged: tuple[str, ...]) -> dict[str, Any]:
        contract, started = self.lesson.model.contract, time.monotonic()
        key = outcome_key(parameters, learned, judged, contract.score)
        known = self.folder.outcomes([key]).get(key)
        if known is not None:
            return known
        fitted, rows = self.fit(parameters, learned), some(self.frozen.of(judged), self.keys)
        answers = answered(fitted.transform(as_pipeline_sees(rows, contract.inputs)), [contract.target], contract.kind, contract.threshold, self.frozen.classes)
        with _told(self.lesson.model.name, parameters):
            figure = figures_of_answers(contract, answers.toArrow().to_pandas()).get(contract.score)
        if figure is None:
            name = self.lesson.model.name
            raise ModelError(f"{name}: {contract.score} of {parameters or 'the pipeline'} on {judged[0]}..{judged[-1]} is undefined; have they only one class?")
        outcome = {"score": -figure if contract.score in SMALLER_IS_BETTER else figure, "seconds": time.monotonic() - started}
        write_whole(self.folder.outcome(key), json.dumps(outcome))
        return outcome


def fit_pipeline(model: Model, parameters: dict[str, Any], learned: DataFrame, classes: tuple[str, ...]) -> PipelineModel:
    """The model's pipeline with these parameters, fitted on frozen examples. Raises ModelError where it cannot be."""
    pipeline = build_pipeline(model, parameters)
    with _told(model.name, parameters):
        return pipeline.fit(as_pipeline_sees(learned, model.contract.inputs).withColumn(LABEL, label(model.contract, classes)))


@contextmanager
def _told(name: str, parameters: dict[str, Any]) -> Iterator[None]:
    """Raises ModelError for what a stage says of the parameters or of a row."""
    try:
        yield
    except PySparkException as error:
        refused = error.getCondition() == REFUSED_BY_STAGE
        if not refused and not isinstance(error, (AnalysisException, IllegalArgumentException)):
            raise
        first = " ".join(str(error).split("JVM stacktrace")[0].split())[:500]
        advice = "; a stage refuses a row, often for a null: put an Imputer before it, or let its handleInvalid keep or skip" if refused else ""
        raise ModelError(f"{name}: the fit of {parameters or 'the pipeline'} failed: {first}{advice}") from None
