"""A landed text file that is written otherwise than its contract says: refused as a file, before a row of it is published.

By its first bytes at any size; by a line break inside quotes, which would make one record two; and, from MANY rows on, by how many of them do not
parse for one and the same cause. Below that the contract's `quarantine_limit` decides.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.errors import SourceError
from spark_jobs.lake.gate.rules import PARSES
from spark_jobs.lake.reading import MALFORMED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import IO

    from pyspark.sql import Column, DataFrame

    from expectations.contract import Source, TableContract
    from expectations.lake import Table
    from expectations.ledger import Verdict
    from expectations.storage import Place

MANY = 20
"""Rows of a file from which on shares of them say something of its dialect."""
ENCODING_SHARE, CAUSE_SHARE = 10, 2
"""One row in so many whose bytes are not of the encoding, or that does not parse for one cause, is no accident."""
ENCODING = "encoding"
REPLACED = "\ufffd"
"""What a decoder puts in the place of bytes that are no UTF-8."""
BEGINNINGS = (
    (b"\x1f\x8b", "is compressed by gzip", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "is compressed by zstd", "unpack it"),
    (b"BZh", "is compressed by bzip2", "unpack it"),
    (b"\xfd7zXZ\x00", "is compressed by xz", "unpack it"),
    (b"PK\x03\x04", "is a zip archive or an Excel workbook", "unpack it, or save its sheet as text"),
    (b"\xd0\xcf\x11\xe0", "is an Excel workbook", "save its sheet as text"),
    (b"PAR1", "is a Parquet file", "write `format: parquet`"),
    (b"ORC", "is an ORC file", "write `format: orc`"),
    (b"\xff\xfe", "is UTF-16", "save it as UTF-8"),
    (b"\xfe\xff", "is UTF-16", "save it as UTF-8"),
)
"""How a file begins, what it is, and what to do: RFC 1952 (gzip), RFC 8878 (zstd), the formats' own documents, and the Unicode byte order marks."""
FIRST_BYTES = 512
SHOWN_AT_MOST = 60


def require_dialect(table: Table, source: Source, copy: Place, named: str) -> None:
    """Raises SourceError where a file of texts, `named` so in the error, is something else by its first bytes, or has a line break inside quotes."""
    fault = other_format(copy.first_bytes(FIRST_BYTES), source.format)
    if fault:
        what, remedy = fault
        raise SourceError(f"{table.name}: {named} {what}, and {table.file} says format: {source.format}; {remedy}, and land it again.")
    if source.format == "csv" and any(has_odd_quotes(line) for line in copy.lines()):
        with copy.system.open_input_stream(copy.path) as stream:
            line = broken_record(io.TextIOWrapper(stream, "utf-8-sig", errors="replace", newline=""), source.delimiter)
        if line:
            raise SourceError(
                f"{table.name}: the record of line {line:,} of {named} has a line break inside quotes, or a quote that is not closed; such a record "
                "is not read yet: write it on one line, and land the file again."
            )


def other_format(head: bytes, form: str) -> tuple[str, str] | None:
    """What a file is that begins so, and what to do, where it is no text of the format `form`."""
    for beginning, what, remedy in BEGINNINGS:
        if head.startswith(beginning):
            return what, remedy
    if b"\x00" in head:
        return "has zero bytes, as UTF-16 and files that are no text have", "save it as UTF-8"
    if form == "jsonl" and head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        return "is a JSON array", "write one object a line"
    return None


def has_odd_quotes(line: bytes) -> bool:
    """Whether a record may go on in the next line: nothing is dearer to ask of a file whose quotes all close."""
    return line.count(b'"') % 2 == 1


def broken_record(text: IO[str], delimiter: str) -> int:
    """The line at which the first record begins that has a line break inside quotes, from 1; 0 where there is none."""
    csv.field_size_limit(2**31 - 1)
    records = csv.reader(text, delimiter=delimiter)
    before = 0
    for _ in records:
        if records.line_num > before + 1:
            return before + 1
        before = records.line_num
    return 0


@dataclass(frozen=True)
class Unparsed:
    """The rows of a day that do not parse. `rows`: all of the day's. `causes`: a column, MALFORMED or ENCODING to its rows, and to one of them."""

    rows: int
    causes: Mapping[str, int] = field(default_factory=dict)
    examples: Mapping[str, str] = field(default_factory=dict)


def suspects(verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Day to its rows, where so many of them do not parse that their causes are worth a look."""
    judged = [verdict for verdict in verdicts if verdict.rule == PARSES.name]
    return {one.day: one.rows_judged for one in judged if one.rows_judged >= MANY and one.rows_broken * max(ENCODING_SHARE, CAUSE_SHARE) >= one.rows_judged}


def unparsed(rows: DataFrame, contract: TableContract, days: Mapping[str, int]) -> dict[str, Unparsed]:
    """Day to why its rows do not parse; `days`: those that are asked for, to their rows."""
    texts = F.to_json(F.struct(*contract.columns))
    is_of_encoding: Column = F.coalesce(F.contains(F.col("_corrupt"), F.lit(REPLACED)), F.lit(False))
    causes = F.when(is_of_encoding, F.array(F.lit(ENCODING))).otherwise(F.col("_errors"))
    day = F.col("_day").cast("string").alias("day")
    wrong = rows.filter(F.col("_errors").isNotNull() & day.isin(list(days))).select(day, F.explode(causes).alias("cause"), "_corrupt", texts.alias("texts"))
    example = F.min(F.when(F.col("cause").isin(MALFORMED, ENCODING), F.col("_corrupt")).otherwise(F.col("texts"))).alias("example")
    found: dict[str, Unparsed] = {key: Unparsed(count, {}, {}) for key, count in days.items()}
    for row in wrong.groupBy("day", "cause").agg(F.count("*").alias("rows"), example).collect():
        one = found[row.day]
        found[row.day] = Unparsed(one.rows, {**one.causes, row.cause: row.rows}, {**one.examples, row.cause: row.example or ""})
    return found


def fault(table: Table, source: Source, path: str, found: Unparsed) -> str:
    """The sentence that refuses a file as a whole; an empty text where its rows are at fault one by one."""
    if found.rows < MANY:
        return ""
    if found.causes.get(ENCODING, 0) * ENCODING_SHARE >= found.rows:
        what = f"{found.causes[ENCODING]:,} of {found.rows:,} rows have bytes that are no UTF-8"
        return f"{path} is refused: {what}, like {_shown(found.examples[ENCODING])}; save it as UTF-8 and land it again."
    cause = max(sorted(found.causes), key=lambda name: (found.causes[name], name == MALFORMED), default="")
    if not cause or cause == ENCODING or found.causes[cause] * CAUSE_SHARE < found.rows:
        return ""
    return f"{path} is refused: {found.causes[cause]:,} of {found.rows:,} rows {_why(table, source, cause, found.examples[cause])}"


def _why(table: Table, source: Source, cause: str, example: str) -> str:
    if cause != MALFORMED:
        value = json.loads(example).get(cause)
        kind = table.contract.columns[cause].type
        return f"have a {cause} that is no {kind}, like {_shown(str(value))}; mend the file, or its type in {table.file}."
    if source.format == "jsonl":
        return f"are no JSON object, like {_shown(example)}; write one object a line and land it again."
    fields = next(csv.reader([example], delimiter=source.delimiter), [])
    expected = len(table.contract.columns)
    if len(fields) == 1:
        return f"have no {source.delimiter!r} in them, like {_shown(example)}; write the right `delimiter` in {table.file}, or mend the file."
    if fields and not fields[-1] and len(fields) > expected:
        return f"end with a {source.delimiter!r} that the header does not have, like {_shown(example)}; take it away, or add it to the header."
    return f"have {len(fields)} fields where the header has others, like {_shown(example)}; mend the file and land it again."


def _shown(text: str) -> str:
    return repr(text if len(text) <= SHOWN_AT_MOST else f"{text[:SHOWN_AT_MOST]}…")
