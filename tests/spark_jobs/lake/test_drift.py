"""Drift: files whose columns are not the contract's, kept, read or refused as the contract says, and told."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

if TYPE_CHECKING:
    from expectations.jobs import JobResult
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
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


def drift(lake: LittleLake, answer: str) -> None:
    contract = (lake.project / "expectations/bronze/sales.yaml").read_text()
    lake.write("expectations/bronze/sales.yaml", contract.replace("format: csv", f"format: csv, drift: {{{answer}}}"))


def land_parquet(lake: LittleLake, day: str, columns: dict[str, Any]) -> None:
    folder = lake.project / "landing/payments"
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), folder / f"{day}.parquet")


def said(lake: LittleLake, result: JobResult) -> list[tuple[str, str, bool, str]]:
    """The verdicts about the landed files' columns: day, what it does, success, what differs."""
    verdicts = lake.ledger.verdicts(result.request.run_id, result.request.name)
    return [(verdict.day, verdict.on_fail, verdict.success, verdict.observed) for verdict in verdicts if verdict.rule == "schema"]


def test_an_added_column_is_kept_aside_and_told_with_all_that_the_table_feeds(shop: LittleLake) -> None:
    shop.land(f"sales/{DAY}.csv", HEADER, f"{DAY},tea,300")
    shop.land("sales/2024-05-02.csv", "Item,sold_on,item,a `note.,cents,item ", "A,2024-05-02,cake,moist,450,", ",2024-05-02,pie,,1,")
    result = shop.build("bronze.sales", "2024-05-01..2024-05-02")
    assert shop.rows("bronze.sales", "item", "cents", "_errors", "_extra") == [
        ("cake", "450", None, '{"Item":"A","a `note.":"moist"}'),
        ("pie", "1", None, None),
        ("tea", "300", None, None),
    ]
    assert said(shop, result) == [("2024-05-02", "warn", False, "added Item, 'a `note.', 'item '")]
    told = "sales/2024-05-02.csv: Item, 'a `note.', 'item ' added and kept aside in _extra. It feeds silver.sales, gold.totals."
    assert result.message.endswith(f"; {told}")
    assert result.facts["drift"] == {"sales/2024-05-02.csv": {"added": ["Item", "a `note.", "item "], "missing": [], "changed": {}}}
    assert result.facts["touches"] == {"tables": ["silver.sales", "gold.totals"], "models": []}
    assert result.facts["warnings"] == {"schema": 1}
    shop.build("silver.sales", "2024-05-01..2024-05-02")
    assert shop.rows("silver.sales", "item", "cents") == [("cake", 450), ("pie", 1), ("tea", 300)]


def test_extra_columns_may_come_and_go(shop: LittleLake) -> None:
    for number, (header, line) in enumerate(((HEADER, "tea,300"), (f"{HEADER},note", "cake,450,moist"), (HEADER, "pie,200")), start=1):
        shop.land(f"sales/2024-05-0{number}.csv", header, f"2024-05-0{number},{line}")
        shop.build("bronze.sales", f"2024-05-0{number}", f"run-{number}")
    assert shop.rows("bronze.sales", "item", "_extra") == [("cake", '{"note":"moist"}'), ("pie", None), ("tea", None)]


def test_an_added_column_fails_where_the_contract_says_so(shop: LittleLake) -> None:
    drift(shop, "added: fail")
    shop.land(f"sales/{DAY}.csv", f"{HEADER},note", f"{DAY},tea,300,hot")
    result = shop.run("build", "bronze.sales", DAY)
    assert result.status == "failed_terminal"
    assert "added note. It feeds silver.sales, gold.totals. Nothing was read" in result.message


def test_a_missing_column_is_null_where_the_contract_says_so(shop: LittleLake) -> None:
    drift(shop, "missing: null")
    shop.land(f"sales/{DAY}.csv", "sold_on,itme", f"{DAY},tea")
    result = shop.build("bronze.sales", DAY)
    assert shop.rows("bronze.sales", "sold_on", "item", "cents", "_errors", "_extra") == [(DAY, None, None, None, '{"itme":"tea"}')]
    assert said(shop, result) == [(DAY, "warn", False, "missing item, cents; added itme")]
    assert "item, cents missing and read as null, itme added and kept aside in _extra" in result.message


def test_a_column_that_stands_twice_is_refused(shop: LittleLake) -> None:
    shop.land(f"sales/{DAY}.csv", f"{HEADER},note,note", f"{DAY},tea,300,hot,cold")
    result = shop.run("build", "bronze.sales", DAY)
    assert (result.status, "a column stands twice" in result.message) == ("failed_terminal", True)


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


def test_an_unknown_key_of_a_later_record_fails_where_the_contract_says_so(lake: LittleLake) -> None:
    lake.write("expectations/bronze/logs.yaml", LOGS.replace("format: jsonl", "format: jsonl, drift: {added: fail}"))
    lake.land(f"logs/{DAY}.jsonl", '{"user_id": 7}', '{"user_id": 8, "cart": 1}')
    result = lake.run("build", "bronze.logs", DAY)
    assert result.status == "failed_terminal"
    assert f"the columns of logs/{DAY}.jsonl are not those of" in result.message
    assert "added cart. Nothing reads it. Nothing was read" in result.message


def test_a_key_that_spark_cannot_tell_from_another_is_refused(lake: LittleLake) -> None:
    lake.write("expectations/bronze/logs.yaml", LOGS)
    lake.land(f"logs/{DAY}.jsonl", '{"user_id": 7}', '{"User_ID": 8}')
    result = lake.run("build", "bronze.logs", DAY)
    assert (result.status, "added 'User_ID', which to Spark is the name of another column" in result.message) == ("failed_terminal", True)


def test_keys_without_end_are_refused(lake: LittleLake) -> None:
    lake.write("expectations/bronze/logs.yaml", LOGS)
    lake.land(f"logs/{DAY}.jsonl", *(f'{{"user_id": 7, "key {number}": 1}}' for number in range(1100)))
    result = lake.run("build", "bronze.logs", DAY)
    assert (result.status, "more than 1,000 keys" in result.message) == ("failed_terminal", True)


def test_the_number_of_keys_is_that_of_one_file_and_the_file_that_has_too_many_is_named(lake: LittleLake) -> None:
    lake.write("expectations/bronze/logs.yaml", LOGS)
    for day in ("2024-05-01", "2024-05-02"):
        lake.land(f"logs/{day}.jsonl", *(json.dumps({"user_id": 7, f"key {number}": 1}) for number in range(600)))
    result = lake.build("bronze.logs", "2024-05-01..2024-05-02")
    assert [len(facts["added"]) for facts in result.facts["drift"].values()] == [600, 600]
    lake.land("logs/2024-05-02.jsonl", *(json.dumps({"user_id": 7, f"key {number}": 1}) for number in range(1001)))
    result = lake.run("build", "bronze.logs", "2024-05-01..2024-05-02", "run-2", force=True)
    assert result.status == "failed_terminal"
    assert "the records of logs/2024-05-02.jsonl have more than 1,000 keys" in result.message


def test_a_changed_parquet_type_is_cast_and_what_does_not_cast_is_refused_by_its_row(lake: LittleLake) -> None:
    lake.write("expectations/bronze/payments.yaml", PAYMENTS)
    first = date.fromisoformat(DAY)
    land_parquet(lake, DAY, {"item": ["tea"], "cents": pa.array([300], pa.int64()), "paid_on": [first]})
    land_parquet(lake, "2024-05-02", {"item": ["a", "b", "c"], "cents": ["450", "much", None], "paid_on": [datetime(2024, 5, 2), datetime(2024, 5, 2), None]})
    land_parquet(lake, "2024-05-03", {"item": [7, 8], "cents": [1.0, 2.5], "shop": [{"town": "Ulm"}, None]})
    result = lake.build("bronze.payments", "2024-05-01..2024-05-03")
    assert lake.rows("bronze.payments", "item", "cents", "paid_on", "_errors", "_extra") == [
        ("7", 1, None, None, '{"shop":{"town":"Ulm"}}'),
        ("8", None, None, ["cents"], None),
        ("a", 450, date(2024, 5, 2), None, None),
        ("b", None, date(2024, 5, 2), ["cents"], None),
        ("c", None, None, None, None),
        ("tea", 300, first, None, None),
    ]
    assert [json.loads(raw)["cents"] for (raw,) in lake.rows("bronze.payments", "_corrupt") if raw] == ["much", 2.5]
    assert said(lake, result) == [
        ("2024-05-02", "warn", False, "column 'cents' is string; column 'paid_on' is timestamp[us]"),
        ("2024-05-03", "warn", False, "missing paid_on; added shop; column 'item' is int64; column 'cents' is double"),
    ]


def test_a_type_that_means_something_else_is_refused_even_where_types_are_cast(lake: LittleLake) -> None:
    lake.write("expectations/bronze/payments.yaml", PAYMENTS)
    land_parquet(lake, DAY, {"item": ["tea"], "cents": [1], "paid_on": [19844]})
    result = lake.run("build", "bronze.payments", DAY)
    assert result.status == "failed_terminal"
    assert "column 'paid_on' is int64, but the contract" in result.message
