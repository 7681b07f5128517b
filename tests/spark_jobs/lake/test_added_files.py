"""A day whose rows all passed is published by the very files in which it was judged; what differs from them is written anew."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyarrow import parquet as pq
from pyspark.sql.types import DateType, IntegerType, StringType, StructField, StructType

from expectations.errors import LeaseError
from expectations.loader import load_lake
from expectations.settings import load_settings
from spark_jobs.lake import added_files, delta_log
from spark_jobs.lake.added_files import CHECKPOINT_EVERY, add_files, can_stay
from spark_jobs.lake.commit import Committed, Target
from spark_jobs.lake.staging import StagedFolder
from tests.expectations.conftest import GOLD_TOTALS, GOOD, write_lake
from tests.spark_jobs.lake.reviewing import SALES, SOLD, publish

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

FIRST, SECOND, THIRD = "2024-05-01", "2024-05-02", "2024-05-03"
MAY_1, MAY_2, MAY_3 = date(2024, 5, 1), date(2024, 5, 2), date(2024, 5, 3)
SALE = [StructField("sold_on", DateType()), StructField("item", StringType()), StructField("cents", IntegerType())]
Rows = list[tuple[str, int]]


def sales(rows: Rows, **more: pa.Array) -> pa.Table:
    return pa.table({"item": [item for item, _ in rows], "cents": pa.array([cents for _, cents in rows], pa.int32()), **more})


class Sold:
    """A table of sales by day with two of 1 May in it, and a folder where more are staged."""

    def __init__(self, folder: Path) -> None:
        write_lake(folder / "lake", {})
        self.contract = load_lake(folder / "lake").table("silver.sales").contract
        self.path, self.place = str(folder / "sold"), folder / "staged"
        days = pa.array([MAY_1, MAY_1])
        write_deltalake(self.path, sales([("tea", 300), ("pie", 50)], sold_on=days), partition_by=["sold_on"], configuration={"delta.minWriterVersion": "2"})

    def stage(self, day: str, rows: Rows, **more: pa.Array) -> None:
        """Stage a file of a day."""
        folder = self.place / f"sold_on={day}"
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(sales(rows, **more), folder / f"part-{len(list(self.place.rglob('*.parquet')))}-{self.version}.parquet")

    def add(self, good: dict[str, int], *columns: StructField, run_id: str = "run-2") -> Committed | None:
        """Add what is staged, of these columns."""
        target = Target(None, self.path, self.contract, "sold_on", {"run_id": run_id, "days": good})  # type: ignore[arg-type] # no Spark is asked
        return add_files(target, StagedFolder(str(self.place), "sold_on", StructType(list(columns or SALE))), good)

    @property
    def version(self) -> int:
        return DeltaTable(self.path).version()

    def rows(self, version: int | None = None) -> list[tuple[date, str, int]]:
        """The published rows, sorted."""
        found = DeltaTable(self.path, version=version).to_pyarrow_table(columns=["sold_on", "item", "cents"]).to_pylist()
        return sorted((row["sold_on"], row["item"], row["cents"]) for row in found)

    def last_commit(self) -> list[dict[str, Any]]:
        """The actions of the newest commit."""
        return actions_of(self.path)


def actions_of(table: str) -> list[dict[str, Any]]:
    newest = max(Path(table, "_delta_log").glob("*.json"))
    return [json.loads(line) for line in newest.read_text().splitlines()]


@pytest.fixture
def sold(tmp_path: Path) -> Sold:
    return Sold(tmp_path)


BEFORE = [(MAY_1, "pie", 50), (MAY_1, "tea", 300)]


def test_a_day_that_passed_whole_is_published_as_it_was_staged(sold: Sold) -> None:
    sold.stage(SECOND, [("tea", 310)])
    (staged,) = sold.place.rglob("*.parquet")
    assert sold.add({SECOND: 1}) == Committed(1, 1)
    assert sold.rows() == [*BEFORE, (MAY_2, "tea", 310)]
    assert Path(sold.path, f"sold_on={SECOND}", staged.name).exists()
    assert not staged.exists(), "it was moved, not copied"


def test_its_commit_says_who_made_it_and_what_is_in_its_file(sold: Sold) -> None:
    sold.stage(SECOND, [("tea", 310)])
    sold.add({SECOND: 1})
    actions = sold.last_commit()
    (info,) = [action["commitInfo"] for action in actions if "commitInfo" in action]
    assert json.loads(info["userMetadata"]) == {"run_id": "run-2", "days": {SECOND: 1}}
    (added,) = [action["add"] for action in actions if "add" in action]
    assert added["partitionValues"] == {"sold_on": SECOND}
    statistics = json.loads(added["stats"])
    assert (statistics["numRecords"], statistics["minValues"]["cents"], statistics["maxValues"]["item"]) == (1, 310, "tea")


def test_a_day_that_comes_again_takes_the_place_of_what_it_was(sold: Sold) -> None:
    sold.stage(FIRST, [("tea", 280)])
    assert sold.add({FIRST: 1}) == Committed(1, 1)
    assert sold.rows() == [(MAY_1, "tea", 280)]
    assert sold.rows(version=0) == BEFORE


def test_a_day_of_several_files_is_all_of_them(sold: Sold) -> None:
    sold.stage(SECOND, [("tea", 310)])
    sold.stage(SECOND, [("cake", 450), ("jam", 20)])
    assert sold.add({SECOND: 3}) == Committed(1, 3)
    assert len(sold.rows()) == 5


def test_a_day_without_rows_is_emptied_with_the_days_that_have_some(sold: Sold) -> None:
    sold.stage(SECOND, [("tea", 310)])
    assert sold.add({FIRST: 0, SECOND: 1}) == Committed(1, 1)
    assert sold.rows() == [(MAY_2, "tea", 310)]


def test_of_several_days_only_those_that_passed_are_added(sold: Sold) -> None:
    sold.stage(SECOND, [("tea", 310)])
    sold.stage(THIRD, [("tea", 1), ("pie", 2)])
    assert sold.add({SECOND: 1}) == Committed(1, 1)
    assert sold.rows() == [*BEFORE, (MAY_2, "tea", 310)]


@pytest.mark.parametrize("good", [{SECOND: 1}, {SECOND: 2, THIRD: 2}, {THIRD: 0}, {FIRST: 0}])
def test_where_the_files_are_not_the_good_rows_nothing_is_done(sold: Sold, good: dict[str, int]) -> None:
    """A row has left to the quarantine, from this day or another; or no day has any row."""
    sold.stage(SECOND, [("tea", 310), ("ring", 5000)])
    sold.stage(THIRD, [("tea", 310)])
    assert sold.add(good) is None
    assert (sold.version, sold.rows(), len(list(sold.place.rglob("*.parquet")))) == (0, BEFORE, 2)


DEAR, LONG_CENTS = StructField("dear", StringType()), StructField("cents", StringType())


@pytest.mark.parametrize("columns", [[*SALE, DEAR], [*SALE[:2], LONG_CENTS]], ids=["a new column", "another type"])
def test_a_table_whose_columns_change_is_written_by_spark(sold: Sold, columns: list[StructField]) -> None:
    sold.stage(SECOND, [("tea", 310)])
    assert sold.add({SECOND: 1}, *columns) is None
    assert sold.version == 0


def test_a_day_that_lacks_a_column_which_the_table_has_is_added_and_null_there(sold: Sold) -> None:
    folder = sold.place / f"sold_on={SECOND}"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"item": ["tea"]}), folder / "part-0.parquet")
    assert sold.add({SECOND: 1}, *SALE[:2]) == Committed(1, 1)
    found = DeltaTable(sold.path).to_pyarrow_table(columns=["item", "cents"], partitions=[("sold_on", "=", SECOND)])
    assert found.to_pylist() == [{"item": "tea", "cents": None}]


def test_a_table_with_a_constraint_of_its_own_is_written_by_spark_which_looks_at_it(sold: Sold) -> None:
    DeltaTable(sold.path).alter.add_constraint({"cheap": "cents < 400"})
    sold.stage(SECOND, [("tea", 310)])
    assert sold.add({SECOND: 1}) is None
    assert sold.rows() == BEFORE


def test_a_table_that_is_not_there_yet_is_made_by_spark(sold: Sold, tmp_path: Path) -> None:
    sold.stage(SECOND, [("tea", 310)])
    sold.path = str(tmp_path / "none")
    assert sold.add({SECOND: 1}) is None
    assert not Path(sold.path).exists()


def test_a_table_without_days_is_replaced_whole_by_files_of_just_its_columns(sold: Sold, tmp_path: Path) -> None:
    path, place = str(tmp_path / "whole"), tmp_path / "staged"
    write_deltalake(path, sales([("tea", 300), ("pie", 50)]))
    place.mkdir()
    pq.write_table(sales([("tea", 310)]), place / "part-0.parquet")
    target = Target(None, path, sold.contract, None, {"run_id": "run-2"})  # type: ignore[arg-type] # no Spark is asked
    assert add_files(target, StagedFolder(str(place), None, StructType(SALE[1:2])), {"all": 1}) is None, "a column is missing"
    assert add_files(target, StagedFolder(str(place), None, StructType(SALE[1:])), {"all": 1}) == Committed(1, 1)
    assert DeltaTable(path).to_pyarrow_table().to_pylist() == [{"item": "tea", "cents": 310}]


def test_after_ten_commits_there_is_a_checkpoint(sold: Sold) -> None:
    for number in range(CHECKPOINT_EVERY):
        sold.stage(FIRST, [("tea", number)])
        sold.add({FIRST: 1}, run_id=f"again-{number}")
    assert [file.name for file in Path(sold.path, "_delta_log").glob("*.checkpoint.parquet")] == ["00000000000000000010.checkpoint.parquet"]
    assert sold.rows() == [(MAY_1, "tea", 9)]


def test_of_two_writers_at_the_same_moment_one_is_told_to_run_again(sold: Sold, monkeypatch: pytest.MonkeyPatch) -> None:
    sold.stage(FIRST, [("tea", 280)])
    statistics_of = added_files.statistics_of

    def meanwhile(footer: pq.FileMetaData) -> dict[str, Any]:
        faster = sales([("tea", 1)], sold_on=pa.array([MAY_1]))
        write_deltalake(sold.path, faster, mode="overwrite", predicate=f"sold_on = '{FIRST}'")
        return statistics_of(footer)

    monkeypatch.setattr(added_files, "statistics_of", meanwhile)
    with pytest.raises(LeaseError, match="another writer committed at the same moment"):
        sold.add({FIRST: 1})
    assert sold.rows() == [(MAY_1, "tea", 1)]


@pytest.mark.parametrize(
    ("root", "write", "stays"),
    [
        ("/lake", "day: sold_on\nwrite: replace_days", True),
        ("/lake", "write: replace_all", True),
        ("s3a://lake", "day: sold_on\nwrite: replace_days", False),
        ("hdfs://node/lake", "day: sold_on\nwrite: replace_days", False),
        ("/lake", "write: merge\norder_by: cents", False),
        ("/lake", "write: scd2\nfeed: changes\norder_by: cents", False),
        ("/lake", "day: sold_on\nwrite: append", False),
    ],
)
def test_files_may_stay_on_a_local_disk_where_a_write_replaces_what_was_there(tmp_path: Path, root: str, write: str, stays: bool) -> None:
    contract = GOOD[GOLD_TOTALS].replace("{silver.sales: {days: [-6, 0]}}", "silver.sales")
    write_lake(tmp_path, {GOLD_TOTALS: textwrap.dedent(contract).replace("day: sold_on", write)})
    assert can_stay(root, load_lake(tmp_path).table("gold.totals").contract) is stays


# with the real Spark


def was_added(shop: LittleLake, table: str) -> bool:
    (info,) = [action["commitInfo"] for action in actions_of(shop.path(table)) if "commitInfo" in action]
    return str(info["engineInfo"]).startswith("delta-rs")


def told(shop: LittleLake) -> dict[str, Any]:
    """What the newest commit of the silver table says of the run that made it."""
    newest = delta_log.newest(shop.path(SOLD))
    assert newest is not None
    return {name: newest.metadata[name] for name in ("run_id", "table", "days")}


def left_behind(table: Path, days: int) -> Path:
    """A file of no commit that was written so many days ago."""
    file = table / f"sold_on={FIRST}" / f"part-{days}.parquet"
    file.touch()
    written = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(file, (written, written))
    return file


def test_spark_reads_compacts_and_restores_files_that_were_added_as_all_others(tea_shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(added_files, "CHECKPOINT_EVERY", 1)
    table = Path(tea_shop.path(SOLD))
    publish(tea_shop, "2024-05-02,tea,310", day=SECOND, run_id="run-2")
    assert [was_added(tea_shop, table) for table in (SALES, SOLD)] == [True, True]
    assert told(tea_shop) == {"run_id": "run-2", "table": SOLD, "days": {SECOND: {SALES: {SECOND: 1}}}}
    assert (table / "_delta_log/_last_checkpoint").exists()
    # from here on only the checkpoint knows of the first day
    (table / "_delta_log/00000000000000000000.json").unlink()
    assert not list(Path(load_settings().root, "_staging").glob("*/*"))
    assert [tea_shop.frame(SOLD).filter(which).count() for which in ("cents = 310", "cents > 310")] == [1, 0]
    publish(tea_shop, "2024-05-03,tea,320", "2024-05-03,ring,5000", day=THIRD, run_id="run-3")
    assert [was_added(tea_shop, table) for table in (SALES, SOLD)] == [True, False], "a row has left to the quarantine"
    assert told(tea_shop) == {"run_id": "run-3", "table": SOLD, "days": {THIRD: {SALES: {THIRD: 2}}}}
    assert tea_shop.quarantine(SOLD, "_rules") == [(["fair_price"],)]
    published = [(MAY_1, "tea", 300), (MAY_2, "tea", 310), (MAY_3, "tea", 320)]
    assert tea_shop.rows(SOLD, "sold_on", "item", "cents") == published
    second_file = sales([("jam", 5)], sold_on=pa.array([MAY_3]))
    write_deltalake(table, second_file, mode="append", schema_mode="merge")
    assert tea_shop.run("adopt", SOLD, run_id="care", version=delta_log.newest_version(str(table))).status == "done"
    kept = load_lake().table(SOLD).contract.keep_history
    old, young = left_behind(table, kept + 1), left_behind(table, kept - 1)
    cared = tea_shop.run("maintain", SOLD, run_id="care")
    assert (cared.status, cared.facts) == ("done", {"table": SOLD, "files_added": 1, "files_removed": 2})
    assert (old.exists(), young.exists()) == (False, True)
    compacted = [*published[:2], (MAY_3, "jam", 5), published[2]]
    assert tea_shop.rows(SOLD, "sold_on", "item", "cents") == compacted
    assert tea_shop.run("restore", SOLD, run_id="care-2", version=1).status == "done"
    assert tea_shop.rows(SOLD, "sold_on", "item", "cents") == published[:2]


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
run(JobRequest(verb="build", name=sys.argv[2], days=sys.argv[3], run_id="run-2"), sys.argv[4])
"""
"""A driver that is killed when its files lie in the table's folder: `before` their commit, or `after` it and before the ledger hears of it."""


def test_a_driver_that_dies_beside_its_commit_leaves_nothing_twice_and_nothing_out(tea_shop: LittleLake) -> None:
    published = [(MAY_1, "tea", 300), (MAY_2, "tea", 310), (MAY_3, "tea", 320)]
    for day, cents, moment, version in ((SECOND, 310, "before", 1), (THIRD, 320, "after", 4)):
        tea_shop.land(f"sales/{day}.csv", "sold_on,item,cents", f"{day},tea,{cents}")
        tea_shop.build(SALES, day, "run-2")
        died = subprocess.run([sys.executable, "-c", DYING, moment, SOLD, day, tea_shop.remote], env=os.environ, check=False)
        assert died.returncode == -signal.SIGKILL
        tea_shop.build(SOLD, day, "run-2")
        assert tea_shop.rows(SOLD, "sold_on", "item", "cents") == [row for row in published if row[0] <= date.fromisoformat(day)]
        assert tea_shop.version(SOLD) == version, "what the ledger does not know is put back, and written again"
        lying = list(Path(tea_shop.path(SOLD), f"sold_on={day}").glob("*.parquet"))
        assert len(lying) == 2, "the dead driver's file is seen by nobody, and swept with what is old"
        assert not list(Path(load_settings().root, "_staging", SOLD).glob("*"))
