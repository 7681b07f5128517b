"""Rows that a person has corrected come back through the same gate."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet as pq

from spark_jobs.lake.build import build_days
from spark_jobs.lake.quarantine import replaying
from tests.spark_jobs.lake.reviewing import HEADER, SALES, SOLD, ask, done, only_id, publish, seen

if TYPE_CHECKING:
    import pytest

    from expectations.jobs import JobResult
    from tests.spark_jobs.lake.conftest import LittleLake

FIRST = date(2024, 5, 1)


def test_what_did_not_parse_is_edited_and_replayed_into_the_table_until_the_edit_is_taken_back(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-05-01,pie,much", "2024-05-01,short")
    pie, short = (row["id"] for row in seen(shop))
    done(ask(shop, "edit", rows=pie, values='{"cents": "200"}', reason="asked the baker"))
    assert ask(shop, "edit", rows=pie, values='{"cents": "200"}', reason="asked again").status == "unchanged"
    partly = ask(shop, "edit", rows=short, values='{"cents": "5"}', reason="cut off")
    assert partly.status == "failed_terminal"
    assert partly.message.endswith("could not be split into columns, so it needs all of them; add sold_on, item.")
    done(ask(shop, "edit", rows=short, values='{"sold_on": "2024-05-01", "item": "bun", "cents": "5"}', reason="cut off"))
    assert shop.rows(SOLD, "item") == [("tea",)]
    replayed = done(ask(shop, "replay"))
    assert replayed.facts["days"] == ["2024-05-01"]
    assert shop.rows(SOLD, "item", "cents") == [("bun", 5), ("pie", 200), ("tea", 300)]
    assert shop.quarantine(SOLD, "_id") == []
    bun, *others = shop.rows(SALES, "item", "cents", "_errors", "_corrected")
    assert others == [("pie", "200", None, '{"cents":"much"}'), ("tea", "300", None, None)]
    assert (bun[:3], json.loads(bun[3])["_corrupt"]) == (("bun", "5", None), "2024-05-01,short")
    before = shop.version(SALES), shop.version(SOLD)
    again = ask(shop, "replay", run_id="decision-2")
    assert (again.status, shop.version(SALES), shop.version(SOLD)) == ("unchanged", *before)
    shop.build(SALES, "2024-05-01", "run-2", force=True)
    assert shop.rows(SALES, "item", "cents") == [("bun", "5"), ("pie", "200"), ("tea", "300")]
    done(ask(shop, "edit", rows=pie, values="{}", reason="it was wrong after all"))
    done(ask(shop, "replay", run_id="decision-3"))
    assert shop.rows(SALES, "item", "cents", "_corrected")[1:] == [("pie", "much", None), ("tea", "300", None)]
    assert shop.rows(SOLD, "item") == [("bun",), ("tea",)]
    assert only_id(shop) == pie


def test_a_row_that_broke_a_rule_is_looked_at_and_edited_into_the_table_and_gold_follows(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-05-01,pie,much", "2024-05-01,ring,5000")
    shop.build("gold.totals", "2024-05-01")
    looked = done(ask(shop, "look"))
    assert looked.message == "silver.sales: 2 rows wait in quarantine, 0 discarded"
    assert looked.facts["counts"] == [
        {"rule": "fair_price", "day": "2024-05-01", "state": "waiting", "rows": 1},
        {"rule": "type(cents)", "day": "2024-05-01", "state": "waiting", "rows": 1},
    ]
    pie, ring = looked.facts["rows"]
    assert (pie["rules"], pie["file"], pie["line"], pie["day"], pie["arrival_day"]) == (["type(cents)"], "sales/2024-05-01.csv", 3, None, "2024-05-01")
    assert json.loads(ring["values"]) == {"sold_on": "2024-05-01", "item": "ring", "cents": 5000}
    assert pie["id"].startswith("2024-05-01/")
    assert done(ask(shop, "look", rule="fair_price")).facts["rows"] == [ring]
    assert done(ask(shop, "look", days="2024-05-02")).facts["rows"] == []
    mistyped = done(ask(shop, "look", rule="fair_prize")).message
    assert mistyped.startswith("silver.sales: 0 rows wait in quarantine, 0 discarded; no row is in quarantine for 'fair_prize', but for fair_price, ")
    assert mistyped.endswith('Did you mean "fair_price"?')
    assert shop.ledger.attempts(run_id="decision") == []
    assert_is_refused(shop, ring["id"])
    version = shop.version(SOLD)
    still = ask(shop, "replay")
    assert (still.status, still.facts["waiting"], shop.version(SOLD)) == ("unchanged", 2, version)
    done(ask(shop, "edit", rows=ring["id"], values='{"cents": 500}', reason="a zero too many"))
    done(ask(shop, "replay", rule="fair_price", run_id="decision-2"))
    assert shop.rows(SOLD, "item", "cents") == [("ring", 500), ("tea", 300)]
    assert only_id(shop) == pie["id"]
    shop.build("gold.totals", "2024-05-01", "run-2")
    assert shop.rows("gold.totals", "cents") == [(800,)]


def assert_is_refused(shop: LittleLake, row: str) -> None:
    """A decision that cannot be is one sentence."""
    cases: list[tuple[dict[str, str], str]] = [
        ({"action": "edit", "rows": "a,b", "values": "{}", "reason": "x"}, "silver.sales: 2 of 2 rows are not in its quarantine: a, b;"),
        ({"action": "discard", "rule": "fair_prize", "reason": "x"}, 'but for fair_price, type(cents). Did you mean "fair_price"?'),
        ({"action": "edit", "rows": row, "values": '{"cents": "one"}', "reason": "x"}, "bronze.sales: 'one' is no int, the type of cents"),
        ({"action": "edit", "rows": row, "values": '{"cent": "1"}', "reason": "x"}, "bronze.sales has no column 'cent'; it has sold_on, item, cents. Did"),
        ({"action": "discard", "rows": row}, "discard: why? Fill in `reason` (--reason); it is kept with the row."),
    ]
    for texts, sentence in cases:
        result = ask(shop, **texts)
        assert result.status == "failed_terminal"
        assert sentence in result.message


def test_a_late_row_is_edited_onto_the_day_that_was_meant_by_a_replay_that_died_and_is_tried_again(shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-03-01,cake,1")
    late = only_id(shop)
    done(ask(shop, "edit", rows=late, values='{"sold_on": "2024-05-01"}', reason="March was a typing error"))
    with monkeypatch.context() as killed:
        killed.setattr(replaying, "build_days", dies_before_silver)
        assert ask(shop, "replay", rows=late).status.startswith("failed")
    assert shop.rows(SALES, "sold_on", "item") == [("2024-05-01", "cake"), ("2024-05-01", "tea")]
    assert shop.rows(SOLD, "item") == [("tea",)]
    again = done(ask(shop, "replay", rows=late))
    assert ([built["table"] for built in again.facts["built"]], again.facts["arrival_days"]) == ([SOLD], ["2024-05-01"])
    assert shop.rows(SOLD, "sold_on", "item") == [(FIRST, "cake"), (FIRST, "tea")]
    assert shop.quarantine(SOLD, "_id") == []
    once_more = ask(shop, "replay", rows=late)  # what Airflow does where the answer was lost
    assert (once_more.status, once_more.facts["arrival_days"]) == ("unchanged", ["2024-05-01"])
    assert ask(shop, "replay", rows=late, run_id="decision-2").status == "unchanged"


def dies_before_silver(job: Any, table: Any, days: Any) -> JobResult:
    """Reads files; then the process is gone."""
    if table.name == SOLD:
        raise RuntimeError("killed")
    return build_days(job, table, days)


def test_an_edit_reaches_a_table_that_is_two_steps_from_the_file(shop: LittleLake) -> None:
    shop.write(
        "expectations/silver/sales.yaml",
        """
        contract: 1
        description: Sales, typed. One row a sale.
        inputs: [bronze.sales]
        grain: [sold_on, item]
        day: sold_on
        columns:
          sold_on: {type: date, nullable: false}
          item: {type: string}
          cents: {type: int}
        """,
    )
    shop.write(
        "expectations/silver/fair.yaml",
        """
        contract: 1
        description: Sales at a fair price. One row a sale.
        inputs: [silver.sales]
        grain: [sold_on, item]
        day: sold_on
        columns:
          sold_on: {type: date, nullable: false}
          item: {type: string}
          cents: {type: int}
        rules: [{expect: expect_column_values_to_be_between, column: cents, max_value: 1000, on_fail: quarantine}]
        """,
    )
    shop.write("spark_jobs/silver/fair.sql", "SELECT sold_on, item, cents, _row FROM silver_sales\n")
    publish(shop, "2024-05-01,ring,5000")
    shop.build("silver.fair", "2024-05-01")
    (row,) = done(ask(shop, "look", "silver.fair")).facts["rows"]
    assert (row["file"], row["line"]) == ("sales/2024-05-01.csv", 2)
    done(ask(shop, "edit", "silver.fair", rows=row["id"], values='{"cents": "500"}', reason="a zero too many"))
    replayed = done(ask(shop, "replay", "silver.fair"))
    assert [built["table"] for built in replayed.facts["built"]] == [SALES, SOLD, "silver.fair"]
    assert shop.rows("silver.fair", "item", "cents") == [("ring", 500)]


def test_a_bronze_table_has_a_quarantine_of_its_own_from_which_rows_are_edited_back(shop: LittleLake) -> None:
    bronze = (shop.project / "expectations/bronze/sales.yaml").read_text()
    rule = "rules: [{expect: expect_column_values_to_not_be_null, column: item, on_fail: quarantine}]\n"
    shop.write("expectations/bronze/sales.yaml", bronze.replace('nulls: ["", "NA"]', 'nulls: ["NA"]') + rule)
    publish(shop, "2024-05-01,tea,300", "2024-05-01,,200")
    (row,) = done(ask(shop, "look", SALES)).facts["rows"]
    assert (row["rules"], row["line"]) == (["column_values_to_not_be_null(item)"], 3)
    done(ask(shop, "edit", SALES, rows=row["id"], values='{"item": "pie"}', reason="it was on the receipt"))
    done(ask(shop, "replay", SALES))
    shop.build(SOLD, "2024-05-01", "run-2")
    assert shop.rows(SOLD, "item", "cents") == [("pie", 200), ("tea", 300)]


PAYMENTS = """
    contract: 1
    description: Payments as Parquet, one file a day.
    source: {folder: payments, format: parquet}
    columns: {item: {type: string}, cents: {type: bigint}, params: {type: "map<string,string>"}}
"""
TAKINGS = """
    contract: 1
    description: What was sold and what was paid. One row a sale or a payment.
    inputs: [bronze.sales, bronze.payments]
    write: replace_all
    columns: {item: {type: string}, cents: {type: bigint}, params: {type: "map<string,string>"}}
    rules: [{expect: expect_column_values_to_be_between, column: cents, min_value: 0, on_fail: quarantine}]
"""
TAKINGS_LOGIC = """
    SELECT item, CAST(cents AS bigint) AS cents, CAST(NULL AS map<string,string>) AS params, _row FROM bronze_sales
    UNION ALL SELECT item, cents, params, _row FROM bronze_payments
"""


def test_a_row_of_one_of_two_bronze_tables_is_edited_there_and_numbers_and_nested_values_of_parquet_keep_their_types(shop: LittleLake) -> None:
    shop.write("expectations/bronze/payments.yaml", PAYMENTS)
    shop.write("expectations/silver/takings.yaml", TAKINGS)
    shop.write("spark_jobs/silver/takings.sql", TAKINGS_LOGIC)
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300", "2024-05-01,pie,much")
    params = pa.array([[("page", "1")]] * 2, pa.map_(pa.string(), pa.string()))
    (shop.project / "landing/payments").mkdir()
    payments = pa.table({"item": ["gem", "ring"], "cents": pa.array([5, -2], pa.int64()), "params": params})
    pq.write_table(payments, shop.project / "landing/payments/2024-05-01.parquet")
    for table in (SALES, "bronze.payments", "silver.takings"):
        shop.build(table, "2024-05-01")
    paid, sold = shop.quarantine("silver.takings", "_source_file", "_source_line", "_rules", "_id")
    assert paid[:3] == ("payments/2024-05-01.parquet", 2, ["column_values_to_be_between(cents)"])
    assert sold[:3] == ("sales/2024-05-01.csv", 3, ["type(cents)"])
    ring, pie = paid[3], sold[3]
    both = ask(shop, "edit", "silver.takings", rows=f"{pie},{ring}", values='{"cents": 2}', reason="a sign too many")
    assert both.status == "failed_terminal"
    assert both.message.endswith("the rows come from bronze.payments and bronze.sales; edit those of one table at a time.")
    done(ask(shop, "edit", "silver.takings", rows=ring, values='{"cents": 2, "params": {"page": "2"}}', reason="a sign too many"))
    replayed = done(ask(shop, "replay", "silver.takings"))
    assert [built["table"] for built in replayed.facts["built"]] == ["bronze.payments", "silver.takings"]
    assert shop.rows("silver.takings", "item", "cents", "params") == [("gem", 5, {"page": "1"}), ("ring", 2, {"page": "2"}), ("tea", 300, None)]
    assert shop.quarantine("silver.takings", "_id") == [(pie,)]
    assert shop.rows("bronze.payments", "item", "cents", "params")[1] == ("ring", 2, {"page": "2"})
    (said,) = [json.loads(text) for (text,) in shop.rows("bronze.payments", "_corrected") if text]
    assert said == {"cents": "-2", "params": '{"page":"1"}'}
