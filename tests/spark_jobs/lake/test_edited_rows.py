"""Rows that a person has corrected come back through the same gate."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import parquet as pq

from tests.spark_jobs.lake.reviewing import HEADER, SALES, SOLD, ask, change_contract, done, only_id, publish

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

FIRST = date(2024, 5, 1)


def test_a_text_that_did_not_parse_is_edited_and_replayed_into_the_table_and_waits_no_more(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-05-01,pie,much")
    pie = only_id(shop)
    done(ask(shop, "edit", rows=pie, values='{"cents": "200"}', reason="asked the baker"))
    assert shop.rows(SOLD, "item") == [("tea",)]
    replayed = done(ask(shop, "replay"))
    assert replayed.facts["days"] == ["2024-05-01"]
    assert shop.rows(SOLD, "item", "cents") == [("pie", 200), ("tea", 300)]
    assert shop.quarantine(SOLD, "_id") == []
    assert shop.rows(SALES, "item", "cents", "_errors", "_corrected") == [("pie", "200", None, '{"cents":"much"}'), ("tea", "300", None, None)]
    before = shop.version(SALES), shop.version(SOLD)
    again = ask(shop, "replay", run_id="decision-2")
    assert (again.status, shop.version(SALES), shop.version(SOLD)) == ("unchanged", *before)
    shop.build(SALES, "2024-05-01", "run-2", force=True)
    assert shop.rows(SALES, "item", "cents") == [("pie", "200"), ("tea", "300")]


def test_an_edit_of_a_row_whose_bronze_day_was_held_is_replayed_once_the_day_may_pass(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-05-01,pie,much")
    done(ask(shop, "edit", rows=only_id(shop), values='{"cents": "200"}', reason="asked the baker"))
    bronze = (shop.project / "expectations/bronze/sales.yaml").read_text()
    shop.write("expectations/bronze/sales.yaml", bronze + "rules: [{expect: expect_table_row_count_to_be_between, max_value: 1, on_fail: stop}]\n")
    assert ask(shop, "replay").status == "held"
    change_contract(shop, "max_value: 1,", "max_value: 2,", "bronze/sales")
    done(ask(shop, "replay", run_id="decision-2"))
    assert shop.rows(SOLD, "item", "cents") == [("pie", 200), ("tea", 300)]


def test_a_row_that_broke_a_rule_is_edited_into_the_table_and_gold_follows(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-05-01,ring,5000")
    shop.build("gold.totals", "2024-05-01")
    done(ask(shop, "edit", rows=only_id(shop), values='{"cents": 500}', reason="a zero too many"))
    done(ask(shop, "replay", rule="fair_price"))
    assert shop.rows(SOLD, "item", "cents") == [("ring", 500), ("tea", 300)]
    shop.build("gold.totals", "2024-05-01", "run-2")
    assert shop.rows("gold.totals", "cents") == [(800,)]


def test_a_late_row_is_edited_onto_the_day_that_was_meant(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-03-01,cake,1")
    late = only_id(shop)
    done(ask(shop, "edit", rows=late, values='{"sold_on": "2024-05-01"}', reason="March was a typing error"))
    done(ask(shop, "replay", rows=late))
    assert shop.rows(SOLD, "sold_on", "item") == [(FIRST, "cake"), (FIRST, "tea")]
    assert shop.quarantine(SOLD, "_id") == []
    assert ask(shop, "replay", rows=late, run_id="decision-2").status == "unchanged"


def test_a_record_that_could_not_be_split_is_mended_by_giving_all_its_columns(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-05-01,short")
    short = only_id(shop)
    partly = ask(shop, "edit", rows=short, values='{"cents": "5"}', reason="cut off")
    assert partly.status == "failed_terminal"
    assert partly.message.endswith("could not be split into columns, so it needs all of them; add sold_on, item.")
    done(ask(shop, "edit", rows=short, values='{"sold_on": "2024-05-01", "item": "bun", "cents": "5"}', reason="cut off"))
    done(ask(shop, "replay"))
    assert shop.rows(SOLD, "item", "cents") == [("bun", 5), ("tea", 300)]
    (said,) = [json.loads(text) for (text,) in shop.rows(SALES, "_corrected") if text]
    assert said["_corrupt"] == "2024-05-01,short"


def test_edits_of_one_row_add_up_and_an_empty_one_takes_them_back(shop: LittleLake) -> None:
    publish(shop, "x,tea,much")
    tea = only_id(shop)
    done(ask(shop, "edit", rows=tea, values='{"cents": "300"}', reason="one"))
    done(ask(shop, "edit", rows=tea, values='{"sold_on": "2024-05-01"}', reason="two"))
    assert ask(shop, "edit", rows=tea, values='{"sold_on": "2024-05-01"}', reason="two").status == "unchanged"
    done(ask(shop, "replay"))
    assert shop.rows(SOLD) == [(FIRST, "tea", 300, tea)]
    done(ask(shop, "edit", rows=tea, values="{}", reason="it was wrong after all"))
    done(ask(shop, "replay", run_id="decision-2"))
    assert shop.rows(SALES, "sold_on", "cents", "_corrected") == [("x", "much", None)]
    assert shop.rows(SOLD) == []
    assert only_id(shop) == tea


def test_a_corrected_file_forgets_what_was_written_into_the_old_one(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,pie,much")
    done(ask(shop, "edit", rows=only_id(shop), values='{"cents": "200"}', reason="asked"))
    publish(shop, "2024-05-01,pie,250", run_id="run-2")
    assert shop.rows(SOLD, "cents") == [(250,)]
    assert ask(shop, "replay").status == "unchanged"


def test_a_table_whose_rows_are_not_traced_discards_and_replays_but_cannot_be_edited(shop: LittleLake) -> None:
    shop.write("spark_jobs/silver/sales.py", 'def transform(bronze_sales):\n    return bronze_sales.select("sold_on", "item", "cents")\n')
    publish(shop, "2024-05-01,tea,300", "2024-05-01,ring,5000")
    ring = only_id(shop)
    assert len(ring) == 64
    refused = ask(shop, "edit", rows=ring, values='{"cents": "5"}', reason="no")
    assert refused.status == "failed_terminal"
    assert "cannot be traced to a landed file" in refused.message
    done(ask(shop, "discard", rule="fair_price", reason="no"))
    change_contract(shop, "max_value: 1000", "max_value: 9000")
    shop.build(SOLD, "2024-05-01", "run-2")
    assert shop.rows(SOLD, "item") == [("tea",)]
    done(ask(shop, "reopen", rule="fair_price"))
    done(ask(shop, "replay"))
    assert shop.rows(SOLD, "item") == [("ring",), ("tea",)]


def test_a_row_of_a_file_that_two_bronze_tables_read_is_not_edited(shop: LittleLake) -> None:
    shop.write("expectations/bronze/tills.yaml", (shop.project / "expectations/bronze/sales.yaml").read_text())
    change_contract(shop, "day: sold_on\n", "")
    change_contract(shop, "write: replace_days", "write: replace_all")
    change_contract(shop, "[bronze.sales]", "[bronze.sales, bronze.tills]")
    shop.write("spark_jobs/silver/sales.sql", "SELECT s.sold_on, s.item, s.cents, s._row FROM bronze_sales s SEMI JOIN bronze_tills t USING (item)\n")
    (shop.project / "spark_jobs/silver/sales.py").unlink()
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,ring,5000")
    shop.build("bronze.tills", "2024-05-01")
    publish(shop, "2024-05-01,ring,5000")
    ring = only_id(shop)
    refused = ask(shop, "edit", rows=ring, values='{"cents": "500"}', reason="a zero too many")
    assert refused.status == "failed_terminal"
    both = f"{ring} was read by bronze.sales and by bronze.tills, so it cannot be told which to correct; land a corrected file instead."
    assert both in refused.message


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


def test_nested_values_and_numbers_keep_their_types_when_they_are_edited(lake: LittleLake) -> None:
    lake.write(
        "expectations/bronze/logs.yaml",
        """
        contract: 1
        description: What users did, one JSON object a line.
        source: {folder: logs, format: jsonl}
        columns: {user_id: {type: bigint}, params: {type: "map<string,string>"}}
        """,
    )
    lake.write(
        "expectations/silver/logs.yaml",
        """
        contract: 1
        description: What users did. One row an action.
        inputs: [bronze.logs]
        write: replace_all
        columns: {user_id: {type: bigint, nullable: false}, params: {type: "map<string,string>"}}
        """,
    )
    lake.write("spark_jobs/silver/logs.py", 'def transform(bronze_logs):\n    return bronze_logs.select("user_id", "params", "_row")\n')
    lake.land("logs/2024-05-01.jsonl", '{"user_id": "x", "params": {"page": "1"}}', '{"user_id": null, "params": null}')
    lake.build("bronze.logs", "2024-05-01")
    lake.build("silver.logs", "2024-05-01")
    rows = done(ask(lake, "look", "silver.logs")).facts["rows"]
    assert [row["rules"] for row in rows] == [["type(user_id)"], ["not_null(user_id)"]]
    for row in rows:
        done(ask(lake, "edit", "silver.logs", rows=row["id"], values='{"user_id": 7, "params": {"page": "2"}}', reason="known from the day before"))
    done(ask(lake, "replay", "silver.logs"))
    assert lake.rows("silver.logs", "user_id", "params") == [(7, {"page": "2"})] * 2
    (said, _) = (json.loads(text) for (text,) in lake.rows("bronze.logs", "_corrected"))
    assert set(said) == {"user_id", "params"}


def test_a_row_of_a_parquet_file_is_edited_in_its_own_types(lake: LittleLake) -> None:
    for layer, origin in (("bronze", "source: {folder: payments, format: parquet}"), ("silver", "inputs: [bronze.payments]\n        write: replace_all")):
        lake.write(
            f"expectations/{layer}/payments.yaml",
            f"""
        contract: 1
        description: Payments. One row a payment.
        {origin}
        columns: {{item: {{type: string}}, cents: {{type: bigint}}}}
        """,
        )
    rules = "rules: [{expect: expect_column_values_to_be_between, column: cents, min_value: 0, on_fail: quarantine}]\n"
    lake.write("expectations/silver/payments.yaml", (lake.project / "expectations/silver/payments.yaml").read_text() + rules)
    lake.write("spark_jobs/silver/payments.sql", "SELECT item, cents, _row FROM bronze_payments\n")
    (lake.project / "landing/payments").mkdir(parents=True)
    pq.write_table(pa.table({"item": ["tea", "pie"], "cents": pa.array([300, -2], pa.int64())}), lake.project / "landing/payments/2024-05-01.parquet")
    lake.build("bronze.payments", "2024-05-01")
    lake.build("silver.payments", "2024-05-01")
    (pie,) = done(ask(lake, "look", "silver.payments")).facts["rows"]
    done(ask(lake, "edit", "silver.payments", rows=pie["id"], values='{"cents": 2}', reason="a sign too many"))
    done(ask(lake, "replay", "silver.payments"))
    assert lake.rows("silver.payments", "item", "cents") == [("pie", 2), ("tea", 300)]
    assert lake.rows("bronze.payments", "cents", "_corrected") == [(2, '{"cents":"-2"}'), (300, None)]
