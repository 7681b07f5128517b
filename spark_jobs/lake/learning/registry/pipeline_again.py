"""Fits a registered pipeline of Spark ML again, from its frozen training set, and compares what both say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from pyspark.sql import functions as F

from expectations.errors import ModelError
from spark_jobs.lake.learning.engines.pipeline_training import fit_pipeline, read_frozen, some
from spark_jobs.lake.learning.engines.pipelines import KeptPipeline, answered, as_pipeline_sees, folder_sha256
from spark_jobs.lake.learning.examples import DAY, keys_of
from spark_jobs.lake.learning.registry.model_store import ModelStore
from spark_jobs.lake.reading import read_published

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from pyspark.sql import DataFrame

    from expectations.lake import Model
    from expectations.ledger import ModelEntry
    from spark_jobs.lake.job import Job


def frozen_pipeline_examples(job: Job, model: Model, entry: ModelEntry) -> DataFrame:
    """The frozen training set of a version. Raises ModelError where it is gone or not the registered one."""
    path, registered = entry.figures["training_set"], entry.figures["training_set_sha256"]
    location = ModelStore(job.settings, model).location(path)
    try:
        found = folder_sha256(location)
    except FileNotFoundError:
        raise ModelError(f"{model.name}: the training set {path} is gone; bring it back from a backup, or train again.") from None
    if found != registered:
        raise ModelError(f"{model.name}: the training set {path} has sha256 {found}, but {registered} was registered; find out who changed it.")
    return read_frozen(job, location)


def differing_rows(job: Job, model: Model, days: Iterable[str], version: int, frozen: DataFrame) -> int:
    """Rows that the training table at `version` or the frozen set has and the other has not; one that changed counts once."""
    table = job.lake.table(model.contract.training)
    day, *others = keys_of(table.contract)[0], *(name for name in frozen.columns if name != DAY)
    types = dict(frozen.dtypes)
    now = read_published(job, table.name, days, version).select(
        F.col(day).cast("string").alias(DAY), *(F.col(name).cast(types[name]).alias(name) for name in others)
    )
    then = frozen.select(DAY, *others)
    return int(max(now.exceptAll(then).count(), then.exceptAll(now).count()))


def fit_pipeline_again(job: Job, model: Model, entry: ModelEntry, frozen: DataFrame, first_test_day: str) -> float:
    """The largest difference between what the registered pipeline and a new fit say of the test days, of a sample where they are many."""
    figures = entry.figures
    inputs, seed = list(figures["inputs"]), figures.get("provenance", {}).get("made_with", {}).get("seed", model.contract.seed)
    contract = model.contract.model_copy(update={"seed": int(seed), "inputs": tuple(inputs)})
    registered: KeptPipeline = ModelStore(job.settings, model).load(figures["file"], figures["sha256"])
    fitted = fit_pipeline(replace(model, contract=contract), figures["parameters"], frozen.filter(F.col(DAY) < first_test_day), registered.classes)
    keys = [DAY, *keys_of(job.lake.table(contract.training).contract)[1:]]
    test = as_pipeline_sees(some(frozen.filter(F.col(DAY) >= first_test_day), keys), inputs).select(*dict.fromkeys([*keys, *inputs]))
    said = _numbers(registered.answers(test, contract.kind, contract.threshold), keys, inputs)
    says = _numbers(answered(fitted.transform(test), test.columns, contract.kind, contract.threshold, registered.classes), keys, inputs)
    return float(np.abs(said.to_numpy() - says.to_numpy()).max())


def _numbers(answers: DataFrame, keys: list[str], inputs: list[str]) -> pd.DataFrame:
    """The numbers of the answers, in the order of the keys."""
    found: pd.DataFrame = answers.toArrow().to_pandas().sort_values(keys, kind="stable", ignore_index=True)
    return found.drop(columns=[*keys, *inputs], errors="ignore").select_dtypes("float")
