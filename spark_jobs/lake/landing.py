"""What lies in a source's folder: which file is taken for a day, which fails its day, which are not taken, which are ignored.

Names in, a decision out: nothing here reads a file or asks the ledger.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from expectations.days import in_words
from expectations.errors import SourceError
from expectations.landed_days import day_key, is_ignored, own_day

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from expectations.contract import Source
    from expectations.lake import Table
    from expectations.ledger import FileEntry
    from expectations.storage import ListedFile

COMPRESSED = frozenset({"gz", "gzip", "tgz", "zst", "zip", "bz2", "xz", "lz4", "br", "7z", "rar", "z", "snappy"})
DATE = re.compile(
    r"(?<![0-9])(?P<year>(?:19|20|21)[0-9]{2})(?P<sep>[-_.]?)(?P<month>[0-9]{2})(?P=sep)(?P<day>[0-9]{2})"
    r"(?:[0-9]{4}(?:[0-9]{2}(?:[0-9]{3})?)?)?(?![0-9])"
)
"""`2024-05-01`, `2024_05_01`, `20240501` and `20240501030000`, anywhere in a path."""
DATE_FOLDERS = re.compile(
    r"(?:^|/)(?:[A-Za-z_]+=)?(?P<year>(?:19|20|21)[0-9]{2})"
    r"/(?:[A-Za-z_]+=)?(?P<month>[0-9]{1,2})/(?:[A-Za-z_]+=)?(?P<day>[0-9]{1,2})(?=/)"
)
"""`year=2024/month=05/day=01/` and `2024/05/01/`."""
NAMED_AT_MOST = 5
LONGEST_NAME = 60
LISTED_AT_MOST = 1000
"""Files that were not taken, in the facts of a result."""


@dataclass(frozen=True)
class NotTaken:
    """A file that no run took.

    `name`: its path within the landing folder. `days`: the days that it names, none of them the run's.
    """

    name: str
    days: tuple[str, ...] = ()


@dataclass(frozen=True)
class Landing:
    """What a run makes of a source's folder.

    `asked`: the run's days. `days`: those whose file counts, beside them of a snapshot the newest one before. `files`: day to its
    file; a day without one is left out. `refused`: day to the sentence that fails it. `later`: the first day after the run's that
    an untaken file names. `taken`: day to the file that was taken for it last, by the ledger. `unlooked`: files of earlier days that
    may have changed since they were taken; a later run compares them.
    """

    asked: tuple[str, ...]
    days: tuple[str, ...]
    files: Mapping[str, ListedFile] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    not_taken: tuple[NotTaken, ...] = ()
    later: str = ""
    taken: Mapping[str, FileEntry] = field(default_factory=dict)
    unlooked: int = 0

    @property
    def names_not_taken(self) -> list[str]:
        """For the facts of a result."""
        return [left.name for left in self.not_taken[:LISTED_AT_MOST]]


def source_of(table: Table) -> Source:
    """The table's source. Raises SourceError where it has none: the loader lets no such bronze table through."""
    if table.contract.source is None:
        raise SourceError(f"{table.name} has no source.")
    return table.contract.source


def days_named(name: str) -> tuple[str, ...]:
    """The days that a path names in any way, in order."""
    found = [*DATE.finditer(name), *DATE_FOLDERS.finditer(name)]
    return tuple(sorted({day for one in found if (day := day_key(one["year"], one["month"], one["day"]))}))


def of_source(source: Source, others: Sequence[Source], files: Iterable[ListedFile]) -> list[ListedFile]:
    """The files without those that are called as another table's are; `others`: other tables' sources with the same folder."""
    return [file for file in files if own_day(source, file.name) or not any(own_day(other, file.name) for other in others)]


def doubtful(source: Source, files: Iterable[ListedFile], days: Collection[str], taken: Mapping[str, FileEntry]) -> dict[str, FileEntry]:
    """Files that are as long as the one that was taken for a day they name, and were written at another time, to that one.

    Only their content tells whether a run took it. Files of the run's own days are read in any case, and a snapshot makes way for
    a newer one.
    """
    found: dict[str, FileEntry] = {}
    asked, last = set(days), max(days)
    for file in files:
        day = own_day(source, file.name)
        if is_ignored(file.name) or day in asked or (day and source.arrives == "snapshot"):
            continue
        named = (day,) if day else days_named(file.name)
        known = [taken[day] for day in named if day in taken and day <= last]
        alike = [entry for entry in known if entry.bytes == file.bytes]
        if alike and not any(_same_moment(file.modified_at, entry.landed_at) for entry in alike):
            found[file.name] = alike[0]
    return found


def decide(  # noqa: PLR0913 - all that the decision is made from
    table: Table,
    landing: str,
    files: Iterable[ListedFile],
    days: Collection[str],
    taken: Mapping[str, FileEntry],
    *,
    same: Collection[str] = (),
) -> Landing:
    """What becomes of each of the `files` in the folder `landing` in a run for `days`.

    `taken`: day to the file that counts, by the ledger. `same`: names of those `doubtful` ones whose content is what was taken.
    """
    source, asked, last = source_of(table), set(days), max(days)
    own, others = _by_day(source, files)
    snapshots = sorted(day for day in own if day <= last) if source.arrives == "snapshot" else []
    newest = max([*snapshots, *(day for day in taken if day <= last)]) if snapshots else ""
    wanted = sorted({*asked, *snapshots[-1:]})
    others += [(file, (day,)) for day, found in own.items() if day not in wanted for file in found]
    left = [(file, named) for file, named in others if not (file.name in same or _is_taken(file, named, taken))]

    amiss: dict[str, list[ListedFile]] = {}
    for file, named in left:
        for day in asked.intersection(named):
            amiss.setdefault(day, []).append(file)
    refused = {day: _not_as_named(table, landing, day, found, own.get(day, ())) for day, found in amiss.items()}
    refused |= {day: _several(table, landing, day, own[day]) for day in wanted if len(own.get(day, ())) > 1}
    not_taken = [NotTaken(f"{source.folder}/{file.name}", named) for file, named in left if _is_left_behind(named, asked, last, newest)]
    return Landing(
        asked=tuple(sorted(asked)),
        days=tuple(wanted),
        files={day: own[day][0] for day in wanted if day in own and day not in refused},
        refused=dict(sorted(refused.items())),
        not_taken=tuple(sorted(not_taken, key=lambda left: left.name)),
        taken=taken,
        later=min((named[0] for _, named in left if named and named[0] > last), default=""),
    )


def _by_day(source: Source, files: Iterable[ListedFile]) -> tuple[dict[str, list[ListedFile]], list[tuple[ListedFile, tuple[str, ...]]]]:
    """Day to the files that are called as the source's are, and each other file with the days that it names; ignored ones are left out."""
    own: dict[str, list[ListedFile]] = {}
    others: list[tuple[ListedFile, tuple[str, ...]]] = []
    for file in sorted(files, key=lambda one: one.name):
        if is_ignored(file.name):
            continue
        if day := own_day(source, file.name):
            own.setdefault(day, []).append(file)
        else:
            others.append((file, days_named(file.name)))
    return own, others


def _is_left_behind(named: tuple[str, ...], asked: Collection[str], last: str, newest: str) -> bool:
    """Whether a file that was not taken has no day, or one before the run's last that no run of its own is still to come for.

    `newest`: the snapshot that counts, which has taken the place of earlier ones.
    """
    if not named:
        return True
    is_of_the_run = any(day in asked for day in named)
    return not is_of_the_run and named[0] <= last and named[-1] >= newest


def left_in_words(source: Source, landing: Landing) -> str:
    """Which files were not taken, and what to do; nothing where all were."""
    parts = []
    if nameless := [left.name for left in landing.not_taken if not left.days]:
        right = f"{source.folder}/{expected(source, landing.asked[-1])}"
        what = "names no day" if len(nameless) == 1 else "name no day"
        parts.append(f"{_shown(nameless)} {what} (land it as {right}, or put _ before its name)")
    if earlier := [left for left in landing.not_taken if left.days]:
        of = in_words(day for left in earlier for day in left.days)
        what = f"is of {of}, and no run took it as it is" if len(earlier) == 1 else f"are of {of}, and no run took them as they are"
        parts.append(f"{_shown([left.name for left in earlier])} {what} (run {of})")
    count = len(landing.not_taken)
    said = [f"{count:,} {'file was' if count == 1 else 'files were'} not taken: {'; '.join(parts)}"] if parts else []
    if landing.unlooked:
        said.append(f"{landing.unlooked:,} files of earlier days were written again and are compared by the next runs")
    return "; ".join(said)


def expected(source: Source, day: str) -> str:
    """What the day's file is called, as a path from the source's folder."""
    return f"day={day}/part-0.{source.format}" if source.external else f"{day}.{source.format}"


def _is_taken(file: ListedFile, named: Iterable[str], taken: Mapping[str, FileEntry]) -> bool:
    known = [taken[day] for day in named if day in taken]
    return any(entry.bytes == file.bytes and _same_moment(file.modified_at, entry.landed_at) for entry in known)


def _same_moment(one: datetime | None, other: datetime | None) -> bool:
    """Whether two times of a file are one; a listing may have whole seconds where the file itself tells more."""
    if one is None or other is None:
        return False
    if 0 in (one.microsecond, other.microsecond):
        return one.replace(microsecond=0) == other.replace(microsecond=0)
    return one == other


def _several(table: Table, landing: str, day: str, files: Sequence[ListedFile]) -> str:
    shown = ", ".join(_printable(file.name.partition("/")[2]) for file in files[:NAMED_AT_MOST])
    what = f"{landing}/day={day} holds {len(files)} files ({shown})"
    return f"{table.name}: {what}; a day is one file: write it as one and run the day again."


def _not_as_named(table: Table, landing: str, day: str, files: Sequence[ListedFile], own: Sequence[ListedFile]) -> str:
    """Why a file that names the day is not taken for it, and what to do."""
    name = files[0].name
    more = f" (and {len(files) - 1:,} more of that day)" if len(files) > 1 else ""
    why, remedy = _why(table, name, f"{landing}/{expected(source_of(table), day)}", own)
    rest = "or put _ before its name to leave it out, and run the day again"
    return f"{table.name}: {landing}/{_printable(name)}{more} is of {day}, but {why}: {remedy}, {rest}."


def _why(table: Table, name: str, right: str, own: Sequence[ListedFile]) -> tuple[str, str]:
    source = source_of(table)
    folder, _, file = name.rpartition("/")
    ending = file.rpartition(".")[2] if "." in file else ""
    if own:
        return f"{_printable(own[0].name)} is there too, and a day is one file", "write both as one"
    if ending.lower() in COMPRESSED:
        return "it is compressed, which is not read", f"unpack it as {right}"
    if folder and not source.external:
        return f"it lies in the folder {_printable(folder)}", f"write the day as one file, {right}"
    if ending != source.format and not source.external:
        found = f"it ends in .{_printable(ending)}" if ending else "its name has no ending"
        return f"{found}, and {table.file} says format: {source.format}", f"land it as {right}"
    return f"files of {table.file} are called otherwise", f"land it as {right}"


def _shown(names: Sequence[str]) -> str:
    shown = ", ".join(_printable(name) for name in names[:NAMED_AT_MOST])
    return shown + (f" and {len(names) - NAMED_AT_MOST:,} more" if len(names) > NAMED_AT_MOST else "")


def _printable(name: str) -> str:
    """A name from the landing folder, for people: as it is, or quoted where it would break the line."""
    short = name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]}…"
    return short if short.isprintable() else repr(short)
