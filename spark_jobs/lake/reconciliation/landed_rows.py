"""How many records a landed file holds, told by Python's and Arrow's own parsers: the jobs read text files by Spark's."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from pyarrow import orc
from pyarrow import parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable

    from expectations.contract import Source
    from expectations.storage import Place

LONGEST_FIELD = 2**31 - 1


def rows_in(place: Place, source: Source) -> int:
    """The records of a file of this source: a header line and blank lines are none."""
    if source.has_types:
        with place.system.open_input_file(place.path) as file:
            return int(orc.ORCFile(file).nrows if source.format == "orc" else pq.ParquetFile(file).metadata.num_rows)
    with place.system.open_input_stream(place.path) as stream, io.TextIOWrapper(stream, "utf-8-sig", errors="replace", newline="") as text:
        return csv_records(text, source.delimiter) if source.format == "csv" else json_records(text)


def csv_records(lines: Iterable[str], delimiter: str) -> int:
    """The records of CSV text after its header."""
    csv.field_size_limit(LONGEST_FIELD)
    records = sum(1 for record in csv.reader(lines, delimiter=delimiter) if not _is_blank(record))
    return max(0, records - 1)


def json_records(lines: Iterable[str]) -> int:
    """The records of JSON lines; a list holds several, and a line that is no JSON is one that does not parse."""
    return sum(_records_of(line) for line in lines if line.strip())


def _records_of(line: str) -> int:
    try:
        found = json.loads(line)
    except ValueError:
        return 1
    return len(found) if isinstance(found, list) else 1


def _is_blank(record: list[str]) -> bool:
    """Of a line without anything; `""` is a record of one empty text."""
    return not record or (len(record) == 1 and bool(record[0]) and not record[0].strip())
