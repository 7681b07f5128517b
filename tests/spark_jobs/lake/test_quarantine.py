"""Which rows of a quarantine count, and that it balances."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.settings import load_settings
from spark_jobs.lake.publishing import Publication
from spark_jobs.lake.quarantine.store import each_once
from tests.spark_jobs.lake.reviewing import HEADER, SALES, SOLD, ask, done, only_id, publish, seen

if TYPE_CHECKING:
    import pytest
    from pyspark.sql import SparkSession

    from tests.spark_jobs.lake.conftest import LittleLake


def test_rows_wait_while_the_run_that_would_replace_them_does_not_end_or_does_not_balance(shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(shop, "2024-05-01,ring,5000")
    ring = only_id(shop)
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,cake,7000", "2024-05-01,gem,8000")
    shop.build(SALES, "2024-05-01", "run-2")
    with monkeypatch.context() as killed:
        killed.delattr(Publication, "_commit")
        for run_id in ("run-2", "run-1"):  # also one that was done before, and is tried once more
            assert shop.run("build", SOLD, "2024-05-01", run_id).status.startswith("failed")
            assert only_id(shop) == ring
    ghost = next(row_id for (row_id,) in shop.quarantine(SOLD, "_id") if row_id != ring)
    refused = ask(shop, "discard", rows=ghost, reason="boo")
    assert refused.status == "failed_terminal"
    assert f"silver.sales: 1 of 1 rows are not in its quarantine: {ghost}" in refused.message
    done(ask(shop, "discard", rows=ring, reason="x"))
    assert shop.quarantine(SOLD, "_id", "_state") == [(ring, "discarded")]
    shop.build(SOLD, "2024-05-01", "run-3")
    assert [json.loads(row["values"])["item"] for row in seen(shop)] == ["cake", "gem"]
    assert len(shop.quarantine(SOLD)) == 2
    before = shop.version(SOLD)
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300", "2024-05-01,cake,7000", "2024-05-01,gem,8000")
    shop.land("sales/2024-05-02.csv", HEADER, "2024-05-02,bun,200")
    shop.build(SALES, "2024-05-01..2024-05-02", "run-4")
    days = shop.ledger.days(SALES)
    more = {"2024-05-01": 1, "2024-05-02": 2}  # than the readers will find, who find none of the second day: Delta then commits nothing
    shop.ledger.record([replace(days[day], rows_quarantined=rows) for day, rows in more.items()], [])
    gone = shop.run("build", SOLD, "2024-05-02", "run-4")
    assert gone.status == "failed_terminal"
    assert "the gate and the readers counted 2 refused rows, but 0 went to quarantine" in gone.message
    result = shop.run("build", SOLD, "2024-05-01", "run-4")
    assert result.status == "failed_terminal"
    assert "the gate and the readers counted 3 refused rows, but 2 went to quarantine" in result.message
    assert (shop.version(SOLD), shop.rows(SOLD)) == (before, [])
    assert [json.loads(row["values"])["item"] for row in seen(shop)] == ["cake", "gem"]


def forget_runs(shop: LittleLake) -> None:
    """The ledger names no run's quarantine: as a first run leaves it that does not end."""
    from sqlalchemy import create_engine, text

    with create_engine(load_settings().ledger_url).begin() as ledger:
        ledger.execute(text("DELETE FROM quarantined"))


def as_before_decisions(shop: LittleLake) -> None:
    path = load_settings().quarantine_path(SOLD)
    new = ("_id", "_first_seen", "_reason", "_who")
    shop.spark.read.format("delta").load(path).drop(*new).withColumn("_run_id", F.lit("long ago")).write.format("delta").mode("overwrite").option(
        "overwriteSchema", "true"
    ).save(path)
    forget_runs(shop)  # nor did the ledger name its runs


def test_a_quarantine_that_the_ledger_does_not_name_is_of_a_first_run_that_did_not_end_or_from_before_decisions_could_be_made(shop: LittleLake) -> None:
    publish(shop, "2024-05-01,ring,5000")
    forget_runs(shop)
    assert done(ask(shop, "look")).facts["waiting"] == 0
    as_before_decisions(shop)
    ring = only_id(shop)
    done(ask(shop, "edit", rows=ring, values='{"cents": "500"}', reason="a zero too many"))
    done(ask(shop, "replay"))
    assert shop.rows(SOLD, "item", "cents") == [("ring", 500)]
    publish(shop, "2024-05-02,ring,5000", "2024-05-02,gem,6000", day="2024-05-02", run_id="run-2")
    as_before_decisions(shop)
    ring, gem = (row["id"] for row in seen(shop))
    done(ask(shop, "discard", rows=ring, reason="x"))  # on one row; the others wait still
    assert [(row["id"], row["state"]) for row in seen(shop)] == [(gem, "waiting"), (ring, "discarded")]


def test_rows_without_a_day_are_refused_also_where_their_bronze_day_is_held_and_again_where_it_is_restored(shop: LittleLake) -> None:
    rule = "rules: [{expect: expect_table_row_count_to_be_between, max_value: 3, on_fail: stop}]\n"
    shop.write("expectations/bronze/sales.yaml", (shop.project / "expectations/bronze/sales.yaml").read_text() + rule)
    few = ("2024-05-02,tea,5", "NA,cake,5", "2024-05-02,bun,much")
    for lines, run_id in ((few, "run-1"), ((*few, "2024-05-02,pie,1"), "run-2")):
        shop.land("sales/2024-05-02.csv", HEADER, *lines)
        assert shop.run("build", SALES, "2024-05-02", run_id).status == ("done" if run_id == "run-1" else "held")
    shop.build(SOLD, "2024-05-02", "run-2")
    assert [(row["rules"], row["line"]) for row in seen(shop)] == [(["not_null(sold_on)"], 3), (["type(cents)"], 4)]
    shop.build(SOLD, "2024-05-02", "run-3", force=True)
    assert len(shop.quarantine(SOLD)) == 2
    done(ask(shop, "discard", rule="not_null(sold_on)", reason="x"))
    shop.build(SOLD, "2024-05-02", "run-4", force=True)
    assert [arrival.refused for arrival in shop.ledger.arrivals(SOLD)] == [2]
    publish(shop, "2024-05-02,tea,5", day="2024-05-02", run_id="run-5")
    assert shop.quarantine(SOLD) == []
    assert shop.run("restore", SALES, run_id="undo", version=0).status == "done"
    shop.build(SOLD, "2024-05-02", "run-6")
    assert shop.quarantine(SOLD, "_rules", "_state") == [(["type(cents)"], "waiting"), ([], "discarded")]  # what is given up is not judged


def test_a_row_that_two_bronze_tables_of_one_folder_have_came_from_one_place(spark: SparkSession) -> None:
    columns = "_row string, _arrived string, _bronze string"
    sales, tills = [("a", "2024-05-01", "bronze.sales"), ("b", "2024-05-01", "bronze.sales")], [("a", "2024-05-01", "bronze.tills")]
    found = each_once([spark.createDataFrame(rows, columns) for rows in (sales, tills)]).collect()
    assert sorted((row["_row"], row["_arrived"]) for row in found) == [("a", "2024-05-01"), ("b", "2024-05-01")]
