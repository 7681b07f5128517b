"""Scores rows: new ones with the champion, for good; any days with a named version, into a table for comparisons. Nothing is ever rewritten."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.days import in_words
from expectations.errors import ModelError, TransientError
from expectations.jobs import JobResult
from expectations.model_versions import comparisons_of, is_new_to, version_of
from spark_jobs.lake.batch import Batch
from spark_jobs.lake.learning.answering import PREDICTED, PROBABILITY
from spark_jobs.lake.learning.engines.pipelines import KeptPipeline, as_pipeline_input
from spark_jobs.lake.learning.examples import as_input, keys_of
from spark_jobs.lake.learning.registry.model_store import ModelStore
from spark_jobs.lake.learning.scoring_worker import ADDED, UNSCORED, scoring_task
from spark_jobs.lake.logic import conform
from spark_jobs.lake.publishing import Publication
from spark_jobs.lake.quarantine import store
from spark_jobs.lake.quarantine.set_aside import UNSCORED_WHY
from spark_jobs.lake.reading import read_published

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from expectations.contract import TableContract
    from expectations.lake import Model, Table
    from expectations.ledger import Ledger, ModelEntry
    from expectations.ledger.entries import Inputs
    from spark_jobs.lake.job import Job

BATCH_ROWS = "50000"
"""Rows that a model sees at once. 1,000,000 rows on two cores: 4.9 s, against 5.4 s with 10,000, 5.2 with 100,000 and 5.4 with 200,000."""


class Scored(Publication):
    """Predictions on their way through gate, publish and record. They say for good which features they were made from."""

    def __init__(self, job: Job, table: Table, candidate: DataFrame, batch: Batch, features: str) -> None:
        super().__init__(job, table, candidate, batch)
        self.features = features

    def _check_nobody_was_faster(self) -> None:
        """The rows are read by now, and the ledger was read before them. Raises TransientError where the features changed in between."""
        super()._check_nobody_was_faster()
        require_unchanged(self.job.ledger, self.features, self.table.name, self.batch.inputs)


def require_unchanged(ledger: Ledger, features: str, table: str, inputs: dict[str, Inputs]) -> None:
    """Raises TransientError where the features of a day are no longer at the version that its predictions, for `table`, were made from."""
    named = {day: made[features][day] for day, made in inputs.items()}
    if ledger.versions(features, named) != named:
        raise TransientError(f"{features} changed while it was scored for {table}; nothing was written, run it again.")


def score(job: Job) -> JobResult:
    """Publish predictions for the days of features that have none: days that the champion was not shown, of the request where it names days.

    With a version in the request they are that version's, and go to the contract's table for comparisons: of the days that the request
    names, whatever the version has learned from, else of those after its last day. Raises RequestError for an unknown version.
    """
    model = job.lake.model(job.request.name)
    if job.request.version is not None:
        entry = version_of(job.ledger, model, job.request.version)
        return _publish(job, model, entry, job.lake.table(comparisons_of(model)), days_to_compare(job, model, entry))
    champion = job.ledger.champion(model.name)
    if champion is None:
        return _unchanged(job, model.contract.predictions, model, "there is no champion yet")
    predictions = job.lake.table(model.contract.predictions)
    due = due_days(job, model, champion)
    again = {day: version for day, version in days_that_wait(job, model, champion).items() if day not in due}
    return _publish(job, model, champion, predictions, dict(sorted({**due, **again}.items())), again)


def due_days(job: Job, model: Model, champion: ModelEntry) -> dict[str, int]:
    """Day of features to its version, for the days without predictions and those whose features changed since they were scored."""
    return _not_said(job, model.contract.predictions, model.contract.features, _known_days(job, model, champion))


def days_that_wait(job: Job, model: Model, champion: ModelEntry) -> dict[str, int]:
    """Day of features to its version, for the days of which rows wait in quarantine that another version than the champion was asked about."""
    table = job.lake.table(model.contract.predictions)
    known = job.ledger.quarantine(table.name)
    rows = store.counted(job, table) if known is not None and known.keys else None
    if rows is None:
        return {}
    version = F.get_json_object("_values", "$.model_version").cast("int")
    waiting = rows.filter((F.col("_state") != store.DISCARDED) & (version != champion.version)).select(F.col("_day").cast("string").alias("day"))
    days = {row.day for row in waiting.distinct().collect()}
    return {day: changed for day, changed in _known_days(job, model, champion).items() if day in days}


def days_to_compare(job: Job, model: Model, entry: ModelEntry) -> dict[str, int]:
    """Day of features to its version, for the days of which this version was not yet asked about these features."""
    return _not_said(job, comparisons_of(model), _name_of(entry), _known_days(job, model, None if job.request.day_range else entry))


def _not_said(job: Job, table: str, of: str, versions: dict[str, int]) -> dict[str, int]:
    """The days of features that a published day of `table` was not made from, by what the ledger says of its input `of`."""
    said = {day: entry.inputs.get(of, {}).get(day) for day, entry in job.ledger.days(table, versions).items() if entry.state == "published"}
    return {day: version for day, version in versions.items() if said.get(day) != version}


def made_from(job: Job, table: Table, features: str, entry: ModelEntry, versions: dict[str, int]) -> dict[str, Inputs]:
    """Day to what its predictions are made from.

    A day of comparisons also keeps of each version which features it was asked about: an append adds no row where it has only old ones to say.
    """
    now: dict[str, Inputs] = {day: {features: {day: version}} for day, version in versions.items()}
    if job.request.version is None:
        return now
    before = {day: known.inputs for day, known in job.ledger.days(table.name, versions).items() if known.state == "published"}
    return {day: {**before.get(day, {}), **inputs, _name_of(entry): {day: versions[day]}} for day, inputs in now.items()}


def _name_of(entry: ModelEntry) -> str:
    return f"{entry.model} v{entry.version}"


def _known_days(job: Job, model: Model, to: ModelEntry | None) -> dict[str, int]:
    """The published days of features, those that are new to a version where one is given, of the request where it names days."""
    asked = job.request.day_range
    versions = job.ledger.versions(model.contract.features, asked.keys if asked else None)
    return {day: version for day, version in sorted(versions.items()) if to is None or is_new_to(to, day)}


def _publish(  # noqa: PLR0913, PLR0917 - one publication
    job: Job, model: Model, entry: ModelEntry, table: Table, versions: dict[str, int], again: dict[str, int] | None = None
) -> JobResult:
    features = model.contract.features
    if not versions:
        return _unchanged(job, table.name, model, _why_nothing(job, model, entry))
    rows = predict(job, model, entry, versions, _without_answer(job, model, again or {}))
    candidate = conform(table, rows.drop(UNSCORED)).columns
    batch = Batch(inputs=made_from(job, table, features, entry, versions))
    result = Scored(job, table, rows.select(*candidate, F.col(UNSCORED).alias(UNSCORED_WHY)), batch, features).publish()
    facts = {**result.facts, "model": model.name, "model_version": entry.version}
    return result.model_copy(update={"facts": facts, "message": f"{_name_of(entry)}: {result.message}"})


def _why_nothing(job: Job, model: Model, entry: ModelEntry) -> str:
    """Why no day is due: of several reasons the first."""
    features, asked = model.contract.features, job.request.day_range
    known = job.ledger.versions(features, asked.keys if asked else None)
    which = in_words(asked.keys) if asked else f"every day of {features} after {entry.last_day}"
    if not known:
        return f"{features} has no published day" + (f" in {which}; land and build those days first" if asked else "; build it first")
    if not any(is_new_to(entry, day) for day in known) and not (asked and job.request.version is not None):
        shown = f"version {entry.version} was shown the days to {entry.last_day}"
        return f"{shown}, and {features} has none after them" + ("; name a version to score these days for comparison" if asked else " yet")
    return f"{which} has its predictions by version {entry.version}"


def _without_answer(job: Job, model: Model, again: dict[str, int]) -> DataFrame | None:
    """The keys of rows that have a prediction already, on the days that are scored `again` for the sake of others."""
    if not again:
        return None
    return read_published(job, model.contract.predictions, again).select(*keys_of(job.lake.table(model.contract.features).contract)).distinct()


def predict(job: Job, model: Model, entry: ModelEntry, versions: dict[str, int], but: DataFrame | None = None) -> DataFrame:
    """One row for each row of the features of these days, except those with the keys of `but`: the columns that the predictions' contract must
    have, and UNSCORED, why a row has no answer.

    Raises ModelError where the version's file is not the registered one, or the features have lost a column that it learned from.
    """
    contract, table = model.contract, job.lake.table(model.contract.features)
    learned: list[str] = entry.figures["inputs"]
    lost = [name for name in learned if name not in table.contract.columns]
    if lost:
        raise ModelError(f"{_name_of(entry)} learned from {', '.join(lost)}, which {table.name} no longer has; train again.")
    keys = keys_of(table.contract)
    rows = read_published(job, table.name, versions)
    rows = rows.join(but, keys, "left_anti") if but is not None else rows
    scored = _answered(job, model, entry, rows, keys)
    answers = {contract.predicted: F.col(PREDICTED)} if contract.kind != "binary" else {contract.predicted: F.col(PROBABILITY) >= F.lit(contract.threshold)}
    if contract.kind != "regression":
        answers = {contract.probability: F.col(PROBABILITY), **answers}
    return scored.select(
        *keys,
        *(answer.alias(name) for name, answer in answers.items()),
        F.lit(model.name).alias("model_name"),
        F.lit(entry.version).cast("int").alias("model_version"),
        _version_of(F.col(keys[0]), versions).alias("features_version"),
        # so that a row without an answer is the same row the next time
        F.when(F.col(UNSCORED).isNull(), F.lit(datetime.now(UTC))).alias("scored_at"),
        UNSCORED,
    )


def _answered(job: Job, model: Model, entry: ModelEntry, rows: DataFrame, keys: list[str]) -> DataFrame:
    """The keys of the rows, with the columns of ADDED."""
    features = job.lake.table(model.contract.features).contract
    store_of_model, (file, sha256) = ModelStore(job.settings, model), (entry.figures["file"], entry.figures["sha256"])
    opened = store_of_model.load(file, sha256)  # refused here, with one sentence, rather than by every worker
    if isinstance(opened, KeptPipeline):
        return _answered_by_pipeline(model, opened, features, rows, keys, entry.figures["inputs"])
    inputs = {f"_x{position}": name for position, name in enumerate(entry.figures["inputs"])}
    seen = [as_input(features, name).alias(alias) for alias, name in inputs.items()]
    task = scoring_task(store_of_model.location(file), sha256, store_of_model.trusted, inputs, model.contract.kind)
    schema = {**{key: features.columns[key].type for key in keys}, **ADDED[model.contract.kind]}
    job.spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", BATCH_ROWS)
    return rows.select(*keys, *seen).mapInArrow(task, ", ".join(f"`{name}` {kind}" for name, kind in schema.items()))


def _answered_by_pipeline(  # noqa: PLR0913, PLR0917 - what is asked, and who
    model: Model, pipeline: KeptPipeline, features: TableContract, rows: DataFrame, keys: list[str], inputs: list[str]
) -> DataFrame:
    """The same, where the rows are: a pipeline of Spark ML needs no worker."""
    named = {f"_k{position}": key for position, key in enumerate(keys)}  # a key may be an input too
    seen = rows.select(*(F.col(key).alias(alias) for alias, key in named.items()), *(as_pipeline_input(features, name).alias(name) for name in inputs))
    said = pipeline.answers(seen, model.contract.kind, model.contract.threshold)
    answers = [name for name in ADDED[model.contract.kind] if name != UNSCORED]
    number = F.col(answers[0])
    is_answer = number.isNotNull() & ~F.isnan(number) & (F.abs(number) < float("inf"))
    told = said.select(
        *(F.col(alias).alias(key) for alias, key in named.items()),
        *(F.when(is_answer, F.col(name)).alias(name) for name in answers),
        F.when(~is_answer, F.lit("unscored(the answer is no finite number)")).otherwise("").alias(UNSCORED),
    )
    # a stage with handleInvalid="skip" leaves rows out: they wait like those without an answer
    reason = F.coalesce(UNSCORED, F.lit("unscored(the pipeline left it out)"))
    return rows.select(*keys).join(told, keys, "left").withColumn(UNSCORED, F.nullif(reason, F.lit("")))


def _version_of(day: Column, versions: dict[str, int]) -> Column:
    pairs = [F.lit(part) for day_key, version in versions.items() for part in (day_key, version)]
    return F.create_map(*pairs)[day.cast("string")].cast("bigint")


def _unchanged(job: Job, table: str, model: Model, reason: str) -> JobResult:
    facts = {"table": table, "model": model.name, "days": []}
    return JobResult(request=job.request, status="unchanged", message=f"{model.name}: {reason}; nothing to score", facts=facts)
