"""Rows that a person has given up stay out, until they are taken back; and rows of batches come back when a rule changes."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from tests.spark_jobs.lake.reviewing import HEADER, SALES, SOLD, ask, change_contract, done, publish, seen

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


def test_discarded_rows_stay_out_though_the_rule_is_changed_until_they_are_reopened(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,tea,300", "2024-05-01,ring,5000", "2024-03-01,cake,1", "NA,bun,1", "2024-05-01,pie,much")
    (ring,) = (row["id"] for row in seen(shop) if row["rules"] == ["fair_price"])
    first_seen = dict(shop.quarantine(SOLD, "_id", "_first_seen"))
    done(ask(shop, "discard", days="2024-05-01", reason="a test sale"))
    assert ask(shop, "discard", rows=ring, reason="another reason").status == "unchanged"
    assert shop.quarantine(SOLD, "_state", "_reason", "_who") == [("discarded", "a test sale", "mia")] * 4
    assert ask(shop, "edit", rows=ring, values='{"cents": "1"}', reason="x").message.endswith(f"discarded rows are not edited: {ring}; reopen them first.")
    change_contract(shop, "max_value: 1000", "max_value: 9000")
    shop.build(SALES, "2024-05-01", "run-2", force=True)
    shop.build(SOLD, "2024-05-01", "run-2")
    assert shop.rows(SOLD, "item") == [("tea",)]
    assert shop.quarantine(SOLD, "_rules", "_state", "_reason", "_day", "_key") == [
        (["fair_price"], "discarded", "a test sale", FIRST, "2024-05-01"),
        (["late"], "discarded", "a test sale", None, "bronze.sales/2024-05-01"),
        (["not_null(sold_on)"], "discarded", "a test sale", None, "bronze.sales/2024-05-01"),
        (["type(cents)"], "discarded", "a test sale", None, "bronze.sales/2024-05-01"),
    ]
    refused = shop.quarantine(SOLD, "_id", "_first_seen", "_quarantined_at")
    assert {row_id: since for row_id, since, _ in refused} == first_seen
    assert all(since < last for _, since, last in refused)
    entry = shop.ledger.days(SOLD)["2024-05-01"]
    assert (entry.rows_in, entry.rows_out, entry.rows_quarantined, entry.rows_dropped) == (2, 1, 0, 1)
    assert ask(shop, "replay").status == "unchanged"
    done(ask(shop, "reopen", rows=ring))
    assert ask(shop, "reopen", rows=ring).status == "unchanged"
    assert shop.quarantine(SOLD, "_state", "_reason") == [("discarded", "a test sale")] * 3 + [("reopened", None)]
    done(ask(shop, "replay", run_id="decision-2"))
    assert shop.rows(SOLD, "item") == [("ring",), ("tea",)]
    assert shop.quarantine(SOLD, "_rules", "_state") == [(["late"], "discarded"), (["not_null(sold_on)"], "discarded"), (["type(cents)"], "discarded")]


def test_rows_of_a_batch_wait_under_the_day_of_their_input_or_where_they_are_not_traced_for_all_its_days(shop: LittleLake) -> None:
    shop.write("expectations/gold/latest.yaml", LATEST)
    shop.write("spark_jobs/gold/latest.sql", "SELECT sold_on, item, cents, _row FROM silver_sales\n")
    shop.write("expectations/gold/untraced.yaml", LATEST)
    shop.write("spark_jobs/gold/untraced.sql", "SELECT sold_on, item, cents FROM silver_sales\n")
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,5")
    shop.land("sales/2024-05-03.csv", HEADER, "2024-05-02,cake,50", "2024-05-03,pie,5")
    for table in (SALES, SOLD, "gold.latest", "gold.untraced"):
        shop.build(table, "2024-05-01..2024-05-03")
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,6")
    shop.land("sales/2024-05-02.csv", HEADER, "2024-05-02,ice,7")
    for table in (SALES, SOLD):
        shop.build(table, "2024-05-01..2024-05-02", "run-2")
    shop.build("gold.latest", "2024-05-02", "run-2")
    shop.build("gold.untraced", "2024-05-01", "run-2")
    assert shop.quarantine("gold.latest", "_key", "_arrival_day", "_rules") == [("2024-05-02", date(2024, 5, 3), ["cheap"])]
    (cake,) = done(ask(shop, "look", "gold.untraced")).facts["rows"]
    assert len(cake["id"]) == 64
    refused = ask(shop, "edit", "gold.untraced", rows=cake["id"], values='{"cents": "5"}', reason="no")
    assert refused.status == "failed_terminal"
    assert "cannot be traced to a landed file" in refused.message
    done(ask(shop, "discard", "gold.untraced", rule="cheap", reason="no"))
    for name in ("latest", "untraced"):
        change_contract(shop, "max_value: 10,", "max_value: 100,", f"gold/{name}")
    assert done(ask(shop, "replay", "gold.latest")).facts["days"] == ["2024-05-02"]
    assert shop.rows("gold.latest", "item") == [("cake",), ("ice",), ("pie",), ("tea",)]
    assert shop.quarantine("gold.latest") == []
    shop.build("gold.untraced", "2024-05-01..2024-05-03", "run-3")
    assert shop.rows("gold.untraced", "item") == [("ice",), ("pie",), ("tea",)]
    done(ask(shop, "reopen", "gold.untraced", rule="cheap"))
    assert done(ask(shop, "replay", "gold.untraced", run_id="decision-2")).facts["days"] == ["2024-05-01", "2024-05-02", "2024-05-03"]
    assert shop.rows("gold.untraced", "item") == [("cake",), ("ice",), ("pie",), ("tea",)]
    assert shop.quarantine("gold.untraced") == []


def test_rows_of_a_table_that_takes_batches_come_back_into_it(shop: LittleLake) -> None:
    change_contract(shop, "day: sold_on\n", "")
    change_contract(shop, "write: replace_days", "write: append")
    publish(shop, "2024-05-01,tea,300", "2024-05-01,pie,much", "2024-05-01,ring,5000")
    assert_wait_where_all_days_are_read_at_once(shop)
    pie, ring = (row["id"] for row in seen(shop))
    done(ask(shop, "edit", rows=pie, values='{"cents": "200"}', reason="asked the baker"))
    done(ask(shop, "discard", rows=ring, reason="a test sale"))
    done(ask(shop, "replay"))
    assert shop.rows(SOLD, "item", "cents") == [("pie", 200), ("tea", 300)]
    assert shop.quarantine(SOLD, "_id", "_state") == [(ring, "discarded")]
    (entry,) = shop.ledger.days(SOLD).values()
    assert (entry.rows_in, entry.rows_out, entry.rows_quarantined, entry.rows_dropped) == (3, 2, 0, 1)


def assert_wait_where_all_days_are_read_at_once(shop: LittleLake) -> None:
    """A table that is replaced whole holds what does not parse and what breaks its rules of all days."""
    appended = (shop.project / "expectations/silver/sales.yaml").read_text()
    shop.write("expectations/silver/whole.yaml", appended.replace("write: append", "write: replace_all"))
    shop.write("spark_jobs/silver/whole.sql", "SELECT sold_on, item, cents, _row FROM bronze_sales\n")
    shop.land("sales/2024-05-02.csv", HEADER, "2024-05-02,gem,5000")
    shop.build(SALES, "2024-05-02")
    shop.build("silver.whole", "2024-05-02")
    rows = done(ask(shop, "look", "silver.whole")).facts["rows"]
    assert [(row["rules"], row["arrival_day"]) for row in rows] == [
        (["type(cents)"], "2024-05-01"),
        (["fair_price"], "2024-05-01"),
        (["fair_price"], "2024-05-02"),
    ]
    assert done(ask(shop, "look", "silver.whole", days="2024-05-02")).facts["waiting"] == 1
