"""How the rows of landed files become bronze rows: literal files in, literal rows out, without a job."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import csv, orc
from pyarrow import parquet as pq
from pyspark.sql import functions as F

from expectations.ledger import FileEntry
from expectations.loader import load_lake
from spark_jobs.lake.drift import MOST_KEYS, unknown_keys
from spark_jobs.lake.landed_file import LandedFile
from spark_jobs.lake.reading import read_files, typed
from tests.spark_jobs.lake.parts import job_of, take
from tests.spark_jobs.lake.reviewing import change_contract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import DataFrame, SparkSession

    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEADER = "sold_on,item,cents"
DAY, NEXT = "2024-05-01", "2024-05-02"
LOGS = """
    contract: 1
    description: What users did, one JSON object a line.
    source: {folder: logs, format: jsonl}
    columns:
      at: {type: timestamp}
      user_id: {type: bigint}
      params: {type: "map<string,string>"}
"""
PAYMENTS = """
    contract: 1
    description: Payments, one file a day.
    source: {folder: payments, format: KIND}
    columns:
      item: {type: string}
      cents: {type: bigint}
      paid_at: {type: timestamp}
      facts: {type: "map<string,string>"}
"""
GOODS = pa.table({"item": ["tea", "pie", "cake", "jam"], "cents": pa.array([300, 200, 450, 120], pa.int64())})


@pytest.fixture(autouse=True)
def _as_it_was(spark: SparkSession) -> Iterator[None]:
    """The session is all tests' own, and reading sets how it splits files."""
    yield
    for name in ("openCostInBytes", "maxPartitionBytes", "maxPartitionNum"):
        spark.conf.unset(f"spark.sql.files.{name}")


def bronze(lake: LittleLake, table: str, *days: str) -> DataFrame:
    """The days' files as a build of the table reads them."""
    return as_rows(lake, table, take(lake, table, *days))


def as_rows(lake: LittleLake, table: str, files: list[LandedFile]) -> DataFrame:
    job = job_of(lake, table)
    return read_files(job, job.lake.table(table), files)


def rows(frame: DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in frame.select(*columns).collect()), key=repr)


def test_texts_stay_as_they_arrived_with_their_line_and_those_that_do_not_parse_are_named(shop: LittleLake) -> None:
    shop.land(f"sales/{DAY}.csv", HEADER, f"{DAY},tea, 300 ", f"{DAY},cake,NA", f"{DAY},pie,much", f"{DAY},short", f"{DAY},long,1,2")
    shop.land(f"sales/{NEXT}.csv", "cents,sold_on,item", f"450,{NEXT},cake")
    with (shop.project / f"landing/sales/{DAY}.csv").open("ab") as file:
        file.write(b"2024-05-01,\xff\xfe,5\n")
    assert rows(bronze(shop, "bronze.sales", DAY, NEXT), "_source_file", "_source_line", "item", "cents", "_errors") == [
        ("sales/2024-05-01.csv", 2, "tea", " 300 ", None),
        ("sales/2024-05-01.csv", 3, "cake", "NA", None),
        ("sales/2024-05-01.csv", 4, "pie", "much", ["cents"]),
        ("sales/2024-05-01.csv", 5, "short", None, ["malformed"]),
        ("sales/2024-05-01.csv", 6, "long", "1", ["malformed"]),
        ("sales/2024-05-01.csv", 7, "\ufffd\ufffd", "5", ["malformed"]),
        ("sales/2024-05-02.csv", 2, "cake", "450", None),
    ]


@pytest.mark.parametrize(
    ("kind", "write", "parts"),
    [
        ("csv", csv.write_csv, ["0/0", "0/1", "32/0", "32/1"]),  # a header of 15 bytes, two rows that begin within the first 32 and two behind
        ("jsonl", lambda goods, file: goods.to_pandas().to_json(file, orient="records", lines=True), ["0/0", "0/1", "32/0", "64/0"]),
        ("parquet", pq.write_table, ["0/0", "0/1", "0/2", "0/3"]),
        ("orc", orc.write_table, ["0/0", "0/1", "0/2", "0/3"]),
    ],
)
def test_a_rows_id_is_its_day_file_part_and_place_whether_the_file_is_read_alone_or_with_others(
    lake: LittleLake, monkeypatch: pytest.MonkeyPatch, kind: str, write: Callable[..., None], parts: list[str]
) -> None:
    monkeypatch.setattr("spark_jobs.lake.reading.SPLIT_BYTES", "32")
    columns = "{item: {type: string}, cents: {type: bigint}}"
    source = f"{{folder: prices, format: {kind}}}"
    lake.write("expectations/bronze/prices.yaml", f"contract: 1\ndescription: What things cost.\nsource: {source}\ncolumns: {columns}\n")
    folder = lake.project / "landing/prices"
    folder.mkdir(parents=True)
    for day in (DAY, NEXT):
        write(GOODS, folder / f"{day}.{kind}")
    sha = hashlib.sha256((folder / f"{DAY}.{kind}").read_bytes()).hexdigest()[:16]
    first, second = take(lake, "bronze.prices", DAY, NEXT)
    read = {"first": [first], "second": [second], "together": [first, second]}
    frames = [as_rows(lake, "bronze.prices", files).select(F.lit(name), "_row") for name, files in read.items()]
    expected = [(name, f"{file.entry.day}/{sha}/{part}") for name, files in read.items() for file in files for part in parts]
    assert rows(frames[0].union(frames[1]).union(frames[2]), "*") == expected


def test_json_lines_keep_maps_and_say_what_is_no_json(lake: LittleLake) -> None:
    lake.write("expectations/bronze/logs.yaml", LOGS)
    lake.land(f"logs/{DAY}.jsonl", '{"at": "2024-05-01T10:00:00Z", "user_id": 7, "params": {"page": "1"}}', "{nonsense")
    assert rows(bronze(lake, "bronze.logs", DAY), "_source_line", "user_id", "params", "_errors") == [
        (1, "7", {"page": "1"}, None),
        (2, None, None, ["malformed"]),
    ]


def test_the_unknown_keys_of_json_lines_are_those_of_each_file_up_to_one_more_than_are_allowed(lake: LittleLake) -> None:
    lake.write("expectations/bronze/logs.yaml", LOGS)
    counts = {DAY: 600, NEXT: 500, "2024-05-03": 1100}
    for day, count in counts.items():
        lake.land(f"logs/{day}.jsonl", *(f'{{"user_id": 7, "key {number:04}": 1}}' for number in range(count)), "{nonsense")
    kept = {day: str(lake.project / f"landing/logs/{day}.jsonl") for day in counts}
    files = [LandedFile(FileEntry("bronze.logs", day, day, f"logs/{day}.jsonl", 1), place, ()) for day, place in kept.items()]
    job = job_of(lake, "bronze.logs")
    keys = unknown_keys(job, job.lake.table("bronze.logs"), files)
    assert {file: len(found) for file, found in keys.items()} == dict(zip(kept.values(), [600, 500, MOST_KEYS + 1], strict=True))
    assert keys[kept[NEXT]] == [f"key {number:04}" for number in range(500)]


def test_files_with_types_keep_them(lake: LittleLake) -> None:
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    columns = {
        "item": ["tea", "pie"],
        "cents": pa.array([300, None], pa.int64()),
        "paid_at": pa.array([noon, None], pa.timestamp("us", "UTC")),
        "facts": pa.array([[("size", "big")], None], pa.map_(pa.string(), pa.string())),
    }
    read = []
    for kind, write in (("parquet", pq.write_table), ("orc", orc.write_table)):
        lake.write(f"expectations/bronze/{kind}_payments.yaml", PAYMENTS.replace("KIND", kind))
        (lake.project / "landing/payments").mkdir(parents=True, exist_ok=True)
        write(pa.table(columns), lake.project / f"landing/payments/{DAY}.{kind}")
        read.append(bronze(lake, f"bronze.{kind}_payments", DAY))
    paid_at = F.date_format("paid_at", "yyyy-MM-dd HH:mm").alias("paid_at")
    assert rows(read[0].union(read[1]).select("_source_file", "_source_line", "item", "cents", paid_at, "facts", "_errors"), "*") == [
        ("payments/2024-05-01.orc", 1, "tea", 300, "2024-05-01 12:00", {"size": "big"}, None),
        ("payments/2024-05-01.orc", 2, "pie", None, None, None, None),
        ("payments/2024-05-01.parquet", 1, "tea", 300, "2024-05-01 12:00", {"size": "big"}, None),
        ("payments/2024-05-01.parquet", 2, "pie", None, None, None, None),
    ]


def test_a_missing_column_is_null_where_the_contract_says_so(shop: LittleLake) -> None:
    change_contract(shop, "format: csv", "format: csv, drift: {missing: null}", "bronze/sales")
    shop.land(f"sales/{DAY}.csv", "sold_on,itme", f"{DAY},tea")
    found = bronze(shop, "bronze.sales", DAY)
    assert rows(found, "sold_on", "item", "cents", "_errors", "_extra") == [(DAY, None, None, None, '{"itme":"tea"}')]


def test_silver_reads_the_columns_that_were_kept_aside_whatever_the_file_calls_them(shop: LittleLake) -> None:
    shop.land(f"sales/{DAY}.csv", f"{HEADER}, Kunde Größe ,Amount (€)", f"{DAY},tea,300,Jörg,3.50")
    shop.land(f"sales/{NEXT}.csv", HEADER, f"{NEXT},cake,450")
    contract = load_lake().table("bronze.sales").contract
    kept = F.from_json("_extra", "map<string,string>")  # get_json_object knows no name that begins with a blank
    customer, amount = kept[" Kunde Größe "].alias("customer"), kept["Amount (€)"].cast("decimal(10,2)").alias("amount")
    found = typed(contract, bronze(shop, "bronze.sales", DAY, NEXT)).select("item", customer, amount)
    assert rows(found, "item", "customer", "amount") == [("cake", None, None), ("tea", "Jörg", Decimal("3.50"))]
    assert rows(typed(contract, bronze(shop, "bronze.sales", NEXT)), "item", "_extra") == [("cake", None)]
