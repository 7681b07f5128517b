"""Rows that a person has given up stay out, until they are taken back; and rows come back when a rule changes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tests.spark_jobs.lake.reviewing import HEADER, SALES, SOLD, ask, change_contract, done, only_id, publish, seen

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

FIRST = date(2024, 5, 1)
LATEST = """
    contract: 1
    description: The latest sale of each item.
    inputs: [silver.sales]
    grain: [item]
    write: merge
    order_by: sold_on
    columns:
      sold_on: {type: date}
      item: {type: string}
      cents: {type: int}
    rules:
      - {expect: expect_column_values_to_be_between, column: cents, max_value: 10, on_fail: quarantine, name: cheap}
"""


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


def test_a_row_of_a_batch_waits_under_the_day_of_its_input_and_comes_back_with_it(shop: LittleLake) -> None:
    shop.write("expectations/gold/latest.yaml", LATEST)
    shop.write("spark_jobs/gold/latest.sql", "SELECT sold_on, item, cents, _row FROM silver_sales\n")
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,5")
    shop.land("sales/2024-05-03.csv", HEADER, "2024-05-02,cake,50", "2024-05-03,pie,5")
    for table in (SALES, SOLD, "gold.latest"):
        shop.build(table, "2024-05-01..2024-05-03")
    publish(shop, "2024-05-02,ice,7", day="2024-05-02", run_id="run-2")
    shop.build("gold.latest", "2024-05-02", "run-2")
    assert shop.quarantine("gold.latest", "_key", "_arrival_day", "_rules") == [("2024-05-02", date(2024, 5, 3), ["cheap"])]
    change_contract(shop, "max_value: 10,", "max_value: 100,", "gold/latest")
    assert done(ask(shop, "replay", "gold.latest")).facts["days"] == ["2024-05-02"]
    assert shop.rows("gold.latest", "item") == [("cake",), ("ice",), ("pie",), ("tea",)]
    assert shop.quarantine("gold.latest") == []


def test_rows_of_a_batch_that_are_not_traced_wait_until_all_its_days_are_made_again(shop: LittleLake) -> None:
    shop.write("expectations/gold/latest.yaml", LATEST)
    shop.write("spark_jobs/gold/latest.sql", "SELECT sold_on, item, cents FROM silver_sales\n")
    for day, line in (("2024-05-01", "tea,5"), ("2024-05-02", "cake,50")):
        publish(shop, f"{day},{line}", day=day)
    shop.build("gold.latest", "2024-05-01..2024-05-02")
    publish(shop, "2024-05-01,tea,6", run_id="run-2")
    shop.build("gold.latest", "2024-05-01", "run-2")
    assert len(done(ask(shop, "look", "gold.latest")).facts["rows"]) == 1
    change_contract(shop, "max_value: 10,", "max_value: 100,", "gold/latest")
    assert done(ask(shop, "replay", "gold.latest")).facts["days"] == ["2024-05-01", "2024-05-02"]
    assert shop.rows("gold.latest", "item") == [("cake",), ("tea",)]
    assert shop.quarantine("gold.latest") == []


def test_rows_of_a_table_that_takes_batches_come_back_into_it(shop: LittleLake) -> None:
    change_contract(shop, "day: sold_on\n", "")
    change_contract(shop, "write: replace_days", "write: append")
    publish(shop, "2024-05-01,tea,300", "2024-05-01,pie,much", "2024-05-01,ring,5000")
    pie, ring = (row["id"] for row in seen(shop))
    done(ask(shop, "edit", rows=pie, values='{"cents": "200"}', reason="asked the baker"))
    done(ask(shop, "discard", rows=ring, reason="a test sale"))
    done(ask(shop, "replay"))
    assert shop.rows(SOLD, "item", "cents") == [("pie", 200), ("tea", 300)]
    assert shop.quarantine(SOLD, "_id", "_state") == [(ring, "discarded")]
    (entry,) = shop.ledger.days(SOLD).values()
    assert (entry.rows_in, entry.rows_out, entry.rows_quarantined, entry.rows_dropped) == (3, 2, 0, 1)
