"""What waits in quarantine, since when, which of it counts, and that it balances."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.settings import load_settings
from tests.spark_jobs.lake.reviewing import HEADER, SALES, SOLD, ask, change_contract, done, only_id, publish, seen

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake


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


def test_rows_that_do_not_parse_wait_too_where_a_table_reads_all_days_at_once(shop: LittleLake) -> None:
    change_contract(shop, "day: sold_on\n", "")
    change_contract(shop, "write: replace_days", "write: replace_all")
    publish(shop, "2024-05-01,tea,300", "2024-05-01,pie,much")
    publish(shop, "2024-05-02,ring,5000", day="2024-05-02", run_id="run-2")
    assert [(row["rules"], row["arrival_day"]) for row in seen(shop)] == [(["type(cents)"], "2024-05-01"), (["fair_price"], "2024-05-02")]
    assert done(ask(shop, "look", days="2024-05-02")).facts["waiting"] == 1
