"""What a Delta log says of a file's values, from the footer of the file alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from spark_jobs.lake.file_statistics import statistics_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rows.parquet"


def statistics(file: Path, row_group_size: int = 100, **columns: Any) -> dict[str, Any]:
    pq.write_table(pa.table(columns), file, row_group_size=row_group_size)
    return statistics_of(pq.read_metadata(file))


def test_numbers_dates_and_short_texts_have_a_least_and_a_greatest_value(file: Path) -> None:
    days = [date(2013, 1, 2), date(2013, 1, 1)]
    assert statistics(file, cents=[3, 1], share=[0.5, -0.25], item=["tea", "cake"], sold_on=days) == {
        "numRecords": 2,
        "minValues": {"cents": 1, "share": -0.25, "item": "cake", "sold_on": "2013-01-01"},
        "maxValues": {"cents": 3, "share": 0.5, "item": "tea", "sold_on": "2013-01-02"},
        "nullCount": {"cents": 0, "share": 0, "item": 0, "sold_on": 0},
    }


def test_they_are_those_of_all_row_groups(file: Path) -> None:
    found = statistics(file, row_group_size=1, cents=pa.array([5, None, 2], pa.int32()))
    assert found == {"numRecords": 3, "minValues": {"cents": 2}, "maxValues": {"cents": 5}, "nullCount": {"cents": 1}}


def test_a_column_of_nulls_has_no_values_and_its_nulls_are_counted(file: Path) -> None:
    found = statistics(file, cents=pa.array([None, None], pa.int32()))
    assert found == {"numRecords": 2, "minValues": {}, "maxValues": {}, "nullCount": {"cents": 2}}


def test_what_cannot_be_written_exactly_is_left_open(file: Path) -> None:
    """Long texts, times, infinite numbers, truth values; and columns within columns, nulls and all."""
    found = statistics(
        file, text=["a" * 33, "b"], at=[datetime(2013, 1, 1, tzinfo=UTC)] * 2, share=[float("inf"), 1.0], late=[True, False], facts=[{"a": 1}, {"a": 2}]
    )
    assert found == {"numRecords": 2, "minValues": {}, "maxValues": {}, "nullCount": {"text": 0, "at": 0, "share": 0, "late": 0}}
