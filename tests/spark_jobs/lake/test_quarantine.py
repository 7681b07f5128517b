"""What waits in quarantine, since when, which of it counts, and that it balances."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.settings import load_settings
from spark_jobs.lake.publishing import Publication
from tests.spark_jobs.lake.reviewing import HEADER, SALES, SOLD, ask, change_contract, done, only_id, publish, seen

if TYPE_CHECKING:
    import pytest

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
    mistyped = done(ask(shop, "look", rule="fair_prize")).message
    assert mistyped.startswith("silver.sales: 0 rows wait in quarantine, 0 discarded; no row is in quarantine for 'fair_prize', but for fair_price, ")
    assert mistyped.endswith('Did you mean "fair_price"?')
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
    # what a run that was killed between quarantine and ledger leaves
    crashed = written.withColumn("_run_id", F.lit("killed")).withColumn("_id", F.lit("ghost"))
    crashed.write.format("delta").mode("append").save(path)
    assert [row["id"] for row in seen(shop)] == [row_id for (row_id,) in shop.quarantine(SOLD, "_id") if row_id != "ghost"]
    refused = ask(shop, "discard", rows="ghost", reason="boo")
    assert refused.status == "failed_terminal"
    assert "silver.sales: 1 of 1 rows are not in its quarantine: ghost" in refused.message


def test_rows_that_wait_wait_still_while_the_run_that_would_replace_them_does_not_end(shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(shop, "2024-05-01,ring,5000")
    ring = only_id(shop)
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,cake,7000", "2024-05-01,gem,8000")
    shop.build(SALES, "2024-05-01", "run-2")
    with monkeypatch.context() as killed:
        killed.delattr(Publication, "_commit")
        for run_id in ("run-2", "run-1"):  # also one that was done before, and is tried once more
            assert shop.run("build", SOLD, "2024-05-01", run_id).status.startswith("failed")
            assert only_id(shop) == ring
    done(ask(shop, "discard", rows=ring, reason="x"))
    assert shop.quarantine(SOLD, "_id", "_state") == [(ring, "discarded")]
    shop.build(SOLD, "2024-05-01", "run-3")
    assert [json.loads(row["values"])["item"] for row in seen(shop)] == ["cake", "gem"]
    assert len(shop.quarantine(SOLD)) == 2


def test_a_decision_on_one_row_from_before_decisions_could_be_made_leaves_the_others_waiting(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,ring,5000", "2024-05-01,gem,6000")
    as_before_decisions(shop)
    ring, gem = (row["id"] for row in seen(shop))
    done(ask(shop, "discard", rows=ring, reason="x"))
    assert [(row["id"], row["state"]) for row in seen(shop)] == [(gem, "waiting"), (ring, "discarded")]


def as_before_decisions(shop: LittleLake) -> None:
    path = load_settings().quarantine_path(SOLD)
    new = ("_id", "_first_seen", "_reason", "_who")
    shop.spark.read.format("delta").load(path).drop(*new).withColumn("_run_id", F.lit("long ago")).write.format("delta").mode("overwrite").option(
        "overwriteSchema", "true"
    ).save(path)
    from sqlalchemy import create_engine, text

    with create_engine(load_settings().ledger_url).begin() as ledger:  # nor did the ledger name its runs
        ledger.execute(text("DELETE FROM quarantined"))


def test_a_quarantine_from_before_decisions_could_be_made_still_works(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,ring,5000")
    as_before_decisions(shop)
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


def test_a_run_whose_refused_rows_are_all_gone_fails_as_one_that_does_not_balance(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,pie,much")
    shop.land("sales/2024-05-02.csv", HEADER, "2024-05-02,tea,300")
    shop.build(SALES, "2024-05-02", "run-2")
    shop.ledger.record([replace(shop.ledger.days(SALES)["2024-05-02"], rows_quarantined=1)], [])
    result = shop.run("build", SOLD, "2024-05-02", "run-2")
    assert result.status == "failed_terminal"
    assert "the gate and the readers counted 1 refused rows, but 0 went to quarantine" in result.message
    assert len(seen(shop)) == 1


def test_rows_without_a_day_are_refused_also_where_their_bronze_day_is_held(shop: LittleLake) -> None:
    rule = "rules: [{expect: expect_table_row_count_to_be_between, max_value: 2, on_fail: stop}]\n"
    shop.write("expectations/bronze/sales.yaml", (shop.project / "expectations/bronze/sales.yaml").read_text() + rule)
    for lines, run_id in ((("2024-05-02,tea,5", "NA,cake,5"), "run-1"), (("2024-05-02,tea,5", "NA,cake,5", "2024-05-02,pie,1"), "run-2")):
        shop.land("sales/2024-05-02.csv", HEADER, *lines)
        assert shop.run("build", SALES, "2024-05-02", run_id).status == ("done" if run_id == "run-1" else "held")
    shop.build(SOLD, "2024-05-02", "run-2")
    assert [(row["rules"], row["line"]) for row in seen(shop)] == [(["not_null(sold_on)"], 3)]
    shop.build(SOLD, "2024-05-02", "run-3", force=True)
    assert len(shop.quarantine(SOLD)) == 1
    done(ask(shop, "discard", rule="not_null(sold_on)", reason="x"))
    shop.build(SOLD, "2024-05-02", "run-4", force=True)
    assert [arrival.refused for arrival in shop.ledger.arrivals(SOLD)] == [1]


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
        ({"action": "discard", "rows": row}, "discard: why? Fill in `reason` (--reason); it is kept with the row."),
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
