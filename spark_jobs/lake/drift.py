"""Drift: a landed file whose columns are not the contract's, what becomes of it, and whom it touches."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyspark.sql import Window
from pyspark.sql import functions as F

from expectations.column_types import SIMPLE_TYPES
from expectations.errors import SourceError, did_you_mean
from expectations.ledger import Verdict
from expectations.over_time_checks import RULE_OF_LANDING
from expectations.table_checks import ENGINE_COLUMNS
from spark_jobs.lake.landed_file import EXTRA, NAMED_AT_MOST, Difference
from spark_jobs.lake.texts import is_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pyspark.sql import Column, DataFrame

    from expectations.lake import Lake, Table
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.landed_file import LandedFile

UNCAST = "_uncast"
MOST_KEYS = 1000
"""Keys that the contract does not know, in the records of one file."""
ARROW_TYPES = {
    "string": {"string", "large_string"},
    "int": {"int32", "int16", "int8"},
    "bigint": {"int64", "uint32"},
    "double": {"double", "float"},
    "boolean": {"bool"},
    "date": {"date32[day]", "date64[ms]"},
    "binary": {"binary", "large_binary"},
}
CASTABLE = {
    "string": {"text", "number", "bool", "date", "timestamp"},
    **{number: {"number", "text"} for number in ("int", "bigint", "double")},
    "boolean": {"text"},
    "date": {"text", "timestamp"},
    "timestamp": {"text", "date"},
    "binary": {"text"},
}
"""A type of the contract to the kinds of values that can be cast to it; others mean something else, and are refused."""


def compare(lake: Lake, table: Table, header: Sequence[str], types: Sequence[str], path: str) -> Difference:
    """How the file at `path` differs. Raises SourceError where the contract's `drift` does not allow it; then nothing of the file is read."""
    columns = table.contract.columns
    found = dict(zip(header, types, strict=False))
    changed = tuple((name, found[name]) for name, column in columns.items() if name in found and not _is_of_type(column.type, found[name]))
    difference = Difference(tuple(n for n in header if n not in columns), tuple(n for n in columns if n not in header), changed)
    if table.contract.source is None:
        return difference
    drift, is_csv = table.contract.source.drift, table.contract.source.format == "csv"
    if len(set(header)) < len(header):
        raise SourceError(_refusal(lake, table, "a column stands twice", path))
    if (difference.missing and drift.missing == "fail") or (difference.added and drift.added == "fail"):
        raise SourceError(_refusal(lake, table, str(replace(difference, changed=())), path, _hint(difference)))
    for name, kind in changed:
        if drift.changed == "fail" or _kind(kind) not in CASTABLE[columns[name].type]:
            says = f"column {name!r} is {kind}, but the contract {table.file} says {columns[name].type}"
            raise SourceError(f"{table.name}: {path}: {says}; change one of them. {feeds(lake, table)} Nothing was read.")
    taken = next((name for name in difference.added if not is_csv and _is_taken(name, header)), None)
    if taken is not None:
        raise SourceError(_refusal(lake, table, f"added {taken!r}, which to Spark is the name of another column", path))
    return difference


def with_unknown_keys(job: Job, table: Table, files: Sequence[LandedFile]) -> list[LandedFile]:
    """JSON lines with all the keys that any of their records has: Spark would drop those that the contract does not know without a word.

    One more look at the files: measured on 300,000 records, an eighth of the whole job.
    """
    return with_keys(job.lake, table, files, unknown_keys(job, table, files))


def unknown_keys(job: Job, table: Table, files: Sequence[LandedFile]) -> dict[str, list[str]]:
    """Kept file to the keys of its records that the contract does not know, sorted; one more than are allowed where there are too many."""
    lines = job.spark.read.text([file.kept for file in files])
    keys = lines.select(F.col("_metadata.file_path").alias("file"), F.explode(F.json_object_keys("value")).alias("key"))
    number = F.row_number().over(Window.partitionBy("file").orderBy("key"))
    unknown = keys.filter(~F.col("key").isin(list(table.contract.columns))).distinct().select("*", number.alias("number"))
    found: dict[str, list[str]] = {_place(file.kept): [] for file in files}
    for row in unknown.filter(F.col("number") <= MOST_KEYS + 1).collect():
        found[_place(row["file"])].append(row["key"])
    return {file.kept: sorted(found[_place(file.kept)]) for file in files}


def with_keys(lake: Lake, table: Table, files: Sequence[LandedFile], keys: Mapping[str, Sequence[str]]) -> list[LandedFile]:
    """The files with the keys that their records have beside the contract's (by kept file), and how they differ. Raises SourceError as `compare`."""
    for file in files:
        if len(keys[file.kept]) > MOST_KEYS:
            raise SourceError(
                f"{table.name}: the records of {file.entry.path} have more than {MOST_KEYS:,} keys that {table.file} does not know; "
                f"keys that are values belong into a column of type map<string,string>. {feeds(lake, table)} Nothing was read."
            )
    whole = [replace(file, header=(*table.contract.columns, *keys[file.kept])) for file in files]
    return [replace(file, difference=compare(lake, table, file.header, (), file.entry.path)) for file in whole]


def _place(path: str) -> str:
    """The end of a path that tells kept files apart: Spark writes the rest of it in its own way."""
    return "/".join(path.rsplit("/", 2)[1:])


def evened_out(table: Table, raw: DataFrame, difference: Difference, extras: dict[str, str]) -> DataFrame:
    """`raw` with the contract's columns: missing ones null, changed ones cast, added ones as JSON in `_extra`.

    `extras`: an added column's name to what `raw` calls it. `_uncast`: the columns whose value is not of the contract's type.
    """
    columns = table.contract.columns
    casts = {name: F.col(name).try_cast(columns[name].type) for name, _ in difference.changed}
    new: dict[str, Column] = {name: F.lit(None).cast(columns[name].type if _has_types(table) else "string") for name in difference.missing}
    if extras:
        found = {name: F.col(_quoted(as_read)) for name, as_read in extras.items()}
        is_there = F.array_contains(F.array(*(value.isNotNull() for value in found.values())), F.lit(True))
        new[EXTRA] = F.when(is_there, F.to_json(F.struct(*(value.alias(name) for name, value in found.items()))))
    if casts:
        lost = [F.when(_loses(name, columns[name].type, cast, dict(difference.changed)[name]), F.lit(name)) for name, cast in casts.items()]
        new[UNCAST] = F.array_compact(F.array(*lost))
        new["_corrupt"] = F.when(F.size(new[UNCAST]) > 0, F.to_json(F.struct(*(name for name in columns if name not in difference.missing))))
        new |= {name: F.when(~F.array_contains(new[UNCAST], name), cast) for name, cast in casts.items()}
    return raw.withColumns(new) if new else raw


def uncast(difference: Difference) -> Column:
    """The columns that are still without the value that could not be cast, null where all are there."""
    return named_faults([F.when(F.array_contains(UNCAST, name) & F.col(name).isNull(), F.lit(name)) for name, _ in difference.changed])


def named_faults(faults: list[Column]) -> Column:
    """Those of the columns' names that are not null, as an array; null where none is there."""
    # no column's name has a comma; an array of them, and its nulls taken out, Spark would interpret: 5.6 against 3.1 s, 1,000,000 rows of 13 such columns
    found = F.concat_ws(",", *faults)
    return F.when(found != "", F.split(found, ","))


def findings(table: Table, files: Iterable[LandedFile]) -> tuple[Verdict, ...]:
    """A verdict for each day whose file differs."""
    return tuple(Verdict(table.name, file.entry.day, RULE_OF_LANDING, "warn", False, 0, 0, str(file.difference)) for file in files if file.difference)


def in_words(lake: Lake, table: Table, files: Iterable[LandedFile]) -> str:
    """What became of the files that differ, and whom it touches; nothing where none does."""
    differing = [file for file in files if file.difference]
    told = [f"{file.entry.path}: {file.difference.became}" for file in differing[:NAMED_AT_MOST]]
    more = f"; {len(differing) - NAMED_AT_MOST} more files differ" if len(differing) > NAMED_AT_MOST else ""
    return f"{'; '.join(told)}{more}. {feeds(lake, table)}" if told else ""


def as_facts(lake: Lake, table: Table, files: Iterable[LandedFile]) -> dict[str, Any]:
    """The same for the asset event."""
    differing = {file.entry.path: file.difference.facts for file in files if file.difference}
    tables, models = lake.downstream(table.name)
    return {"drift": differing, "touches": {"tables": tables, "models": models}} if differing else {}


def feeds(lake: Lake, table: Table) -> str:
    """Whom a change of the table would touch, in a sentence."""
    tables, models = lake.downstream(table.name)
    named = ", ".join([*tables, *(f"the model {name}" for name in models)])
    return f"It feeds {named}." if named else "Nothing reads it."


def _refusal(lake: Lake, table: Table, what: str, path: str, hint: str = "") -> str:
    said = f"{table.name}: the columns of {path} are not those of {table.file}: {what}.{hint}"
    return f"{said} {feeds(lake, table)} Nothing was read; land a right file, change the contract, or say in its `drift` what becomes of such a file."


def _hint(difference: Difference) -> str:
    """The name that was meant, where one of the file's is like one that is missing."""
    plain = {_letters(name): name for name in difference.added}
    alike = next(((name, plain[_letters(name)]) for name in difference.missing if _letters(name) in plain), None)
    if alike:
        return f" The file calls {alike[0]!r} {alike[1]!r}; a name counts letter by letter."
    return did_you_mean(difference.added[0], difference.missing) if difference.added and difference.missing else ""


def _letters(name: str) -> str:
    """A name without case, blanks and signs."""
    return re.sub(r"[\W_]+", "", name).casefold()


def _is_of_type(wanted: str, found: str) -> bool:
    """Whether a Parquet or ORC column can be what the contract says; nested ones and decimals show when they are read."""
    if wanted == "timestamp":
        return found.startswith("timestamp")
    return wanted not in SIMPLE_TYPES or found in ARROW_TYPES[wanted]


def _kind(found: str) -> str:
    if found.startswith(("int", "uint", "float", "halffloat", "double", "decimal")):
        return "number"
    first = found.partition("[")[0]
    return {"string": "text", "large_string": "text", "date32": "date", "date64": "date"}.get(first, first)


def _is_taken(name: str, header: Sequence[str]) -> bool:
    small = name.lower()
    return small in ENGINE_COLUMNS or sum(small == other.lower() for other in header) > 1


def _has_types(table: Table) -> bool:
    return table.contract.source is not None and table.contract.source.has_types


def _loses(name: str, wanted: str, cast: Column, found: str) -> Column:
    """Whether a value does not survive its cast. A number or a moment that is cut has to come out the same when it is cast back."""
    value = F.col(name)
    if _kind(found) == "text":
        return value.isNotNull() & ~is_value(value, wanted)
    is_gone = value.isNotNull() & cast.isNull()
    back = {"number": "double", "timestamp": "timestamp"}.get(_kind(found))
    return is_gone | F.coalesce(cast.try_cast(back) != value.cast(back), F.lit(False)) if back else is_gone


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
