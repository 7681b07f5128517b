"""Which landed files a job takes, why it takes none, and which it refuses: told from a folder and a ledger, so without Spark."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyarrow import orc
from pyarrow import parquet as pq

from expectations.errors import SourceError, TerminalError
from tests.spark_jobs.lake.conftest import write_shop
from tests.spark_jobs.lake.parts import read, record, take, why, without_spark
from tests.spark_jobs.lake.reviewing import change_contract

if TYPE_CHECKING:
    from collections.abc import Callable

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


def test_the_newest_snapshot_up_to_the_days_counts_and_a_file_that_is_named_by_no_day_is_left_alone(shop: LittleLake) -> None:
    source(shop, "arrives: snapshot")
    for name in (D[1], D[2], f"{D[2]}.bak", D[9]):
        sell(shop, name, f"{D[1]},{name},1")
    assert [(file.entry.day, file.entry.path) for file in take(shop, BRONZE, D[5])] == [(D[2], "sales/2024-05-02.csv")]
    assert days_of(shop, D[1], D[2]) == [D[1], D[2]]


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
    assert why(shop, BRONZE, D[1]) == "no file has landed for 2024-05-01"
    sell(shop, D[1])
    read(shop, take(shop, BRONZE, D[1]))
    assert take(shop, BRONZE, D[1]) == []
    assert why(shop, BRONZE, D[1]) == "no new file for 2024-05-01"
    assert why(shop, BRONZE, *D[1:4]) == "no new file for 2024-05-01; no file has landed for 2024-05-02..2024-05-03"


def test_a_file_that_only_lacks_a_days_name_is_named_where_the_day_has_none(shop: LittleLake) -> None:
    sell(shop, "01-05-2024")
    shop.land("sales/notes.txt", "none of ours")
    assert take(shop, BRONZE, D[1]) == []
    hint = "(sales/01-05-2024.csv is named by no day: rename it like 2024-05-01.csv)"
    assert why(shop, BRONZE, D[1]) == f"no file has landed for 2024-05-01 {hint}"


def test_a_day_without_a_file_fails_where_the_contract_says_so(shop: LittleLake) -> None:
    source(shop, "missing: fail")
    with pytest.raises(SourceError, match="no file for 2024-05-01"):
        take(shop, BRONZE, D[1])


# what is refused


def test_a_header_with_other_names_is_refused_and_the_difference_shown(shop: LittleLake) -> None:
    sell(shop, D[1], header="sold_on,itme,cents")
    with pytest.raises(SourceError) as refused:
        take(shop, BRONZE, D[1])
    assert isinstance(refused.value, TerminalError)
    assert "missing item; added itme" in str(refused.value)
    assert 'Did you mean "item"?' in str(refused.value)
    assert not (shop.project / "data_lake").exists()


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
