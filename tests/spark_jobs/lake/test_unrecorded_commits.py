"""Commits that the ledger does not have: of runs that died, of other writers, and those that are lost. A green run never builds on one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from expectations.errors import LogError, RequestError
from expectations.ledger import Head, Ledger
from expectations.settings import load_settings
from spark_jobs.lake.lake_read import lake_read
from tests.spark_jobs.lake.reviewing import HEADER, SALES, SOLD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from expectations.ledger import DayEntry
    from tests.spark_jobs.lake.conftest import LittleLake

TOTALS = "gold.totals"
FIRST, SECOND = "2024-05-01", "2024-05-02"


def die_before_recording(lake: LittleLake, table: str, day: str, run_id: str) -> None:
    """A build that ends between its Delta commit and the ledger."""
    record = Ledger.record

    def killed(self: Ledger, entries: Iterable[DayEntry], *given: Any, **named: Any) -> None:
        entries = list(entries)
        if entries and entries[0].table == table:
            raise MemoryError("killed")
        record(self, entries, *given, **named)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Ledger, "record", killed)
        assert lake.run("build", table, day, run_id).status == "failed_transient"


def land(lake: LittleLake, day: str, *lines: str) -> None:
    lake.land(f"sales/{day}.csv", HEADER, *(f"{day},{line}" for line in lines))


def items(lake: LittleLake, table: str) -> list[tuple[Any, ...]]:
    return lake.rows(table, "item", "cents")


def newest_commit(lake: LittleLake, table: str) -> Path:
    return max(Path(lake.path(table), "_delta_log").glob("*.json"))


def refused(lake: LittleLake, table: str, day: str = FIRST, **more: Any) -> str:
    result = lake.run("build", table, day, "run-9", **more)
    assert result.status == "failed_terminal", result.message
    return result.message


def test_what_a_run_left_that_died_is_never_read_and_put_back_by_the_next_one(tea_shop: LittleLake) -> None:
    land(tea_shop, FIRST, "gold,1", "ring,2")
    die_before_recording(tea_shop, SALES, FIRST, "run-2")
    assert len(items(tea_shop, SALES)) == 2
    # the file goes back, before anybody has looked
    land(tea_shop, FIRST, "tea,300")
    assert tea_shop.build(SOLD, FIRST, "run-3", force=True).status == "done"
    assert items(tea_shop, SOLD) == [("tea", 300)]
    assert lake_read(SALES).select("item", "cents").collect() == [("tea", 300)]
    assert tea_shop.build(SALES, FIRST, "run-3").status == "unchanged"
    assert items(tea_shop, SALES) == [("tea", "300")]
    version = tea_shop.version(SALES)
    assert tea_shop.ledger.heads.of(SALES) == Head(SALES, version, "run-3")
    assert lake_read(SALES, at=version - 1).count() == 2
    # and what comes next is built on it
    land(tea_shop, SECOND, "cup,200")
    for table in (SALES, SOLD, TOTALS):
        tea_shop.build(table, SECOND, "run-4")
    assert items(tea_shop, SOLD) == [("cup", 200), ("tea", 300)]


def test_what_the_first_run_of_a_table_left_is_replaced_by_the_first_that_records(shop: LittleLake) -> None:
    land(shop, FIRST, "tea,300")
    die_before_recording(shop, SALES, FIRST, "run-1")
    assert shop.run("build", SOLD, FIRST).message == f"silver.sales: bronze.sales has nothing published for {FIRST}; nothing to do"
    with pytest.raises(RequestError, match=r"^bronze\.sales: nothing was ever published"):
        lake_read(SALES)
    (shop.project / f"landing/sales/{FIRST}.csv").unlink()
    land(shop, SECOND, "cup,200")
    shop.build(SALES, SECOND, "run-2")
    assert items(shop, SALES) == [("cup", "200")]
    assert shop.ledger.heads.of(SALES) == Head(SALES, 1, "run-2")


def test_a_commit_of_somebody_else_that_changes_no_row_is_taken_over(tea_shop: LittleLake) -> None:
    tea_shop.spark.sql(f"ALTER TABLE delta.`{tea_shop.path(SOLD)}` SET TBLPROPERTIES ('team' = 'sales')")
    assert tea_shop.build(SOLD, FIRST, "run-2").status == "unchanged"
    assert tea_shop.ledger.heads.of(SOLD) == Head(SOLD, 1, "")
    land(tea_shop, FIRST, "tea,400")
    for table in (SALES, SOLD):
        assert tea_shop.build(table, FIRST, "run-3").status == "done"
    assert items(tea_shop, SOLD) == [("tea", 400)]


def test_rows_that_somebody_else_has_written_stop_every_job_until_a_person_restores_or_adopts(tea_shop: LittleLake) -> None:
    change = f"UPDATE delta.`{tea_shop.path(SOLD)}` SET cents = 1"  # noqa: S608 - the test's own path
    tea_shop.spark.sql(change)
    foreign = "silver.sales: version 1 (UPDATE) was written by no job of this lake, and nobody judged its rows; nothing was built on it."
    assert foreign in refused(tea_shop, TOTALS, force=True)
    assert foreign in refused(tea_shop, SOLD)
    with pytest.raises(LogError, match="by no job of this lake"):
        lake_read(SOLD)
    report = tea_shop.run("report", SOLD, run_id="run-9")
    assert foreign in report.message
    assert foreign.removeprefix("silver.sales: ") in Path(report.facts["report"]).read_text().replace("&#39;", "'")
    # the way back
    assert tea_shop.run("restore", SOLD, run_id="care", version=0).status == "done"
    assert items(tea_shop, SOLD) == [("tea", 300)]
    assert tea_shop.build(SOLD, FIRST, "run-2").status == "unchanged"
    assert tea_shop.build(TOTALS, FIRST, "run-2").status == "unchanged"
    # the way on
    tea_shop.spark.sql(change)
    said = tea_shop.run("adopt", SOLD, run_id="care").message
    assert said == "silver.sales: which version? Its log ends at 3: look at that, and add --version 3 where it is right."
    assert "version 2 is not the newest" in tea_shop.run("adopt", SOLD, run_id="care", version=2).message
    adopted = tea_shop.run("adopt", SOLD, run_id="care", version=3)
    assert adopted.message == f"silver.sales: version 3 is taken for right; not clean until rebuilt, as nobody judged it: {FIRST}"
    assert tea_shop.build(SOLD, FIRST, "run-3").status == "unchanged"
    assert tea_shop.build(TOTALS, FIRST, "run-3").status == "done"
    assert tea_shop.rows(TOTALS, "cents") == [(1,)]


def test_a_newest_commit_that_is_lost_stops_every_job_until_its_day_is_made_again(tea_shop: LittleLake) -> None:
    land(tea_shop, SECOND, "cup,200")
    for table in (SALES, SOLD, TOTALS):
        tea_shop.build(table, SECOND, "run-2")
    commit = newest_commit(tea_shop, SOLD)
    commit.write_bytes(b"")
    assert "silver.sales: the file of commit 1 is empty" in refused(tea_shop, TOTALS, force=True)
    assert "silver.sales: the file of commit 1 is empty" in refused(tea_shop, SOLD, SECOND)
    commit.unlink()
    lost = "silver.sales: the ledger names version 1, and the log ends at version 0: commits are missing, and rows with them; nothing was built."
    for table in (SOLD, TOTALS):
        assert lost in refused(tea_shop, table, force=True)
    adopted = tea_shop.run("adopt", SOLD, run_id="care", version=0)
    assert adopted.message.endswith(f"; no rows of {SECOND}: run them again")
    for table in (SOLD, TOTALS):
        assert tea_shop.build(table, f"{FIRST}..{SECOND}", "run-3").status == "done"
    assert items(tea_shop, SOLD) == [("cup", 200), ("tea", 300)]
    assert tea_shop.rows(TOTALS, "cents") == [(200,), (300,)]


def test_a_table_whose_folder_is_gone_is_made_again_only_when_a_person_says_so(tea_shop: LittleLake) -> None:
    shutil.rmtree(tea_shop.path(SOLD))
    assert "the ledger names version 0, and there is no Delta table" in refused(tea_shop, SOLD)
    assert tea_shop.run("adopt", SOLD, run_id="care", version=0).message == "silver.sales: there is no Delta table to adopt."
    assert tea_shop.run("adopt", SOLD, run_id="care").message == f"silver.sales: forgotten; no rows of {FIRST}: run them again"
    for table in (SOLD, TOTALS):
        assert tea_shop.build(table, FIRST, "run-2").status == "done"
    assert items(tea_shop, SOLD) == [("tea", 300)]


def test_a_lake_beside_another_lakes_ledger_is_refused(tea_shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKE_LEDGER_URL", f"sqlite:///{tea_shop.project}/other.db")
    assert load_settings().ledger_url.endswith("other.db")
    assert "there is a Delta table at version 0, and the ledger knows nothing of it" in refused(tea_shop, SALES)
    assert items(tea_shop, SALES) == [("tea", "300")]
