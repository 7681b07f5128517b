"""Makes a registered version again, to see that it is what the registry says: the same rows, the same predictions. Registers nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pyspark.errors import PySparkException
from threadpoolctl import threadpool_limits

from expectations.errors import ModelError, RequestError
from expectations.jobs import JobResult
from expectations.model_versions import version_of
from spark_jobs.lake.learning.answering import with_answers
from spark_jobs.lake.learning.engines.estimators import build_estimator, for_contract, seeded, with_parameters
from spark_jobs.lake.learning.examples import DAY, keys_of, read_examples
from spark_jobs.lake.learning.registry.model_store import MODEL_FILE, ModelStore
from spark_jobs.lake.learning.registry.pipeline_again import differing_rows, fit_pipeline_again, frozen_pipeline_examples
from spark_jobs.lake.learning.registry.provenance import made_with

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

    from expectations.jobs import JobRequest
    from expectations.lake import Model
    from expectations.ledger import ModelEntry
    from spark_jobs.lake.job import Job

    Differing = Callable[[dict[str, int], list[str], list[str], int], int]
    """From the days' versions, the inputs, the told columns and the table's version to how many rows differ from the frozen ones."""

SAME = 1e-9
"""Predictions that differ by no more are the same: sums of floating point numbers in another order differ by less."""
GONE = ("DELTA_", "Cannot time travel", "FAILED_READ_FILE", "PATH_NOT_FOUND", "FileNotFound", "UNRESOLVED_COLUMN")
"""What Spark and Delta say where a version is no longer there, or has not the columns of today."""


@dataclass(frozen=True)
class Reread:
    """The training set, read again from its table: how many rows differ from the frozen ones, or why it could not be read."""

    differing: int = 0
    why_not: str = ""

    def in_words(self, table: str, version: int) -> str:
        """One clause."""
        if self.why_not:
            return self.why_not
        return f"{self.differing:,} of its rows differ in" if self.differing else f"the same rows are in {table} at version {version}"


def rebuild(job: Job) -> JobResult:
    """Check a version's frozen training set, read it again from the table's history, fit it again, and compare.

    Ends `failed_terminal` where rows or predictions are not the same. Raises RequestError for a version that is none, ModelError where its
    frozen training set or its file are not the registered ones.
    """
    model = job.lake.model(job.request.name)
    if job.request.version is None:
        raise RequestError(f"{model.name}: which version? Add --version, for example --version 1.")
    entry = version_of(job.ledger, model, job.request.version)
    if not entry.figures["file"].endswith(MODEL_FILE):
        return _rebuild_pipeline(job, model, entry)
    frozen = ModelStore(job.settings, model).examples(entry.figures["training_set"], entry.figures["training_set_sha256"])
    _require_columns(model, entry, frozen.columns)
    reread = _read_again(job, model, entry, frozen.columns, lambda *facts: rows_differing(frozen, read_examples(job, model, *facts)))
    difference = fit_again(job, model, entry, frozen)
    return rebuilt(job.request, model, entry, len(frozen), reread, difference)


def _rebuild_pipeline(job: Job, model: Model, entry: ModelEntry) -> JobResult:
    """The same of a pipeline of Spark ML, where the rows are."""
    frozen = frozen_pipeline_examples(job, model, entry)
    _require_columns(model, entry, frozen.columns)
    reread = _read_again(job, model, entry, frozen.columns, lambda days, _inputs, _told, version: differing_rows(job, model, days, version, frozen))
    difference = fit_pipeline_again(job, model, entry, frozen, _first_test_day(entry))
    return rebuilt(job.request, model, entry, frozen.count(), reread, difference)


def _first_test_day(entry: ModelEntry) -> str:
    return str(entry.figures.get("provenance", {}).get("first_test_day", entry.figures["test_days"][:10]))


def _require_columns(model: Model, entry: ModelEntry, known: Iterable[str]) -> None:
    lost = [name for name in (*entry.figures["inputs"], model.contract.target) if name not in set(known)]
    if lost:
        raise ModelError(
            f"{model.name} v{entry.version} was trained for another contract: its training set has no {', '.join(lost)}; bring that contract back."
        )


def _read_again(job: Job, model: Model, entry: ModelEntry, columns: Iterable[str], differing: Differing) -> Reread:
    """Row for row."""
    table, inputs = job.lake.table(model.contract.training), list(entry.figures["inputs"])
    versions = entry.inputs.get(table.name, {})
    known = {DAY, *keys_of(table.contract), *inputs, model.contract.target}
    told = [name for name in columns if name not in known]
    lost = [name for name in (*inputs, *told) if name not in table.contract.columns]
    if not versions or lost:
        return Reread(why_not=f"its rows cannot be read again: {table.name} is not what it was" + (f", it has no {', '.join(lost)}" if lost else ""))
    version = max(versions.values())
    try:
        return Reread(differing=differing(versions, inputs, told, version))
    except (ModelError, PySparkException) as error:
        if not isinstance(error, ModelError) and not any(sign in str(error) for sign in GONE):
            raise
        kept = f"{table.name} keeps {table.contract.keep_history} days of history"
        return Reread(why_not=f"version {version} of {table.name} cannot be read any more ({kept}): {str(error).splitlines()[0][:200]}")


def rows_differing(frozen: pd.DataFrame, again: pd.DataFrame) -> int:
    """Rows that are not the same; a row too many or too few is one."""
    common = min(len(frozen), len(again))
    differs = np.zeros(common, dtype=bool)
    for name in frozen.columns:
        left, right = frozen[name][:common], again[name][:common]
        differs |= ~((left == right) | (left.isna() & right.isna())).to_numpy(dtype=bool)
    return int(differs.sum()) + abs(len(frozen) - len(again))


def fit_again(job: Job, model: Model, entry: ModelEntry, frozen: pd.DataFrame) -> float:
    """The largest difference between what the registered file and a new fit say of the test days."""
    figures, contract = entry.figures, model.contract
    inputs, made = list(figures["inputs"]), figures.get("provenance", {})
    registered = ModelStore(job.settings, model).load(figures["file"], figures["sha256"])
    seed = int(made.get("made_with", {}).get("seed", contract.seed))
    estimator = for_contract(contract, seeded(with_parameters(build_estimator(model), figures["parameters"]), seed))
    is_test = frozen[DAY] >= _first_test_day(entry)
    learned, test = frozen[~is_test], frozen[is_test]
    try:
        with threadpool_limits(limits=1):
            estimator.fit(learned[inputs], learned[contract.target])
            said, says = (with_answers(contract, asked, test[inputs], inputs) for asked in (registered, estimator))
    except ValueError as error:
        raise ModelError(f"{model.name} v{entry.version} cannot be fitted again: {str(error)[:500]}") from error
    numbers = [name for name in said.columns if name not in inputs and said[name].dtype == float]
    return max(float(np.abs(said[name] - says[name]).max()) for name in numbers)


def rebuilt(  # noqa: PLR0913, PLR0917 - what was found
    request: JobRequest, model: Model, entry: ModelEntry, rows: int, reread: Reread, difference: float
) -> JobResult:
    """The result of a rebuild, of what was found: done where rows and predictions are the same."""
    recorded, now = entry.figures.get("provenance", {}).get("made_with", {}), made_with(model)
    changed = {name: {"then": recorded[name], "now": value} for name, value in now.items() if recorded.get(name, value) != value}
    surroundings = f"made with another {', '.join(changed)} than then" if changed else "contract, code, lock and packages are those of then"
    versions = entry.inputs.get(model.contract.training, {})
    is_same = difference <= SAME and not reread.differing
    parts = [
        f"{model.name} v{entry.version} {'is what a new fit gives' if is_same else 'is NOT what a new fit gives'}: its frozen training set of "
        f"{rows:,} rows is the registered one",
        reread.in_words(model.contract.training, max(versions.values(), default=0)),
        f"the predictions for {entry.figures['test_days']} differ by {difference:.3g} at most",
        surroundings if recorded else "what it was made with was not recorded then",
    ]
    facts: dict[str, Any] = {
        "model": model.name,
        "version": entry.version,
        "training_set_sha256": entry.figures["training_set_sha256"],
        "rows": rows,
        "rows_differing": None if reread.why_not else reread.differing,
        "not_read_again": reread.why_not,
        "largest_difference": difference,
        "same_predictions": difference <= SAME,
        "changed": changed,
    }
    return JobResult(request=request, status="done" if is_same else "failed_terminal", message="; ".join(parts), facts=facts)
