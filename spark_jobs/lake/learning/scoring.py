"""Scores new rows with the champion. A prediction is never rewritten."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.errors import ModelError
from expectations.jobs import JobResult
from spark_jobs.lake.batch import Batch
from spark_jobs.lake.learning.examples import as_input, keys_of
from spark_jobs.lake.learning.model_store import ModelStore
from spark_jobs.lake.learning.worker import scoring_task
from spark_jobs.lake.logic import conform
from spark_jobs.lake.publishing import publish
from spark_jobs.lake.reading import read_published

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from expectations.lake import Model
    from expectations.ledger import ModelEntry
    from spark_jobs.lake.job import Job

PROBABILITY = "_probability"


def score(job: Job) -> JobResult:
    """Publish predictions for the days of features that have none: days after the champion's last day, of the request where it names days."""
    model = job.lake.model(job.request.name)
    champion = job.ledger.champion(model.name)
    if champion is None:
        return _unchanged(job, model, "there is no champion yet")
    versions = due_days(job, model, champion)
    if not versions:
        return _unchanged(job, model, f"every day of {model.contract.features} after {champion.last_day} has its predictions")
    predictions = job.lake.table(model.contract.predictions)
    rows = conform(predictions, predict(job, model, champion, versions))
    batch = Batch(inputs={day: {model.contract.features: {day: version}} for day, version in versions.items()})
    result = publish(job, predictions, rows, batch)
    facts = {**result.facts, "model": model.name, "model_version": champion.version}
    return result.model_copy(update={"facts": facts, "message": f"{model.name} v{champion.version}: {result.message}"})


def due_days(job: Job, model: Model, champion: ModelEntry) -> dict[str, int]:
    """Day of features to its version, for the days without predictions and those whose features changed since they were scored."""
    features = model.contract.features
    asked = job.request.day_range
    versions = job.ledger.versions(features, asked.keys if asked else None)
    scored = job.ledger.days(model.contract.predictions)
    return {
        day: version
        for day, version in sorted(versions.items())
        if day > champion.last_day and not (day in scored and scored[day].state == "published" and scored[day].inputs.get(features, {}).get(day) == version)
    }


def predict(job: Job, model: Model, champion: ModelEntry, versions: dict[str, int]) -> DataFrame:
    """One prediction for each row of the features of these days, with the columns that the predictions' contract must have.

    Raises ModelError where the champion's file is not the registered one, or the features have lost a column that it learned from.
    """
    contract, table = model.contract, job.lake.table(model.contract.features)
    learned: list[str] = champion.figures["inputs"]
    lost = [name for name in learned if name not in table.contract.columns]
    if lost:
        raise ModelError(f"{model.name} v{champion.version} learned from {', '.join(lost)}, which {table.name} no longer has; train again.")
    store = ModelStore(job.settings, model)
    file, sha256 = champion.figures["file"], champion.figures["sha256"]
    store.load(file, sha256)  # refused here, with one sentence, rather than by every worker
    keys = keys_of(table.contract)
    inputs = {f"_x{position}": name for position, name in enumerate(learned)}
    seen = [as_input(table.contract, name).alias(alias) for alias, name in inputs.items()]
    task = scoring_task(store.location(file), sha256, store.trusted, inputs, PROBABILITY)
    schema = ", ".join([*(f"`{key}` {table.contract.columns[key].type}" for key in keys), f"{PROBABILITY} double"])
    scored = read_published(job, table.name, versions).select(*keys, *seen).mapInPandas(task, schema)
    return scored.select(
        *keys,
        F.col(PROBABILITY).alias(contract.probability),
        (F.col(PROBABILITY) >= F.lit(contract.threshold)).alias(contract.predicted),
        F.lit(model.name).alias("model_name"),
        F.lit(champion.version).cast("int").alias("model_version"),
        _version_of(F.col(keys[0]), versions).alias("features_version"),
        F.lit(datetime.now(UTC)).alias("scored_at"),
    )


def _version_of(day: Column, versions: dict[str, int]) -> Column:
    pairs = [F.lit(part) for day_key, version in versions.items() for part in (day_key, version)]
    return F.create_map(*pairs)[day.cast("string")].cast("bigint")


def _unchanged(job: Job, model: Model, reason: str) -> JobResult:
    facts = {"table": model.contract.predictions, "model": model.name, "days": []}
    return JobResult(request=job.request, status="unchanged", message=f"{model.name}: {reason}; nothing to score", facts=facts)
