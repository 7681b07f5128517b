"""A day whose rows all passed is published by the very files in which it was judged; what differs from them is written anew."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from expectations.settings import load_settings
from tests.spark_jobs.lake.reviewing import SALES, SOLD, change_contract, publish

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

MAY_1, MAY_2 = date(2024, 5, 1), date(2024, 5, 2)


@pytest.fixture
def begun(shop: LittleLake) -> LittleLake:
    """Tables are made by Spark; from their second commit on files may be added."""
    publish(shop, "2024-05-01,tea,300", "2024-05-01,pie,50")
    return shop


def last_commit(shop: LittleLake, table: str) -> list[dict[str, Any]]:
    """The actions of the table's newest commit."""
    newest = max(Path(shop.path(table), "_delta_log").glob("*.json"))
    return [json.loads(line) for line in newest.read_text().splitlines()]


def was_added(shop: LittleLake, table: str) -> bool:
    (info,) = [action["commitInfo"] for action in last_commit(shop, table) if "commitInfo" in action]
    return str(info["engineInfo"]).startswith("delta-rs")


def test_a_day_that_passed_whole_is_published_as_it_was_staged(begun: LittleLake) -> None:
    publish(begun, "2024-05-02,tea,310", day="2024-05-02", run_id="run-2")
    assert [was_added(begun, table) for table in (SALES, SOLD)] == [True, True]
    assert begun.rows(SOLD, "sold_on", "item", "cents") == [(MAY_1, "pie", 50), (MAY_1, "tea", 300), (MAY_2, "tea", 310)]
    assert not Path(load_settings().root, "_staging", SOLD).is_dir() or not list(Path(load_settings().root, "_staging", SOLD).iterdir())


def test_its_commit_says_who_made_it_and_what_is_in_its_file(begun: LittleLake) -> None:
    publish(begun, "2024-05-02,tea,310", day="2024-05-02", run_id="run-2")
    actions = last_commit(begun, SOLD)
    (metadata,) = [json.loads(action["commitInfo"]["userMetadata"]) for action in actions if "commitInfo" in action]
    assert (metadata["run_id"], list(metadata["days"])) == ("run-2", ["2024-05-02"])
    (added,) = [action["add"] for action in actions if "add" in action]
    assert added["partitionValues"] == {"sold_on": "2024-05-02"}
    statistics = json.loads(added["stats"])
    assert (statistics["numRecords"], statistics["minValues"]["cents"], statistics["maxValues"]["item"]) == (1, 310, "tea")
    assert begun.frame(SOLD).filter("cents = 310").count() == 1
    assert begun.frame(SOLD).filter("cents > 310").count() == 0


def test_a_day_that_comes_again_takes_the_place_of_what_it_was(begun: LittleLake) -> None:
    publish(begun, "2024-05-01,tea,280", run_id="run-2")
    assert was_added(begun, SOLD)
    assert begun.rows(SOLD, "item", "cents") == [("tea", 280)]
    history = begun.spark.sql(f"DESCRIBE HISTORY delta.`{begun.path(SOLD)}`").collect()
    assert [row.version for row in history] == [1, 0]
    before = begun.spark.read.format("delta").option("versionAsOf", 0).load(begun.path(SOLD))
    assert sorted(tuple(row) for row in before.select("item", "cents").collect()) == [("pie", 50), ("tea", 300)]


def test_a_day_that_lost_a_row_to_the_quarantine_is_written_anew(begun: LittleLake) -> None:
    publish(begun, "2024-05-02,tea,310", "2024-05-02,ring,5000", day="2024-05-02", run_id="run-2")
    assert not was_added(begun, SOLD)
    assert begun.rows(SOLD, "item", "cents") == [("pie", 50), ("tea", 300), ("tea", 310)]
    assert begun.quarantine(SOLD, "_rules") == [(["fair_price"],)]


def test_of_several_days_only_those_that_passed_are_added(begun: LittleLake) -> None:
    begun.land("sales/2024-05-02.csv", "sold_on,item,cents", *(f"2024-05-02,item {number},1" for number in range(4)), "2024-05-01,jam,20")
    begun.build(SALES, "2024-05-02", "run-2")
    result = begun.run("build", SOLD, "2024-05-02..2024-05-02", "run-2")
    assert (result.status, list(result.facts["held"])) == ("held", ["2024-05-02"])
    assert was_added(begun, SOLD)
    assert begun.rows(SOLD, "sold_on", "item", "cents") == [(MAY_1, "jam", 20), (MAY_1, "pie", 50), (MAY_1, "tea", 300)]


def test_a_table_whose_columns_change_is_written_by_spark(begun: LittleLake) -> None:
    change_contract(begun, "cents: {type: int}", "cents: {type: int}\n  dear: {type: boolean}")
    begun.write(
        "spark_jobs/silver/sales.py",
        'def transform(bronze_sales):\n    return bronze_sales.selectExpr("sold_on", "item", "cents", "cents > 100 AS dear", "_row")\n',
    )
    begun.build(SOLD, "2024-05-01", "run-2")
    assert not was_added(begun, SOLD)
    assert begun.rows(SOLD, "item", "dear") == [("pie", False), ("tea", True)]
    publish(begun, "2024-05-02,tea,310", day="2024-05-02", run_id="run-3")
    assert was_added(begun, SOLD)
    assert begun.rows(SOLD, "item", "dear") == [("pie", False), ("tea", True), ("tea", True)]


def test_a_table_with_a_constraint_of_its_own_is_written_by_spark_which_looks_at_it(begun: LittleLake) -> None:
    begun.spark.sql(f"ALTER TABLE delta.`{begun.path(SOLD)}` ADD CONSTRAINT cheap CHECK (cents < 400)").collect()
    publish(begun, "2024-05-02,tea,310", day="2024-05-02", run_id="run-2")
    assert not was_added(begun, SOLD)
    assert begun.rows(SOLD, "item", "cents") == [("pie", 50), ("tea", 300), ("tea", 310)]


def test_after_ten_commits_there_is_a_checkpoint_from_which_spark_reads(begun: LittleLake) -> None:
    for number in range(10):
        publish(begun, f"2024-05-01,tea,{number}", run_id=f"again-{number}")
    assert list(Path(begun.path(SOLD), "_delta_log").glob("*10.checkpoint.parquet"))
    assert begun.rows(SOLD, "item", "cents") == [("tea", 9)]


def test_files_that_were_added_are_compacted_and_swept_like_all_others(begun: LittleLake) -> None:
    publish(begun, "2024-05-02,tea,310", day="2024-05-02", run_id="run-2")
    assert begun.run("maintain", SOLD, run_id="care").status == "done"
    assert begun.run("restore", SOLD, run_id="care-2", version=0).status == "done"
    assert begun.rows(SOLD, "item", "cents") == [("pie", 50), ("tea", 300)]


def test_a_day_that_lacks_a_column_which_the_table_has_is_added_and_null_there(begun: LittleLake) -> None:
    begun.land("sales/2024-05-02.csv", "sold_on,item,cents,till", "2024-05-02,tea,310,4")
    begun.build(SALES, "2024-05-02", "run-2")
    assert not was_added(begun, SALES)
    begun.land("sales/2024-05-03.csv", "sold_on,item,cents", "2024-05-03,tea,320")
    begun.build(SALES, "2024-05-03", "run-3")
    assert was_added(begun, SALES)
    assert begun.rows(SALES, "cents", "_extra") == [("300", None), ("310", '{"till":"4"}'), ("320", None), ("50", None)]


DYING = """
import os, signal, sys
from deltalake import DeltaTable
from expectations.jobs import JobRequest
from expectations.ledger import leases
from spark_jobs.run import run

leases.LEASE_SECONDS = 3.0  # else the next one waits a minute for the dead one's
commit = DeltaTable.create_write_transaction

def die(*arguments, **settings):
    if sys.argv[1] == "after":
        commit(*arguments, **settings)
    os.kill(os.getpid(), signal.SIGKILL)

DeltaTable.create_write_transaction = die
run(JobRequest(verb="build", name=sys.argv[2], days="2024-05-02..2024-05-02", run_id="run-2"), sys.argv[3])
"""
"""A driver that is killed when its files lie in the table's folder: `before` their commit, or `after` it and before the ledger hears of it."""


@pytest.mark.parametrize(("moment", "version"), [("before", 1), ("after", 2)])
def test_a_driver_that_dies_beside_its_commit_leaves_nothing_twice_and_nothing_out(begun: LittleLake, moment: str, version: int) -> None:
    begun.land("sales/2024-05-02.csv", "sold_on,item,cents", "2024-05-02,tea,310")
    begun.build(SALES, "2024-05-02", "run-2")
    died = subprocess.run([sys.executable, "-c", DYING, moment, SOLD, begun.remote], env=os.environ, check=False)
    assert died.returncode == -signal.SIGKILL
    begun.build(SOLD, "2024-05-02", "run-2")
    assert begun.rows(SOLD, "sold_on", "item", "cents") == [(MAY_1, "pie", 50), (MAY_1, "tea", 300), (MAY_2, "tea", 310)]
    assert begun.version(SOLD) == version, "what the ledger does not know is written again, in the place of itself"
    lying = list(Path(begun.path(SOLD), "sold_on=2024-05-02").glob("*.parquet"))
    assert len(lying) == 2, "the dead driver's file is seen by nobody, and swept with what is old"
    assert not list(Path(load_settings().root, "_staging", SOLD).glob("*"))
