"""The rows that models see: contract columns as the numbers and texts that an estimator takes."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pandas as pd
from pyspark.sql import functions as F

from expectations.errors import ModelError, TransientError
from expectations.storage import Place
from spark_jobs.lake.reading import read_published

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import Column

    from expectations.contract import TableContract
    from expectations.lake import Model
    from spark_jobs.lake.job import Job


def as_input(contract: TableContract, name: str) -> Column:
    """A column as a model sees it: texts stay texts, all else is a double, so that a batch without nulls looks like one with nulls."""
    column = F.col(name)
    return column if contract.columns[name].type == "string" else column.cast("double")


def read_examples(  # noqa: PLR0913, PLR0917 - what tells rows
    job: Job, model: Model, versions: dict[str, int], inputs: list[str], told: list[str], version: int | None = None
) -> pd.DataFrame:
    """The training table's rows of these days, sorted by day and grain: DAY, keys, `inputs`, the `told` columns as they are, and the target:
    0 or 1, a text or a number, by the contract's kind.

    `versions` says at which version each day last changed. `version`: the table as it was then. Raises TransientError where a day changed
    while it was read, ModelError where the target cannot be learned.
    """
    contract, table = model.contract, job.lake.table(model.contract.training)
    keys = keys_of(table.contract)
    seen = [as_input(table.contract, name).alias(f"x{position}") for position, name in enumerate(inputs)]
    others = [name for name in told if name not in {*keys, *inputs, contract.target}]
    rows = read_published(job, table.name, versions, version).select(*keys, *others, *seen, F.col(contract.target).cast(TARGET_TYPE[contract.kind]).alias("y"))
    frame: pd.DataFrame = rows.toArrow().to_pandas().sort_values(keys, kind="stable", ignore_index=True)
    if version is None and job.ledger.versions(table.name, versions) != versions:
        raise TransientError(f"{table.name} changed while {model.name} read it; train again.")
    check_target(model, frame["y"].unique().tolist())
    named = {f"x{position}": name for position, name in enumerate(inputs)}
    # a key may be an input or the target too: then it is kept once, as that
    keyed = frame.drop(columns=[key for key in keys if key in {*inputs, contract.target}]).rename(columns={**named, "y": contract.target})
    days = pd.Series([str(day) for day in frame[str(table.contract.day)]], name=DAY)
    return pd.concat([days, keyed.astype({contract.target: "int64"}) if contract.kind == "binary" else keyed], axis="columns")


def days_without_labels(job: Job, model: Model, versions: dict[str, int]) -> set[str]:
    """Those of the training table's days that have rows whose label is null: it has not come yet. None where its contract allows no null."""
    table, target = job.lake.table(model.contract.training).contract, model.contract.target
    if not versions or not table.columns[target].nullable:
        return set()
    day = F.col(str(table.day)).cast("string")
    rows = read_published(job, model.contract.training, versions).filter(F.col(target).isNull())
    return {row[0] for row in rows.select(day).distinct().collect()}


TARGET_TYPE = {"binary": "double", "multiclass": "string", "regression": "double"}
TARGET = {"binary": "false and true (or 0 and 1)", "multiclass": "one of at least two texts", "regression": "a finite number that is not always the same"}
DAY = "_day"
"""The column of examples for the day of a row, as a day key."""


def keys_of(contract: TableContract) -> list[str]:
    """Day and grain: what tells a row."""
    day = str(contract.day)
    return [day, *(name for name in contract.grain if name != day)]


def check_target(model: Model, found: list[Any]) -> None:
    """`found` are the target's values. Raises ModelError where they cannot be learned."""
    contract = model.contract
    known = [value for value in found if not pd.isna(value)]
    fits = set(known) == {0.0, 1.0} if contract.kind == "binary" else len(known) > 1
    if not fits or len(known) < len(found) or any(value in (float("inf"), float("-inf")) for value in known):
        shown = ", ".join("null" if pd.isna(value) else str(value) for value in sorted(found, key=str)[:5]) or "no row at all"
        other = "; if it is a number to be told, write kind: regression" if contract.kind == "binary" and len(set(known)) > 2 else ""  # noqa: PLR2004
        raise ModelError(
            f"{model.name}: the target {contract.target!r} of {contract.training} must be {TARGET[contract.kind]} and never null, "
            f"found {shown}{other}; mend it in the table, or take more days."
        )


@contextmanager
def drafted(examples: pd.DataFrame) -> Iterator[tuple[Place, str]]:
    """The examples as one local Parquet file, until the block ends, and its sha256: where they are kept may hang on it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory() as folder:
        draft = Place.of(f"{folder}/examples.parquet")
        pq.write_table(pa.Table.from_pandas(examples, preserve_index=False), draft.path, compression="zstd")
        yield draft, draft.fingerprint()[0]
