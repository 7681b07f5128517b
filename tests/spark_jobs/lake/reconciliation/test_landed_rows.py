"""Records of landed files, counted without Spark."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import orc
from pyarrow import parquet as pq

from expectations.contract import Source
from expectations.storage import Place
from spark_jobs.lake.reconciliation.landed_rows import csv_records, json_records, rows_in

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ("item,cents\ntea,300\ncoffee,400\n", 2),
        ("item,cents\ntea,300\ncoffee,400", 2),
        ("item,cents\r\ntea,300\r\n", 1),
        ("item,cents\ntea,300\n\n   \ncoffee,400\n\n", 2),
        ('item,cents\n"green\ntea",300\n', 1),
        ('item\n""\ntea\n', 2),
        ("item,cents\ntea\n", 1),
        ("item,cents\n", 0),
        ("", 0),
    ],
)
def test_a_record_is_a_line_of_csv_after_the_header(text: str, records: int) -> None:
    assert csv_records(io.StringIO(text, newline=""), ",") == records


@pytest.mark.parametrize(
    ("text", "records"),
    [
        ('{"item": "tea"}\n{"item": "coffee"}\n', 2),
        ('{"item": "tea"}\n\n{"item": "cof', 2),
        ('[{"item": "tea"}, {"item": "coffee"}]\n', 2),
        ("", 0),
    ],
)
def test_a_record_is_a_json_object(text: str, records: int) -> None:
    assert json_records(io.StringIO(text)) == records


def test_bytes_of_another_encoding_and_long_values_are_records_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"\xef\xbb\xbfitem,cents\ncaf\xe9,300\n" + b"x" * 200_000 + b",1\n")
    assert rows_in(Place.of(str(tmp_path / "a.csv")), Source(folder="sales", format="csv")) == 2


@pytest.mark.parametrize("form", ["parquet", "orc"])
def test_a_typed_file_says_how_many_rows_it_has(tmp_path: Path, form: Any) -> None:
    table = pa.table({"item": ["tea", "coffee", "milk"]})
    pq.write_table(table, tmp_path / "a.parquet")
    orc.write_table(table, tmp_path / "a.orc")
    assert rows_in(Place.of(str(tmp_path / f"a.{form}")), Source(folder="sales", format=form)) == 3
