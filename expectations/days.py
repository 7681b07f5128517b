"""Days: how a request becomes a range of days, in one place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from expectations.errors import RequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

NAMED_AT_MOST = 5
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MAX_DAYS = 3660
"""Days of one run, ten years: more is a mistyped year."""
ALL = "all"
"""The day key of tables whose rows belong to no day."""


@dataclass(frozen=True)
class DayRange:
    """The days from `first` to `last`, both included, in the pipeline's time zone."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise RequestError(f"the range of days is back to front: first_day {self.first} is after last_day {self.last}; swap them.")
        if (self.last - self.first).days >= MAX_DAYS:
            found = (self.last - self.first).days + 1
            raise RequestError(f"the range {self} has {found} days; one run takes at most {MAX_DAYS}. Is a year mistyped? Else ask for it in parts.")

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(days=offset) for offset in range((self.last - self.first).days + 1))

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"

    @property
    def keys(self) -> list[str]:
        """The days as ISO texts, in order."""
        return [day.isoformat() for day in self]


def reach(first: date, last: date | None) -> str:
    """The days from `first` to `last` (None: no end), for people."""
    return f"from {first} to {last}" if last else f"from {first} on"


def require_within(days: DayRange, first: date, last: date | None, whose: str, landed: Callable[[], Collection[str] | None] = lambda: None) -> None:
    """Raises RequestError where some of the days are outside `first` to `last` (None: no end).

    `landed`: asked only then, for the days of which files have landed (None: nobody knows); it names the nearest.
    """
    if days.first >= first and (last is None or days.last <= last):
        return
    known = landed()
    if known is not None:
        known = [day for day in known if day >= str(first) and (last is None or day <= str(last))]
    found = f"{whose} has days {reach(first, last)}, asked were {days}"
    remedy = "fill in first_day and last_day, or change expectations/pipelines.yaml."
    raise RequestError(f"{found}; {remedy}{nearest_landed(days, known)}")


def nearest_landed(days: DayRange, landed: Collection[str] | None) -> str:
    """A sentence with the days, at most five, that landed in or nearest to a range; none where `landed` is None."""
    if landed is None:
        return ""

    def away(day: str) -> int:
        found = date.fromisoformat(day)
        return max((days.first - found).days, (found - days.last).days, 0)

    nearest = sorted(set(landed), key=lambda day: (away(day), day))[:NAMED_AT_MOST]
    if not nearest:
        return " None of its days has landed yet."
    return f" The nearest {'days' if len(nearest) > 1 else 'day'} that landed: {in_words(nearest)}."


def parse_day(text: str | None, field: str = "day") -> date:
    """`2013-01-31` as a date. Raises RequestError for anything else."""
    try:
        if not isinstance(text, str) or not DAY.fullmatch(text):  # fromisoformat also takes weeks, and digits of other scripts
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        raise RequestError(f"{field} is {str(text)[:40]!r}, not a date; write it as YYYY-MM-DD, for example 2013-01-31.") from None


def parse_range(text: str) -> DayRange:
    """`2013-01-01..2013-01-31`, or one day, as a range. Raises RequestError for anything else."""
    first, dots, last = text.partition("..")
    return DayRange(parse_day(first, "first day"), parse_day(last if dots else first, "last day"))


def resolve_days(
    *,
    first_day: str | None,
    last_day: str | None,
    partition_key: str | None,
    asked_at: datetime,
    time_zone: str,
) -> DayRange:
    """The days a run is for: the form's days, else the run's partition key, else the day before the click.

    A form with a first day alone means that one day. `asked_at` is an aware time; the day before it is taken in
    `time_zone`. Raises RequestError for a last day alone, for a day that is no date and for a range back to front.
    """
    if last_day and not first_day:
        found = f"last_day is {str(last_day)[:40]!r} and first_day is empty"
        raise RequestError(f"{found}; fill in first_day too, or for one day first_day alone.")
    if first_day:
        first = parse_day(str(first_day), "first_day")
        return DayRange(first, parse_day(str(last_day or first_day), "last_day"))
    if partition_key:
        moment = re.split("[T ]", partition_key, maxsplit=1)  # a key may be a midnight
        day = parse_day(moment[0], "the run's partition key")
        return DayRange(day, day)
    yesterday = asked_at.astimezone(ZoneInfo(time_zone)).date() - timedelta(days=1)
    return DayRange(yesterday, yesterday)


def in_words(days: Iterable[str]) -> str:
    """Day keys as short text: runs of days are joined, at most five pieces are named."""
    pieces: list[list[str]] = []
    for day in sorted(set(days)):
        if pieces and _follows(pieces[-1][-1], day):
            pieces[-1].append(day)
        else:
            pieces.append([day])
    named = [piece[0] if len(piece) == 1 else f"{piece[0]}..{piece[-1]}" for piece in pieces]
    return ", ".join(named[:NAMED_AT_MOST]) + (f" and {len(named) - NAMED_AT_MOST} more" if len(named) > NAMED_AT_MOST else "")


def _follows(earlier: str, later: str) -> bool:
    return ALL not in (earlier, later) and date.fromisoformat(earlier) + timedelta(days=1) == date.fromisoformat(later)
