"""What watching measures: drift from the days that a model learned from, and how right it was where labels have come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.days import ALL
from expectations.ledger import Profile
from expectations.model_versions import is_new_to
from spark_jobs.lake.learning.evaluation.figures import figures_of
from spark_jobs.lake.learning.examples import DAY, as_input, keys_of
from spark_jobs.lake.learning.registry.model_store import ModelStore, frozen_files
from spark_jobs.lake.learning.watching.alarms import PSI, Measure
from spark_jobs.lake.over_time.history import before
from spark_jobs.lake.over_time.measures import psi, together
from spark_jobs.lake.over_time.profiles import Spread, profile_days
from spark_jobs.lake.reading import read_published

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from expectations.lake import Model
    from expectations.ledger import ModelEntry
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.over_time.profiles import Counts

    Profiles = dict[tuple[str, str], Counts]

TRUTH = "_truth"
DRIFT_DAYS = 7
"""Drift is told of a day and the six before it: of one day alone, the weekday would always have drifted."""


def predicted_days(job: Job, model: Model, champion: ModelEntry) -> list[str]:
    """The days that the champion itself has predicted, in order; others may have been predicted by another version."""
    if not job.ledger.versions(model.contract.predictions):
        return []
    day = F.col(str(job.lake.table(model.contract.predictions).contract.day)).cast("string")
    rows = _of_champion(job, model, champion).select(day.alias(DAY)).distinct().collect()
    return sorted(row[DAY] for row in rows if is_new_to(champion, row[DAY]))


def drift(job: Job, model: Model, champion: ModelEntry, predicted: list[str], days: list[str]) -> list[Measure]:
    """The population stability index of every input and of the answer, for each day with the six before it.

    Inputs are held against the frozen training set, answers against those of the first DRIFT_DAYS days that the champion has predicted.
    """
    near = sorted({back for day in days for back in _window(day)})
    return [*_input_drift(job, model, champion, days, near), *_answer_drift(job, model, champion, predicted, days, near)]


def _input_drift(job: Job, model: Model, champion: ModelEntry, days: list[str], near: list[str]) -> list[Measure]:
    features = job.lake.table(model.contract.features)
    spreads = [Spread(name, features.contract.columns[name].type != "string") for name in champion.figures["inputs"]]
    versions = job.ledger.versions(features.name, near)
    seen = [as_input(features.contract, spread.column).alias(spread.column) for spread in spreads]
    rows = read_published(job, features.name, versions).select(F.col(str(features.contract.day)).alias(DAY), *seen)
    return shifts(_learned(job, model, champion, spreads), profile_days(rows, DAY, list(versions), spreads), days, spreads)


def shifts(learned: dict[str, Counts], counted: Profiles, days: list[str], spreads: list[Spread]) -> list[Measure]:
    """How far each column has moved from what was learned, on each of the days with those before it. `counted`: day and column to its profile."""
    return [measure for day in days for spread in spreads for measure in _shift(day, spread, learned[spread.column], _over(counted, day, spread))]


def _answer_drift(  # noqa: PLR0913, PLR0917 - days of three kinds
    job: Job, model: Model, champion: ModelEntry, predicted: list[str], days: list[str], near: list[str]
) -> list[Measure]:
    predictions, answer = job.lake.table(model.contract.predictions), _answer_spread(model)
    rows = _of_champion(job, model, champion).select(F.col(str(predictions.contract.day)).alias(DAY), answer.column)
    return answer_shifts(profile_days(rows, DAY, sorted({*near, *predicted[:DRIFT_DAYS]}), [answer]), predicted, days, answer)


def answer_shifts(counted: Profiles, predicted: list[str], days: list[str], answer: Spread) -> list[Measure]:
    """How far the answers of these days have moved from those of the first DRIFT_DAYS predicted days, of which nothing is told."""
    first = predicted[:DRIFT_DAYS]
    reference = together(counted[day, answer.column] for day in first if (day, answer.column) in counted)
    return shifts({answer.column: reference}, counted, [day for day in days if day not in first], [answer])


def _window(day: str) -> list[str]:
    return [day, *before(day, DRIFT_DAYS - 1)]


def realised(job: Job, model: Model, champion: ModelEntry, days: list[str]) -> list[Measure]:
    """The champion's figures on each day whose labels have come; a figure that a day does not define (the ROC AUC of one class) is left out."""
    contract, keys = model.contract, keys_of(job.lake.table(model.contract.training).contract)
    labelled = job.ledger.versions(contract.training, days)
    if not labelled:
        return []
    answer = list(contract.answer_columns())
    truths = read_published(job, contract.training, labelled).select(*keys, F.col(contract.target).alias(TRUTH)).filter(F.col(TRUTH).isNotNull())
    answers = _of_champion(job, model, champion).select(*keys, *answer)
    joined = truths.join(answers, keys).select(F.col(keys[0]).cast("string").alias(DAY), TRUTH, *answer).toArrow().to_pandas()
    found = []
    for day, rows in sorted(joined.groupby(DAY)):
        figures = figures_of(contract, rows[TRUTH], rows[contract.predicted], rows.get(contract.probability))
        found += [Measure(str(day), name, "", value, len(rows)) for name, value in figures.items()]
    return found


def _over(profiles: Profiles, day: str, spread: Spread) -> Counts:
    return together(profiles[near, spread.column] for near in _window(day) if (near, spread.column) in profiles)


def _shift(day: str, spread: Spread, reference: Counts, now: Counts) -> list[Measure]:
    """Nothing where there are no rows on either side."""
    if not sum(reference.values()) or not sum(now.values()):
        return []
    index, _ = psi(reference, now, spread.is_number)
    return [Measure(day, PSI, spread.column, index, sum(now.values()))]


def _learned(job: Job, model: Model, champion: ModelEntry, spreads: list[Spread]) -> dict[str, Counts]:
    """The spread of each input over the frozen training set, counted once a version and kept in the ledger."""
    name = f"{model.name} v{champion.version}"
    known = {spread.column: job.ledger.profiles(name, spread.column, [ALL]).get(ALL) for spread in spreads}
    if all(counts is not None for counts in known.values()):
        return {column: counts or {} for column, counts in known.items()}
    frozen_files(job.settings.models_path, champion)  # what is counted here is kept, so it has to be what was registered
    examples = job.spark.read.parquet(ModelStore(job.settings, model).location(champion.figures["training_set"]))
    counted = profile_days(examples.withColumn(DAY, F.lit(ALL)), DAY, [ALL], spreads)
    found = {spread.column: counted.get((ALL, spread.column), {}) for spread in spreads}
    job.ledger.record((), (), profiles=[Profile(name, ALL, column, job.request.run_id, counts) for column, counts in found.items()])
    return found


def _of_champion(job: Job, model: Model, champion: ModelEntry) -> DataFrame:
    rows = read_published(job, model.contract.predictions)
    return rows.filter((F.col("model_name") == model.name) & (F.col("model_version") == champion.version))


def _answer_spread(model: Model) -> Spread:
    return Spread(model.contract.watched_answer, is_number=model.contract.kind != "multiclass")
