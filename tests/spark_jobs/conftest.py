"""Literal rows as data frames, in the types of a table's contract; and tables built from them by the engine's own means."""

from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Protocol, cast

import pytest

from expectations.loader import load_lake

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from spark_jobs.lake.job import Job


class Rows(Protocol):
    """`rows("flight int, flight_date date", (1, "2013-01-01"), ...)`; dates and times are ISO texts, times in UTC."""

    def __call__(self, schema: str, *values: tuple[Any, ...]) -> DataFrame: ...


class TableRows(Protocol):
    """`table("bronze.flights", {"flight": 1}, ...)`: the contract's columns and, below gold, `_row`; what a row leaves out is null."""

    def __call__(self, name: str, *values: dict[str, Any]) -> DataFrame: ...


class Built(Protocol):
    """`built("silver.weather", bronze_weather=...)`: the table's logic on these inputs, held to its contract's columns and types."""

    def __call__(self, name: str, **inputs: DataFrame) -> DataFrame: ...


@pytest.fixture(scope="session")
def rows(spark: SparkSession) -> Rows:
    """Makes a data frame from a schema and literal rows."""

    def make(schema: str, *values: tuple[Any, ...]) -> DataFrame:
        types = [column.split()[1] for column in schema.split(", ")]
        typed = [tuple(_typed(value, kind) for value, kind in zip(row, types, strict=True)) for row in values]
        return spark.createDataFrame(typed, schema)

    return make


@pytest.fixture(scope="session")
def table(rows: Rows) -> TableRows:
    """Makes a data frame as the engine hands it to a transform."""

    def make(name: str, *values: dict[str, Any]) -> DataFrame:
        columns = {column: facts.type for column, facts in load_lake().table(name).contract.columns.items()}
        if not name.startswith("gold."):
            columns["_row"] = "string"
        for unknown in {key for row in values for key in row} - set(columns):
            raise KeyError(f"{name} has no column {unknown}")
        schema = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        return rows(schema, *(tuple(row.get(column) for column in columns) for row in values))

    return make


@pytest.fixture(scope="session")
def built(spark: SparkSession) -> Built:
    """Builds a table from literal inputs."""
    from spark_jobs.lake.logic import transform

    def build(name: str, **inputs: DataFrame) -> DataFrame:
        return transform(cast("Job", SimpleNamespace(spark=spark)), load_lake().table(name), inputs)

    return build


def _typed(value: Any, kind: str) -> Any:
    if isinstance(value, str) and kind == "date":
        return date.fromisoformat(value)
    if isinstance(value, str) and kind == "timestamp":
        return datetime.fromisoformat(f"{value}+00:00")
    return value
