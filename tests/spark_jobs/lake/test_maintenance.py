"""What a restore, and the word of a person that a table is right, make of a table's days: of the ledger's entries and of counts, so without Spark."""

from __future__ import annotations

from expectations.days import ALL
from expectations.ledger import DayEntry
from spark_jobs.lake.maintenance import Rows, days_adopted, days_restored

FIRST, SECOND, THIRD = "2024-05-01", "2024-05-02", "2024-05-03"


def entry(day: str, version: int | None, table: str = "silver.sales", **more: int) -> DayEntry:
    return DayEntry(table, day, "published" if version is not None else "held", version, "run-1", "contract", "logic", {"bronze.sales": {day: 0}}, **more)


def test_a_day_that_changed_after_the_version_changed_again_and_nobody_judged_it() -> None:
    (back,), gone = days_restored([entry(FIRST, 3, rows_in=9, rows_out=5, rows_quarantined=4)], 2, Rows(7, {FIRST: 6}, {}), "undo")
    assert (back.day, back.version, back.run_id, back.state, back.clean) == (FIRST, 7, "undo", "published", False)
    assert (back.rows_in, back.rows_out, back.rows_quarantined) == (9, 6, 4), "what waits in quarantine is of the files, which stay as they are"
    assert (back.inputs, gone) == ({"bronze.sales": {FIRST: 0}}, [])


def test_days_that_are_as_they_were_at_that_version_are_left_alone() -> None:
    assert days_restored([entry(FIRST, 1), entry(SECOND, 2), entry(THIRD, None)], 2, Rows(7, {FIRST: 1, SECOND: 1}, {}), "undo") == ([], [])


def test_a_younger_day_is_as_if_it_had_never_been_published() -> None:
    back, gone = days_restored([entry(FIRST, 3), entry(SECOND, 4)], 2, Rows(7, {FIRST: 1}, {}), "undo")
    assert ([one.day for one in back], gone) == ([FIRST], [SECOND])


def test_of_bronze_the_rows_that_do_not_parse_are_those_that_are_back() -> None:
    entries = [entry(day, 3, "bronze.sales", rows_quarantined=5) for day in (FIRST, SECOND)]
    back, _ = days_restored(entries, 2, Rows(7, {FIRST: 4, SECOND: 4}, {FIRST: 1}), "undo")
    assert [one.rows_quarantined for one in back] == [1, 0]


def test_a_table_without_days_comes_back_as_a_whole() -> None:
    (back,), gone = days_restored([entry(ALL, 3, "silver.shops")], 2, Rows(7, {ALL: 0}, {}), "undo")
    assert (back.day, back.version, back.rows_out, gone) == (ALL, 7, 0, [])


def adopted(rows: Rows | None, *entries: DayEntry) -> tuple[dict[str, tuple[int | None, int, bool]], list[str]]:
    """Day to version, rows and whether it is clean; and the days that are gone."""
    unknown = DayEntry("silver.sales", ALL, "published", 7, "care", "contract", "logic", {})
    found, gone = days_adopted({one.day: one for one in entries}, rows, unknown)
    return {one.day: (one.version, one.rows_out, one.clean) for one in found}, gone


def test_all_days_of_an_adopted_table_changed_and_nobody_judged_them() -> None:
    assert adopted(Rows(7, {FIRST: 4, SECOND: 2}, {}), entry(FIRST, 1, rows_out=5), entry(SECOND, 3)) == ({FIRST: (7, 4, False), SECOND: (7, 2, False)}, [])


def test_a_day_of_an_adopted_table_that_the_ledger_did_not_know_is_published_from_now_on() -> None:
    assert adopted(Rows(7, {FIRST: 4, SECOND: 2}, {}), entry(FIRST, 1)) == ({FIRST: (7, 4, False), SECOND: (7, 2, False)}, [])


def test_a_day_of_which_an_adopted_table_has_no_rows_is_forgotten_and_so_are_all_of_a_table_that_is_gone() -> None:
    assert adopted(Rows(7, {FIRST: 4}, {}), entry(FIRST, 1), entry(SECOND, 3)) == ({FIRST: (7, 4, False)}, [SECOND])
    assert adopted(None, entry(FIRST, 1), entry(SECOND, 3)) == ({}, [FIRST, SECOND])


def test_batches_of_an_adopted_table_without_days_are_merged_again() -> None:
    assert adopted(Rows(7, {ALL: 4}, {}), entry(FIRST, 1)) == ({}, [FIRST])
    assert adopted(Rows(7, {ALL: 4}, {}), entry(ALL, 1)) == ({ALL: (7, 4, False)}, [])
