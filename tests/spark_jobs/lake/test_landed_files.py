"""Landed files: what is taken, what is kept as it arrived, what is refused."""

from __future__ import annotations

import hashlib
import os
import subprocess
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyarrow import csv, orc
from pyarrow import parquet as pq
from pyspark.sql import functions as F

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEADER = "sold_on,item,cents"
FIRST = date(2024, 5, 1)


def test_bronze_keeps_texts_as_they_arrived_with_their_line_and_names_those_that_do_not_parse(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300", "2024-05-01,cake,NA", "2024-05-01,pie,much")
    shop.build("bronze.sales", "2024-05-01")
    assert shop.rows("bronze.sales", "_source_line", "item", "cents", "_errors", "_source_file") == [
        (2, "tea", "300", None, "sales/2024-05-01.csv"),
        (3, "cake", "NA", None, "sales/2024-05-01.csv"),
        (4, "pie", "much", ["cents"], "sales/2024-05-01.csv"),
    ]


def test_a_value_that_does_not_parse_sends_its_row_to_quarantine_and_the_day_balances(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300", "2024-05-01,pie,much", "2024-05-01,ring,5000")
    shop.build("bronze.sales", "2024-05-01")
    result = shop.build("silver.sales", "2024-05-01")
    assert shop.rows("silver.sales", "item", "cents") == [("tea", 300)]
    assert shop.quarantine("silver.sales", "_rules", "_day", "_arrival_day", "_source_line", "_values") == [
        (["fair_price"], FIRST, FIRST, 4, '{"sold_on":"2024-05-01","item":"ring","cents":5000}'),
        (["type(cents)"], None, FIRST, 3, '{"sold_on":"2024-05-01","item":"pie","cents":"much"}'),
    ]
    assert (result.facts["rows_out"], result.facts["rows_quarantined"]) == (1, 2)


def test_a_corrected_file_empties_the_quarantine_of_its_day(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,pie,much", "2024-05-01,ring,5000")
    shop.build("bronze.sales", "2024-05-01")
    shop.build("silver.sales", "2024-05-01")
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,pie,200", "2024-05-01,ring,500")
    shop.build("bronze.sales", "2024-05-01", "run-2")
    shop.build("silver.sales", "2024-05-01", "run-2")
    assert shop.quarantine("silver.sales", "_rules") == []
    assert shop.rows("silver.sales", "item", "cents") == [("pie", 200), ("ring", 500)]


def test_short_long_and_broken_records_wait_in_quarantine_as_malformed(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300", "2024-05-01,short", "2024-05-01,long,1,2")
    with (shop.project / "landing/sales/2024-05-01.csv").open("ab") as file:
        file.write(b"2024-05-01,\xff\xfe,5\n")
    shop.build("bronze.sales", "2024-05-01")
    shop.build("silver.sales", "2024-05-01")
    assert shop.rows("silver.sales", "item") == [("tea",)]
    assert [rules for (rules,) in shop.quarantine("silver.sales", "_rules")] == [["type(malformed)"]] * 3


def test_a_row_without_a_day_waits_in_quarantine(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "NA,tea,300", "2024-05-01,cake,1")
    shop.build("bronze.sales", "2024-05-01")
    shop.build("silver.sales", "2024-05-01")
    assert shop.quarantine("silver.sales", "_rules", "_day", "_arrival_day") == [(["not_null(sold_on)"], None, FIRST)]


def test_a_row_that_comes_too_late_waits_in_quarantine_and_its_day_stays(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300", "2024-03-01,cake,1")
    shop.build("bronze.sales", "2024-05-01")
    shop.build("silver.sales", "2024-05-01")
    assert shop.rows("silver.sales", "item") == [("tea",)]
    assert shop.quarantine("silver.sales", "_rules", "_arrival_day") == [(["late"], FIRST)]


def test_a_header_with_other_names_is_refused_and_the_difference_shown(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", "sold_on,itme,cents", "2024-05-01,tea,300")
    result = shop.run("build", "bronze.sales", "2024-05-01")
    assert result.status == "failed_terminal"
    assert "missing item; added itme" in result.message
    assert 'Did you mean "item"?' in result.message
    assert not (shop.project / "data_lake/bronze").exists()


def test_columns_in_another_order_are_read_by_name(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.land("sales/2024-05-02.csv", "cents,sold_on,item", "450,2024-05-02,cake")
    shop.build("bronze.sales", "2024-05-01..2024-05-02")
    assert shop.rows("bronze.sales", "item", "cents") == [("cake", "450"), ("tea", "300")]


def test_a_day_without_a_file_is_skipped(shop: LittleLake) -> None:
    result = shop.build("bronze.sales", "2024-05-01")
    assert (result.status, result.message) == ("unchanged", "bronze.sales: no file has landed for 2024-05-01; nothing to do")
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.build("bronze.sales", "2024-05-01")
    result = shop.build("bronze.sales", "2024-05-01", "run-2")
    assert (result.status, result.message) == ("unchanged", "bronze.sales: no new file for 2024-05-01; nothing to do")
    result = shop.build("bronze.sales", "2024-05-01..2024-05-03", "run-3")
    assert result.message == "bronze.sales: no new file for 2024-05-01; no file has landed for 2024-05-02..2024-05-03; nothing to do"


def test_a_file_that_only_lacks_a_days_name_is_named_where_the_day_has_none(shop: LittleLake) -> None:
    shop.land("sales/01-05-2024.csv", HEADER, "2024-05-01,tea,300")
    shop.land("sales/notes.txt", "none of ours")
    result = shop.build("bronze.sales", "2024-05-01")
    hint = "(sales/01-05-2024.csv is named by no day: rename it like 2024-05-01.csv)"
    assert result.message == f"bronze.sales: no file has landed for 2024-05-01 {hint}; nothing to do"


def test_all_files_at_fault_are_named_at_once_and_the_others_are_read_once_they_are_mended(shop: LittleLake) -> None:
    for day in ("2024-05-01", "2024-05-02", "2024-05-03"):
        shop.land(f"sales/{day}.csv", "sold_on,item" if day != "2024-05-02" else HEADER, f"{day},tea,300")
    result = shop.run("build", "bronze.sales", "2024-05-01..2024-05-03")
    assert result.status == "failed_terminal"
    assert [day for day in ("2024-05-01", "2024-05-02", "2024-05-03") if f"sales/{day}.csv" in result.message] == ["2024-05-01", "2024-05-03"]
    for day in ("2024-05-01", "2024-05-03"):
        shop.land(f"sales/{day}.csv", HEADER, f"{day},tea,300")
    shop.build("bronze.sales", "2024-05-01..2024-05-03", "run-2")
    assert shop.frame("bronze.sales").count() == 3


def test_a_day_without_a_file_fails_where_the_contract_says_so(shop: LittleLake) -> None:
    contract = (shop.project / "expectations/bronze/sales.yaml").read_text()
    shop.write("expectations/bronze/sales.yaml", contract.replace("format: csv,", "format: csv, missing: fail,"))
    result = shop.run("build", "bronze.sales", "2024-05-01")
    assert result.status == "failed_terminal"
    assert "no file for 2024-05-01" in result.message


ROWS = pa.table({"item": ["tea", "pie", "cake", "jam"], "cents": pa.array([300, 200, 450, 120], pa.int64())})


@pytest.mark.parametrize(
    ("kind", "write", "parts"),
    [
        ("csv", csv.write_csv, ["0/0", "0/1", "32/0", "32/1"]),  # a header of 15 bytes, two rows that begin within the first 32 and two behind
        ("jsonl", lambda rows, file: rows.to_pandas().to_json(file, orient="records", lines=True), ["0/0", "0/1", "32/0", "64/0"]),
        ("parquet", pq.write_table, ["0/0", "0/1", "0/2", "0/3"]),
        ("orc", orc.write_table, ["0/0", "0/1", "0/2", "0/3"]),
    ],
)
def test_a_rows_id_is_its_day_file_part_and_place_whether_the_file_is_read_alone_or_with_others(
    lake: LittleLake, monkeypatch: pytest.MonkeyPatch, kind: str, write: Callable[..., None], parts: list[str]
) -> None:
    monkeypatch.setattr("spark_jobs.lake.reading.SPLIT_BYTES", "32")
    columns = "{item: {type: string}, cents: {type: bigint}}"
    for name in ("alone", "together"):
        lake.write(
            f"expectations/bronze/{name}.yaml", f"contract: 1\ndescription: What things cost.\nsource: {{folder: prices, format: {kind}}}\ncolumns: {columns}\n"
        )
    folder = lake.project / "landing/prices"
    folder.mkdir(parents=True)
    for day in ("2024-05-01", "2024-05-02"):
        write(ROWS, folder / f"{day}.{kind}")
    sha = hashlib.sha256((folder / f"2024-05-01.{kind}").read_bytes()).hexdigest()[:16]
    lake.build("bronze.alone", "2024-05-01")
    lake.build("bronze.alone", "2024-05-02", "run-2")
    lake.build("bronze.together", "2024-05-01..2024-05-02")
    expected = [(f"{day}/{sha}/{part}",) for day in ("2024-05-01", "2024-05-02") for part in parts]
    assert lake.rows("bronze.alone", "_row") == expected
    assert lake.rows("bronze.together", "_row") == expected


def test_json_lines_keep_maps_and_say_what_is_no_json(lake: LittleLake) -> None:
    lake.write(
        "expectations/bronze/logs.yaml",
        """
        contract: 1
        description: What users did, one JSON object a line.
        source: {folder: logs, format: jsonl}
        columns:
          at: {type: timestamp}
          user_id: {type: bigint}
          params: {type: "map<string,string>"}
        """,
    )
    lake.land("logs/2024-05-01.jsonl", '{"at": "2024-05-01T10:00:00Z", "user_id": 7, "params": {"page": "1"}}', "{nonsense")
    lake.build("bronze.logs", "2024-05-01")
    assert lake.rows("bronze.logs", "_source_line", "user_id", "params", "_errors") == [
        (1, "7", {"page": "1"}, None),
        (2, None, None, ["malformed"]),
    ]


@pytest.mark.parametrize(("kind", "write"), [("parquet", pq.write_table), ("orc", orc.write_table)])
def test_files_with_types_keep_them_and_a_wrong_type_and_half_a_file_are_refused(lake: LittleLake, kind: str, write: Callable[..., None]) -> None:
    lake.write(
        "expectations/bronze/payments.yaml",
        f"""
        contract: 1
        description: Payments, one file a day.
        source: {{folder: payments, format: {kind}}}
        columns:
          item: {{type: string}}
          cents: {{type: bigint}}
          paid_at: {{type: timestamp}}
        """,
    )
    folder = lake.project / "landing/payments"
    folder.mkdir(parents=True)
    noon = datetime(2024, 5, 1, 12, tzinfo=UTC)
    times = pa.array([noon, None], pa.timestamp("us", "UTC"))
    write(pa.table({"item": ["tea", "pie"], "cents": pa.array([300, None], pa.int64()), "paid_at": times}), folder / f"2024-05-01.{kind}")
    write(pa.table({"item": ["tea"], "cents": ["300"], "paid_at": times[:1]}), folder / f"2024-05-02.{kind}")
    (folder / f"2024-05-03.{kind}").write_bytes((folder / f"2024-05-01.{kind}").read_bytes()[:100])
    lake.build("bronze.payments", "2024-05-01")
    paid_at = F.date_format("paid_at", "yyyy-MM-dd HH:mm").alias("paid_at")
    rows = lake.frame("bronze.payments").select("item", "cents", paid_at, "_source_line").sort("_source_line").collect()
    assert [tuple(row) for row in rows] == [("tea", 300, "2024-05-01 12:00", 1), ("pie", None, None, 2)]
    result = lake.run("build", "bronze.payments", "2024-05-02")
    assert result.status == "failed_terminal"
    assert "column 'cents' is string" in result.message
    half = lake.run("build", "bronze.payments", "2024-05-03")
    assert half.status == "failed_terminal"
    assert f"2024-05-03.{kind} is no whole {kind.upper()} file" in half.message


def test_a_file_of_nothing_but_late_and_unparsed_rows_fills_the_quarantine(shop: LittleLake) -> None:
    shop.land("sales/2024-05-20.csv", HEADER, "2024-03-01,tea,300", "2024-05-20,pie,free")
    shop.build("bronze.sales", "2024-05-20")
    result = shop.build("silver.sales", "2024-05-20")
    assert result.message == "silver.sales: 2 quarantined"
    assert shop.quarantine("silver.sales", "_rules", "_key") == [
        (["late"], "bronze.sales/2024-05-20"),
        (["type(cents)"], "bronze.sales/2024-05-20"),
    ]


def test_refused_rows_of_a_snapshot_wait_and_go_with_the_snapshot(shop: LittleLake) -> None:
    bronze = (shop.project / "expectations/bronze/sales.yaml").read_text()
    shop.write("expectations/bronze/sales.yaml", bronze.replace("format: csv", "format: csv, arrives: snapshot"))
    silver = (shop.project / "expectations/silver/sales.yaml").read_text()
    shop.write("expectations/silver/sales.yaml", silver.replace("day: sold_on\n", "").replace("replace_days", "replace_all"))
    for day, lines in (("2024-05-01", ("2024-05-01,tea,5000", "2024-05-01,pie,free")), ("2024-05-02", ("2024-05-01,tea,6000", "2024-05-01,pie,2"))):
        shop.land(f"sales/{day}.csv", HEADER, *lines)
        shop.build("bronze.sales", day, f"run-{day}")
        shop.build("silver.sales", day, f"run-{day}")
        found = [rules for (rules,) in shop.quarantine("silver.sales", "_rules")]
        assert found == ([["fair_price"], ["type(cents)"]] if day == "2024-05-01" else [["fair_price"]])


def test_a_taken_file_still_counts_when_it_has_left_the_landing_folder(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.build("bronze.sales", "2024-05-01")
    (shop.project / "landing/sales/2024-05-01.csv").unlink()
    contract = (shop.project / "expectations/bronze/sales.yaml").read_text()
    shop.write("expectations/bronze/sales.yaml", contract.replace("cents: {type: int}", "cents: {type: bigint}").replace("csv,", "csv, missing: fail,"))
    assert shop.build("bronze.sales", "2024-05-01", "run-2").status == "done"
    assert shop.rows("bronze.sales", "item", "cents") == [("tea", "300")]


@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own can only be mounted by root")
def test_a_full_disk_is_told_in_one_sentence_and_the_day_is_whole_afterwards(shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = shop.project / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(disk)], check=False)
    if mounted.returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    monkeypatch.setenv("LAKE_ROOT", str(disk / "data_lake"))
    try:
        shop.land("sales/2024-05-01.csv", HEADER, *(f"2024-05-01,item {number * number},{number}" for number in range(20_000)))
        result = shop.run("build", "bronze.sales", "2024-05-01")
        assert result.status == "failed_transient"
        assert "there is no room on the disk of the lake, or of Spark's scratch files; free some and run it again" in result.message
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        shop.build("bronze.sales", "2024-05-01")
        assert shop.frame("bronze.sales").count() == 20_000
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_file_that_is_named_by_no_day_is_left_alone(shop: LittleLake) -> None:
    bronze = (shop.project / "expectations/bronze/sales.yaml").read_text()
    shop.write("expectations/bronze/sales.yaml", bronze.replace("format: csv", "format: csv, arrives: snapshot"))
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300")
    shop.land("sales/2024-05-01.bak.csv", HEADER, "2024-05-01,cake,1")
    shop.build("bronze.sales", "2024-05-02")
    assert shop.rows("bronze.sales", "item") == [("tea",)]


@pytest.mark.parametrize(("kind", "write"), [("parquet", pq.write_table), ("orc", orc.write_table)])
def test_a_folder_of_an_external_tables_day_holds_one_file_of_any_name_and_none_that_is_hidden(lake: LittleLake, kind: str, write: Callable[..., None]) -> None:
    lake.write(
        "expectations/bronze/payments.yaml",
        f"""
        contract: 1
        description: Payments, one file a day.
        source: {{folder: payments, format: {kind}, external: true}}
        columns: {{item: {{type: string}}, facts: {{type: "map<string,string>"}}}}
        """,
    )
    facts = pa.array([[("size", "big")], None], pa.map_(pa.string(), pa.string()))
    folders = [lake.project / f"landing/payments/day=2024-05-0{number}" for number in (1, 2)]
    for folder in folders:
        folder.mkdir(parents=True)
        write(pa.table({"item": ["tea", "pie"], "facts": facts}), folder / f"part-0.c000.{kind}")
    (folders[0] / "_SUCCESS").touch()
    (folders[0] / ".part-1.crc").touch()
    lake.build("bronze.payments", "2024-05-01")
    assert lake.rows("bronze.payments", "item", "facts", "_source_file") == [
        ("pie", None, "payments/day=2024-05-01"),
        ("tea", {"size": "big"}, "payments/day=2024-05-01"),
    ]
    assert lake.build("bronze.payments", "2024-05-01", "run-2").status == "unchanged"
    (folders[1] / "part-1").touch()
    two = lake.run("build", "bronze.payments", "2024-05-02")
    assert two.status == "failed_terminal"
    assert f"/payments/day=2024-05-02 holds 2 files (part-0.c000.{kind}, part-1); a day is one file: write it as one" in two.message
