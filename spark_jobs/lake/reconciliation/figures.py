"""What was counted of a day of a table, and whether it adds up. Values in, values out: nothing here asks Spark, the ledger or a file."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from expectations.days import ALL
from spark_jobs.lake.quarantine.set_aside import NO_DAY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LATEST = (ALL, NO_DAY)
"""The keys of rows without a day of their own: a table without days, and rows whose day cannot be known."""
COUNTS = ("files", "rows_in_files", "bronze", "rows_in", "published", "quarantined", "dropped")
WHY_AT_MOST = 5


@dataclass(frozen=True)
class Figures:
    """What was counted of one day of one table; None: it does not apply, or cannot be known.

    `files`, `rows_in_files` and `bronze` are of bronze tables alone: the kept files that count, the records in them by another parser than the
    job's, and the rows that parse. `rows_in`: what the table's logic returns, of its inputs as they are now. `published`: the rows that lie in
    the table; of tables that take changes (merge, scd2, append), the changes that were taken. `quarantined`: the rows that wait; of
    bronze, those that do not parse. `wrong`: why the day does not add up, else empty. `note`: why something could not be counted anew.
    """

    table: str
    day: str
    files: int | None = None
    rows_in_files: int | None = None
    bronze: int | None = None
    rows_in: int | None = None
    published: int | None = None
    quarantined: int | None = None
    dropped: int | None = None
    wrong: str = ""
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether the day adds up."""
        return not self.wrong

    @property
    def facts(self) -> dict[str, Any]:
        """As a row of JSON."""
        return {**asdict(self), "ok": self.ok}


@dataclass(frozen=True)
class Waiting:
    """How many rows of a day lie in quarantine, and how many of them a person has discarded."""

    rows: int = 0
    discarded: int = 0


@dataclass(frozen=True)
class FileOfDay:
    """The file that counts for a day. `rows`: its records; None where our copy is gone or is another one.

    `landed_bytes`: of the file that lies in the landing folder now, None where none does.
    """

    path: str
    bytes: int
    rows: int | None
    landed_bytes: int | None = None


@dataclass(frozen=True)
class Counted:
    """What was counted of a day of a table that is made of others.

    `rows_in`: what its logic returns now; None where that cannot be known, as of a day that is held. `dropped`: by the ledger. `note`: why
    something was not counted anew, else empty.
    """

    rows_in: int | None
    waiting: Waiting = field(default_factory=Waiting)
    dropped: int = 0
    note: str = ""

    def figures(self, table: str, day: str, published: int | None = None) -> Figures:
        """As figures of which nothing is wrong yet."""
        return Figures(table, day, rows_in=self.rows_in, published=published, quarantined=self.waiting.rows, dropped=self.dropped, note=self.note)


def of_bronze(  # noqa: PLR0913 - all that is known of a day
    table: str, day: str, file: FileOfDay | None, parsed: int, unparsed: int, *, is_known: bool
) -> Figures:
    """A day of a bronze table. `is_known`: whether the ledger has published it."""
    found = Figures(table, day, int(file is not None), file.rows if file else None, parsed, quarantined=unparsed)
    there = parsed + unparsed
    if not is_known:
        return replace(found, wrong=f"{_rows(there)} of a day that the ledger does not know") if there else found
    if file is None:
        return replace(found, wrong=f"{_rows(there)}, and the ledger knows of no file")
    if file.rows is None:
        return replace(found, wrong=f"our copy of {file.path} is gone, or is not what was taken")
    if file.rows != there:
        return replace(found, wrong=f"{file.path} has {_rows(file.rows)}, the table {there:,}")
    if file.landed_bytes not in {None, file.bytes}:
        return replace(found, wrong=f"{file.path} was written again since it was taken: run the day again")
    return found


def of_files_left(table: str, names: Sequence[str]) -> Figures:
    """The landed files that no run took."""
    shown = ", ".join(names[:WHY_AT_MOST]) + (f" and {len(names) - WHY_AT_MOST:,} more" if len(names) > WHY_AT_MOST else "")
    return Figures(table, NO_DAY, len(names), wrong=f"not taken: {shown}")


def of_day(table: str, day: str, published: int, counted: Counted, *, is_known: bool) -> Figures:
    """A day of a table that is made of others. `published`: the rows that lie there; `is_known`: whether the ledger has published the day.

    Rows that a person has discarded lie in quarantine, and a build after that counts them as dropped; before it, as quarantined.
    """
    found, rows_in, waiting, dropped = counted.figures(table, day, published), counted.rows_in, counted.waiting, counted.dropped
    if published and not is_known:
        return replace(found, wrong=f"{_rows(published)} of a day that the ledger does not know")
    if rows_in is None:
        return found
    twice = published + waiting.rows + dropped - rows_in
    if 0 <= twice <= min(waiting.discarded, dropped):
        return replace(found, quarantined=waiting.rows - twice)
    return replace(found, wrong=f"{_rows(abs(twice))} {'missing' if twice < 0 else 'too many'}")


def of_changes(table: str, day: str, absent: int, counted: Counted) -> Figures:
    """A day of a table that takes changes. `absent`: the changes whose key is not in the table; those that were refused may be."""
    found, refused = counted.figures(table, day), counted.waiting.rows + counted.dropped
    if counted.rows_in is None:
        return found
    if absent > refused:
        return replace(found, published=counted.rows_in - absent, wrong=f"the keys of {_rows(absent - refused)} are missing")
    return replace(found, published=counted.rows_in - refused)


def without_day(table: str, rows_in: int, waiting: Waiting) -> Figures:
    """The rows of a table with days whose day cannot be known: those that do not parse, come too late or have none. All of them wait."""
    found = Figures(table, NO_DAY, rows_in=rows_in, published=0, quarantined=waiting.rows, dropped=0)
    if 0 <= waiting.rows - rows_in <= waiting.discarded:  # what a person has discarded waits under no day where its day is not made
        return found
    gone = rows_in - waiting.rows
    return replace(found, wrong=f"{_rows(abs(gone))} {'missing' if gone > 0 else 'too many'} in quarantine")


def in_lines(rows: Sequence[Figures]) -> Iterator[str]:
    """A table for people, a line for each table and day."""
    width = max([5, *(len(one.table) for one in rows)])
    yield f"{'table':{width}}  {'day':10}{''.join(f'{name:>14}' for name in COUNTS)}  ok"
    for one in rows:
        counts = "".join(f"{'' if (count := getattr(one, name)) is None else f'{count:,}':>14}" for name in COUNTS)
        said = f"NO: {one.wrong}" if one.wrong else f"yes ({one.note})" if one.note else "yes"
        yield f"{one.table:{width}}  {'-' if one.day == NO_DAY else one.day:10}{counts}  {said}"


def in_words(rows: Sequence[Figures], names: Sequence[str]) -> str:
    """What came out, in one line."""
    looked = f"{_count(len(names), 'table')}, {_count(len(rows), 'day')}"
    wrong = [one for one in rows if not one.ok]
    if not wrong:
        return f"{looked}: all rows are accounted for"
    said = "; ".join(f"{one.table}{'' if one.day in LATEST else f' {one.day}'}: {one.wrong}" for one in wrong[:WHY_AT_MOST])
    more = f"; and {len(wrong) - WHY_AT_MOST:,} more" if len(wrong) > WHY_AT_MOST else ""
    return f"{looked}, {_count(len(wrong), 'day')} {'does' if len(wrong) == 1 else 'do'} not add up: {said}{more}"


def _rows(count: int) -> str:
    return _count(count, "row")


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
