"""Trains a model: read, search, fit, answer, judge, register."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from expectations.days import in_words
from expectations.errors import ContractError, ModelError
from spark_jobs.lake.learning.answering import with_answers
from spark_jobs.lake.learning.evaluation.leakage import require_learnable
from spark_jobs.lake.learning.examples import DAY, read_examples
from spark_jobs.lake.learning.judging import Judgement, judged
from spark_jobs.lake.learning.lesson import Lesson, columns_seen, columns_told, learning_code, lesson_of
from spark_jobs.lake.learning.model_store import ModelStore
from spark_jobs.lake.learning.registering import register
from spark_jobs.lake.learning.search import Candidate, best_of, search, seeded, with_parameters
from spark_jobs.lake.learning.splitting import time_folds
from spark_jobs.lake.learning.telling import training_result
from spark_jobs.lake.logic import load_module
from spark_jobs.lake.storage import Place

if TYPE_CHECKING:
    import pandas as pd

    from expectations.jobs import JobResult
    from expectations.lake import Model
    from spark_jobs.lake.job import Job


@dataclass(frozen=True)
class Trained:
    """A fitted estimator, what it learned, and what it answers.

    `examples` are all that were read, those of the test days too, with the contract's inputs; `learned` are those that it saw. `answers` are
    the examples of the test days (day, keys, told columns, truth) with the model's answer, `champion` the same with the champion's.
    """

    estimator: Any
    best: Candidate
    candidates: list[Candidate]
    examples: pd.DataFrame
    learned: pd.DataFrame
    answers: pd.DataFrame
    champion: pd.DataFrame | None
    seconds: dict[str, float]


def train(job: Job) -> JobResult:
    """Learn from the days published now. The same run twice, and the same days and code twice, register one version."""
    model = job.lake.model(job.request.name)
    lesson = lesson_of(job, model)
    known = _recorded(job, lesson)
    if known is not None:
        return known
    trained = _learn(job, lesson)
    return training_result(job.request, model.contract, register(job, lesson, trained, _judge(lesson, trained)), "done")


def build_estimator(model: Model) -> Any:
    """The model's unfitted estimator, seeded. Raises ContractError where the file does not give one."""
    estimator = load_module(model.logic).build_estimator()
    if not hasattr(estimator, "fit") or not hasattr(estimator, "predict_proba"):
        found = type(estimator).__name__
        raise ContractError(f"{model.logic}: build_estimator() returned {found}, which has no fit and predict_proba; return a scikit-learn classifier.")
    return seeded(estimator, model.contract.seed)


def _recorded(job: Job, lesson: Lesson) -> JobResult | None:
    """The result of this run where it was recorded before; else, unless forced, that of the newest version where nothing changed since."""
    model = lesson.model
    versions = job.ledger.model_versions(model.name)
    for entry in versions:
        if entry.run_id == job.request.run_id:
            if entry.champion:
                ModelStore(job.settings, model).crown(entry.version)
            return training_result(job.request, model.contract, entry, "done")
    newest = versions[0] if versions else None
    if newest and not job.request.force and (newest.inputs, newest.figures["code"]) == (lesson.inputs, learning_code(model)):
        return training_result(job.request, model.contract, newest, "unchanged")
    return None


def _learn(job: Job, lesson: Lesson) -> Trained:
    model, contract, started = lesson.model, lesson.model.contract, time.monotonic()
    examples = read_examples(job, model, lesson.versions, columns_seen(job, model), columns_told(model))
    read = time.monotonic()
    estimator = build_estimator(model)
    is_test = examples[DAY].isin(lesson.days.test)
    learned, test = examples[~is_test], examples[is_test]
    require_learnable(model.name, contract, learned, test)
    candidates = _search(job, lesson, estimator, examples)
    searched = time.monotonic()
    best = best_of(candidates)
    final = with_parameters(estimator, best.parameters)
    try:
        # OpenMP's threads wait by spinning: two of them on cores that Spark is using made this fit ten times slower
        with threadpool_limits(limits=1):
            final.fit(learned[list(contract.inputs)], learned[contract.target])
        answers = with_answers(contract, final, test, list(contract.inputs))
    except ValueError as error:
        raise _failure(lesson, error) from error
    seconds = {"read": read - started, "search": searched - read, "fit": time.monotonic() - searched}
    champion = _champion_answers(job, model, test)
    extra = [name for name in columns_seen(job, model) if name not in contract.inputs]
    return Trained(final, best, candidates, examples.drop(columns=extra), learned, answers, champion, seconds)


def _judge(lesson: Lesson, trained: Trained) -> Judgement:
    try:
        return judged(lesson.model.contract, trained.learned, trained.answers, trained.champion)
    except ValueError as error:
        raise _failure(lesson, error) from error


def _failure(lesson: Lesson, error: ValueError) -> ModelError:
    days = lesson.days
    return ModelError(f"{lesson.model.name}: the fit on {in_words(days.learned)}, tested on {in_words(days.test)}, failed: {str(error)[:500]}")


def _search(job: Job, lesson: Lesson, estimator: Any, examples: pd.DataFrame) -> list[Candidate]:
    model = lesson.model
    folder = f"{job.settings.models_path}/{model.name}/_search/{job.request.run_key}"
    folds = time_folds(lesson.days, model.contract.folds, examples[DAY].tolist())
    try:
        # On shared storage the workers read it themselves: once a task, not once in each task's closure.
        seen = examples[[*model.contract.inputs, model.contract.target]]
        ModelStore(job.settings, model).keep_examples(seen, f"{folder}/examples.parquet")
        return search(job.spark, model.contract, estimator, f"{folder}/examples.parquet", folds)
    finally:
        Place.of(folder).delete_folder()


def _champion_answers(job: Job, model: Model, test: pd.DataFrame) -> pd.DataFrame | None:
    """The champion's answers on the same test days. One that cannot be asked any more, because its file or columns are gone, is no rival."""
    champion = job.ledger.champion(model.name)
    if champion is None:
        return None
    columns = champion.figures["inputs"]
    if not set(columns) <= set(test.columns):
        return None
    try:
        estimator = ModelStore(job.settings, model).load(champion.figures["file"], champion.figures["sha256"])
        return with_answers(model.contract, estimator, test, columns)
    except (ModelError, ValueError):
        return None
