"""A table's logic: its `transform`, or its one SELECT."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from pyspark import cloudpickle
from pyspark.errors import AnalysisException

from expectations.errors import ContractError, did_you_mean
from expectations.logic_files import lake_modules, load_module
from spark_jobs.lake.determinism import analysed, require_determined
from spark_jobs.lake.landed_file import EXTRA

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from pyspark.sql import DataFrame

    from expectations.lake import Table
    from spark_jobs.lake.job import Job


def transform(job: Job, table: Table, inputs: dict[str, DataFrame]) -> DataFrame:
    """The table's rows from its inputs (by argument name), with the contract's columns in the contract's order, and `_row` if it keeps it.

    Raises ContractError where the logic's columns are not the contract's, or where its day or key is another one each time.
    """
    if table.logic is None:
        raise ContractError(f"{table.name} has no logic of its own.")
    rows = _select(job, table.logic, inputs) if table.logic.suffix == ".sql" else _call(table.project, table.logic, inputs)
    conformed = conform(table, rows)
    require_determined(table, analysed(conformed))
    return conformed


def conform(table: Table, rows: DataFrame) -> DataFrame:
    """`rows` with the contract's columns in its order. Raises ContractError where names or types differ."""
    found = {field.name: field.dataType.simpleString() for field in rows.schema.fields}
    require_promised(table, found)
    return rows.select(*table.contract.columns, *(["_row"] if "_row" in found else []))


def require_promised(table: Table, found: Mapping[str, str]) -> None:
    """Raises ContractError where the columns that were `found`, name to type, are not those of the contract.

    `_row` and `_extra` may come with them, as bronze has them.
    """
    contract = table.contract
    for name, column in contract.columns.items():
        if name not in found:
            raise ContractError(
                f"{table.name}: {table.logic or table.file} returns no column {name!r}, which {table.file} promises.{did_you_mean(name, found)}"
            )
        if found[name] != column.type:
            raise ContractError(
                f"{table.name}: column {name!r} is {found[name]}, but {table.file} promises {column.type}; cast it in {table.logic}, or change the contract."
            )
    extra = [name for name in found if name not in {*contract.columns, "_row", EXTRA}]
    if extra:
        hint = did_you_mean(extra[0], contract.columns)
        raise ContractError(f"{table.name}: {table.logic or table.file} returns {', '.join(extra[:5])}, which {table.file} does not promise.{hint}")


def take_along(files: Collection[Path]) -> None:
    """Send the functions of these modules to Spark's workers by value: another machine has not got the file, and a worker that runs keeps an old one."""
    places = {str(file) for file in files}
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) in places:
            cloudpickle.register_pickle_by_value(module)  # type: ignore[no-untyped-call]


def _call(project: Path, file: Path, inputs: dict[str, DataFrame]) -> DataFrame:
    module = load_module(file)
    take_along(lake_modules(project, file))
    rows = module.transform(**inputs)
    if not hasattr(rows, "schema"):
        raise ContractError(f"{file}: transform returned {type(rows).__name__}, not a DataFrame.")
    return rows  # type: ignore[no-any-return]


def _select(job: Job, file: Path, inputs: dict[str, DataFrame]) -> DataFrame:
    for name, rows in inputs.items():
        rows.createOrReplaceTempView(name)  # the session is this job's own
    try:
        rows = job.spark.sql(file.read_text(encoding="utf-8"))
        rows.schema  # noqa: B018 - over Connect the text is only looked at when asked for its schema
    except AnalysisException as error:
        raise ContractError(f"{file}: {str(error).splitlines()[0][:300]}") from None
    return rows
