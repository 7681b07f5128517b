"""Watches the champion: how far what it is asked and what it answers have drifted, and, where labels have come, how right it was."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

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
    from collections.abc import Iterable

    from pyspark.sql import DataFrame

    from expectations.days import DayRange
    from expectations.lake import Table
    from expectations.ledger import ModelEntry
    from expectations.ledger.entries import Inputs
    from expectations.model_contract import ModelContract
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
    predicted = predicted_days(job, model, champion)
    names = (model.contract.features, model.contract.predictions, model.contract.training)
    states = states_of(model.contract, predicted, {name: job.ledger.versions(name) for name in names})
    measures = _known(job, table, champion, states)
    due = days_due(states, measures, job.request.day_range)
    result = _unchanged(job, f"{model.name} v{champion.version}: every day that it has predicted is measured")
    found = [*drift(job, model, champion, predicted, list(due)), *realised(job, model, champion, list(due))] if due else []
    if found:
        result = publish(job, table, conform(table, _as_rows(job, champion, due, found)), Batch(inputs=due))
    since = since_training(job.ledger.model_versions(model.name), [*measures, *found])
    return told(result, champion, ringing(model.contract.train.alarms, since))


def states_of(contract: ModelContract, predicted: list[str], published: Inputs) -> dict[str, Inputs]:
    """Predicted day to the data that it is measured from, of what is `published` now of features, predictions and training table."""
    names = (contract.features, contract.predictions, contract.training)
    states = {}
    for day in predicted:
        if day in published[contract.predictions]:
            window = [day, *before(day, DRIFT_DAYS - 1)]
            days = {name: window if name != contract.training else [day] for name in names}
            states[day] = {name: {near: published[name][near] for near in days[name] if near in published[name]} for name in names}
    return states


def _known(job: Job, table: Table, champion: ModelEntry, states: dict[str, Inputs]) -> list[Measure]:
    """What the health table says of the champion's days as they are now."""
    if not commit.exists(job.settings.table_path(table.name)):
        return []
    is_ours = (F.col("model_name") == champion.model) & (F.col("model_version") == champion.version)
    return measured_as_now(read_published(job, table.name).filter(is_ours).collect(), states)


def measured_as_now(rows: Iterable[Any], states: dict[str, Inputs]) -> list[Measure]:
    """The measures of these rows of a health table that were made from their day's data as they are now.

    A figure of an older state does not count: where the day no longer defines it, nothing has come in its place.
    """
    now = {day: fingerprint(inputs) for day, inputs in states.items()}
    return [Measure(str(row.watched_on), row.measure, row.measure_of, row.value, row.rows) for row in rows if now.get(str(row.watched_on)) == row.made_from]


def days_due(states: dict[str, Inputs], measures: list[Measure], asked: DayRange | None) -> dict[str, Inputs]:
    """The days, of those that are asked for where some are, that are not measured as they are now."""
    measured = {one.day for one in measures}
    return {day: inputs for day, inputs in states.items() if day not in measured and (asked is None or day in set(asked.keys))}


def fingerprint(inputs: Inputs) -> str:
    """What a health table calls this state of a day's data."""
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]


def _as_rows(job: Job, champion: ModelEntry, due: dict[str, Inputs], measures: list[Measure]) -> DataFrame:
    now = datetime.now(UTC)
    rows = [
        (date.fromisoformat(one.day), champion.model, champion.version, one.measure, one.of, one.value, one.rows, fingerprint(due[one.day]), now)
        for one in measures
    ]
    return job.spark.createDataFrame(rows, ", ".join(f"{name} {kind}" for name, kind in HEALTH_COLUMNS.items()))


def since_training(versions: Iterable[ModelEntry], measures: list[Measure]) -> list[Measure]:
    """What was measured after the last day of any version: a challenger that was just refused is not followed by one more every day."""
    trained = max(entry.last_day for entry in versions)
    return [one for one in measures if one.day > trained]


def _unchanged(job: Job, message: str) -> JobResult:
    return JobResult(request=job.request, status="unchanged", message=message, facts={"days": []})


def told(result: JobResult, champion: ModelEntry, alarms: list[str]) -> JobResult:
    """The result with the alarms: the DAG trains where there is one."""
    message = f"{result.message}; {champion.model} v{champion.version} needs training: {'; '.join(alarms)}" if alarms else result.message
    facts = {**result.facts, "model": champion.model, "model_version": champion.version, "alarms": alarms}
    return result.model_copy(update={"facts": facts, "message": message})
