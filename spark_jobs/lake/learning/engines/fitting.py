"""Searches and fits scikit-learn estimators, one for all rows or one for each group."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F
from threadpoolctl import threadpool_limits

from expectations.days import in_words
from expectations.errors import ModelError
from spark_jobs.lake.learning.engines.estimators import build_estimator, with_parameters
from spark_jobs.lake.learning.engines.fitting_worker import group_task
from spark_jobs.lake.learning.engines.grouped import Grouped
from spark_jobs.lake.learning.engines.search import Candidate, best_of, search
from spark_jobs.lake.learning.engines.search_folder import SearchFolder, keep_search
from spark_jobs.lake.learning.examples import DAY
from spark_jobs.lake.learning.lesson import learning_code
from spark_jobs.lake.learning.splitting import time_folds

if TYPE_CHECKING:
    import pandas as pd

    from spark_jobs.lake.job import Job
    from spark_jobs.lake.learning.engines.pipelines import Kept
    from spark_jobs.lake.learning.lesson import Lesson

POSITION = "_position"
"""The column of kept examples for their order, which Spark does not keep."""


@dataclass(frozen=True)
class Fitted:
    """The best candidate's estimator, fitted on all learned days; how the search found it, and the folder that it may be forgotten with."""

    estimator: Any
    best: Candidate
    candidates: list[Candidate]
    folder: SearchFolder
    seconds: dict[str, float]
    kept: Kept | None = None
    """Where it lies in the lake already; None where the registry has to keep it."""


def search_and_fit(job: Job, lesson: Lesson, examples: pd.DataFrame) -> Fitted:
    """The best estimator for these examples. Raises ModelError where a fit fails; the fits that went well are then not made again."""
    model, contract, started = lesson.model, lesson.model.contract, time.monotonic()
    estimator, example_days = build_estimator(model), examples[DAY].tolist()
    kept = examples[[*contract.inputs, contract.target]].assign(**{POSITION: range(len(examples))})
    folder = keep_search(f"{job.settings.models_path}/{model.name}/_search", learning_code(model), kept)
    candidates = search(job.spark, contract, estimator, folder, lambda part: time_folds(lesson.days, contract.folds, example_days, part))
    searched, best = time.monotonic(), best_of(candidates)
    learned = kept[examples[DAY].isin(lesson.days.learned)]
    try:
        final = _fit(job, lesson, with_parameters(estimator, best.parameters), folder, learned)
    except ValueError as error:
        raise ModelError(f"{model.name}: the fit on {in_words(lesson.days.learned)} failed: {str(error)[:500]}") from error
    return Fitted(final, best, candidates, folder, {"search": searched - started, "fit": time.monotonic() - searched})


def _fit(job: Job, lesson: Lesson, estimator: Any, folder: SearchFolder, learned: pd.DataFrame) -> Any:
    contract = lesson.model.contract
    seen, truth = learned[list(contract.inputs)], learned[contract.target]
    own = _fit_groups(job, lesson, estimator, folder, len(learned)) if contract.group_by else {}
    # OpenMP's threads wait by spinning: two of them on cores that Spark is using made this fit ten times slower
    with threadpool_limits(limits=1):
        estimator.fit(seen, truth)
    return Grouped.of({"group_by": contract.group_by, "rest": estimator, "own": own}) if contract.group_by else estimator


def _fit_groups(job: Job, lesson: Lesson, estimator: Any, folder: SearchFolder, learned: int) -> dict[str, Any]:
    """Value of group_by to its estimator, fitted at the same time as the others. They come back as skops bytes: nothing is unpickled."""
    import skops.io

    contract, group_by = lesson.model.contract, str(lesson.model.contract.group_by)
    rows = job.spark.read.parquet(folder.examples).filter((F.col(POSITION) < learned) & F.col(group_by).isNotNull())
    groups = rows.select(group_by).distinct().count()
    task = group_task(estimator, group_by, list(contract.inputs), contract.target, POSITION)
    # a number of partitions that is asked for is not made smaller by adaptive execution
    fitted = rows.repartition(max(groups, 1), group_by).groupBy(group_by).applyInPandas(task, "name string, model binary").filter("model IS NOT NULL").collect()
    trusted = list(contract.trusted_types)
    try:
        return {row.name: skops.io.loads(bytes(row.model), trusted=trusted) for row in sorted(fitted, key=lambda row: row.name)}
    except TypeError as error:
        raise ModelError(f"{lesson.model.name} is made of types that {lesson.model.file} does not trust: {str(error)[:500]}") from None
