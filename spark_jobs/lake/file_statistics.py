"""What a Delta log says of a file's values, so that readers can pass it over."""

from __future__ import annotations

from datetime import date
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyarrow import parquet as pq

LONGEST_TEXT = 32
"""Letters of a text up to which its least and greatest value are noted, as Delta on Spark does."""


def statistics_of(footer: pq.FileMetaData) -> dict[str, Any]:
    """Delta's statistics of a Parquet file from its footer.

    Rows, nulls of each column, and of numbers, dates and short texts the least and the greatest value. A column of which that is not known of every
    row group is left out, which readers take for: it may be anything.
    """
    least: dict[str, Any] = {}
    greatest: dict[str, Any] = {}
    nulls: dict[str, int] = {}
    for number in range(footer.num_columns):
        parts = [footer.row_group(group).column(number) for group in range(footer.num_row_groups)]
        of_parts = [part.statistics for part in parts]
        if not parts or "." in parts[0].path_in_schema or any(one is None or not one.has_null_count for one in of_parts):
            continue
        name = parts[0].path_in_schema
        nulls[name] = sum(one.null_count for one in of_parts)
        with_values = [one for part, one in zip(parts, of_parts, strict=True) if one.null_count < part.num_values]
        values = [(_as_json(one.min), _as_json(one.max)) for one in with_values if one.has_min_max]
        if values and len(values) == len(with_values) and all(low is not None and high is not None for low, high in values):
            least[name], greatest[name] = min(values)[0], max(high for _, high in values)
    return {"numRecords": footer.num_rows, "minValues": least, "maxValues": greatest, "nullCount": nulls}


def _as_json(value: Any) -> Any:
    """A number, date or short text; None for what is noted without its values."""
    if type(value) is date:
        return value.isoformat()
    is_noted = type(value) is int or (type(value) is float and isfinite(value)) or (type(value) is str and len(value) <= LONGEST_TEXT)
    return value if is_noted else None
