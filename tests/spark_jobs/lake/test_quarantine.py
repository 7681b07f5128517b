"""Rows come back from quarantine: looked at, edited, discarded, reopened, replayed; all by the jobs that people start."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from expectations.review import Review
from expectations.settings import load_settings

if TYPE_CHECKING:
    from expectations.jobs import JobResult
    from tests.spark_jobs.lake.conftest import LittleLake

HEADER = "sold_on,item,cents"
FIRST = date(2024, 5, 1)
SALES, SOLD = "bronze.sales", "silver.sales"


def ask(shop: LittleLake, action: str, table: str = SOLD, days: str | None = None, run_id: str = "decision", **texts: str) -> JobResult:
    """What a person asks of a table's quarantine."""
    return shop.run("quarantine", table, days, run_id, review=Review.of(action, who="mia", **texts))


def done(result: JobResult) -> JobResult:
    assert result.status == "done", result.message
    return result


def publish(shop: LittleLake, *lines: str, day: str = "2024-05-01", run_id: str = "run-1") -> None:
    """Land a day's file, and build bronze and silver from it."""
    shop.land(f"sales/{day}.csv", HEADER, *lines)
    shop.build(SALES, day, run_id)
    shop.build(SOLD, day, run_id)


def seen(shop: LittleLake) -> list[dict[str, Any]]:
    """The rows that `look` shows."""
    rows: list[dict[str, Any]] = done(ask(shop, "look")).facts["rows"]
    return rows


def only_id(shop: LittleLake) -> str:
    (row,) = seen(shop)
    return str(row["id"])


def change_contract(shop: LittleLake, before: str, after: str, table: str = "silver/sales") -> None:
    contract = (shop.project / f"expectations/{table}.yaml").read_text()
    assert before in contract
    shop.write(f"expectations/{table}.yaml", contract.replace(before, after))


def test_a_look_tells_what_waits_by_rule_and_day_and_where_it_came_from(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-05-01,pie,much", "2024-05-01,ring,5000")
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
    assert shop.ledger.attempts(run_id="decision") == []


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


def test_a_changed_rule_alone_lets_a_replay_bring_rows_back(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-05-01,ring,5000")
    version = shop.version(SOLD)
    still = ask(shop, "replay")
    assert (still.status, still.facts["waiting"], shop.version(SOLD)) == ("unchanged", 1, version)
    change_contract(shop, "max_value: 1000", "max_value: 9000")
    done(ask(shop, "replay", run_id="decision-2"))
    assert shop.rows(SOLD, "item") == [("ring",), ("tea",)]
    assert shop.quarantine(SOLD, "_id") == []


def test_a_discarded_row_stays_out_though_the_rule_is_changed_until_it_is_reopened(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-05-01,ring,5000")
    ring = only_id(shop)
    done(ask(shop, "discard", rows=ring, reason="a test sale"))
    assert ask(shop, "discard", rows=ring, reason="another reason").status == "unchanged"
    assert shop.quarantine(SOLD, "_id", "_state", "_reason", "_who") == [(ring, "discarded", "a test sale", "mia")]
    change_contract(shop, "max_value: 1000", "max_value: 9000")
    shop.build(SOLD, "2024-05-01", "run-2")
    assert shop.rows(SOLD, "item") == [("tea",)]
    assert shop.quarantine(SOLD, "_id", "_rules", "_state", "_reason", "_day") == [(ring, ["fair_price"], "discarded", "a test sale", FIRST)]
    entry = shop.ledger.days(SOLD)["2024-05-01"]
    assert (entry.rows_in, entry.rows_out, entry.rows_quarantined, entry.rows_dropped) == (2, 1, 0, 1)
    assert ask(shop, "replay").status == "unchanged"
    done(ask(shop, "reopen", rows=ring))
    assert ask(shop, "reopen", rows=ring).status == "unchanged"
    assert shop.quarantine(SOLD, "_state", "_reason") == [("reopened", None)]
    done(ask(shop, "replay", run_id="decision-2"))
    assert shop.rows(SOLD, "item") == [("ring",), ("tea",)]
    assert shop.quarantine(SOLD, "_id") == []


def test_a_discarded_row_that_comes_late_or_without_a_day_stays_discarded(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-03-01,cake,1", "NA,bun,1", "2024-05-01,pie,much")
    done(ask(shop, "discard", days="2024-05-01", reason="old paper"))
    shop.build(SALES, "2024-05-01", "run-2", force=True)
    shop.build(SOLD, "2024-05-01", "run-2")
    assert shop.quarantine(SOLD, "_rules", "_state", "_key") == [
        (["late"], "discarded", "bronze.sales/2024-05-01"),
        (["not_null(sold_on)"], "discarded", "bronze.sales/2024-05-01"),
        (["type(cents)"], "discarded", "bronze.sales/2024-05-01"),
    ]
    assert shop.rows(SOLD, "item") == [("tea",)]


def test_a_row_keeps_the_time_at_which_it_was_refused_first(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,ring,5000")
    ((first, _),) = shop.quarantine(SOLD, "_first_seen", "_quarantined_at")
    shop.build(SALES, "2024-05-01", "run-2", force=True)
    shop.build(SOLD, "2024-05-01", "run-2")
    ((since, last),) = shop.quarantine(SOLD, "_first_seen", "_quarantined_at")
    assert since == first < last


def test_rows_of_a_run_that_did_not_end_do_not_count(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,ring,5000")
    path = load_settings().quarantine_path(SOLD)
    written = shop.spark.read.format("delta").load(path)
    # what a run that was killed between quarantine and ledger leaves: its rows in the place of the others
    crashed = written.withColumn("_run_id", F.lit("killed")).withColumn("_id", F.lit("ghost"))
    crashed.write.format("delta").mode("append").save(path)
    assert [row["id"] for row in seen(shop)] == [row_id for (row_id,) in shop.quarantine(SOLD, "_id") if row_id != "ghost"]
    refused = ask(shop, "discard", rows="ghost", reason="boo")
    assert refused.status == "failed_terminal"
    assert "silver.sales: 1 of 1 rows are not in its quarantine: ghost" in refused.message


def test_a_quarantine_from_before_decisions_could_be_made_still_works(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,ring,5000")
    path = load_settings().quarantine_path(SOLD)
    new = ("_id", "_first_seen", "_reason", "_who")
    shop.spark.read.format("delta").load(path).drop(*new).withColumn("_run_id", F.lit("long ago")).write.format("delta").mode("overwrite").option(
        "overwriteSchema", "true"
    ).save(path)
    from sqlalchemy import create_engine, text

    with create_engine(load_settings().ledger_url).begin() as ledger:  # nor did the ledger name its runs
        ledger.execute(text("DELETE FROM quarantined"))
    ring = only_id(shop)
    done(ask(shop, "edit", rows=ring, values='{"cents": "500"}', reason="a zero too many"))
    done(ask(shop, "replay"))
    assert shop.rows(SOLD, "item", "cents") == [("ring", 500)]
    publish(shop, "2024-05-02,ring,5000", day="2024-05-02", run_id="run-2")
    assert len(seen(shop)) == 1


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


def test_a_run_whose_refused_rows_do_not_balance_fails_and_publishes_nothing(shop: LittleLake) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300", "2024-05-01,pie,much")
    shop.build(SALES, "2024-05-01")
    (entry,) = shop.ledger.days(SALES).values()
    shop.ledger.record([replace(entry, rows_quarantined=2)], [])  # one more than the readers will find
    result = shop.run("build", SOLD, "2024-05-01")
    assert result.status == "failed_terminal"
    assert "the gate and the readers counted 2 refused rows, but 1 went to quarantine" in result.message
    assert not (shop.project / "data_lake/silver").exists()
    assert done(ask(shop, "look")).facts["waiting"] == 0


def test_after_a_restore_of_bronze_the_run_still_balances(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-05-01,pie,much")
    publish(shop, "2024-05-01,tea,300", run_id="run-2")
    assert shop.run("restore", SALES, run_id="undo", version=0).status == "done"
    shop.build(SOLD, "2024-05-01", "run-3")
    assert [rules for (rules,) in shop.quarantine(SOLD, "_rules")] == [["type(cents)"]]


def test_a_decision_that_cannot_be_is_refused_in_one_sentence(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-05-01,pie,much", "2024-05-01,ring,5000")
    row = seen(shop)[0]["id"]
    cases: list[tuple[dict[str, str], str]] = [
        ({"action": "edit", "rows": "a,b", "values": "{}", "reason": "x"}, "silver.sales: 2 of 2 rows are not in its quarantine: a, b;"),
        ({"action": "discard", "rule": "fair_prize", "reason": "x"}, 'but for fair_price, type(cents). Did you mean "fair_price"?'),
        ({"action": "edit", "rows": row, "values": '{"cent": "1"}', "reason": "x"}, "bronze.sales has no column 'cent'; it has sold_on, item, cents. Did"),
        ({"action": "edit", "rows": row, "values": '{"cents": "one"}', "reason": "x"}, "bronze.sales: 'one' is no int, the type of cents"),
        ({"action": "discard", "rows": row}, "discard: why? Add --reason; it is kept with the row."),
    ]
    for texts, sentence in cases:
        result = ask(shop, **texts)
        assert result.status == "failed_terminal"
        assert sentence in result.message
    done(ask(shop, "discard", rows=row, reason="x"))
    refused = ask(shop, "edit", rows=row, values='{"cents": "1"}', reason="x")
    assert "discarded rows are not edited" in refused.message
