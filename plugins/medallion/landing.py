"""Which days of a pipeline have landed, for who asked for others."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from expectations.days import ALL
from expectations.landed_days import landed_days, sources_of
from expectations.loader import load_lake
from expectations.settings import load_settings
from medallion.lake_ledger import open_ledger
from medallion.storage_connection import stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from expectations.contract import Source

log = logging.getLogger(__name__)


def days_that_landed(pipeline: str) -> set[str] | None:
    """The days of which the pipeline's bronze tables have files in the landing folder, or had when a run took them.

    None where neither the landing folder nor the ledger can be asked.
    """
    known: list[set[str]] = []
    for name, source in sources_of(load_lake(), pipeline).items():
        for ask in (_in_the_landing_folder, _taken):
            found = _answered(ask, name, source)
            known += [found] if found is not None else []
    return set().union(*known) if known else None


def _in_the_landing_folder(_: str, source: Source) -> set[str]:
    folder = stored(f"{load_settings().landing}/{source.folder}")
    return landed_days(source, [file.name for file in folder.listing()] if source.external else folder.file_names())


def _taken(table: str, _: Source) -> set[str]:
    return set(open_ledger().days(table)) - {ALL}


def _answered(ask: Callable[[str, Source], set[str]], name: str, source: Source) -> set[str] | None:
    try:
        return ask(name, source)
    except Exception as error:  # whatever it is: who asked for wrong days is told of these, not of another fault
        log.info("%s: which days have landed is not known (%s)", name, error)
        return None
