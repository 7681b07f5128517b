"""Which landed files a job takes, why it takes none, and which it refuses: told from a folder and a ledger, so without Spark."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyarrow import orc
from pyarrow import parquet as pq

from expectations.errors import SourceError, TerminalError, TransientError
from expectations.jobs import JobRequest, JobResult
from expectations.loader import load_lake
from expectations.storage import Place
from spark_jobs.lake.build import with_landing
from tests.spark_jobs.lake.conftest import write_shop
from tests.spark_jobs.lake.parts import left, read, record, take, why, without_spark
from tests.spark_jobs.lake.reviewing import change_contract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.spark_jobs.lake.conftest import LittleLake

BRONZE = "bronze.sales"
HEADER = "sold_on,item,cents"
D = [f"2024-05-{day:02}" for day in range(32)]
PAYMENTS = """
    contract: 1
    description: Payments, one file a day.
    source: {folder: payments, format: KIND}
    columns:
      item: {type: string}
      cents: {type: bigint}
      paid_at: {type: timestamp}
"""
TYPED = pytest.mark.parametrize(("kind", "write"), [("parquet", pq.write_table), ("orc", orc.write_table)])


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LittleLake:
    lake = without_spark(tmp_path, monkeypatch)
    write_shop(lake)
    return lake


def sell(shop: LittleLake, day: str, *lines: str, header: str = HEADER) -> None:
    shop.land(f"sales/{day}.csv", header, *(lines or (f"{day},tea,300",)))


def source(shop: LittleLake, more: str) -> None:
    """Say more of the source in the contract."""
    change_contract(shop, "format: csv,", f"format: csv, {more},", "bronze/sales")


def days_of(shop: LittleLake, *days: str, **more: object) -> list[str]:
    return [file.entry.day for file in take(shop, BRONZE, *days, **more)]


def touch(shop: LittleLake, day: str, moment: datetime) -> None:
    """Say when the day's file was written."""
    os.utime(shop.project / f"landing/sales/{day}.csv", (moment.timestamp(), moment.timestamp()))


def kept_files(shop: LittleLake) -> list[str]:
    """The names of all files that were kept, drafts too."""
    return [file.name for file in (shop.project / "data_lake").rglob("*") if file.is_file()]


def reads_of(monkeypatch: pytest.MonkeyPatch, folder: str) -> list[str]:
    """The names of the files of a folder as they are read, one more each time."""
    reads, chunks = [], Place.chunks

    def counted(place: Place) -> Iterator[bytes]:
        if f"/{folder}/" in place.path:
            reads.append(place.path.rpartition("/")[2])
        return chunks(place)

    monkeypatch.setattr(Place, "chunks", counted)
    return reads


def told(shop: LittleLake, status: str, message: str, *days: str) -> JobResult:
    """A result of a job, once what lies in the landing folder is told with it."""
    request = JobRequest(verb="build", name=BRONZE, run_id="run-1")
    result = JobResult(request=request, status=status, message=message, facts={"warnings": {"schema": 1}})  # type: ignore[arg-type]
    return with_landing(result, load_lake().table(BRONZE), left(shop, BRONZE, *days))


# what is taken


def test_a_file_is_taken_once_and_again_where_it_was_corrected_or_the_run_is_forced(shop: LittleLake) -> None:
    sell(shop, D[1])
    (first,) = take(shop, BRONZE, D[1])
    assert (first.entry.path, first.header, first.inputs) == ("sales/2024-05-01.csv", tuple(HEADER.split(",")), {"landing": {first.entry.path: 38}})
    read(shop, [first])
    assert days_of(shop, D[1]) == []
    assert days_of(shop, D[1], force=True) == [D[1]]
    sell(shop, D[1], f"{D[1]},tea,350")
    (corrected,) = take(shop, BRONZE, D[1])
    assert Path(first.kept).read_text().endswith("tea,300\n")
    assert Path(corrected.kept).read_text().endswith("tea,350\n")


def test_a_file_of_a_day_that_was_held_is_taken_again(shop: LittleLake) -> None:
    sell(shop, D[1])
    taken = take(shop, BRONZE, D[1])
    read(shop, taken)
    record(shop, BRONZE, {D[1]: 1}, "held", taken[0].inputs)
    assert days_of(shop, D[1]) == [D[1]]


def test_a_taken_file_still_counts_when_it_has_left_the_landing_folder(shop: LittleLake) -> None:
    sell(shop, D[1])
    (before,) = take(shop, BRONZE, D[1])
    read(shop, [before])
    (shop.project / "landing/sales/2024-05-01.csv").unlink()
    assert days_of(shop, D[1]) == []
    change_contract(shop, "cents: {type: int}", "cents: {type: bigint}", "bronze/sales")
    source(shop, "missing: fail")
    (again,) = take(shop, BRONZE, D[1])
    assert again == before
    assert Path(again.kept).read_text() == f"{HEADER}\n{D[1]},tea,300\n"


def test_a_file_knows_when_it_landed(shop: LittleLake) -> None:
    sell(shop, D[1])
    landed = datetime(2024, 5, 2, 3, tzinfo=UTC)
    os.utime(shop.project / "landing/sales/2024-05-01.csv", (landed.timestamp(), landed.timestamp()))
    assert [file.entry.landed_at for file in take(shop, BRONZE, D[1])] == [landed]


def test_the_newest_snapshot_up_to_the_days_counts_and_a_second_file_of_its_day_is_not_taken_and_fails_a_run_of_the_day(shop: LittleLake) -> None:
    source(shop, "arrives: snapshot")
    for name in (D[1], D[2], f"{D[2]}.bak", D[9]):
        sell(shop, name, f"{D[1]},{name},1")
    assert [(file.entry.day, file.entry.path) for file in take(shop, BRONZE, D[5])] == [(D[2], "sales/2024-05-02.csv")]
    assert left(shop, BRONZE, D[5]).names_not_taken == ["sales/2024-05-02.bak.csv"]
    with pytest.raises(SourceError, match=r"2024-05-02\.bak\.csv is of 2024-05-02, but 2024-05-02\.csv is there too"):
        take(shop, BRONZE, D[1], D[2])
    (shop.project / "landing/sales/2024-05-02.bak.csv").rename(shop.project / "landing/sales/_2024-05-02.bak.csv")
    assert days_of(shop, D[1], D[2]) == [D[1], D[2]]


def test_hash_header_and_rows_are_those_of_our_copy_whatever_becomes_of_the_file(shop: LittleLake) -> None:
    sell(shop, D[1])
    (taken,) = take(shop, BRONZE, D[1])
    sell(shop, D[1], f"{D[1]},pie,1", header="sold_on,item")
    assert Path(taken.kept).read_text() == f"{HEADER}\n{D[1]},tea,300\n"
    assert (Place.of(taken.kept).fingerprint(), taken.header) == ((taken.entry.sha256, taken.entry.bytes), tuple(HEADER.split(",")))
    assert kept_files(shop) == [Path(taken.kept).name]


def test_a_file_is_read_once_and_one_that_was_taken_only_where_its_size_is_the_same(shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = reads_of(monkeypatch, "landing/sales")
    sell(shop, D[1])
    read(shop, take(shop, BRONZE, D[1]))
    assert reads == ["2024-05-01.csv"]
    assert days_of(shop, D[1]) == []
    assert reads == ["2024-05-01.csv"] * 2
    sell(shop, D[1], f"{D[1]},tea,3000")
    assert days_of(shop, D[1]) == [D[1]]
    assert reads == ["2024-05-01.csv"] * 3


def test_a_file_that_grows_while_it_is_read_is_not_half_taken(shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    sell(shop, D[1])
    file = shop.project / "landing/sales/2024-05-01.csv"
    chunks = Place.chunks

    def meanwhile(place: Place) -> Iterator[bytes]:
        yield from chunks(place)
        with file.open("a") as more:
            more.write(f"{D[1]},pie,200\n")

    with monkeypatch.context() as patched:
        patched.setattr(Place, "chunks", meanwhile)
        with pytest.raises(TransientError, match=r"2024-05-01\.csv changed while it was read; run the day again once it is written"):
            take(shop, BRONZE, D[1])
    assert kept_files(shop) == []
    (whole,) = take(shop, BRONZE, D[1])
    assert Path(whole.kept).read_text() == f"{HEADER}\n{D[1]},tea,300\n{D[1]},pie,200\n"


def test_a_file_whose_copy_was_damaged_is_not_read_again_from_it(shop: LittleLake) -> None:
    sell(shop, D[1])
    (taken,) = take(shop, BRONZE, D[1])
    read(shop, [taken])
    (shop.project / "landing/sales/2024-05-01.csv").unlink()
    Path(taken.kept).write_text("torn")
    assert days_of(shop, D[1]) == [], "nobody asks for it"
    with pytest.raises(SourceError, match=r"is no longer the copy of sales/2024-05-01\.csv that was taken; land the file again"):
        take(shop, BRONZE, D[1], force=True)


def test_the_folder_is_listed_once_and_no_file_of_an_earlier_day_is_read(shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in D[1:6]:
        sell(shop, day)
    read(shop, take(shop, BRONZE, *D[1:5]))
    reads, listings, listing = reads_of(monkeypatch, "landing/sales"), [], Place.listing
    monkeypatch.setattr(Place, "listing", lambda place: listings.append(place.path) or listing(place))
    assert days_of(shop, D[5]) == [D[5]]
    assert (reads, len(listings)) == (["2024-05-05.csv"], 1)


@TYPED
def test_a_folder_of_an_external_tables_day_holds_one_file_of_any_name_and_none_that_is_hidden(shop: LittleLake, kind: str, write: Callable[..., None]) -> None:
    shop.write("expectations/bronze/payments.yaml", PAYMENTS.replace("KIND", f"{kind}, external: true").replace("paid_at: {type: timestamp}", ""))
    folders = [shop.project / f"landing/payments/day={day}" for day in (D[1], D[2])]
    for folder in folders:
        folder.mkdir(parents=True)
        write(pa.table({"item": ["tea"], "cents": pa.array([300], pa.int64())}), folder / f"part-0.c000.{kind}")
        (folder / "_SUCCESS").touch()
        (folder / ".part-1.crc").touch()
    taken = take(shop, "bronze.payments", D[1])
    assert [file.entry.path for file in taken] == [f"payments/day=2024-05-01/part-0.c000.{kind}"]
    read(shop, taken)
    assert take(shop, "bronze.payments", D[1]) == []
    (folders[1] / "part-1").touch()
    said = f"/payments/day=2024-05-02 holds 2 files (part-0.c000.{kind}, part-1); a day is one file: write it as one"
    with pytest.raises(SourceError) as two:
        take(shop, "bronze.payments", D[2])
    assert said in str(two.value)


# why there is none


def test_a_day_without_a_file_is_skipped(shop: LittleLake) -> None:
    assert take(shop, BRONZE, D[1]) == []
    assert why(shop, BRONZE, D[1]) == "no file has landed for 2024-05-01; nothing to do"
    sell(shop, D[1])
    read(shop, take(shop, BRONZE, D[1]))
    assert take(shop, BRONZE, D[1]) == []
    assert why(shop, BRONZE, D[1]) == "no new file for 2024-05-01; nothing to do"
    assert why(shop, BRONZE, *D[1:4]) == "no new file for 2024-05-01; no file has landed for 2024-05-02..2024-05-03; nothing to do"


def test_nothing_to_do_is_not_said_where_files_of_later_days_lie_there(shop: LittleLake) -> None:
    sell(shop, D[7])
    sell(shop, D[5])
    assert why(shop, BRONZE, D[1]) == "no file has landed for 2024-05-01 (the next one is of 2024-05-05)"
    assert left(shop, BRONZE, D[1]).not_taken == ()


def test_a_file_that_only_lacks_a_days_name_is_named_where_the_day_has_none(shop: LittleLake) -> None:
    sell(shop, "01-05-2024")
    shop.land("sales/notes.txt", "none of ours")
    assert take(shop, BRONZE, D[1]) == []
    assert why(shop, BRONZE, D[1]) == "no file has landed for 2024-05-01"
    found = told(shop, "unchanged", "no file has landed for 2024-05-01", D[1])
    assert found.message == (
        "no file has landed for 2024-05-01; 2 files were not taken: sales/01-05-2024.csv, sales/notes.txt name no day "
        "(land it as sales/2024-05-01.csv, or put _ before its name)"
    )


def test_files_that_were_not_taken_make_a_result_a_warning(shop: LittleLake) -> None:
    sell(shop, D[1])
    clean = told(shop, "done", "1 row", D[1])
    assert (clean.is_warning, clean.message, clean.facts) == (False, "1 row", {"not_taken": [], "warnings": {"schema": 1}})
    shop.land("sales/notes.txt", "none of ours")
    for status in ("done", "unchanged"):
        found = told(shop, status, "1 row", D[1])
        assert found.is_warning
        assert found.facts == {"not_taken": ["sales/notes.txt"], "warnings": {"schema": 1, "not_taken": 1}}
        assert found.message.startswith("1 row; 1 file was not taken: sales/notes.txt names no day")
    assert not told(shop, "held", "1 row", D[1]).is_warning, "it has failed"


def test_an_earlier_day_whose_file_changed_since_is_not_taken_until_its_day_is_run(shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    landed = datetime(2024, 5, 3, tzinfo=UTC)
    for number, day in enumerate(D[1:4]):
        sell(shop, day)
        touch(shop, day, landed + timedelta(hours=number))
    read(shop, take(shop, BRONZE, *D[1:4]))
    sell(shop, D[1], f"{D[1]},tea,350")
    sell(shop, D[2])
    reads = reads_of(monkeypatch, "landing/sales")
    for _ in range(2):
        assert left(shop, BRONZE, D[4]).names_not_taken == ["sales/2024-05-01.csv"]
        assert sorted(reads) == ["2024-05-01.csv", "2024-05-02.csv"], "what was compared is remembered by its size and time"
    read(shop, take(shop, BRONZE, D[1]))
    assert left(shop, BRONZE, D[4]).not_taken == ()
    sell(shop, D[2], f"{D[2]},tea,3000")
    assert left(shop, BRONZE, D[4]).names_not_taken == ["sales/2024-05-02.csv"]


def test_of_many_files_that_were_written_again_a_run_compares_some_and_the_next_ones_the_others(shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spark_jobs.lake.sources.COMPARED_BYTES", 1)
    for day in D[1:4]:
        sell(shop, day)
    read(shop, take(shop, BRONZE, *D[1:4]))
    sell(shop, D[1], f"{D[1]},tea,350")
    for hours, day in enumerate(D[1:4]):
        touch(shop, day, datetime(2024, 5, 9, hours, tzinfo=UTC))
    found = [left(shop, BRONZE, D[9]) for _ in range(3)]
    assert [(one.unlooked, one.names_not_taken) for one in found] == [(2, []), (1, []), (0, ["sales/2024-05-01.csv"])]
    assert told(shop, "done", "1 row", D[9]).message.startswith("1 row; 1 file was not taken")


def test_a_day_without_a_file_fails_where_the_contract_says_so(shop: LittleLake) -> None:
    source(shop, "missing: fail")
    with pytest.raises(SourceError, match="no file for 2024-05-01"):
        take(shop, BRONZE, D[1])


def test_what_was_compared_is_compared_again_where_the_memory_of_it_is_damaged(shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    sell(shop, D[1])
    read(shop, take(shop, BRONZE, D[1]))
    touch(shop, D[1], datetime(2024, 5, 9, tzinfo=UTC))
    assert left(shop, BRONZE, D[2]).not_taken == ()
    (shop.project / "data_lake/_files/bronze.sales/_compared.json").write_text("{torn")
    reads = reads_of(monkeypatch, "landing/sales")
    assert left(shop, BRONZE, D[2]).not_taken == ()
    assert reads == ["2024-05-01.csv"]


def test_a_second_file_of_a_day_of_the_run_is_compared_in_any_case(shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spark_jobs.lake.sources.COMPARED_BYTES", 0)
    sell(shop, D[1])
    read(shop, take(shop, BRONZE, D[1]))
    shop.land("sales/again/2024-05-01.csv", HEADER, f"{D[1]},tea,300")
    assert left(shop, BRONZE, D[1]).refused == {}
    shop.land("sales/again/2024-05-01.csv", HEADER, f"{D[1]},tea,350")
    assert list(left(shop, BRONZE, D[1]).refused) == [D[1]]


# what is refused


@pytest.mark.parametrize("more", ["missing: skip", "missing: fail", "arrives: snapshot"])
def test_a_compressed_file_of_a_day_fails_the_day_with_what_to_do(shop: LittleLake, more: str) -> None:
    source(shop, more)
    (shop.project / "landing/sales").mkdir(parents=True)
    (shop.project / "landing/sales/2024-05-01.csv.gz").write_bytes(gzip.compress(f"{HEADER}\n{D[1]},tea,300\n".encode()))
    with pytest.raises(SourceError) as refused:
        take(shop, BRONZE, D[1])
    landing = f"{shop.project}/landing/sales"
    assert str(refused.value) == (
        f"bronze.sales: {landing}/2024-05-01.csv.gz is of 2024-05-01, but it is compressed, which is not read: unpack it as {landing}/2024-05-01.csv, "
        "or put _ before its name to leave it out, and run the day again."
    )


def test_compressed_bytes_under_a_plain_name_are_refused_in_one_sentence(shop: LittleLake) -> None:
    (shop.project / "landing/sales").mkdir(parents=True)
    (shop.project / "landing/sales/2024-05-01.csv").write_bytes(b"\x1f\x8b\x08\x00\rbytes\r\n")
    with pytest.raises(SourceError, match=r"2024-05-01\.csv is compressed by gzip, and .*sales\.yaml says format: csv; unpack it, and land it again\."):
        take(shop, BRONZE, D[1])
    assert kept_files(shop) == []


def test_lines_that_end_in_a_carriage_return_alone_are_refused(shop: LittleLake) -> None:
    (shop.project / "landing/sales").mkdir(parents=True)
    (shop.project / "landing/sales/2024-05-01.csv").write_bytes(f"{HEADER}\r2024-05-01,tea,300\r".encode())
    with pytest.raises(SourceError, match=r"2024-05-01\.csv is no line of CSV: do its lines end in CR alone\? Land it with line feeds\."):
        take(shop, BRONZE, D[1])


def test_a_day_at_fault_by_its_name_is_told_together_with_one_at_fault_by_its_columns(shop: LittleLake) -> None:
    sell(shop, D[1], header="sold_on,item")
    shop.land("sales/day=2024-05-02/part-0.csv", HEADER)
    sell(shop, D[3])
    with pytest.raises(SourceError, match=r"2024-05-01\.csv are not those of .*/day=2024-05-02/part-0\.csv is of 2024-05-02"):
        take(shop, BRONZE, *D[1:4])


@pytest.mark.parametrize("found", ["ITEM", " Item ", "It-em"])
def test_a_column_that_differs_only_by_case_blanks_or_signs_is_named(shop: LittleLake, found: str) -> None:
    sell(shop, D[1], header=f"sold_on,{found},cents")
    with pytest.raises(SourceError) as refused:
        take(shop, BRONZE, D[1])
    assert f"The file calls 'item' {found!r}; a name counts letter by letter." in str(refused.value)


def test_a_header_with_other_names_is_refused_and_the_difference_shown(shop: LittleLake) -> None:
    sell(shop, D[1], header="sold_on,itme,cents")
    with pytest.raises(SourceError) as refused:
        take(shop, BRONZE, D[1])
    assert isinstance(refused.value, TerminalError)
    assert "missing item; added itme" in str(refused.value)
    assert 'Did you mean "item"?' in str(refused.value)
    assert kept_files(shop) == []


def test_all_files_at_fault_are_named_at_once_and_the_others_are_read_once_they_are_mended(shop: LittleLake) -> None:
    for day in D[1:4]:
        sell(shop, day, f"{day},tea,300", header="sold_on,item" if day != D[2] else HEADER)
    with pytest.raises(SourceError) as refused:
        take(shop, BRONZE, *D[1:4])
    assert [day for day in D[1:4] if f"sales/{day}.csv" in str(refused.value)] == [D[1], D[3]]
    for day in (D[1], D[3]):
        sell(shop, day)
    assert days_of(shop, *D[1:4]) == D[1:4]


@TYPED
def test_a_wrong_type_and_half_a_file_are_refused(shop: LittleLake, kind: str, write: Callable[..., None]) -> None:
    shop.write("expectations/bronze/payments.yaml", PAYMENTS.replace("KIND", kind))
    folder = shop.project / "landing/payments"
    folder.mkdir(parents=True)
    times = pa.array([datetime(2024, 5, 1, 12, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    write(pa.table({"item": ["tea"], "cents": pa.array([300], pa.int64()), "paid_at": times}), folder / f"{D[1]}.{kind}")
    write(pa.table({"item": ["tea"], "cents": ["300"], "paid_at": times}), folder / f"{D[2]}.{kind}")
    (folder / f"{D[3]}.{kind}").write_bytes((folder / f"{D[1]}.{kind}").read_bytes()[:100])
    assert [file.entry.day for file in take(shop, "bronze.payments", D[1])] == [D[1]]
    with pytest.raises(SourceError, match="column 'cents' is string"):
        take(shop, "bronze.payments", D[2])
    with pytest.raises(SourceError, match=f"2024-05-03.{kind} is no whole {kind.upper()} file"):
        take(shop, "bronze.payments", D[3])
