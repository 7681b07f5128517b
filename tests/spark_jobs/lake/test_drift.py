"""Drift: files whose columns are not the contract's, kept, read or refused as the contract says, and told."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet as pq

from tests.spark_jobs.lake.reviewing import change_contract

if TYPE_CHECKING:
    from expectations.jobs import JobResult
    from tests.spark_jobs.lake.conftest import LittleLake

HEADER = "sold_on,item,cents"
DAY = "2024-05-01"
LOGS = """
    contract: 1
    description: What users did, one JSON object a line.
    source: {folder: logs, format: jsonl}
    columns:
      user_id: {type: bigint}
      action: {type: string}
"""
PAYMENTS = """
    contract: 1
    description: Payments as Parquet, one file a day.
    source: {folder: payments, format: parquet, drift: {changed: cast, missing: null}}
    columns:
      item: {type: string}
      cents: {type: bigint}
      paid_on: {type: date}
"""


def land_parquet(lake: LittleLake, day: str, columns: dict[str, Any]) -> None:
    folder = lake.project / "landing/payments"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / f"{day}.parquet")


def said(lake: LittleLake, result: JobResult) -> list[tuple[str, str, bool, str]]:
    """The verdicts about the landed files' columns: day, what it does, success, what differs."""
    verdicts = lake.ledger.verdicts(result.request.run_id, result.request.name)
    return [(verdict.day, verdict.on_fail, verdict.success, verdict.observed) for verdict in verdicts if verdict.rule == "schema"]


def test_extra_columns_come_and_go_are_kept_aside_and_told_with_all_that_the_table_feeds_and_a_file_at_fault_is_refused(shop: LittleLake) -> None:
    shop.land(f"sales/{DAY}.csv", HEADER, f"{DAY},tea,300")
    shop.build("bronze.sales", DAY)
    shop.land("sales/2024-05-02.csv", "Item,sold_on,item,a `note.,cents,item ", "A,2024-05-02,cake,moist,450,", ",2024-05-02,pie,,1,")
    shop.land("sales/2024-05-03.csv", HEADER, "2024-05-03,bun,50")
    result = shop.build("bronze.sales", "2024-05-02..2024-05-03", "run-2")
    assert said(shop, result) == [("2024-05-02", "warn", False, "added Item, 'a `note.', 'item '")]
    told = "sales/2024-05-02.csv: Item, 'a `note.', 'item ' added and kept aside in _extra. It feeds silver.sales, gold.totals."
    assert result.message.endswith(f"; {told}")
    assert result.facts["drift"] == {"sales/2024-05-02.csv": {"added": ["Item", "a `note.", "item "], "missing": [], "changed": {}}}
    assert result.facts["touches"] == {"tables": ["silver.sales", "gold.totals"], "models": []}
    assert result.facts["warnings"] == {"schema": 1}
    shop.land("sales/2024-05-04.csv", HEADER, "2024-05-04,jam,120")
    shop.build("bronze.sales", "2024-05-04", "run-3")
    assert shop.rows("bronze.sales", "item", "cents", "_errors", "_extra") == [
        ("bun", "50", None, None),
        ("cake", "450", None, '{"Item":"A","a `note.":"moist"}'),
        ("jam", "120", None, None),
        ("pie", "1", None, None),
        ("tea", "300", None, None),
    ]
    shop.build("silver.sales", "2024-05-01..2024-05-04")
    assert shop.rows("silver.sales", "item", "cents") == [("bun", 50), ("cake", 450), ("jam", 120), ("pie", 1), ("tea", 300)]
    change_contract(shop, "format: csv", "format: csv, drift: {added: fail}", "bronze/sales")
    refused = shop.run("build", "bronze.sales", "2024-05-01..2024-05-04", "run-4")
    assert refused.status == "failed_terminal"
    assert "added Item, 'a `note.', 'item '. It feeds silver.sales, gold.totals. Nothing was read" in refused.message


def test_keys_that_only_later_records_bring_are_not_lost(lake: LittleLake) -> None:
    lake.write("expectations/bronze/logs.yaml", LOGS)
    lake.land(
        f"logs/{DAY}.jsonl",
        '{"user_id": 7, "action": "view"}',
        "{nonsense",
        '{"user_id": 8, "action": "buy", "cart": {"tea": 2}, "action.at": "noon"}',
        '{"user_id": 9, "cart": null}',
    )
    lake.land("logs/2024-05-02.jsonl", '{"user_id": 10, "action": "view"}')
    result = lake.build("bronze.logs", "2024-05-01..2024-05-02")
    rows = lake.rows("bronze.logs", "_source_line", "user_id", "_errors", "_extra")
    assert [row[:3] for row in rows] == [(1, "10", None), (1, "7", None), (2, None, ["malformed"]), (3, "8", None), (4, "9", None)]
    assert [row[3] for row in rows if row[1] != "8"] == [None] * 4
    assert json.loads(rows[3][3]) == {"action.at": "noon", "cart": '{"tea": 2}'}
    assert said(lake, result) == [(DAY, "warn", False, "added 'action.at', cart")]
    assert "Nothing reads it." in result.message


def test_a_changed_parquet_type_is_cast_and_what_does_not_cast_is_refused_by_its_row(lake: LittleLake) -> None:
    lake.write("expectations/bronze/payments.yaml", PAYMENTS)
    first = date.fromisoformat(DAY)
    land_parquet(lake, DAY, {"item": ["tea"], "cents": pa.array([300], pa.int64()), "paid_on": [first]})
    land_parquet(lake, "2024-05-02", {"item": ["a", "b", "c"], "cents": ["450", "much", None], "paid_on": [datetime(2024, 5, 2), datetime(2024, 5, 2), None]})
    land_parquet(lake, "2024-05-03", {"item": [7, 8], "cents": [1.0, 2.5], "shop": [{"town": "Ulm"}, None]})
    result = lake.build("bronze.payments", "2024-05-01..2024-05-03")
    rows = lake.rows("bronze.payments", "item", "cents", "paid_on", "_errors", "_extra", "_corrupt")
    assert [row[:-1] for row in rows] == [
        ("7", 1, None, None, '{"shop":{"town":"Ulm"}}'),
        ("8", None, None, ["cents"], None),
        ("a", 450, date(2024, 5, 2), None, None),
        ("b", None, date(2024, 5, 2), ["cents"], None),
        ("c", None, None, None, None),
        ("tea", 300, first, None, None),
    ]
    assert [(row[0], json.loads(row[-1])["cents"]) for row in rows if row[-1]] == [("8", 2.5), ("b", "much")]
    assert said(lake, result) == [
        ("2024-05-02", "warn", False, "column 'cents' is string; column 'paid_on' is timestamp[us]"),
        ("2024-05-03", "warn", False, "missing paid_on; added shop; column 'item' is int64; column 'cents' is double"),
    ]
