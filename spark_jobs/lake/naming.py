"""Names: what a job has published is registered in the Hive metastore, where SQL and BI tools find it as gold.daily_flights.

Silver and gold tables are registered once, and again when their columns may have changed: their rows and versions stay in Delta's own log. The
landed files of a bronze table whose source is `external` are an external table `landing.<table>`, a partition a day.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pyspark.errors import AnalysisException

from expectations.days import ALL, in_words
from expectations.errors import RequestError
from expectations.ledger import Registration
from expectations.metastore import CATALOGUE, NAME
from expectations.table_checks import PARTITION
from spark_jobs.lake import commit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import SparkSession

    from expectations.jobs import JobResult
    from expectations.lake import Table
    from spark_jobs.lake.job import Job

LANDING = "landing"
"""The schema of external tables; silver and gold tables have the one of their layer."""
WITH_COLUMNS = "spark.databricks.delta.catalog.update.enabled"
"""Without it Delta tells the metastore no columns, and tools that ask nobody else would see a table without any."""
PARTITIONS_AT_ONCE = 100


def register(job: Job, result: JobResult) -> JobResult:
    """Tell the metastore what it does not know of the job's table; mostly that is nothing, which the ledger knows. `maintain` tells everything again.

    Raises RequestError where Spark has no metastore although the settings name one, and where the name belongs to another table.
    """
    table = job.lake.tables.get(result.facts.get("table") or job.request.name)
    metastore = _metastore(job) if table else ""
    if table is None or not metastore:
        return result
    known = job.ledger.registrations.of(metastore, [table.name])
    missing = [one for one in _wanted(job, table) if one not in known or job.request.verb == "maintain"]
    if not missing or not _is_there(job, table):
        return result
    _require(job.spark, metastore)
    name, days = _name(table), [one.day for one in missing if one.day != ALL]
    if len(days) < len(missing):
        _register_table(job, table, name, {one.code for one in known}, missing[0].code)
    _add_partitions(job, table, name, days)
    job.ledger.registrations.note(metastore, job.request.run_id, missing)
    told = name if not days else f"{name}, {in_words(days)}"
    facts = {**result.facts, "registered": name, "partitions": days}
    return result.model_copy(update={"message": f"{result.message}; registered as {told}", "facts": facts})


def _metastore(job: Job) -> str:
    """What the ledger calls the metastore; nothing where there is none. An embedded one is only there for jobs on the lake's own server."""
    metastore = job.settings.metastore
    is_there = job.spark.conf.get(NAME, "") == metastore.name if metastore.is_embedded else metastore.is_on
    return metastore.name if is_there else ""


def _require(spark: SparkSession, metastore: str) -> None:
    """Raises RequestError where Spark would write the names elsewhere. A server that the launcher did not start does not say what it has."""
    found = str(spark.conf.get(NAME, "")) or ("" if spark.conf.get(CATALOGUE) == "hive" else "none")
    if found not in {metastore, ""}:
        raise RequestError(f"LAKE_METASTORE names {metastore}, and this Spark has {found}: start it with the same LAKE_METASTORE, or set it to off.")


def _wanted(job: Job, table: Table) -> list[Registration]:
    """What the metastore should know of the table, once it has been published."""
    source = table.contract.source
    if source is None:
        newest = job.ledger.newest(table.name)
        # the columns are those of the contract that the newest version was made with
        return [Registration(table.name, ALL, _code(job, table, newest.contract_hash))] if newest else []
    days = sorted(job.ledger.versions(table.name)) if source.external else []
    columns = [(name, column.type) for name, column in table.contract.columns.items()]
    code = _code(job, table, f"{source.format} {columns}")
    return [Registration(table.name, day, code) for day in ([ALL, *days] if days else [])]


def _is_there(job: Job, table: Table) -> bool:
    """Whether the table lies where the settings say: a name for nothing would make an empty table of it."""
    return table.contract.source is not None or commit.exists(_place(job, table))


def _code(job: Job, table: Table, made_with: str) -> str:
    return hashlib.sha256(f"{_place(job, table)} {made_with}".encode()).hexdigest()[:16]


def _place(job: Job, table: Table) -> str:
    """The folder that the name stands for."""
    source = table.contract.source
    return f"{job.settings.landing}/{source.folder}" if source else job.settings.table_path(table.name)


def _name(table: Table) -> str:
    layer, name = table.name.split(".")
    return f"{LANDING if table.contract.source else layer}.{name}"


def _register_table(job: Job, table: Table, name: str, known: set[str], code: str) -> None:
    """Make the name, or make it anew where it had other columns. Files stay in any case: no table that is dropped here owns any.

    `known`: the codes with which the ledger has the name. Raises RequestError where it is not this lake's.
    """
    place = _place(job, table)
    schema, _, _ = name.partition(".")
    job.spark.sql(f"CREATE SCHEMA IF NOT EXISTS `{schema}`").collect()
    found, owns_its_files = _described(job.spark, name)
    if found and (owns_its_files or not (known or _is_same(found, place))):
        raise RequestError(
            f"{table.name}: in the metastore {name} is another table, at {found}. Rename or drop that one, or let LAKE_METASTORE name a metastore "
            "of this lake's own."
        )
    if found and code not in known:
        job.spark.sql(f"DROP TABLE IF EXISTS {_quoted(name)}").collect()
    with _columns_told(job.spark):
        job.spark.sql(_definition(table, name, place)).collect()


def _definition(table: Table, name: str, place: str) -> str:
    source = table.contract.source
    if source is None:
        return f"CREATE TABLE IF NOT EXISTS {_quoted(name)} USING delta LOCATION {_text(place)}"
    # names and types are from the contract, where they are checked
    columns = ", ".join(f"`{column}` {facts.type}" for column, facts in table.contract.columns.items())
    stored = f"PARTITIONED BY (`{PARTITION}` date) STORED AS {source.format.upper()}"
    return f"CREATE EXTERNAL TABLE IF NOT EXISTS {_quoted(name)} ({columns}) {stored} LOCATION {_text(place)}"


def _add_partitions(job: Job, table: Table, name: str, days: list[str]) -> None:
    place = _place(job, table)
    for first in range(0, len(days), PARTITIONS_AT_ONCE):
        parts = [
            f"PARTITION (`{PARTITION}` = DATE'{date.fromisoformat(day)}') LOCATION {_text(f'{place}/{PARTITION}={day}')}"
            for day in days[first : first + PARTITIONS_AT_ONCE]
        ]
        job.spark.sql(f"ALTER TABLE {_quoted(name)} ADD IF NOT EXISTS {' '.join(parts)}").collect()


def _described(spark: SparkSession, name: str) -> tuple[str, bool]:
    """Where the metastore says that the table is, and whether its files would go with it; nothing where it knows none."""
    try:
        if not spark.catalog.tableExists(name):
            return "", False
        rows = spark.sql(f"DESCRIBE TABLE EXTENDED {_quoted(name)}").collect()
    except AnalysisException:  # Delta looks into it
        return "a folder that is gone", False
    facts = {str(row.col_name): str(row.data_type) for row in rows}
    return facts.get("Location", "an unknown place"), facts.get("Type") != "EXTERNAL"


def _is_same(found: str, place: str) -> bool:
    """Spark writes a local folder as file:/folder, and may write a letter like %20."""
    return unquote(found) == unquote(place if "://" in place else f"file:{place}")


@contextmanager
def _columns_told(spark: SparkSession) -> Iterator[None]:
    spark.conf.set(WITH_COLUMNS, "true")
    try:
        yield
    finally:
        spark.conf.unset(WITH_COLUMNS)


def _quoted(name: str) -> str:
    return ".".join(f"`{part}`" for part in name.split("."))


def _text(words: str) -> str:
    """A SQL text with just these words."""
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"
