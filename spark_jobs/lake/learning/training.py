"""Trains a model: read, search, fit, answer, judge, register."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from pyspark.errors import PySparkException

from expectations.days import in_words
from expectations.errors import ModelError, TerminalError
from expectations.learnable_days import learnable_days
from spark_jobs.lake.learning.answering import with_answers
from spark_jobs.lake.learning.engines.fitting import search_and_fit
from spark_jobs.lake.learning.engines.pipeline_training import freeze, past_of_frozen, sample, search_and_fit_pipeline
from spark_jobs.lake.learning.engines.pipelines import REFUSED_BY_STAGE, KeptPipeline, pipeline_answers
from spark_jobs.lake.learning.evaluation.judging import Judgement, judged
from spark_jobs.lake.learning.evaluation.leakage import require_learnable
from spark_jobs.lake.learning.examples import DAY, days_without_labels, read_examples
from spark_jobs.lake.learning.lesson import Lesson, columns_told, learning_code, lesson_of
from spark_jobs.lake.learning.registry.model_store import ModelStore
from spark_jobs.lake.learning.registry.promotion import ask_again, is_asked, tell_mlflow
from spark_jobs.lake.learning.registry.registering import register
from spark_jobs.lake.learning.registry.telling import training_result
from spark_jobs.lake.learning.trained import Trained
from spark_jobs.lake.verbs import is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from expectations.jobs import JobResult
    from expectations.lake import Model
    from expectations.ledger import ModelEntry
    from expectations.ledger.entries import Inputs
    from spark_jobs.lake.job import Job


def train(job: Job) -> JobResult:
    """Learn from the days published now. The same run twice, and the same days and code twice, register one version."""
    model = job.lake.model(job.request.name)
    lesson = lesson_of(job, model)
    known = recorded(job, lesson)
    if known is None:
        ModelStore(job.settings, model).require_registry()
        lesson = lesson_of(job, model, days_without_labels(job, model, learnable_days(job.lake, job.ledger, model)))
        known = recorded(job, lesson) if lesson.left_out else None
    if known is not None:
        return known
    trained = _learn(job, lesson)
    entry = register(job, lesson, trained, _judge(lesson, trained))
    trained.fitted.folder.delete()  # a repetition of a search that failed goes on from it
    result = training_result(job.request, model.contract, entry, "asks" if is_asked(job.ledger, entry) else "done")
    if not lesson.left_out:
        return result
    said = f"left out, as rows of them have no {model.contract.target!r} yet: {in_words(lesson.left_out)}"
    return result.model_copy(update={"message": f"{result.message}; {said}", "facts": {**result.facts, "left_out": list(lesson.left_out)}})


def recorded(job: Job, lesson: Lesson) -> JobResult | None:
    """The result of this run where it was recorded before; else, unless forced, that of the newest version where nothing changed since."""
    model, versions = lesson.model, job.ledger.model_versions(lesson.model.name)
    own = next((entry for entry in versions if entry.run_id == job.request.run_id), None)
    if own is not None:
        if own.champion:
            tell_mlflow(ModelStore(job.settings, model), job.ledger)
        return training_result(job.request, model.contract, own, "asks" if is_asked(job.ledger, own) else "done")
    newest = versions[0] if versions else None
    if newest is not None and not job.request.force and is_the_same(newest, lesson.inputs, learning_code(model)):
        asks = ask_again(job.ledger, model, newest, job.request.run_id)
        return training_result(job.request, model.contract, newest, "asks" if asks else "unchanged")
    return None


def is_the_same(entry: ModelEntry, inputs: Inputs, code: str) -> bool:
    """Whether a version was made from these days, at these versions, by this code."""
    return (entry.inputs, entry.figures["code"]) == (inputs, code)


def _learn(job: Job, lesson: Lesson) -> Trained:
    model, contract, started = lesson.model, lesson.model.contract, time.monotonic()
    frozen = freeze(job, lesson) if contract.engine == "spark_ml" else None
    examples = sample(job, lesson, frozen) if frozen else read_examples(job, model, lesson.versions, list(lesson.columns), columns_told(model))
    read = time.monotonic()
    is_test = examples[DAY].isin(lesson.days.test)
    learned, test = examples[~is_test], examples[is_test]
    require_learnable(model.name, contract, learned, test)
    fitted = search_and_fit_pipeline(job, lesson, frozen) if frozen else search_and_fit(job, lesson, examples)
    try:
        answers = _answers(job, model, fitted.estimator, test, list(contract.inputs))
    except ValueError as error:
        raise _failure(lesson, error) from error
    extra = [name for name in lesson.columns if name not in contract.inputs]
    seconds = {"read": read - started, **fitted.seconds}
    rows = frozen.rows if frozen else len(examples)
    past = past_of_frozen(job, lesson, frozen) if frozen and contract.history else None
    return Trained(fitted, examples.drop(columns=extra), rows, learned, past, answers, champion_answers(job, lesson, test), seconds)


def _answers(job: Job, model: Model, estimator: Any, test: pd.DataFrame, inputs: list[str]) -> pd.DataFrame:
    if isinstance(estimator, KeptPipeline):
        return pipeline_answers(job.spark, job.lake.table(model.contract.training).contract, estimator, model.contract, test, inputs)
    return with_answers(model.contract, estimator, test, inputs)


def _judge(lesson: Lesson, trained: Trained) -> Judgement:
    try:
        return judged(lesson.model.contract, trained.learned, trained.answers, trained.champion, trained.past)
    except ValueError as error:
        raise _failure(lesson, error) from error


def _failure(lesson: Lesson, error: ValueError) -> ModelError:
    days = lesson.days
    return ModelError(f"{lesson.model.name}: the fit on {in_words(days.learned)}, tested on {in_words(days.test)}, failed: {str(error)[:500]}")


def champion_answers(job: Job, lesson: Lesson, test: pd.DataFrame) -> pd.DataFrame | str | None:
    """The champion's answers on the same test days, or why it cannot be asked about them. None where nothing serves, or could serve any more.

    Raises TransientError where its file cannot be read now.
    """
    model, champion = lesson.model, lesson.champion
    if champion is None or champion.figures.get("kind", model.contract.kind) != model.contract.kind:
        return None
    columns = champion.figures["inputs"]
    if not set(columns) <= set(job.lake.table(model.contract.features).contract.columns):
        return None
    lost = [name for name in columns if name not in test.columns]
    if lost:
        return f"{model.contract.training} has no column {', '.join(lost)} any more"
    try:
        estimator = ModelStore(job.settings, model).load(champion.figures["file"], champion.figures["sha256"])
    except ModelError:  # refused or gone, for scoring too
        return None
    return answers_or_why_not(lambda: _answers(job, model, estimator, test, columns))


def answers_or_why_not(ask: Callable[[], pd.DataFrame]) -> pd.DataFrame | str:
    """The answers, or in one line why a model refuses to give them: one row may be enough, which scoring would only set aside.

    A fault of the surroundings says nothing of the model, and is raised.
    """
    try:
        return ask()
    except Exception as error:
        refused = isinstance(error, PySparkException) and error.getCondition() == REFUSED_BY_STAGE
        if not (refused or isinstance(error, TerminalError) or is_terminal(error)):
            raise
        return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
