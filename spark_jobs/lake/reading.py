"""Reads: landed files as bronze rows, and published tables."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from expectations.errors import SourceError
from spark_jobs.lake import heads, parquet_columns
from spark_jobs.lake.drift import UNCAST, evened_out, named_faults, uncast
from spark_jobs.lake.landed_file import EXTRA
from spark_jobs.lake.published_files import published_files
from spark_jobs.lake.quarantine import corrections
from spark_jobs.lake.texts import is_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column, DataFrame

    from expectations.contract import Source, TableContract
    from expectations.lake import Table
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.landed_file import LandedFile
    from spark_jobs.lake.quarantine.corrections import Corrections

BRONZE_FACTS = {
    "_errors": "array<string>",
    "_corrupt": "string",
    "_corrected": "string",
    EXTRA: "string",
    "_row": "string",
    "_source_file": "string",
    "_source_line": "bigint",
    "_ingested_at": "timestamp",
    "_run_id": "string",
    "_day": "date",
}
"""What bronze adds to a file's own columns. `_errors`: the columns whose text is not of the contract's type, null where all are;
`_corrected`: what the file said where a person has written something else, as JSON;
`_extra`: the columns that the contract does not know, as JSON, there since a file first brought one;
`_row`: arrival day, file and position, unique; `_source_line`: the line in the file where it can be known."""
MALFORMED = "malformed"
SPLIT_BYTES = "33554432"
"""Of a landed text file; a task reads one. 1,000,000 rows of 19 columns, 94 MB, are ingested by both of two cores so, by 128 MB (Spark's default) by one.
Row ids name the split, so changing it gives the rows of bigger files other ids."""
NO_LIMIT = str(2**31 - 1)


# landed files


def read_files(job: Job, table: Table, files: list[LandedFile]) -> DataFrame:
    """The files' rows as they arrived, one row a record: texts (Parquet, ORC: their own types) and BRONZE_FACTS."""
    # no split has rows of two files, so that a record's position within the split is its position in the file, or in a known part of it
    job.spark.conf.set("spark.sql.files.openCostInBytes", SPLIT_BYTES)
    job.spark.conf.set("spark.sql.files.maxPartitionBytes", SPLIT_BYTES)
    job.spark.conf.set("spark.sql.files.maxPartitionNum", NO_LIMIT)  # it would make the splits bigger
    alike: dict[tuple[tuple[str, ...], ...], list[LandedFile]] = {}
    for file in files:
        alike.setdefault((file.header, file.types), []).append(file)
    corrected = {row_id: values for file in files for row_id, values in file.corrections.items()}
    frames = [_with_facts(job, table, _raw(job, table, group), group, corrected) for group in alike.values()]
    rows = frames[0]
    for frame in frames[1:]:
        rows = rows.unionByName(frame, allowMissingColumns=True)  # _extra is there where a file brings more columns
    return rows


def _raw(job: Job, table: Table, files: list[LandedFile]) -> DataFrame:
    """Records of files that are alike, with the contract's columns."""
    difference = files[0].difference
    names = {name: f"{EXTRA} {number}" for number, name in enumerate(difference.added)}  # no column of a contract has a blank in its name
    if table.contract.source and table.contract.source.format != "csv":
        names = {name: name for name in difference.added}  # these are read by name
    return evened_out(table, _as_landed(job, table, files, names), difference, names)


def _as_landed(job: Job, table: Table, files: list[LandedFile], extras: dict[str, str]) -> DataFrame:
    source = table.contract.source
    if source is None:
        raise SourceError(f"{table.name} has no source.")
    paths = [file.kept for file in files]
    if source.has_types:
        job.spark.conf.set(parquet_columns.AS_NUMBERS, "true")
        rows = job.spark.read.format(source.format).load(paths)
        return parquet_columns.with_moments(rows, files[0].header, files[0].types) if source.format == "parquet" else rows
    reader = job.spark.read.option("mode", "PERMISSIVE").option("columnNameOfCorruptRecord", "_corrupt")
    known = {name: f"`{name}` {_raw_type(table.contract, name)}" for name in table.contract.columns}
    if source.format == "jsonl":
        schema = ", ".join([*known.values(), "`_corrupt` string"])
        return reader.schema(_with_texts(job, schema, extras) if extras else schema).json(paths)
    schema = ", ".join([*(known[name] if name in known else f"`{extras[name]}` string" for name in files[0].header), "`_corrupt` string"])
    options = {"header": "true", "sep": source.delimiter, "escape": '"', "enforceSchema": "true", "maxCharsPerColumn": "1000000"}
    return reader.schema(schema).options(**options).csv(paths)


def _with_texts(job: Job, schema: str, names: Iterable[str]) -> StructType:
    """The schema with more columns, whose names are from a file and so must not stand in a text that Spark parses."""
    return StructType([*job.spark.createDataFrame([], schema).schema.fields, *(StructField(name, StringType()) for name in names)])


def _raw_type(contract: TableContract, name: str) -> str:
    """Nested JSON values keep their type; all else is text."""
    declared = contract.columns[name].type
    return declared if "<" in declared else "string"


def _with_facts(job: Job, table: Table, raw: DataFrame, files: list[LandedFile], corrected: Corrections) -> DataFrame:
    contract, difference = table.contract, files[0].difference
    has_types = contract.source is not None and contract.source.has_types
    is_parquet = contract.source is not None and contract.source.format == "parquet"  # which alone numbers its rows
    # of our own copy: .../<day>/<sha256>.<format>; where there is one, Spark need not tell it for every row (5.9 against 5.2 s, 1,000,000 rows)
    path = F.lit(files[0].kept) if len(files) == 1 else F.input_file_name()
    day = F.substring(F.substring_index(path, "/", -2), 1, 10)
    sha = F.substring(F.substring_index(path, "/", -1), 1, 16)
    position = F.col("_metadata.row_index") if is_parquet else F.monotonically_increasing_id().bitwiseAND((1 << 33) - 1)
    block = F.lit(0) if is_parquet else F.input_file_block_start()
    header_lines = 2 if contract.source and contract.source.format == "csv" else 1
    placed = raw.select(
        *contract.columns,
        *([EXTRA] if difference.added else []),
        *([UNCAST] if difference.changed else []),
        (F.lit(None).cast("string") if has_types and not difference.changed else F.col("_corrupt")).alias("_corrupt"),
        F.concat_ws("/", day, sha, block, position).alias("_row"),
        _landed_as(contract.source, day, path).alias("_source_file"),
        F.when(block == 0, position + header_lines).cast("bigint").alias("_source_line"),
        F.current_timestamp().alias("_ingested_at"),
        F.lit(job.request.run_id).alias("_run_id"),
        day.cast("date").alias("_day"),
    )
    rows = corrections.apply(placed, list(contract.columns), corrected)
    corrupt = F.col("_corrupt") if has_types else _corrupt(contract)
    errors = uncast(difference) if has_types else _errors(contract, corrupt)
    present = [name for name in BRONZE_FACTS if name != EXTRA or difference.added]
    facts = {**{name: F.col(name) for name in present if name not in {"_errors", "_corrupt"}}, "_errors": errors, "_corrupt": corrupt}
    return rows.select(*contract.columns, *(facts[name].alias(name) for name in present))


def _landed_as(source: Source | None, day: Column, path: Column) -> Column:
    """The file within the landing folder; of an external table's day its folder, in which it is the only one."""
    if source is None:
        return F.lit(None).cast("string")
    if source.external:
        return F.concat(F.lit(f"{source.folder}/day="), day)
    return F.concat(F.lit(f"{source.folder}/"), day, F.lit("."), F.substring_index(path, ".", -1))


def _corrupt(contract: TableContract) -> Column:
    """The raw record where Spark could not split it, or where its bytes were no UTF-8."""
    texts = [F.col(name) for name, column in contract.columns.items() if "<" not in column.type]
    broken_text = F.contains(F.concat_ws("", *texts), F.lit("\ufffd")) if texts else F.lit(False)
    return F.coalesce(F.col("_corrupt"), F.when(broken_text, F.concat_ws(",", *texts)))


def _errors(contract: TableContract, corrupt: Column) -> Column:
    faults = [F.when(corrupt.isNotNull(), F.lit(MALFORMED))]
    for name, column in contract.columns.items():
        if column.type != "string" and "<" not in column.type:
            faults.append(F.when(~parses(contract, name), F.lit(name)))
    return named_faults(faults)


def parses(contract: TableContract, name: str) -> Column:
    """Whether the text in column `name` is of the contract's type, or means null."""
    text = _text(contract, name)
    return text.isNull() | is_value(text, contract.columns[name].type)


def _text(contract: TableContract, name: str) -> Column:
    """The column's text without outer blanks; null for the texts that mean null."""
    trimmed = F.trim(F.col(name))
    nulls = list(contract.source.nulls) if contract.source else []
    return F.when(~trimmed.isin(nulls), trimmed) if nulls else trimmed


# published tables


def read_published(job: Job, table: str, days: Iterable[str] | None = None, version: int | None = None) -> DataFrame:
    """The published rows of `table`: its contract's columns, and `_row` where it has it; of bronze the rows that parse, typed.

    `days` are day keys; None reads the whole table. `version` is a Delta version within `keep_history`; None: the one that counts.
    """
    facts, days = job.lake.table(table), None if days is None else list(days)
    rows = read_table(job, table, version, days)
    if facts.contract.source:
        return typed(facts.contract, _on_days(rows, "_day", days).filter("_errors IS NULL"))
    kept = ["_row"] if "_row" in rows.columns else []
    return _on_days(rows, facts.contract.day, days).select(*facts.contract.columns, *kept)


def read_refused(job: Job, bronze: str, days: Iterable[str]) -> DataFrame:
    """The rows of a bronze table that do not parse, as texts."""
    days = list(days)
    return _on_days(read_table(job, bronze, days=days), "_day", days).filter("_errors IS NOT NULL")


def typed(contract: TableContract, rows: DataFrame) -> DataFrame:
    """Bronze rows with the contract's types; texts that mean null are null. `_extra` is null where no file has brought more columns."""
    if contract.source and contract.source.has_types:
        columns = [F.col(name).cast(column.type).alias(name) for name, column in contract.columns.items()]
    else:
        columns = [
            (F.col(name) if "<" in column.type else _text(contract, name).try_cast(column.type)).alias(name) for name, column in contract.columns.items()
        ]
    extra = F.col(EXTRA) if EXTRA in rows.columns else F.lit(None).cast("string").alias(EXTRA)
    return rows.select(*columns, extra, "_row", "_source_file", "_source_line", "_ingested_at", "_run_id", "_day")


def read_table(job: Job, table: str, version: int | None = None, days: Iterable[str] | None = None) -> DataFrame:
    """All columns and rows of a table, as they lie there, at a version; None: the one that counts. Of `days`, and it may be of others too.

    Raises RequestError where no version counts, and LogError where its rows cannot be trusted.
    """
    counts = heads.version_to_read(job.settings, job.ledger, table) if version is None else version
    path, contract = job.settings.table_path(table), job.lake.table(table).contract
    files = published_files(path, counts, "_day" if contract.source else contract.day, days)
    if files is None:
        return job.spark.read.format("delta").option("versionAsOf", str(counts)).load(path)
    return job.spark.read.schema(files.schema).option("basePath", path).parquet(*files.paths)


def _on_days(rows: DataFrame, column: str | None, days: Iterable[str] | None) -> DataFrame:
    if days is None or column is None:
        return rows
    return rows.filter(F.col(column).isin([date.fromisoformat(day) for day in days]))
