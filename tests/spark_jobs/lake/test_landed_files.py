"""Landed files on their way through bronze and silver: what is published, what waits in quarantine, what is told."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyarrow import orc

from tests.spark_jobs.lake.reviewing import change_contract

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEADER = "sold_on,item,cents"
FIRST = date(2024, 5, 1)


def test_texts_become_typed_rows_and_what_is_malformed_of_another_type_unfair_late_or_of_no_day_waits_in_quarantine(shop: LittleLake) -> None:
    shop.land(
        "sales/2024-05-01.csv",
        HEADER,
        *("2024-05-01,tea,300", "2024-05-01,cake,NA", "2024-05-01,pie,much", "2024-05-01,ring,5000"),
        *("NA,nut,1", "2024-03-01,egg,1", "2024-05-01,short", "2024-05-01,long,1,2"),
    )
    with (shop.project / "landing/sales/2024-05-01.csv").open("ab") as file:
        file.write(b"2024-05-01,\xff\xfe,5\n")
    shop.land("sales/2024-05-02.csv", "cents,sold_on,item", "450,2024-05-02,bun")
    shop.build("bronze.sales", "2024-05-01..2024-05-02")
    arrived = shop.rows("bronze.sales", "_source_line", "item", "cents", "_errors", "_source_file")
    assert [row for row in arrived if row[1] in {"bun", "tea", "cake", "pie"}] == [
        (2, "bun", "450", None, "sales/2024-05-02.csv"),
        (2, "tea", "300", None, "sales/2024-05-01.csv"),
        (3, "cake", "NA", None, "sales/2024-05-01.csv"),
        (4, "pie", "much", ["cents"], "sales/2024-05-01.csv"),
    ]
    result = shop.build("silver.sales", "2024-05-01..2024-05-02")
    assert shop.rows("silver.sales", "item", "cents") == [("bun", 450), ("cake", None), ("tea", 300)]
    waiting = shop.quarantine("silver.sales", "_rules", "_day", "_arrival_day", "_source_line", "_values")
    assert [row[:4] for row in waiting] == [
        (["fair_price"], FIRST, FIRST, 5),
        (["late"], None, FIRST, 7),
        (["not_null(sold_on)"], None, FIRST, 6),
        (["type(cents)"], None, FIRST, 4),
        *((["type(malformed)"], None, FIRST, line) for line in (10, 8, 9)),
    ]
    assert waiting[0][-1] == '{"sold_on":"2024-05-01","item":"ring","cents":5000}'
    assert waiting[3][-1] == '{"sold_on":"2024-05-01","item":"pie","cents":"much"}'
    assert (result.facts["rows_out"], result.facts["rows_quarantined"]) == (3, 7)


def test_a_corrected_file_empties_the_quarantine_of_its_day_and_is_not_a_late_one(shop: LittleLake) -> None:
    bronze = shop.project / "expectations/bronze/sales.yaml"
    shop.write("expectations/bronze/sales.yaml", f"{bronze.read_text()}over_time: [{{check: arrival, within_hours: 6, on_fail: stop}}]\n")
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,pie,much", "2024-05-01,ring,5000")
    shop.land("sales/2024-05-20.csv", HEADER, "2024-03-01,tea,300", "2024-05-20,bun,free")
    landed(shop, "2024-05-01", datetime(2024, 5, 2, 3, tzinfo=UTC))
    landed(shop, "2024-05-20", datetime(2024, 5, 21, tzinfo=UTC))
    shop.build("bronze.sales", "2024-05-01..2024-05-20")
    shop.build("silver.sales", "2024-05-01")
    only_refused = shop.build("silver.sales", "2024-05-20")
    assert only_refused.message == "silver.sales: 2 quarantined"
    assert [rules for (rules,) in shop.quarantine("silver.sales", "_rules")] == [["fair_price"], ["late"], ["type(cents)"], ["type(cents)"]]
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,pie,200", "2024-05-01,ring,500")
    landed(shop, "2024-05-01", datetime(2024, 5, 10, 3, tzinfo=UTC))
    shop.build("bronze.sales", "2024-05-01", "run-2")
    shop.build("silver.sales", "2024-05-01", "run-2")
    assert shop.quarantine("silver.sales", "_rules", "_key") == [
        (["late"], "bronze.sales/2024-05-20"),
        (["type(cents)"], "bronze.sales/2024-05-20"),
    ]
    assert shop.rows("silver.sales", "item", "cents") == [("pie", 200), ("ring", 500)]
    arrived = [
        (one.success, one.observed) for run in ("run-1", "run-2") for one in shop.ledger.verdicts(run, "bronze.sales") if one.rule == "arrival over time"
    ]
    assert arrived == [(True, "3.0 hours"), (True, "0.0 hours"), (True, "3.0 hours")]


def landed(lake: LittleLake, day: str, moment: datetime) -> None:
    """Say that the day's file was written at this moment."""
    os.utime(lake.project / f"landing/sales/{day}.csv", (moment.timestamp(), moment.timestamp()))


def test_refused_rows_of_a_snapshot_wait_and_go_with_the_snapshot(shop: LittleLake) -> None:
    change_contract(shop, "format: csv", "format: csv, arrives: snapshot", "bronze/sales")
    change_contract(shop, "day: sold_on\n", "")
    change_contract(shop, "replace_days", "replace_all")
    shop.land("sales/of another kind.csv", HEADER, "2024-05-01,cake,1")
    for day, lines in (("2024-05-01", ("2024-05-01,tea,5000", "2024-05-01,pie,free")), ("2024-05-02", ("2024-05-01,tea,6000", "2024-05-01,pie,2"))):
        shop.land(f"sales/{day}.csv", HEADER, *lines)
        assert shop.build("bronze.sales", day, f"run-{day}").facts["not_taken"] == ["sales/of another kind.csv"]
        shop.build("silver.sales", day, f"run-{day}")
        found = [rules for (rules,) in shop.quarantine("silver.sales", "_rules")]
        assert found == ([["fair_price"], ["type(cents)"]] if day == "2024-05-01" else [["fair_price"]])
    assert shop.rows("silver.sales", "item", "cents") == [("pie", 2)]


def test_a_file_of_an_external_tables_day_is_published_once(lake: LittleLake) -> None:
    lake.write(
        "expectations/bronze/payments.yaml",
        """
        contract: 1
        description: Payments, one file a day.
        source: {folder: payments, format: orc, external: true}
        columns: {item: {type: string}, facts: {type: "map<string,string>"}}
        """,
    )
    folder = lake.project / "landing/payments/day=2024-05-01"
    folder.mkdir(parents=True)
    facts = pa.array([[("size", "big")], None], pa.map_(pa.string(), pa.string()))
    orc.write_table(pa.table({"item": ["tea", "pie"], "facts": facts}), folder / "part-0.c000.orc")
    (folder / "_SUCCESS").touch()
    lake.build("bronze.payments", "2024-05-01")
    assert lake.rows("bronze.payments", "item", "facts", "_source_file") == [
        ("pie", None, "payments/day=2024-05-01"),
        ("tea", {"size": "big"}, "payments/day=2024-05-01"),
    ]
    again = lake.build("bronze.payments", "2024-05-01", "run-2")
    assert (again.status, again.message) == ("unchanged", "bronze.payments: no new file for 2024-05-01; nothing to do")


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
