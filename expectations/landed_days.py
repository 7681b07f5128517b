"""Which day a landed file is for, by its name alone, and which files are for nobody."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from expectations.days import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from expectations.contract import Source
    from expectations.lake import Lake

IGNORED_NAMES = (".", "_")
"""A file or folder whose name begins so is not for us: `_SUCCESS`, `.2024-05-01.csv.swp`, `_archive/`."""
IGNORED_ENDINGS = (".part", ".tmp", ".crc")
"""Of files that are still being written, and of checksums."""
DAY_FILE = re.compile(rf"(?P<day>{DAY.pattern})\.(?P<format>[a-z]+)")
DAY_FOLDER = re.compile(rf"day=(?P<day>{DAY.pattern})/[^/]+")
"""As Hive has it: `day=2024-05-01/part-0.parquet`."""


def is_ignored(name: str) -> bool:
    """Whether a file is left alone without a word. `name`: its path from the source's folder."""
    return any(part.startswith(IGNORED_NAMES) for part in name.split("/")) or name.lower().endswith(IGNORED_ENDINGS)


def own_day(source: Source, name: str) -> str:
    """The day of a file that is called as the source's files are; nothing where it is not."""
    found = (DAY_FOLDER if source.external else DAY_FILE).fullmatch(name)
    if found is None or not (source.external or found["format"] == source.format):
        return ""
    return day_key(*found["day"].split("-"))


def day_key(year: str, month: str, day: str) -> str:
    """`2024-05-01`; nothing where there is no such day."""
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return ""


def landed_days(source: Source, names: Iterable[str]) -> set[str]:
    """The days of a source that files of these names are for.

    `names`: those in its landing folder; of an external table, whose days are folders, as paths from there.
    """
    return {day for name in names if not is_ignored(name) and (day := own_day(source, name))}


def sources_of(lake: Lake, pipeline: str) -> dict[str, Source]:
    """The bronze tables by whose files a pipeline's days land: those of daily files, else its snapshots."""
    tables = lake.pipeline(pipeline).tables
    names = sorted({*tables, *(name for table in tables for name in lake.bronze_of(table))})
    found = {name: source for name in names if (source := lake.tables[name].contract.source)}
    return {name: source for name, source in found.items() if source.arrives == "daily"} or found
