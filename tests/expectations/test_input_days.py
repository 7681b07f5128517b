"""Where two inputs have days, a contract says which days of each a day needs: version 2 has to, of version 1 a check tells, and writes what holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expectations.__main__ import main
from expectations.input_days import left_open, with_days
from expectations.loader import load_lake, reload
from tests.expectations.conftest import GOLD_TOTALS, PIPELINES, TOTALS_LOGIC, Refusal, write_lake

if TYPE_CHECKING:
    from pathlib import Path

PAID = """
contract: 1
description: Paid sales. One row per day.
inputs: [silver.sales, silver.payments]  # a day of both
grain: [sold_on]
day: sold_on
columns:
  sold_on: {type: date, nullable: false}
  cents: {type: bigint}
"""
PAYMENTS = PAID.replace("Paid sales", "Payments").replace("[silver.sales, silver.payments]  # a day of both", "[bronze.sales]")
LOGIC = "SELECT sold_on, sum(cents) AS cents FROM silver_sales JOIN silver_payments USING (sold_on) GROUP BY sold_on"
TWO = {
    GOLD_TOTALS: PAID,
    TOTALS_LOGIC: LOGIC,
    PIPELINES: ("- silver.sales", "- silver.sales\n    - silver.payments"),
    "expectations/silver/payments.yaml": PAYMENTS,
    "spark_jobs/silver/payments.sql": "SELECT sold_on, sum(cents) AS cents FROM bronze_sales GROUP BY sold_on",
}


@pytest.mark.parametrize(
    ("text", "positions", "becomes"),
    [
        ("contract: 1\ninputs: [silver.a, silver.b]\n", [0, 1], "contract: 2\ninputs: [{silver.a: {days: [0, 0]}}, {silver.b: {days: [0, 0]}}]\n"),
        ("inputs: [silver.a, {silver.b: {needs: clean}}]\ncontract: 1\n", [1], "inputs: [silver.a, {silver.b: {days: [0, 0], needs: clean}}]\ncontract: 2\n"),
        ("contract: 1 # one\ninputs:\n  - silver.a # first\n", [0], "contract: 2 # one\ninputs:\n  - {silver.a: {days: [0, 0]}} # first\n"),
        (
            "contract: 1\ninputs:\n  - silver.a:\n      needs: clean\n  - table: silver.b\n    needs: clean\n",
            [0, 1],
            "contract: 2\ninputs:\n  - silver.a:\n      days: [0, 0]\n      needs: clean\n  - days: [0, 0]\n    table: silver.b\n    needs: clean\n",
        ),
        (
            "contract: 1\ninputs: [{silver.a: {}}, {table: silver.b}]\n",
            [0, 1],
            "contract: 2\ninputs: [{silver.a: {days: [0, 0]}}, {days: [0, 0], table: silver.b}]\n",
        ),
    ],
)
def test_what_holds_today_is_written_and_the_rest_of_the_text_stays(text: str, positions: list[int], becomes: str) -> None:
    assert with_days(text, positions) == becomes


def test_a_contract_of_version_2_that_leaves_days_open_is_refused(refusal: Refusal) -> None:
    assert refusal({**TWO, GOLD_TOTALS: PAID.replace("contract: 1", "contract: 2")}) == (
        "expectations/gold/totals.yaml:3: gold.totals reads silver.sales and silver.payments by day, and does not say which days of silver.sales a day needs; "
        "write {silver.sales: {days: [0, 0]}} for that same day alone, or for example {silver.sales: {days: [0, 7]}} for what comes up to a week later."
    )


def test_a_contract_of_version_1_is_told_and_fixed_and_no_day_is_stale_for_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_lake(tmp_path, TWO)
    monkeypatch.setenv("LAKE_PROJECT", str(tmp_path))
    before = load_lake(tmp_path).table("gold.totals").contract_hash
    (said,) = left_open(load_lake(tmp_path))
    assert said.replace(f"{tmp_path}/", "") == (
        "expectations/gold/totals.yaml:3: gold.totals reads silver.sales and silver.payments by day: a day is made of that same day of each, and what belongs "
        "to it and comes on another day is left out. Say which days it needs (`days:`), with contract: 2; `make check-lake FIX=1` writes what holds today."
    )
    assert main(["check", "--fix"]) == 0
    assert capsys.readouterr().out.startswith("contract: 2, with the days that hold today, written into gold.totals; look at them.\n")
    reload()
    fixed = load_lake(tmp_path)
    assert (left_open(fixed), fixed.table("gold.totals").contract_hash) == ([], before)
    assert "inputs: [{silver.sales: {days: [0, 0]}}, {silver.payments: {days: [0, 0]}}]  # a day of both\n" in (tmp_path / GOLD_TOTALS).read_text()
    assert main(["check", "--fix"]) == 0
    assert "contract: 2" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "change",
    [
        PAID.replace("[silver.sales, silver.payments]", "[{silver.sales: {days: [0, 0]}}, {silver.payments: {days: [0, 7]}}]"),
        PAID.replace("silver.payments]", "silver.shops]"),
        PAID.replace("day: sold_on", "write: replace_all"),
    ],
    ids=["said", "one has no days", "read whole"],
)
def test_nothing_is_left_open_where_days_are_said_or_one_input_alone_has_them(tmp_path: Path, change: str) -> None:
    logic = LOGIC.replace("silver_payments USING (sold_on)", "silver_shops") if "silver.shops" in change else LOGIC
    write_lake(tmp_path, {**TWO, GOLD_TOTALS: change, TOTALS_LOGIC: logic})
    assert left_open(load_lake(tmp_path)) == []


def test_of_a_bronze_table_of_daily_files_all_rows_of_a_day_are_read_in_any_case(tmp_path: Path) -> None:
    write_lake(tmp_path, {**TWO, GOLD_TOTALS: PAID.replace("silver.sales,", "bronze.sales,"), TOTALS_LOGIC: LOGIC.replace("silver_sales", "bronze_sales")})
    (said,) = left_open(load_lake(tmp_path))
    assert "gold.totals reads bronze.sales and silver.payments by day" in said
