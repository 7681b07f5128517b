"""Which days have landed, by the names of the files."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from expectations.days import DAY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from expectations.contract import Source
    from expectations.lake import Lake

EXTERNAL = re.compile(rf"day=(?P<day>{DAY.pattern})/[^/._][^/]*")


def landed_days(source: Source, names: Iterable[str]) -> set[str]:
    """The days of a source that files of these names are for.

    `names`: those in its landing folder; of an external table, whose days are folders, as paths from there.
    """
    pattern = EXTERNAL if source.external else re.compile(rf"(?P<day>{DAY.pattern})\.{source.format}")
    return {match["day"] for match in filter(None, map(pattern.fullmatch, names)) if _exists(match["day"])}


def sources_of(lake: Lake, pipeline: str) -> dict[str, Source]:
    """The bronze tables by whose files a pipeline's days land: those of daily files, else its snapshots."""
    tables = lake.pipeline(pipeline).tables
    names = sorted({*tables, *(name for table in tables for name in lake.bronze_of(table))})
    found = {name: source for name in names if (source := lake.tables[name].contract.source)}
    return {name: source for name, source in found.items() if source.arrives == "daily"} or found


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True
