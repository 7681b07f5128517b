"""Watches the champion: how far what it is asked and what it answers have drifted, and, where labels have come, how right it was."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.errors import ModelError
from expectations.jobs import JobResult
from expectations.model_contract import HEALTH_COLUMNS
from spark_jobs.lake import commit
from spark_jobs.lake.batch import Batch
from spark_jobs.lake.learning.watching.alarms import Measure, ringing
from spark_jobs.lake.learning.watching.health import DRIFT_DAYS, drift, predicted_days, realised
from spark_jobs.lake.logic import conform
from spark_jobs.lake.over_time.history import before
from spark_jobs.lake.publishing import publish
from spark_jobs.lake.reading import read_published

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row

    from expectations.lake import Model, Table
    from expectations.ledger import ModelEntry
    from expectations.ledger.entries import Inputs
    from spark_jobs.lake.job import Job


def watch(job: Job) -> JobResult:
    """Measure the champion on each day that it has predicted, once for each state of the day's data, and say which alarms ring.

    A day that the champion was shown when it was trained is never measured. Raises ModelError where the contract names no `health` table.
    """
    model = job.lake.model(job.request.name)
    if model.contract.health is None:
        raise ModelError(f"{model.name}: its contract names no table for what watching finds; add health: gold.model_health, and that table's contract.")
    champion, table = job.ledger.champion(model.name), job.lake.table(model.contract.health)
    if champion is None:
        return _unchanged(job, f"{model.name}: there is no champion yet, nothing to watch")
    known = _known(job, table, model, champion)
    predicted = predicted_days(job, model, champion)
    due = _due(job, model, predicted, {row.watched_on: row.made_from for row in known})
    result = _unchanged(job, f"{model.name} v{champion.version}: every day that it has predicted is measured")
    measures = [Measure(str(row.watched_on), row.measure, row.measure_of, row.value, row.rows) for row in known if str(row.watched_on) not in due]
    if due:
        found = [*drift(job, model, champion, predicted, list(due)), *realised(job, model, champion, list(due))]
        result = publish(job, table, conform(table, _as_rows(job, champion, due, found)), Batch(inputs=due))
        measures += found
    return _told(result, model, champion, ringing(model.contract.train.alarms, _since_training(job, model, measures)))


def _known(job: Job, table: Table, model: Model, champion: ModelEntry) -> list[Row]:
    """The champion's rows of the health table."""
    if not commit.exists(job.spark, job.settings.table_path(table.name)):
        return []
    rows = read_published(job, table.name)
    return rows.filter((F.col("model_name") == model.name) & (F.col("model_version") == champion.version)).collect()


def _due(job: Job, model: Model, predicted: list[str], known: dict[date, str]) -> dict[str, Inputs]:
    """Day to what it is measured from, for the predicted days whose data are not those that were measured before."""
    asked, contract = job.request.day_range, model.contract
    names = (contract.features, contract.predictions, contract.training)
    published = {name: job.ledger.versions(name) for name in names}
    days = [day for day in predicted if day in published[contract.predictions] and (asked is None or day in set(asked.keys))]
    due = {}
    for day in days:
        window = [day, *before(day, DRIFT_DAYS - 1)]
        inputs = {name: {near: published[name][near] for near in (window if name != contract.training else [day]) if near in published[name]} for name in names}
        if known.get(date.fromisoformat(day)) != _fingerprint(inputs):
            due[day] = inputs
    return due


def _fingerprint(inputs: Inputs) -> str:
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]


def _as_rows(job: Job, champion: ModelEntry, due: dict[str, Inputs], measures: list[Measure]) -> DataFrame:
    now = datetime.now(UTC)
    rows = [
        (date.fromisoformat(one.day), champion.model, champion.version, one.measure, one.of, one.value, one.rows, _fingerprint(due[one.day]), now)
        for one in measures
    ]
    return job.spark.createDataFrame(rows, ", ".join(f"{name} {kind}" for name, kind in HEALTH_COLUMNS.items()))


def _since_training(job: Job, model: Model, measures: list[Measure]) -> list[Measure]:
    """What was measured after the newest version's days: a challenger that was just refused is not followed by one more every day."""
    trained = max(entry.last_day for entry in job.ledger.model_versions(model.name))
    return [one for one in measures if one.day > trained]


def _unchanged(job: Job, message: str) -> JobResult:
    return JobResult(request=job.request, status="unchanged", message=message, facts={"days": []})


def _told(result: JobResult, model: Model, champion: ModelEntry, alarms: list[str]) -> JobResult:
    """The result with the alarms: the DAG trains where there is one."""
    message = f"{result.message}; {model.name} v{champion.version} needs training: {'; '.join(alarms)}" if alarms else result.message
    facts = {**result.facts, "model": model.name, "model_version": champion.version, "alarms": alarms}
    return result.model_copy(update={"facts": facts, "message": message})
