"""What becomes of each file in a source's folder: taken for a day, failing its day, not taken, left for later, or ignored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from expectations.contract import TableContract
from expectations.lake import Table
from expectations.landed_days import is_ignored, own_day
from expectations.ledger import FileEntry
from expectations.storage import ListedFile
from spark_jobs.lake.landing import (
    Landing,
    days_named,
    decide,
    doubtful,
    left_in_words,
    of_source,
    source_of,
)

D = [f"2024-05-{day:02}" for day in range(32)]
NIGHT = datetime(2024, 5, 9, 3, 0, 0, 250_000, tzinfo=UTC)
REST = "or put _ before its name to leave it out, and run the day again."


def bronze(**source: object) -> Table:
    facts = {"contract": 1, "description": "Sales, a file a day.", "source": {"folder": "sales", "format": "csv", **source}}
    contract = TableContract.model_validate({**facts, "columns": {"item": {"type": "string"}}})
    return Table("bronze.sales", contract, Path("expectations/bronze/sales.yaml"), None)


CSV, LINES, SNAPSHOT = bronze(), bronze(format="jsonl"), bronze(arrives="snapshot")
HIVE = bronze(format="parquet", external=True)


def listed(*names: str, size: int = 100, at: datetime | None = NIGHT) -> list[ListedFile]:
    return [ListedFile(name, size, at) for name in names]


def entry(day: str, size: int = 100, at: datetime | None = NIGHT) -> dict[str, FileEntry]:
    return {day: FileEntry("bronze.sales", day, "a" * 64, f"sales/{day}.csv", size, at)}


def run(table: Table, names: list[str], *days: str, taken: dict[str, FileEntry] | None = None) -> Landing:
    return decide(table, "/landing/sales", listed(*names), days, taken or {})


def taken_of(landing: Landing) -> dict[str, str]:
    return {day: file.name for day, file in landing.files.items()}


# which day a name means


@pytest.mark.parametrize(
    "name",
    [
        *("2024-05-01.csv", "2024-05-01.csv.gz", "sales-2024-05-01.csv", "2024_05_01.csv", "2024.05.01.csv"),
        *("orders_20240501_0300.csv", "orders_20240501030000.csv", "orders_20240501T030000.csv", "202405010300.csv"),
        *("day=2024-05-01/part-0.csv", "dt=2024-05-01/part-0.csv", "2024-05-01.csv/part-0.csv", "2024/05/01/part-0.csv"),
        *("year=2024/month=05/day=01/part-0.csv", "y=2024/m=5/d=1/part-0.csv", "in/year=2024/month=5/day=1/a.csv"),
    ],
)
def test_a_name_means_a_day_however_it_writes_it(name: str) -> None:
    assert days_named(name) == (D[1],)


@pytest.mark.parametrize(
    "name",
    [
        *("notes.txt", "01-05-2024.csv", "01052024.csv", "2024-05.csv", "2024-02-30.csv", "2024-13-01.csv", "1714521600.csv"),
        *("year=2024/month=05/part-0.csv", "part-00000-120240501.csv", "v2024.5.csv", "\u0662\u0660\u0662\u0664-\u0660\u0665-\u0660\u0661.csv", ""),
    ],
)
def test_a_name_without_a_whole_date_means_no_day(name: str) -> None:
    assert days_named(name) == ()


def test_a_name_may_mean_two_days() -> None:
    assert days_named("sales_2024-05-02_2024-05-01.csv") == (D[1], D[2])


@pytest.mark.parametrize(
    ("table", "name", "day"),
    [
        (CSV, "2024-05-01.csv", D[1]),
        (CSV, "2024-05-01.CSV", ""),
        (CSV, "2024-05-01.jsonl", ""),
        (CSV, "2024-02-30.csv", ""),
        (CSV, "day=2024-05-01/part-0.csv", ""),
        (HIVE, "day=2024-05-01/any name", D[1]),
        (HIVE, "day=2024-05-01/deep/part-0.parquet", ""),
        (HIVE, "2024-05-01.parquet", ""),
    ],
)
def test_only_the_name_that_the_source_promises_is_taken(table: Table, name: str, day: str) -> None:
    assert own_day(source_of(table), name) == day


@pytest.mark.parametrize(
    "name",
    [
        *("_SUCCESS", ".2024-05-01.csv.swp", "_2024-05-01.csv", "day=2024-05-01/_SUCCESS", "day=2024-05-01/.part-0.crc"),
        *("_archive/2024-05-01.csv", ".snapshot/hourly/2024-05-01.csv", "_temporary/0/2024-05-01.csv"),
        *("2024-05-01.csv.part", "2024-05-01.csv.tmp", "2024-05-01.csv.crc", "2024-05-01.csv.TMP", "notes.tmp"),
    ],
)
def test_hidden_names_files_still_written_and_checksums_are_ignored_without_a_word(name: str) -> None:
    assert is_ignored(name)
    found = run(CSV, [name], D[1])
    assert (taken_of(found), found.refused, found.not_taken, found.later) == ({}, {}, (), "")


# what is taken


def test_the_days_of_the_run_take_the_files_of_their_names() -> None:
    found = run(CSV, ["2024-05-02.csv", "2024-05-01.csv", "2024-05-09.csv"], D[1], D[2], D[3])
    assert taken_of(found) == {D[1]: "2024-05-01.csv", D[2]: "2024-05-02.csv"}
    assert (found.days, found.refused, found.not_taken, found.later) == ((D[1], D[2], D[3]), {}, (), D[9])


def test_a_folder_of_an_external_table_is_a_day() -> None:
    assert taken_of(run(HIVE, ["day=2024-05-01/part-0.c000.parquet", "day=2024-05-01/_SUCCESS"], D[1])) == {D[1]: "day=2024-05-01/part-0.c000.parquet"}


def test_the_newest_snapshot_before_the_run_counts_with_the_runs_own_days() -> None:
    names = [f"{day}.csv" for day in (D[1], D[2], D[9])]
    assert (run(SNAPSHOT, names, D[5]).days, taken_of(run(SNAPSHOT, names, D[5]))) == ((D[2], D[5]), {D[2]: "2024-05-02.csv"})
    assert run(SNAPSHOT, names, D[5]).not_taken == (), "a newer snapshot has taken the place of an older one"


def test_a_file_that_another_table_takes_from_the_same_folder_is_left_to_it() -> None:
    others = [source_of(LINES), source_of(HIVE)]
    names = ["2024-05-01.csv", "2024-05-01.jsonl", "day=2024-05-01/part-0.parquet", "notes.txt"]
    left = of_source(source_of(CSV), others, listed(*names))
    assert [file.name for file in left] == ["2024-05-01.csv", "notes.txt"]


# what fails its day


@pytest.mark.parametrize(
    ("table", "names", "sentence"),
    [
        (
            CSV,
            ["2024-05-01.csv.gz"],
            f"2024-05-01.csv.gz is of 2024-05-01, but it is compressed, which is not read: unpack it as /landing/sales/2024-05-01.csv, {REST}",
        ),
        (
            LINES,
            ["2024-05-01.jsonl.zst"],
            f"2024-05-01.jsonl.zst is of 2024-05-01, but it is compressed, which is not read: unpack it as /landing/sales/2024-05-01.jsonl, {REST}",
        ),
        (
            CSV,
            ["2024-05-01.zip"],
            f"2024-05-01.zip is of 2024-05-01, but it is compressed, which is not read: unpack it as /landing/sales/2024-05-01.csv, {REST}",
        ),
        (
            LINES,
            ["2024-05-01.ndjson"],
            "2024-05-01.ndjson is of 2024-05-01, but it ends in .ndjson, and expectations/bronze/sales.yaml says format: jsonl: "
            f"land it as /landing/sales/2024-05-01.jsonl, {REST}",
        ),
        (
            CSV,
            ["2024-05-01"],
            "2024-05-01 is of 2024-05-01, but its name has no ending, and expectations/bronze/sales.yaml says format: csv: "
            f"land it as /landing/sales/2024-05-01.csv, {REST}",
        ),
        (
            CSV,
            ["2024-05-01.CSV"],
            "2024-05-01.CSV is of 2024-05-01, but it ends in .CSV, and expectations/bronze/sales.yaml says format: csv: "
            f"land it as /landing/sales/2024-05-01.csv, {REST}",
        ),
        (
            CSV,
            ["day=2024-05-01/part-0.csv"],
            "day=2024-05-01/part-0.csv is of 2024-05-01, but it lies in the folder day=2024-05-01: "
            f"write the day as one file, /landing/sales/2024-05-01.csv, {REST}",
        ),
        (
            CSV,
            ["2024-05-01.csv/part-1.csv", "2024-05-01.csv/part-0.csv"],
            "2024-05-01.csv/part-0.csv (and 1 more of that day) is of 2024-05-01, but it lies in the folder 2024-05-01.csv: "
            f"write the day as one file, /landing/sales/2024-05-01.csv, {REST}",
        ),
        (
            CSV,
            ["orders_20240501_0300.csv"],
            "orders_20240501_0300.csv is of 2024-05-01, but files of expectations/bronze/sales.yaml are called otherwise: "
            f"land it as /landing/sales/2024-05-01.csv, {REST}",
        ),
        (
            CSV,
            ["2024-05-01.csv", "2024-05-01-late.csv"],
            f"2024-05-01-late.csv is of 2024-05-01, but 2024-05-01.csv is there too, and a day is one file: write both as one, {REST}",
        ),
        (
            HIVE,
            ["dt=2024-05-01/part-0.parquet"],
            "dt=2024-05-01/part-0.parquet is of 2024-05-01, but files of expectations/bronze/sales.yaml are called otherwise: "
            f"land it as /landing/sales/day=2024-05-01/part-0.parquet, {REST}",
        ),
    ],
)
def test_a_file_that_names_a_day_of_the_run_and_is_not_taken_fails_the_day_with_what_to_do(table: Table, names: list[str], sentence: str) -> None:
    found = run(table, names, D[1], D[2])
    assert found.refused == {D[1]: f"bronze.sales: /landing/sales/{sentence}"}
    assert (taken_of(found), found.not_taken) == ({}, ())


def test_two_files_in_a_folder_of_an_external_tables_day_fail_the_day() -> None:
    names = [f"day=2024-05-01/part-0000{number}-aa.snappy.parquet" for number in (0, 1)]
    assert run(HIVE, names, D[1]).refused == {
        D[1]: "bronze.sales: /landing/sales/day=2024-05-01 holds 2 files (part-00000-aa.snappy.parquet, part-00001-aa.snappy.parquet); "
        "a day is one file: write it as one and run the day again."
    }


@pytest.mark.parametrize("name", ["2024-05-01_2024-05-02.csv", "2024-04-30_2024-05-01.csv", "2024-05-01_2024-06-01.csv"])
def test_a_file_of_several_days_fails_those_that_the_run_has(name: str) -> None:
    assert list(run(CSV, [name], D[1]).refused) == [D[1]]


def test_every_day_at_fault_has_a_sentence_of_its_own_and_the_others_are_taken() -> None:
    found = run(CSV, ["2024-05-01.csv.gz", "2024-05-02.csv", "2024-05-03.txt"], *D[1:4])
    assert (list(found.refused), taken_of(found)) == ([D[1], D[3]], {D[2]: "2024-05-02.csv"})


def test_a_name_that_would_break_the_line_is_quoted_and_a_long_one_cut() -> None:
    (said,) = run(CSV, ["2024-05-01\nbad.csv.gz"], D[1]).refused.values()
    assert "/landing/sales/'2024-05-01\\nbad.csv.gz' is of" in said
    (said,) = run(CSV, [f"2024-05-01{'x' * 99}.gz"], D[1]).refused.values()
    assert f"/landing/sales/2024-05-01{'x' * 50}… is of" in said


# what is not taken


def test_a_file_that_names_no_day_is_not_taken() -> None:
    found = run(CSV, ["notes.txt", "01-05-2024.csv", "2024-05-01.csv"], D[1])
    assert (taken_of(found), found.names_not_taken) == ({D[1]: "2024-05-01.csv"}, ["sales/01-05-2024.csv", "sales/notes.txt"])


def test_a_file_of_an_earlier_day_that_no_run_took_is_not_taken_and_one_of_a_later_day_is_left_for_its_run() -> None:
    names = ["2024-05-01.csv", "2024-05-03.csv", "2024-05-05.csv", "2024-05-05.csv.gz", "2024-05-06.csv", "2024-04-01.csv.gz"]
    found = run(CSV, names, D[2], D[4], taken=entry(D[1]))
    assert found.names_not_taken == ["sales/2024-04-01.csv.gz", "sales/2024-05-03.csv"]
    assert found.later == D[5]


@pytest.mark.parametrize(
    ("was", "is_taken"),
    [
        (entry(D[1]), True),
        (entry(D[1], at=NIGHT.replace(microsecond=0)), True),
        (entry(D[1], size=101), False),
        (entry(D[1], at=NIGHT + timedelta(microseconds=1)), False),
        (entry(D[1], at=None), False),
        (entry(D[2]), False),
    ],
)
def test_an_earlier_days_file_is_the_one_that_was_taken_by_its_size_and_time(was: dict[str, FileEntry], is_taken: bool) -> None:
    assert (run(CSV, ["2024-05-01.csv"], D[3], taken=was).not_taken == ()) is is_taken


def test_a_taken_file_that_was_moved_aside_within_the_folder_is_no_second_file() -> None:
    for days in ((D[1],), (D[2],)):
        found = run(CSV, ["done/2024-05-01.csv"], *days, taken=entry(D[1]))
        assert (found.refused, found.not_taken) == ({}, ())


def test_a_file_as_long_as_the_taken_one_but_of_another_time_is_told_by_its_content() -> None:
    files = listed("2024-05-01.csv", "2024-05-02.csv", "2024-05-03.csv", "_2024-05-01.csv", at=NIGHT + timedelta(hours=1))
    taken = entry(D[1]) | entry(D[2], size=7) | entry(D[3])
    doubts = doubtful(source_of(CSV), files, [D[3]], taken)
    assert doubts == {"2024-05-01.csv": taken[D[1]]}, "another length is another content, and files of the run are read"
    assert decide(CSV, "/l", files, [D[3]], taken, same=doubts).names_not_taken == ["sales/2024-05-02.csv"]
    assert decide(CSV, "/l", files, [D[3]], taken).names_not_taken == ["sales/2024-05-01.csv", "sales/2024-05-02.csv"]


def test_of_a_snapshot_only_what_is_newer_than_the_one_that_counts_is_not_taken() -> None:
    names = ["2024-05-01.csv", "2024-05-01.csv.gz", "2024-05-02.csv", "2024-05-03.csv.gz", "2024-05-02.bak.csv"]
    assert run(SNAPSHOT, names, D[5]).names_not_taken == ["sales/2024-05-02.bak.csv", "sales/2024-05-03.csv.gz"]


def test_what_was_not_taken_is_told_with_what_to_do() -> None:
    files = ["notes.txt", "2024-04-30.csv", "2024-04-29.csv.gz"]
    assert left_in_words(source_of(CSV), run(CSV, files, D[1], D[2])) == (
        "3 files were not taken: sales/notes.txt names no day (land it as sales/2024-05-02.csv, or put _ before its name); "
        "sales/2024-04-29.csv.gz, sales/2024-04-30.csv are of 2024-04-29..2024-04-30, and no run took them as they are (run 2024-04-29..2024-04-30)"
    )
    assert left_in_words(source_of(CSV), run(CSV, ["2024-05-01.csv"], D[1])) == ""
    many = run(CSV, [f"{name}.txt" for name in "abcdefgh"], D[1])
    assert "8 files were not taken: sales/a.txt, sales/b.txt, sales/c.txt, sales/d.txt, sales/e.txt and 3 more name no day" in (
        left_in_words(source_of(CSV), many)
    )


def test_three_years_of_taken_days_are_told_apart_from_ten_thousand_strays() -> None:
    first = datetime(2021, 5, 1, tzinfo=UTC)
    days = [f"{first + timedelta(days=number):%Y-%m-%d}" for number in range(1096)]
    taken = {day: one for day in days for one in entry(day).values()}
    names = [*(f"{day}.csv" for day in days), *(f"stray {number}.txt" for number in range(10_000))]
    found = run(CSV, names, days[-1], taken=taken)
    assert (taken_of(found), len(found.not_taken), len(found.names_not_taken)) == ({days[-1]: f"{days[-1]}.csv"}, 10_000, 1000)
