"""Corrects rows: a person's new texts for a landed row, kept in the ledger and put in whenever its file is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.errors import RequestError, did_you_mean
from expectations.jobs import JobResult
from expectations.ledger import Correction
from spark_jobs.lake.quarantine import store
from spark_jobs.lake.quarantine.review import NAMED, require_rows, wish
from spark_jobs.lake.reading import MALFORMED, parses, read_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pyspark.sql import Row, SparkSession

    from expectations.lake import Table
    from expectations.review import Review
    from spark_jobs.lake.job import Job

Values = dict[str, str | None]


def edit(job: Job, table: Table) -> JobResult:
    """Note new texts for the rows that are named; `replay` reads their file in again and has them judged.

    A later edit adds to an earlier one; one without any column takes all back. Raises RequestError for rows that are not in quarantine,
    or cannot be traced to a file, and for values that the bronze table's contract does not take.
    """
    wanted = wish(job)
    known = _known(job, table)
    fresh = [row_id for row_id in wanted.rows if row_id not in known]  # a row that was mended before waits no more, and can be edited still
    rows = _waiting(job, table, fresh)
    names = {*(known[row_id].table for row_id in wanted.rows if row_id in known), *(_bronze_tables(job, table, rows) if rows else ())}
    if len(names) > 1:
        raise RequestError(f"{table.name}: the rows come from {' and '.join(sorted(names))}; edit those of one table at a time.")
    bronze = job.lake.table(names.pop())
    values = dict(wanted.values or {})
    require_fit(job.spark, bronze, values)
    corrections = corrected(bronze.name, wanted, known)
    require_whole(bronze, rows, {one.row_id: one.values for one in corrections})
    changed = [one for one in corrections if one.row_id not in known or known[one.row_id].values != one.values]
    if not changed:
        return JobResult(request=job.request, status="unchanged", message=f"{table.name}: the rows are corrected like that already; nothing to do")
    job.ledger.decisions.correct(changed)
    facts = {"table": table.name, "bronze": bronze.name, "rows": [one.row_id for one in changed[:20]], "values": values}
    message = f"{table.name}: {len(changed)} row{'' if len(changed) == 1 else 's'} of {bronze.name} corrected by {wanted.who}; replay has them judged"
    return JobResult(request=job.request, status="done", message=message, facts=facts)


def _known(job: Job, table: Table) -> dict[str, Correction]:
    """Row id to what was written into it before."""
    ids = set(wish(job).rows)
    return {one.row_id: one for name in _sources(job, table) for one in job.ledger.decisions.corrections(name) if one.row_id in ids}


def _sources(job: Job, table: Table) -> list[str]:
    return [table.name] if table.contract.source else job.lake.bronze_of(table.name)


def _waiting(job: Job, table: Table, ids: list[str]) -> list[Row]:
    if not ids:
        return []
    counted = store.counted(job, table)
    require_rows(table, ids, counted)
    rows = counted.filter(F.col("_id").isin(ids)).select("_id", "_row", "_rules", "_state").collect() if counted is not None else []
    require_editable(table, rows)
    return rows


def require_editable(table: Table, rows: Iterable[Row]) -> None:
    """Raises RequestError for rows of which no landed file is known, and for those that were discarded."""
    rows = list(rows)
    untraced = [row["_id"] for row in rows if not row["_row"]]
    if untraced:
        raise RequestError(
            f"{table.name}: {len(untraced)} rows cannot be traced to a landed file, for example {untraced[0]}; "
            f"carry `_row` over in {table.logic}, or land a corrected file."
        )
    given_up = [row["_id"] for row in rows if row["_state"] == store.DISCARDED]
    if given_up:
        raise RequestError(f"{table.name}: discarded rows are not edited: {', '.join(given_up[:NAMED])}; reopen them first.")


def _bronze_tables(job: Job, table: Table, rows: list[Row]) -> list[str]:
    """The bronze tables that these rows landed in."""
    names = _sources(job, table)
    if len(names) == 1:
        return names
    ids = sorted({row["_row"] for row in rows})
    days = sorted({_arrival_day(row_id) for row_id in ids})
    found: dict[str, set[str]] = {}
    for name in names:
        landed = read_table(job, name)
        rows_of = landed.filter(F.col("_day").cast("string").isin(days) & F.col("_row").isin(ids)).select("_row").distinct().collect()
        if rows_of:
            found[name] = {row["_row"] for row in rows_of}
    require_one_reader(table.name, names, ids, found)
    return list(found)


def require_one_reader(table: str, names: Iterable[str], ids: Iterable[str], found: Mapping[str, set[str]]) -> None:
    """Raises RequestError where a row landed in several of the bronze tables `names`, or where none has a row any more; `found`: table to rows."""
    if not found:
        raise RequestError(f"{table}: the rows are in none of {', '.join(names)} any more; build {table} again.")
    for row_id in ids:
        both = [name for name in found if row_id in found[name]]
        if len(both) > 1:
            names_of = " and by ".join(both)
            raise RequestError(f"{table}: {row_id} was read by {names_of}, so it cannot be told which to correct; land a corrected file instead.")


def _arrival_day(row_id: str) -> str:
    return row_id.partition("/")[0]


def corrected(bronze: str, wanted: Review, known: Mapping[str, Correction]) -> list[Correction]:
    """What a request writes into its rows, added to what is `known` of each (by row id); no column at all takes that back."""
    values = dict(wanted.values or {})
    found = []
    for row_id in wanted.rows:
        before = known.get(row_id)
        merged = {**before.values, **values} if before and values else values
        found.append(Correction(bronze, row_id, _arrival_day(row_id), merged, wanted.reason, wanted.who))
    return found


def require_columns(bronze: Table, names: Iterable[str]) -> None:
    """Raises RequestError for a column that the bronze table does not have."""
    columns = bronze.contract.columns
    for name in names:
        if name not in columns:
            raise RequestError(f"{bronze.name} has no column {name[:80]!r}; it has {', '.join(columns)}.{did_you_mean(name, columns)}")


def require_fit(spark: SparkSession, bronze: Table, values: Values) -> None:
    """Raises RequestError for a column that the bronze table does not have, and for a text that is not of its type."""
    require_columns(bronze, values)
    columns = bronze.contract.columns
    given = {name: text for name, text in values.items() if text is not None}
    plain = [name for name in given if "<" not in columns[name].type]
    fits = {name: is_json(text) for name, text in given.items()}
    if plain:
        texts = spark.range(1).select(*(F.lit(given[name]).alias(name) for name in plain))
        fits |= texts.select(*(parses(bronze.contract, name).alias(name) for name in plain)).collect()[0].asDict()
    for name, text in given.items():
        if not fits[name]:
            raise RequestError(f"{bronze.name}: {text[:80]!r} is no {columns[name].type}, the type of {name}; write another value.")


def is_json(text: str) -> bool:
    """Nested values are written as JSON."""
    try:
        return isinstance(json.loads(text), (dict, list))
    except ValueError:
        return False


def require_whole(bronze: Table, rows: Iterable[Row], written: Mapping[str, Values]) -> None:
    """Raises RequestError for a record that could not be split into columns and does not get all of them; `written`: row id to column to text."""
    for row in rows:
        missing = [name for name in bronze.contract.columns if name not in written[row["_id"]]]
        if missing and f"{store.TYPE_RULE}({MALFORMED})" in row["_rules"]:
            raise RequestError(f"{bronze.name}: {row['_id']} could not be split into columns, so it needs all of them; add {', '.join(missing)}.")
