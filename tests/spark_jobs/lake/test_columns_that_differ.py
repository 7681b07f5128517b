"""What is said of a file's columns beside the contract's, and which files are refused: literal names in, so without Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expectations.errors import SourceError
from expectations.ledger import FileEntry, Verdict
from expectations.loader import load_lake
from spark_jobs.lake import drift
from spark_jobs.lake.landed_file import Difference, LandedFile
from tests.spark_jobs.lake.conftest import write_shop
from tests.spark_jobs.lake.parts import without_spark
from tests.spark_jobs.lake.reviewing import change_contract

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.spark_jobs.lake.conftest import LittleLake

HEADER = ("sold_on", "item", "cents")
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


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LittleLake:
    lake = without_spark(tmp_path, monkeypatch)
    write_shop(lake)
    lake.write("expectations/bronze/logs.yaml", LOGS)
    lake.write("expectations/bronze/payments.yaml", PAYMENTS)
    return lake


def answer(shop: LittleLake, text: str, table: str = "sales", kind: str = "csv") -> None:
    """Say in the contract what becomes of such a file."""
    change_contract(shop, f"format: {kind}", f"format: {kind}, drift: {{{text}}}", f"bronze/{table}")


def compared(table: str, header: Sequence[str], types: Sequence[str] = ()) -> Difference:
    lake = load_lake()
    return drift.compare(lake, lake.table(f"bronze.{table}"), header, types, "a-file")


def refused(table: str, header: Sequence[str], types: Sequence[str] = ()) -> str:
    with pytest.raises(SourceError) as error:
        compared(table, header, types)
    return str(error.value)


def of_keys(**keys: list[str]) -> list[LandedFile]:
    """Files of JSON lines, each with the keys that the contract does not know."""
    files = [LandedFile(FileEntry("bronze.logs", name, name, f"logs/{name}.jsonl", 1), name, ()) for name in keys]
    lake = load_lake()
    return drift.with_keys(lake, lake.table("bronze.logs"), files, keys)


def test_columns_in_another_order_do_not_differ(shop: LittleLake) -> None:
    assert not compared("sales", HEADER[::-1])


def test_an_added_column_is_let_in_unless_the_contract_says_otherwise(shop: LittleLake) -> None:
    assert compared("sales", (*HEADER, "note")) == Difference(added=("note",))
    answer(shop, "added: fail")
    assert "added note. It feeds silver.sales, gold.totals. Nothing was read" in refused("sales", (*HEADER, "note"))


def test_a_missing_column_is_refused_unless_the_contract_says_otherwise(shop: LittleLake) -> None:
    assert "missing item, cents; added itme" in refused("sales", ("sold_on", "itme"))
    answer(shop, "missing: null")
    assert compared("sales", ("sold_on", "itme")) == Difference(added=("itme",), missing=("item", "cents"))


def test_what_differs_is_a_warning_for_its_day_and_told_with_what_became_of_it(shop: LittleLake) -> None:
    difference = Difference(added=("itme",), missing=("item", "cents"))
    same, other = (LandedFile(FileEntry("bronze.sales", day, day, f"sales/{day}.csv", 1), day, HEADER) for day in ("2024-05-01", "2024-05-02"))
    files = [same, LandedFile(other.entry, other.kept, ("sold_on", "itme"), difference=difference)]
    lake = load_lake()
    table = lake.table("bronze.sales")
    assert drift.findings(table, files) == (Verdict("bronze.sales", "2024-05-02", "schema", "warn", False, 0, 0, "missing item, cents; added itme"),)
    became = "item, cents missing and read as null, itme added and kept aside in _extra"
    assert drift.in_words(lake, table, files) == f"sales/2024-05-02.csv: {became}. It feeds silver.sales, gold.totals."
    assert drift.as_facts(lake, table, files) == {
        "drift": {"sales/2024-05-02.csv": {"added": ["itme"], "missing": ["item", "cents"], "changed": {}}},
        "touches": {"tables": ["silver.sales", "gold.totals"], "models": []},
    }
    assert (drift.findings(table, [same]), drift.in_words(lake, table, [same]), drift.as_facts(lake, table, [same])) == ((), "", {})


def test_a_column_that_stands_twice_is_refused(shop: LittleLake) -> None:
    assert "a column stands twice" in refused("sales", (*HEADER, "note", "note"))


def test_an_unknown_key_fails_where_the_contract_says_so(shop: LittleLake) -> None:
    answer(shop, "added: fail", "logs", "jsonl")
    with pytest.raises(SourceError) as error:
        of_keys(may_1=[], may_2=["cart"])
    assert "the columns of logs/may_2.jsonl are not those of" in str(error.value)
    assert "added cart. Nothing reads it. Nothing was read" in str(error.value)


def test_a_key_that_spark_cannot_tell_from_another_is_refused(shop: LittleLake) -> None:
    with pytest.raises(SourceError, match="added 'User_ID', which to Spark is the name of another column"):
        of_keys(may_1=["User_ID"])


def test_the_number_of_keys_is_that_of_one_file_and_the_file_that_has_too_many_is_named(shop: LittleLake) -> None:
    six_hundred, too_many = ([f"key {number:04}" for number in range(count)] for count in (600, drift.MOST_KEYS + 1))
    assert [len(file.difference.added) for file in of_keys(may_1=six_hundred, may_2=six_hundred)] == [600, 600]
    with pytest.raises(SourceError, match=r"the records of logs/may_2\.jsonl have more than 1,000 keys"):
        of_keys(may_1=six_hundred, may_2=too_many)


def test_a_changed_type_is_let_in_where_types_are_cast_unless_it_means_something_else(shop: LittleLake) -> None:
    header = ("item", "cents", "paid_on")
    assert compared("payments", header, ("int64", "string", "timestamp[us]")).changed == (
        ("item", "int64"),
        ("cents", "string"),
        ("paid_on", "timestamp[us]"),
    )
    assert "column 'paid_on' is int64, but the contract" in refused("payments", header, ("string", "int64", "int64"))
