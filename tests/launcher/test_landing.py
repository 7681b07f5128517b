"""The real files land as one file a day, whole, and only once."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from launcher.errors import LauncherError
from launcher.landing import land

NEW_YEAR = date(2013, 1, 1)


@pytest.fixture(scope="module")
def landed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder in which two days have landed, and the files that were written. To be read, or copied."""
    folder = tmp_path_factory.mktemp("landing")
    return folder, land(folder, NEW_YEAR, date(2013, 1, 2))


def test_a_day_lands_as_its_files_with_the_texts_of_the_source(landed: tuple[Path, list[str]]) -> None:
    folder, written = landed
    snapshots = {f"{name}/2013-01-01.csv" for name in ("planes", "airports", "airlines")}
    daily = {f"{name}/{day}.csv" for name in ("flights", "weather") for day in ("2013-01-01", "2013-01-02")}
    assert {file.removeprefix(f"{folder}/") for file in written} == snapshots | daily
    lines = (folder / "flights" / "2013-01-01.csv").read_text().splitlines()
    assert len(lines) == 1 + 842
    assert lines[0].startswith("year,month,day,dep_time,sched_dep_time")
    assert lines[1] == "2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z"
    assert any(",NA," in line for line in lines)


def test_a_second_landing_leaves_every_file_alone_and_puts_a_damaged_one_right(landed: tuple[Path, list[str]], tmp_path: Path) -> None:
    shutil.copytree(landed[0], tmp_path, dirs_exist_ok=True)
    files = [tmp_path / file.removeprefix(f"{landed[0]}/") for file in landed[1]]
    before = {file: file.stat().st_mtime_ns for file in files}
    assert land(tmp_path, NEW_YEAR, date(2013, 1, 2)) == []
    assert {file: file.stat().st_mtime_ns for file in files} == before
    damaged = tmp_path / "weather" / "2013-01-01.csv"
    damaged.write_text("origin\n")
    assert land(tmp_path, NEW_YEAR, date(2013, 1, 2)) == [str(damaged)]


def test_the_whole_year_has_every_row_of_the_source_and_no_unfinished_file(tmp_path: Path) -> None:
    land(tmp_path, NEW_YEAR, date(2013, 12, 31))
    rows = {}
    for folder in tmp_path.iterdir():
        rows[folder.name] = sum(len(file.read_bytes().splitlines()) - 1 for file in folder.glob("*.csv"))
    assert rows == {"flights": 336_776, "weather": 26_115, "planes": 3_322, "airports": 1_458, "airlines": 16}
    assert not list(tmp_path.rglob(".*"))
    assert len(list((tmp_path / "flights").iterdir())) == 365
    assert not (tmp_path / "weather" / "2013-12-31.csv").exists()


@pytest.mark.parametrize(("first", "last"), [(date(2013, 1, 2), NEW_YEAR), (date(2012, 12, 31), NEW_YEAR), (date(2014, 1, 1), date(2014, 1, 1))])
def test_days_that_the_sample_has_not_are_refused_with_the_days_it_has(tmp_path: Path, first: date, last: date) -> None:
    with pytest.raises(LauncherError, match="2013-01-01 to 2013-12-31"):
        land(tmp_path, first, last)
    assert not list(tmp_path.iterdir())
