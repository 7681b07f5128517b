"""Which Parquet files have the rows of a version, by the table's log alone."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyarrow import parquet as pq

from spark_jobs.lake.published_files import FEW_FILES, published_files

if TYPE_CHECKING:
    from pathlib import Path

FIRST, SECOND = date(2024, 5, 1), date(2024, 5, 2)


def write(table: str, day: date, *items: str, mode: str = "append") -> None:
    rows = pa.table({"sold_on": pa.array([day] * len(items), pa.date32()), "item": list(items)})
    write_deltalake(table, rows, mode=mode, partition_by=["sold_on"])  # type: ignore[call-overload]


def items(table: str, version: int, *days: date) -> list[str]:
    """The items in the files of a version, of these days; of no days: of all."""
    files = published_files(table, version, "sold_on", [day.isoformat() for day in days] or None)
    assert files is not None
    return sorted(item for path in files.paths for item in pq.read_table(path, partitioning=None).column("item").to_pylist())


@pytest.fixture
def sold(tmp_path: Path) -> str:
    """A day, another one, and the first once more, in a folder with a blank and letters that are not ASCII."""
    table = str(tmp_path / "mein Händler" / "sales")
    (tmp_path / "mein Händler").mkdir()
    write(table, FIRST, "tea")
    write(table, SECOND, "cup")
    write(table, FIRST, "ring")
    return table


def test_the_files_of_a_version_are_those_that_its_log_names(sold: str) -> None:
    assert items(sold, 2) == ["cup", "ring", "tea"]
    assert items(sold, 1) == ["cup", "tea"]


def test_of_days_only_their_files_are_named(sold: str) -> None:
    assert items(sold, 2, FIRST) == ["ring", "tea"]
    assert items(sold, 2, SECOND) == ["cup"]
    assert published_files(sold, 2, "sold_on", ["2024-05-09"]) is None


def test_a_table_that_is_not_laid_out_by_its_day_is_read_whole(sold: str) -> None:
    files = published_files(sold, 2, "another_day", ["2024-05-02"])
    assert files is not None
    assert len(files.paths) == 3


def test_the_schema_is_the_tables_also_where_a_file_lacks_a_column(sold: str) -> None:
    rows = pa.table({"sold_on": pa.array([SECOND], pa.date32()), "item": ["pot"], "cents": pa.array([5], pa.int32())})
    write_deltalake(sold, rows, mode="append", schema_mode="merge", partition_by=["sold_on"])
    files = published_files(sold, 3, "sold_on", None)
    assert files is not None
    assert {field.name: field.dataType.simpleString() for field in files.schema} == {"sold_on": "date", "item": "string", "cents": "int"}


@pytest.mark.parametrize("table", ["s3a://bucket/silver/sales", "hdfs://node/silver/sales", "/lake/[old]/sales", "/nowhere/sales"])
def test_spark_reads_the_log_where_the_files_cannot_be_named(table: str) -> None:
    assert published_files(table, 0, "sold_on", None) is None


def test_spark_reads_the_log_of_a_table_that_a_newer_reader_is_needed_for(sold: str) -> None:
    DeltaTable(sold).alter.set_table_properties({"delta.enableDeletionVectors": "true"})
    assert published_files(sold, DeltaTable(sold).version(), "sold_on", None) is None


def test_spark_reads_the_log_of_a_table_of_many_files(sold: str) -> None:
    for number in range(FEW_FILES - 2):
        write(sold, SECOND, str(number))
    assert published_files(sold, FEW_FILES, "sold_on", None) is None
    assert len(items(sold, FEW_FILES - 1)) == FEW_FILES
