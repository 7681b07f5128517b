"""Landed files: each is taken once, known by its sha256, and kept; the newest file of a day is the one that counts."""

from __future__ import annotations

import csv
import json
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyarrow import ArrowInvalid, orc
from pyarrow import parquet as pq

from expectations.days import in_words
from expectations.errors import SourceError
from expectations.ledger import FileEntry
from expectations.storage import Place
from spark_jobs.lake.dialect import require_dialect
from spark_jobs.lake.drift import compare, with_unknown_keys
from spark_jobs.lake.landed_file import NAMED_AT_MOST, LandedFile
from spark_jobs.lake.landing import Landing, days_named, decide, doubtful, expected, of_source, source_of
from spark_jobs.lake.parquet_columns import plain_type, require_readable
from spark_jobs.lake.quarantine.corrections import CORRECTIONS, imprint, of_file

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from expectations.contract import Source
    from expectations.lake import Table
    from expectations.ledger import Correction
    from expectations.storage import ListedFile
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.quarantine.corrections import Corrections

COMPARED = "_compared.json"
COMPARED_BYTES = 1 << 30
"""Of files of earlier days that were written again: a run reads at most so much of them, the newest first, and remembers what it found."""


def look(job: Job, table: Table, days: Collection[str]) -> Landing:
    """What lies in the table's landing folder, by one listing of it, and what becomes of it in a run for `days`."""
    source, landing, taken = source_of(table), _landing(job, table), job.ledger.files_taken(table.name)
    sources = [other.contract.source for other in job.lake.tables.values() if other.contract.source and other.name != table.name]
    files = of_source(source, [other for other in sources if other.folder == source.folder], Place.of(landing).listing())
    same, unlooked = _compared(job, table, files, doubtful(source, files, days, taken), days)
    found = decide(table, landing, files, days, taken, same={*same, *unlooked})
    return replace(found, unlooked=len(unlooked))


def take_files(job: Job, table: Table, landing: Landing) -> list[LandedFile]:
    """The days' landed files that were not taken yet (all of them where the contract changed, or a row was corrected), copied beside the lake.

    Raises SourceError where files are missing although the contract demands them, where one names a day and is not taken for it, and where
    their columns are not the contract's.
    """
    source = source_of(table)
    taken: list[LandedFile] = []
    corrected = job.ledger.decisions.corrections(table.name, landing.days)
    faults: list[str] = []
    for day in landing.days:
        try:
            if day in landing.refused:
                raise SourceError(landing.refused[day])
            taken += _take(job, table, day, landing, corrected)
        except SourceError as error:
            faults.append(str(error))
    if faults:
        named = " ".join(faults[:NAMED_AT_MOST])
        raise SourceError(named + (f" And {len(faults) - NAMED_AT_MOST} days more are at fault." if len(faults) > NAMED_AT_MOST else ""))
    return with_unknown_keys(job, table, taken) if taken and source.format == "jsonl" else taken


def _take(job: Job, table: Table, day: str, landing: Landing, corrected: Iterable[Correction]) -> list[LandedFile]:
    """The day's file as the landing folder lists it; none where it is not there or taken already."""
    source, folder = source_of(table), _landing(job, table)
    listed, before = landing.files.get(day), landing.taken.get(day)
    is_made = before is not None and not job.request.force and _is_made(job, table, day, of_file(corrected, before))
    if listed is None:
        if before is None:
            _check_may_be_missing(table, source, day, f"{folder}/{expected(source, day)}")
        # a file that was taken counts also when it has left the landing folder: our copy is the same
        return [] if before is None or is_made else [_of_kept(job, table, before, corrected)]
    place, path = f"{folder}/{listed.name}", f"{source.folder}/{listed.name}"
    if before is not None and listed.bytes == before.bytes and Place.of(place).fingerprint()[0] == before.sha256:
        if is_made:
            return []
        if Place.of(kept_copy(job, table, before)).exists():
            return [_of_kept(job, table, replace(before, path=path, landed_at=listed.modified_at), corrected)]
    with Place.of(place).copied_into(Place.of(f"{_files(job, table)}/{day}")) as copy:
        entry = FileEntry(table.name, day, copy.sha256, path, copy.bytes, copy.modified_at)
        kept = kept_copy(job, table, entry)
        found = _read(job, table, entry, corrected, copy=copy.place, named=place)
        if not Place.of(kept).exists():
            copy.place.move_to(Place.of(kept))
    return [found]


def _of_kept(job: Job, table: Table, entry: FileEntry, corrected: Iterable[Correction]) -> LandedFile:
    """A file that was taken before, from our own copy."""
    kept = kept_copy(job, table, entry)
    if not Place.of(kept).exists() or Place.of(kept).fingerprint()[0] != entry.sha256:
        raise SourceError(f"{table.name}: {kept} is no longer the copy of {entry.path} that was taken; land the file again, and run {entry.day} again.")
    return _read(job, table, entry, corrected, copy=Place.of(kept), named=kept)


def _read(  # noqa: PLR0913 - one file
    job: Job, table: Table, entry: FileEntry, corrected: Iterable[Correction], *, copy: Place, named: str
) -> LandedFile:
    """What a copy says of its columns. `named`: what an error calls the file."""
    header, types = _header(table, source_of(table), copy, named)
    difference = compare(job.lake, table, header, types, named)
    return LandedFile(entry, kept_copy(job, table, entry), header, of_file(corrected, entry), types, difference)


def why_none(job: Job, table: Table, landing: Landing) -> str:
    """Why `take_files` found none: days whose file was taken before, and days without one; "nothing to do" where nothing else lies there."""
    source, days = source_of(table), set(landing.asked)
    taken = days if source.arrives == "snapshot" and job.ledger.newest(table.name) else days & set(job.ledger.days(table.name, days))
    said = [f"no new file for {in_words(taken)}"] if taken else []
    later = landing.later if days - taken else ""
    if days - taken:
        said.append(f"no file has landed for {in_words(days - taken)}" + (f" (the next one is of {later})" if later else ""))
    if not (later or landing.not_taken or landing.unlooked):
        said.append("nothing to do")
    return "; ".join(said)


def _compared(job: Job, table: Table, files: Iterable[ListedFile], doubts: Mapping[str, FileEntry], days: Collection[str]) -> tuple[set[str], set[str]]:
    """The names of files that still hold what was taken, and of those that this run does not look at.

    A file that was looked at is remembered by its size and time, so that a landing folder that was moved is read once, and not by
    every run. One that names a day of the run is looked at in any case.
    """
    if not doubts:
        return set(), set()
    memory = Place.of(f"{_files(job, table)}/{COMPARED}")
    before, after = _remembered(memory), dict[str, list[Any]]()
    unlooked: set[str] = set()
    left = COMPARED_BYTES
    listed = [file for file in files if file.name in doubts]
    for file in sorted(listed, key=lambda one: (str(one.modified_at), one.name), reverse=True):
        seen = [file.bytes, str(file.modified_at)]
        known = before.get(file.name, [])
        if file.modified_at is not None and known[:2] == seen:
            after[file.name] = known
        elif left > 0 or not set(days).isdisjoint(days_named(file.name)):
            left -= file.bytes
            with suppress(FileNotFoundError):  # it has left the folder meanwhile
                after[file.name] = [*seen, Place.of(f"{_landing(job, table)}/{file.name}").fingerprint()[0]]
        else:
            unlooked.add(file.name)
    if after != before:
        memory.write_text(json.dumps(after, indent=1))
    gone = doubts.keys() - after.keys() - unlooked
    return gone | {name for name, found in after.items() if found[2] == doubts[name].sha256}, unlooked


def _remembered(memory: Place) -> dict[str, list[Any]]:
    """What runs before have compared: a file's name to its size, its time and its sha256. Where it cannot be read, all is compared again."""
    with suppress(ValueError):
        return dict(json.loads(memory.read_bytes())) if memory.exists() else {}
    return {}


def _is_made(job: Job, table: Table, day: str, corrections: Corrections) -> bool:
    entry = job.ledger.days(table.name, [day]).get(day)
    is_published = entry is not None and entry.state == "published" and entry.code == f"{table.contract_hash}."
    return entry is not None and is_published and entry.inputs.get(CORRECTIONS, {}) == imprint(corrections)


def _files(job: Job, table: Table) -> str:
    """Where the table's kept files are, a folder a day."""
    return f"{job.settings.root}/_files/{table.name}"


def kept_copy(job: Job, table: Table, entry: FileEntry) -> str:
    """Our own copy of a file that was taken, which nobody changes."""
    return f"{_files(job, table)}/{entry.day}/{entry.sha256}.{source_of(table).format}"


def _landing(job: Job, table: Table) -> str:
    """The table's landing folder."""
    return f"{job.settings.landing}/{source_of(table).folder}"


def _check_may_be_missing(table: Table, source: Source, day: str, path: str) -> None:
    if source.missing == "fail":
        raise SourceError(f"{table.name}: no file for {day}: expected {path}; land it and run the day again, or write `missing: skip` in {table.file}.")


def _header(table: Table, source: Source, place: Place, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The file's columns in their order, and their types where the file has types; those of JSON lines are found later, record by record."""
    if source.has_types:
        return _typed_header(table, source, place, path)
    require_dialect(table, source, place, path)
    if source.format == "jsonl":
        return tuple(table.contract.columns), ()
    try:
        return tuple(next(csv.reader([place.first_line()], delimiter=source.delimiter), [])), ()
    except csv.Error:
        raise SourceError(f"{table.name}: the first line of {path} is no line of CSV: do its lines end in CR alone? Land it with line feeds.") from None


def _typed_header(table: Table, source: Source, place: Place, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    try:
        with place.system.open_input_file(place.path) as file:
            schema = orc.ORCFile(file).schema if source.format == "orc" else pq.read_schema(file)
            if source.format == "parquet":
                require_readable(file, schema, f"{table.name}: {path}")
    except (ArrowInvalid, OSError) as error:
        raise SourceError(f"{table.name}: {path} is no whole {source.format.upper()} file ({error}); land it again.") from None
    return tuple(schema.names), tuple(str(plain_type(field.type)) for field in schema)
