"""Columns of Parquet files as other tools write them: Arrow's views and dictionaries, and nanoseconds, which Spark has no type for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet as pq
from pyspark.sql import functions as F

from expectations.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame

AS_NUMBERS = "spark.sql.legacy.parquet.nanosAsLong"
"""Spark's switch: a moment in nanoseconds is read as their number; without it the file cannot be read."""
NANOSECONDS = "timestamp[ns"
A_MICROSECOND = 1000


def plain_type(found: pa.DataType) -> pa.DataType:
    """What a column holds, however Arrow's writer had it in memory: Parquet files of a string, its view and its dictionary are the same."""
    if pa.types.is_dictionary(found):
        return plain_type(found.value_type)
    if pa.types.is_string_view(found):
        return pa.string()
    return pa.binary() if pa.types.is_binary_view(found) else found


def require_readable(file: Any, schema: pa.Schema, told: str) -> None:
    """Raises SourceError where moments would be cut: finer than microseconds, Spark's finest, or nanoseconds within another type. `told`: table and path."""
    for column in schema:
        if _has_nested_nanoseconds(column.type):
            raise SourceError(f"{told}: column {column.name!r} has nanoseconds within {column.type}, which Spark cannot read; land it in microseconds.")
    names = [column.name for column in schema if str(column.type).startswith(NANOSECONDS)]
    for batch in pq.ParquetFile(file).iter_batches(columns=names) if names else ():
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            number = values.cast(pa.int64())
            micros = pc.multiply(pc.divide(number, A_MICROSECOND), A_MICROSECOND)
            if pc.any(pc.not_equal(number, micros)).as_py():
                raise SourceError(f"{told}: column {name!r} has moments finer than a microsecond, which Spark would cut; land it in microseconds.")


def _has_nested_nanoseconds(found: pa.DataType) -> bool:
    inner = [found.field(number).type for number in range(found.num_fields)]
    return any(str(one).startswith(NANOSECONDS) or _has_nested_nanoseconds(one) for one in inner)


def with_moments(rows: DataFrame, header: Iterable[str], types: Iterable[str]) -> DataFrame:
    """Rows read with AS_NUMBERS, with the moments that their file has in nanoseconds; `header` and `types` are the file's."""
    named = [name for name, found in zip(header, types, strict=True) if found.startswith(NANOSECONDS)]
    moments = {name: F.timestamp_micros(F.call_function("div", F.col(_quoted(name)), F.lit(A_MICROSECOND))) for name in named}
    return rows.withColumns(moments) if moments else rows


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
