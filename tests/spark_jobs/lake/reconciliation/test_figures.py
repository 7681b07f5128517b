"""Whether a day adds up, from what was counted of it."""

from __future__ import annotations

from typing import Any

from spark_jobs.lake.quarantine.set_aside import NO_DAY
from spark_jobs.lake.reconciliation.figures import (
    Counted,
    Figures,
    FileOfDay,
    Waiting,
    in_lines,
    in_words,
    of_bronze,
    of_changes,
    of_day,
    of_files_left,
    without_day,
)

DAY = "2024-05-01"


def bronze(parsed: int, unparsed: int = 0, *, is_known: bool = True, **file: Any) -> str:
    of_file = FileOfDay("sales/2024-05-01.csv", **{"bytes": 90, "rows": 3, **file})
    return of_bronze("bronze.sales", DAY, of_file, parsed, unparsed, is_known=is_known).wrong


def test_the_rows_that_parse_and_those_that_do_not_are_the_records_of_the_file() -> None:
    assert bronze(parsed=2, unparsed=1) == ""
    assert bronze(parsed=2) == "sales/2024-05-01.csv has 3 rows, the table 2"
    assert bronze(parsed=3, unparsed=1) == "sales/2024-05-01.csv has 3 rows, the table 4"


def test_rows_of_a_file_that_is_gone_cannot_be_trusted() -> None:
    assert bronze(parsed=3, rows=None) == "our copy of sales/2024-05-01.csv is gone, or is not what was taken"
    assert of_bronze("bronze.sales", DAY, None, 3, 0, is_known=True).wrong == "3 rows, and the ledger knows of no file"


def test_a_file_that_was_written_again_is_not_in_the_table() -> None:
    assert bronze(parsed=3, landed_bytes=90) == ""
    assert bronze(parsed=3, landed_bytes=91) == "sales/2024-05-01.csv was written again since it was taken: run the day again"


def test_rows_of_a_day_that_was_never_published_are_nobodys() -> None:
    assert bronze(parsed=1, is_known=False) == "1 row of a day that the ledger does not know"
    assert of_day("silver.sales", DAY, 2, Counted(2), is_known=False).wrong == "2 rows of a day that the ledger does not know"


def test_landed_files_that_no_run_took_do_not_add_up() -> None:
    found = of_files_left("bronze.sales", ["sales/a.csv.gz", *(f"sales/{letter}.csv" for letter in "bcdef")])
    assert (found.files, found.wrong) == (6, "not taken: sales/a.csv.gz, sales/b.csv, sales/c.csv, sales/d.csv, sales/e.csv and 1 more")


def day(rows_in: int | None, published: int, waiting: Waiting | None = None, dropped: int = 0) -> Figures:
    return of_day("silver.sales", DAY, published, Counted(rows_in, waiting or Waiting(), dropped), is_known=True)


def test_what_the_logic_returns_is_published_waits_or_was_dropped() -> None:
    assert day(6, published=3, waiting=Waiting(2), dropped=1).ok
    assert day(7, published=3, waiting=Waiting(2), dropped=1).wrong == "1 row missing"
    assert day(4, published=3, waiting=Waiting(2), dropped=1).wrong == "2 rows too many"


def test_a_day_that_the_logic_returns_and_nobody_made_is_missing() -> None:
    assert of_day("silver.sales", DAY, 0, Counted(31), is_known=False).wrong == "31 rows missing"


def test_a_discarded_row_is_quarantined_until_the_next_build_and_dropped_after_it() -> None:
    before, after = day(4, published=3, waiting=Waiting(1, discarded=1)), day(4, published=3, waiting=Waiting(1, discarded=1), dropped=1)
    assert (before.ok, before.quarantined, before.dropped) == (True, 1, 0)
    assert (after.ok, after.quarantined, after.dropped) == (True, 0, 1)
    assert day(4, published=3, waiting=Waiting(1), dropped=1).wrong == "1 row too many"


def test_of_a_held_day_nobody_knows_what_its_published_rows_were_made_of() -> None:
    assert day(None, published=3, waiting=Waiting(5)).ok


def changes(rows_in: int, absent: int, waiting: int = 0, dropped: int = 0) -> Figures:
    return of_changes("silver.prices", DAY, absent, Counted(rows_in, Waiting(waiting), dropped))


def test_a_change_is_in_the_table_by_its_key_or_was_refused() -> None:
    assert (changes(5, absent=0).published, changes(5, absent=0).ok) == (5, True)
    assert (changes(5, absent=2, waiting=1, dropped=1).published, changes(5, absent=2, waiting=1, dropped=1).ok) == (3, True)
    assert (changes(5, absent=1, waiting=2).published, changes(5, absent=1, waiting=2).ok) == (3, True)  # the refused change of a key that is there
    assert (changes(5, absent=2, waiting=1).published, changes(5, absent=2, waiting=1).wrong) == (3, "the keys of 1 row are missing")


def test_rows_whose_day_cannot_be_known_all_wait() -> None:
    assert without_day("silver.sales", 3, Waiting(3)).ok
    assert without_day("silver.sales", 3, Waiting(4, discarded=1)).ok
    assert without_day("silver.sales", 3, Waiting(2)).wrong == "1 row missing in quarantine"
    assert without_day("silver.sales", 3, Waiting(5)).wrong == "2 rows too many in quarantine"


ROWS = [
    Figures("bronze.sales", DAY, files=1, rows_in_files=1300, bronze=1299, quarantined=1),
    Figures("silver.sales", DAY, rows_in=1299, published=1200, quarantined=90, dropped=0, wrong="9 rows missing"),
    Figures("silver.sales", NO_DAY, rows_in=1, published=0, quarantined=1, dropped=0, note="held"),
]


def test_each_table_and_day_is_a_line() -> None:
    assert list(in_lines(ROWS)) == [
        "table         day                files rows_in_files        bronze       rows_in     published   quarantined       dropped  ok",
        "bronze.sales  2024-05-01             1         1,300         1,299                                         1                yes",
        "silver.sales  2024-05-01                                                   1,299         1,200            90             0  NO: 9 rows missing",
        "silver.sales  -                                                                1             0             1             0  yes (held)",
    ]


def test_the_message_names_what_does_not_add_up() -> None:
    assert in_words(ROWS[:1], ["bronze.sales"]) == "1 table, 1 day: all rows are accounted for"
    assert in_words(ROWS, ["a", "b"]) == "2 tables, 3 days, 1 day does not add up: silver.sales 2024-05-01: 9 rows missing"
