"""Trains a model: read, search, fit, answer, judge, register."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pyspark.errors import PySparkException

from expectations.days import in_words
from expectations.errors import ModelError
from spark_jobs.lake.learning.answering import with_answers
from spark_jobs.lake.learning.engines.fitting import search_and_fit
from spark_jobs.lake.learning.engines.pipeline_training import freeze, sample, search_and_fit_pipeline
from spark_jobs.lake.learning.engines.pipelines import KeptPipeline, pipeline_answers
from spark_jobs.lake.learning.evaluation.judging import Judgement, judged
from spark_jobs.lake.learning.evaluation.leakage import require_learnable
from spark_jobs.lake.learning.examples import DAY, read_examples
from spark_jobs.lake.learning.lesson import Lesson, columns_seen, columns_told, learning_code, lesson_of
from spark_jobs.lake.learning.registry.model_store import ModelStore
from spark_jobs.lake.learning.registry.promotion import ask_again, is_asked
from spark_jobs.lake.learning.registry.registering import register
from spark_jobs.lake.learning.registry.telling import training_result
from spark_jobs.lake.learning.trained import Trained

if TYPE_CHECKING:
    import pandas as pd

    from expectations.jobs import JobResult
    from expectations.lake import Model
    from expectations.ledger import ModelEntry
    from spark_jobs.lake.job import Job


def train(job: Job) -> JobResult:
    """Learn from the days published now. The same run twice, and the same days and code twice, register one version."""
    model = job.lake.model(job.request.name)
    lesson = lesson_of(job, model)
    known = _recorded(job, lesson)
    if known is not None:
        return known
    ModelStore(job.settings, model).require_registry()
    trained = _learn(job, lesson)
    entry = register(job, lesson, trained, _judge(lesson, trained))
    trained.fitted.folder.delete()  # a repetition of a search that failed goes on from it
    return training_result(job.request, model.contract, entry, "asks" if is_asked(job.ledger, entry) else "done")


def _recorded(job: Job, lesson: Lesson) -> JobResult | None:
    """The result of this run where it was recorded before; else, unless forced, that of the newest version where nothing changed since."""
    model = lesson.model
    versions = job.ledger.model_versions(model.name)
    for entry in versions:
        if entry.run_id == job.request.run_id:
            if entry.champion:
                ModelStore(job.settings, model).crown(entry.version)
            return training_result(job.request, model.contract, entry, "asks" if is_asked(job.ledger, entry) else "done")
    newest = versions[0] if versions else None
    if newest and not job.request.force and (newest.inputs, newest.figures["code"]) == (lesson.inputs, learning_code(model)):
        asks = ask_again(job.ledger, model, newest, job.request.run_id)
        return training_result(job.request, model.contract, newest, "asks" if asks else "unchanged")
    return None


def _learn(job: Job, lesson: Lesson) -> Trained:
    model, contract, started = lesson.model, lesson.model.contract, time.monotonic()
    frozen = freeze(job, lesson) if contract.engine == "spark_ml" else None
    examples = sample(job, lesson, frozen) if frozen else read_examples(job, model, lesson.versions, columns_seen(job, model), columns_told(model))
    read = time.monotonic()
    is_test = examples[DAY].isin(lesson.days.test)
    learned, test = examples[~is_test], examples[is_test]
    require_learnable(model.name, contract, learned, test)
    fitted = search_and_fit_pipeline(job, lesson, frozen) if frozen else search_and_fit(job, lesson, examples)
    try:
        answers = _answers(job, model, fitted.estimator, test, list(contract.inputs))
    except ValueError as error:
        raise _failure(lesson, error) from error
    champion = job.ledger.champion(model.name)
    theirs = _champion_answers(job, model, champion, test) if champion else None
    extra = [name for name in columns_seen(job, model) if name not in contract.inputs]
    seconds = {"read": read - started, **fitted.seconds}
    rows = frozen.rows if frozen else len(examples)
    return Trained(fitted, examples.drop(columns=extra), rows, learned, answers, theirs, champion.version if champion else None, seconds)


def _answers(job: Job, model: Model, estimator: Any, test: pd.DataFrame, inputs: list[str]) -> pd.DataFrame:
    if isinstance(estimator, KeptPipeline):
        return pipeline_answers(job.spark, job.lake.table(model.contract.training).contract, estimator, model.contract, test, inputs)
    return with_answers(model.contract, estimator, test, inputs)


def _judge(lesson: Lesson, trained: Trained) -> Judgement:
    try:
        return judged(lesson.model.contract, trained.learned, trained.answers, trained.champion)
    except ValueError as error:
        raise _failure(lesson, error) from error


def _failure(lesson: Lesson, error: ValueError) -> ModelError:
    days = lesson.days
    return ModelError(f"{lesson.model.name}: the fit on {in_words(days.learned)}, tested on {in_words(days.test)}, failed: {str(error)[:500]}")


def _champion_answers(job: Job, model: Model, champion: ModelEntry, test: pd.DataFrame) -> pd.DataFrame | str | None:
    """The champion's answers on the same test days, or why it cannot be asked about them. None for one that could not serve any more either."""
    columns = champion.figures["inputs"]
    if not set(columns) <= set(job.lake.table(model.contract.features).contract.columns):
        return None
    lost = [name for name in columns if name not in test.columns]
    if lost:
        return f"{model.contract.training} has no column {', '.join(lost)} any more"
    try:
        estimator = ModelStore(job.settings, model).load(champion.figures["file"], champion.figures["sha256"])
        return _answers(job, model, estimator, test, columns)
    except (ModelError, PySparkException, ValueError, AttributeError, TypeError):  # refused, gone, or made for columns or a target of another kind
        return None
