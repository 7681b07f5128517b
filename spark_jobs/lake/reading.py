"""Reads: landed files as bronze rows, and published tables."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column, DataFrame

    from expectations.contract import TableContract
    from expectations.lake import Table
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.sources import LandedFile

BRONZE_FACTS = {
    "_errors": "array<string>",
    "_corrupt": "string",
    "_row": "string",
    "_source_file": "string",
    "_source_line": "bigint",
    "_ingested_at": "timestamp",
    "_run_id": "string",
    "_day": "date",
}
"""What bronze adds to a file's own columns. `_errors`: the columns whose text is not of the contract's type, null where all are;
`_row`: arrival day, file and position, unique; `_source_line`: the line in the file where it can be known."""
MALFORMED = "malformed"
PERFECT_SPLIT = "134217728"


# landed files


def read_files(job: Job, table: Table, files: list[LandedFile]) -> DataFrame:
    """The files' rows as they arrived, one row a record: texts (Parquet: its own types) and BRONZE_FACTS."""
    # every file a split of its own, so that a record's position within the split is its position in the file
    job.spark.conf.set("spark.sql.files.openCostInBytes", PERFECT_SPLIT)
    by_header: dict[tuple[str, ...], list[LandedFile]] = {}
    for file in files:
        by_header.setdefault(file.header, []).append(file)
    frames = [_with_facts(job, table, _raw(job, table, header, group)) for header, group in by_header.items()]
    rows = frames[0]
    for frame in frames[1:]:
        rows = rows.unionByName(frame)
    return rows


def _raw(job: Job, table: Table, header: tuple[str, ...], files: list[LandedFile]) -> DataFrame:
    source = table.contract.source
    if source is None:
        raise SourceError(f"{table.name} has no source.")
    paths = [file.kept for file in files]
    if source.format == "parquet":
        return job.spark.read.parquet(*paths)
    schema = ", ".join(f"`{name}` {_raw_type(table.contract, name)}" for name in header) + ", `_corrupt` string"
    reader = job.spark.read.schema(schema).option("mode", "PERMISSIVE").option("columnNameOfCorruptRecord", "_corrupt")
    if source.format == "jsonl":
        return reader.json(paths)
    options = {"header": "true", "sep": source.delimiter, "escape": '"', "enforceSchema": "true", "maxCharsPerColumn": "1000000"}
    return reader.options(**options).csv(paths)


def _raw_type(contract: TableContract, name: str) -> str:
    """Nested JSON values keep their type; all else is text."""
    declared = contract.columns[name].type
    return declared if "<" in declared else "string"


def _with_facts(job: Job, table: Table, raw: DataFrame) -> DataFrame:
    contract = table.contract
    is_parquet = contract.source is not None and contract.source.format == "parquet"
    folder = contract.source.folder if contract.source else ""
    path = F.col("_metadata.file_path")
    day = F.regexp_extract(path, r"/(\d{4}-\d{2}-\d{2})/[0-9a-f]{64}\.[a-z]+$", 1)
    sha = F.substring(F.col("_metadata.file_name"), 1, 16)
    position = F.col("_metadata.row_index") if is_parquet else F.monotonically_increasing_id().bitwiseAND((1 << 33) - 1)
    block = F.lit(0) if is_parquet else F.col("_metadata.file_block_start")
    header_lines = 2 if contract.source and contract.source.format == "csv" else 1
    corrupt = F.lit(None).cast("string") if is_parquet else _corrupt(contract)
    errors = F.lit(None).cast("array<string>") if is_parquet else _errors(contract, corrupt)
    return raw.select(
        *(F.col(name) for name in contract.columns),
        errors.alias("_errors"),
        corrupt.alias("_corrupt"),
        F.concat_ws("/", day, sha, block, position).alias("_row"),
        F.concat(F.lit(f"{folder}/"), day, F.lit("."), F.substring_index(path, ".", -1)).alias("_source_file"),
        F.when(block == 0, position + header_lines).cast("bigint").alias("_source_line"),
        F.current_timestamp().alias("_ingested_at"),
        F.lit(job.request.run_id).alias("_run_id"),
        day.cast("date").alias("_day"),
    )


def _corrupt(contract: TableContract) -> Column:
    """The raw record where Spark could not split it, or where its bytes were no UTF-8."""
    texts = [F.col(name) for name, column in contract.columns.items() if "<" not in column.type]
    broken_text = F.contains(F.concat_ws("", *texts), F.lit("\ufffd")) if texts else F.lit(False)
    return F.coalesce(F.col("_corrupt"), F.when(broken_text, F.concat_ws(",", *texts)))


def _errors(contract: TableContract, corrupt: Column) -> Column:
    faults = [F.when(corrupt.isNotNull(), F.lit(MALFORMED))]
    for name, column in contract.columns.items():
        if column.type != "string" and "<" not in column.type:
            text = _text(contract, name)
            faults.append(F.when(text.isNotNull() & text.try_cast(column.type).isNull(), F.lit(name)))
    found = F.array_compact(F.array(*faults))
    return F.when(F.size(found) > 0, found)


def _text(contract: TableContract, name: str) -> Column:
    """The column's text without outer blanks; null for the texts that mean null."""
    trimmed = F.trim(F.col(name))
    nulls = list(contract.source.nulls) if contract.source else []
    return F.when(~trimmed.isin(nulls), trimmed) if nulls else trimmed


# published tables


def read_published(job: Job, table: str, days: Iterable[str] | None = None, version: int | None = None) -> DataFrame:
    """The published rows of `table`: its contract's columns, and `_row` where it has it; of bronze the rows that parse, typed.

    `days` are day keys; None reads the whole table. `version` is a Delta version within `keep_history`.
    """
    facts = job.lake.table(table)
    rows = _delta(job, table, version)
    if facts.contract.source:
        return typed(facts.contract, _on_days(rows, "_day", days).filter("_errors IS NULL"))
    kept = ["_row"] if "_row" in rows.columns else []
    return _on_days(rows, facts.contract.day, days).select(*facts.contract.columns, *kept)


def read_refused(job: Job, bronze: str, days: Iterable[str]) -> DataFrame:
    """The rows of a bronze table that do not parse, as texts."""
    return _on_days(_delta(job, bronze, None), "_day", days).filter("_errors IS NOT NULL")


def typed(contract: TableContract, rows: DataFrame) -> DataFrame:
    """Bronze rows with the contract's types; texts that mean null are null."""
    if contract.source and contract.source.format == "parquet":
        columns = [F.col(name).cast(column.type).alias(name) for name, column in contract.columns.items()]
    else:
        columns = [
            (F.col(name) if "<" in column.type else _text(contract, name).try_cast(column.type)).alias(name) for name, column in contract.columns.items()
        ]
    return rows.select(*columns, "_row", "_source_file", "_source_line", "_ingested_at", "_run_id", "_day")


def _delta(job: Job, table: str, version: int | None) -> DataFrame:
    reader = job.spark.read.format("delta")
    if version is not None:
        reader = reader.option("versionAsOf", str(version))
    return reader.load(job.settings.table_path(table))


def _on_days(rows: DataFrame, column: str | None, days: Iterable[str] | None) -> DataFrame:
    if days is None or column is None:
        return rows
    return rows.filter(F.col(column).isin([date.fromisoformat(day) for day in days]))
