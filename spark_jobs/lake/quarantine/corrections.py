"""Corrected rows: what a person has written into a landed row. It is put in whenever the file is read; the file stays as it came."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column, DataFrame

    from expectations.ledger import Correction, FileEntry, Ledger

CORRECTIONS = "corrections"
"""What a bronze day's entry in the ledger calls this among its inputs."""
Corrections = dict[str, dict[str, str | None]]
"""Row id to column to its new text; null means null."""


def of_file(corrections: Iterable[Correction], file: FileEntry) -> Corrections:
    """Those of this very file: once another one of the same day is taken, its rows are others."""
    own = f"{file.day}/{file.sha256[:16]}/"
    return {one.row_id: one.values for one in corrections if one.row_id.startswith(own) and one.values}


def imprint(corrections: Corrections) -> dict[str, int]:
    """What a bronze day was corrected by, as one of its inputs: a hash, and the number of rows; nothing where none is."""
    if not corrections:
        return {}
    text = json.dumps(corrections, sort_keys=True)
    return {hashlib.sha256(text.encode()).hexdigest()[:16]: len(corrections)}


def pending(ledger: Ledger, bronze: str) -> list[str]:
    """The arrival days of `bronze` whose published rows were not read with the corrections that there are now; a held attempt is none."""
    by_day: dict[str, list[Correction]] = {}
    for one in ledger.decisions.corrections(bronze):
        by_day.setdefault(one.day, []).append(one)
    entries = ledger.days(bronze, by_day)
    files = {day: ledger.file_taken(bronze, day) for day in by_day}
    wanted = {day: imprint(of_file(by_day[day], file)) for day, file in files.items() if file}
    read = {day: entries[day].inputs.get(CORRECTIONS, {}) if entries[day].state == "published" else None for day in wanted if day in entries}
    return sorted(day for day, corrected_by in read.items() if corrected_by != wanted[day])


def apply(rows: DataFrame, columns: list[str], corrections: Corrections) -> DataFrame:
    """`rows` with the new texts in place, and what the file said of these columns as JSON in `_corrected`.

    A record that could not be split into columns (`_corrupt`) is whole once all of them are given.
    """
    if not corrections:
        return rows.select("*", F.lit(None).cast("string").alias("_corrected"))
    facts = [(row_id, values) for row_id, values in corrections.items()]
    new = rows.sparkSession.createDataFrame(facts, "_row string, _new map<string,string>")
    joined = rows.join(F.broadcast(new), "_row", "left")
    kinds = {field.name: field.dataType.simpleString() for field in rows.schema.fields}
    whole = F.col("_corrupt")
    said = [part for name in columns for part in (F.lit(name), _text(name, kinds[name]))]
    said += [F.lit("_corrupt"), whole]
    was = F.map_filter(F.create_map(*said), lambda name, text: F.map_contains_key("_new", name) | ((name == F.lit("_corrupt")) & text.isNotNull()))
    changed = {name: F.when(F.map_contains_key("_new", F.lit(name)), _value(name, kinds[name])).otherwise(F.col(name)) for name in columns}
    changed["_corrupt"] = F.when(~F.coalesce(F.size("_new") == len(columns), F.lit(False)), whole)
    kept = [changed.get(name, F.col(name)).alias(name) for name in rows.columns]
    return joined.select(*kept, F.when(F.col("_new").isNotNull(), F.to_json(was)).alias("_corrected"))


def _text(name: str, kind: str) -> Column:
    """A value as the person would write it."""
    return F.to_json(F.col(name)) if "<" in kind else F.col(name).cast("string")


def _value(name: str, kind: str) -> Column:
    """A person's text as the value that bronze keeps: nested ones are JSON, Parquet has types of its own."""
    text = F.try_element_at("_new", F.lit(name))
    return F.from_json(text, kind) if "<" in kind else text.try_cast(kind)
