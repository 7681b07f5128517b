"""Landed files: each is taken once, known by its sha256, and kept; the newest file of a day is the one that counts."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from pyarrow import ArrowInvalid, orc
from pyarrow import parquet as pq

from expectations.days import in_words
from expectations.errors import SourceError, TransientError
from expectations.ledger import FileEntry
from expectations.storage import Place
from spark_jobs.lake.drift import compare, with_unknown_keys
from spark_jobs.lake.landed_file import NAMED_AT_MOST, LandedFile
from spark_jobs.lake.quarantine.corrections import CORRECTIONS, imprint, of_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from expectations.contract import Source
    from expectations.lake import Table
    from expectations.ledger import Correction
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.quarantine.corrections import Corrections

DAY_FILE = re.compile(r"(?P<day>\d{4}-\d{2}-\d{2})\.(?P<format>[a-z]+)")
DAY_FOLDER = re.compile(r"day=(?P<day>\d{4}-\d{2}-\d{2})/(?P<file>[^/._][^/]*)")
"""As Hive has it: `day=2024-05-01/part-0.parquet`; a file whose name begins with a dot or _ is none."""


def take_files(job: Job, table: Table, days: Iterable[str]) -> list[LandedFile]:
    """The days' landed files that were not taken yet (all of them where the contract changed, or a row was corrected), copied beside the lake.

    Raises SourceError where files are missing although the contract demands them, or where their columns are not the contract's.
    """
    source, landing = _source(table), _landing(job, table)
    present = _landed(source, Place.of(landing))
    taken: list[LandedFile] = []
    wanted = _with_newest_snapshot(source, present, days)
    corrected = job.ledger.decisions.corrections(table.name, wanted)
    faults: list[SourceError] = []
    for day in wanted:
        try:
            taken += _take(job, table, day, _only_file(table, landing, day, present.get(day, [])), corrected)
        except SourceError as error:
            faults.append(error)
    if faults:
        named = " ".join(map(str, faults[:NAMED_AT_MOST]))
        raise SourceError(named + (f" And {len(faults) - NAMED_AT_MOST} days more are at fault." if len(faults) > NAMED_AT_MOST else ""))
    return with_unknown_keys(job, table, taken) if taken and source.format == "jsonl" else taken


def _take(job: Job, table: Table, day: str, name: str, corrected: Iterable[Correction]) -> list[LandedFile]:
    """The day's file, whose name in the landing folder is `name`; none where it is not there or taken already."""
    source, landing = _source(table), _landing(job, table)
    before = job.ledger.file_taken(table.name, day)
    if name:
        place, path = f"{landing}/{name}", f"{source.folder}/{name}"
    elif before is not None:  # a file that was taken counts also when it has left the landing folder: our copy is the same
        place, path = _kept(job, table, before), before.path
    else:
        _check_may_be_missing(table, source, day, f"{landing}/{f'day={day}/' if source.external else f'{day}.{source.format}'}")
        return []
    sha256, size = Place.of(place).fingerprint()
    landed_at = before.landed_at if before and not name else Place.of(place).modified_at()
    entry = FileEntry(table.name, day, sha256, path, size, landed_at)
    corrections = of_file(corrected, entry)
    if before is not None and before.sha256 == sha256 and _is_made(job, table, day, corrections) and not job.request.force:
        return []
    header, types = _header(table, source, Place.of(place), place)
    difference = compare(job.lake, table, header, types, place)
    _keep(Place.of(place), Place.of(_kept(job, table, entry)), sha256)
    return [LandedFile(entry, _kept(job, table, entry), header, corrections, types, difference)]


def why_none(job: Job, table: Table, days: Iterable[str]) -> str:
    """Why `take_files` found none: days whose file was taken before, and days without one; to these also a file that only lacks a day's name."""
    source, days = _source(table), set(days)
    taken = days if source.arrives == "snapshot" and job.ledger.newest(table.name) else days & set(job.ledger.days(table.name, days))
    said = [f"no new file for {in_words(taken)}"] if taken else []
    if days - taken:
        names = [] if source.external else Place.of(_landing(job, table)).file_names()
        alike = next((name for name in names if name.endswith(f".{source.format}") and not DAY_FILE.fullmatch(name)), "")
        hint = f" ({source.folder}/{alike[:60]} is named by no day: rename it like 2024-05-01.{source.format})" if alike else ""
        said.append(f"no file has landed for {in_words(days - taken)}{hint}")
    return "; ".join(said)


def _is_made(job: Job, table: Table, day: str, corrections: Corrections) -> bool:
    entry = job.ledger.days(table.name, [day]).get(day)
    is_published = entry is not None and entry.state == "published" and entry.code == f"{table.contract_hash}."
    return entry is not None and is_published and entry.inputs.get(CORRECTIONS, {}) == imprint(corrections)


def _kept(job: Job, table: Table, entry: FileEntry) -> str:
    return f"{job.settings.root}/_files/{entry.table}/{entry.day}/{entry.sha256}.{_source(table).format}"


def _keep(landed: Place, kept: Place, sha256: str) -> None:
    if not kept.exists() and not landed.copy_to(kept, sha256):
        raise TransientError(f"{landed.path} changed while it was read; run the day again once it is written.")


def _landing(job: Job, table: Table) -> str:
    """The table's landing folder."""
    return f"{job.settings.landing}/{_source(table).folder}"


def _landed(source: Source, landing: Place) -> dict[str, list[str]]:
    """Day to the names of its files in the landing folder: one, except where somebody has put several into an external table's partition."""
    pattern, names = (DAY_FOLDER, landing.file_names_below()) if source.external else (DAY_FILE, landing.file_names())
    found: dict[str, list[str]] = {}
    for match in filter(None, map(pattern.fullmatch, names)):
        if source.external or match["format"] == source.format:
            found.setdefault(match["day"], []).append(match[0])
    return found


def _only_file(table: Table, landing: str, day: str, names: list[str]) -> str:
    """The day's file, or nothing."""
    if len(names) > 1:
        shown = ", ".join(name.partition("/")[2][:60] for name in names[:NAMED_AT_MOST])
        raise SourceError(f"{table.name}: {landing}/day={day} holds {len(names)} files ({shown}); a day is one file: write it as one and run the day again.")
    return names[0] if names else ""


def _with_newest_snapshot(source: Source, present: Iterable[str], days: Iterable[str]) -> list[str]:
    """A snapshot counts until the next one: beside the days asked for, the newest one up to the last of them."""
    wanted = sorted(days)
    if source.arrives == "snapshot" and wanted:
        wanted = sorted({*wanted, *sorted(day for day in present if day <= wanted[-1])[-1:]})
    return wanted


def _source(table: Table) -> Source:
    if table.contract.source is None:  # the loader lets no bronze table through without one
        raise SourceError(f"{table.name} has no source.")
    return table.contract.source


def _check_may_be_missing(table: Table, source: Source, day: str, path: str) -> None:
    if source.missing == "fail":
        raise SourceError(f"{table.name}: no file for {day}: expected {path}; land it and run the day again, or write `missing: skip` in {table.file}.")


def _header(table: Table, source: Source, place: Place, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The file's columns in their order, and their types where the file has types; those of JSON lines are found later, record by record."""
    if source.has_types:
        return _typed_header(table, source, place, path)
    if source.format == "jsonl":
        return tuple(table.contract.columns), ()
    return tuple(next(csv.reader([place.first_line()], delimiter=source.delimiter), [])), ()


def _typed_header(table: Table, source: Source, place: Place, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        with place.system.open_input_file(place.path) as file:
            schema = orc.ORCFile(file).schema if source.format == "orc" else pq.read_schema(file)
    except (ArrowInvalid, OSError) as error:
        raise SourceError(f"{table.name}: {path} is no whole {source.format.upper()} file ({error}); land it again.") from None
    return tuple(schema.names), tuple(str(field.type) for field in schema)
