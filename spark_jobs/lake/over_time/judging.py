"""How each kind of check looks at a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import singledispatch
from statistics import median
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from expectations.days import ALL
from expectations.over_time import ArrivalTime, Distribution, Freshness, NewCategories, RowCount
from spark_jobs.lake.over_time.measures import ks, psi, together
from spark_jobs.lake.over_time.profiles import MOST_CATEGORIES, REST, Spread, named

if TYPE_CHECKING:
    from expectations.lake import Table
    from expectations.over_time import OverTimeCheck
    from spark_jobs.lake.batch import Batch
    from spark_jobs.lake.job import Job
    from spark_jobs.lake.over_time.history import History
    from spark_jobs.lake.over_time.profiles import Counts

NAMED_AT_MOST = 5
HOUR = 3600


@dataclass(frozen=True)
class Today:
    """One day of a batch: the rows that would be published, and column to profile."""

    job: Job
    table: Table
    batch: Batch
    day: str
    rows: int
    profiles: dict[str, Counts]


@dataclass(frozen=True)
class Finding:
    """What a check says of a day: `observed` is the figure, `sentence` what a person reads where it is broken."""

    success: bool
    observed: str
    sentence: str = ""
    rows_broken: int = 0


NO_HISTORY = Finding(True, "no history yet")


@singledispatch
def find(check: OverTimeCheck, today: Today, history: History) -> Finding | None:
    """What the check says of the day; None where it has nothing to say of this day."""
    raise NotImplementedError(type(check).__name__)


@find.register(RowCount)
def _row_count(check: RowCount, today: Today, history: History) -> Finding:
    known = history.row_counts(today.day, check.window, check.against == "same_weekday")
    if len(known) < check.at_least_days:
        return NO_HISTORY
    usual = median(known)
    weekday = date.fromisoformat(today.day).strftime("%A") if check.against == "same_weekday" else "day"
    sentence = f"{today.rows:,} rows, where the median of the {len(known)} {weekday}s before is {usual:,.10g}; at most {check.at_most_off:.0%} off is expected."
    return Finding(abs(today.rows - usual) <= check.at_most_off * usual, str(today.rows), sentence)


@find.register(Distribution)
def _distribution(check: Distribution, today: Today, history: History) -> Finding:
    known = history.spread(today.day, check.window, check.column)
    if len(known) < check.at_least_days:
        return NO_HISTORY
    now = today.profiles[check.column]
    if not now:
        return Finding(True, "no rows")
    before = together(known)
    is_number = Spread.of(check.column, today.table.contract.columns[check.column].type).is_number
    value, worst = ks(before, now) if check.method == "ks" else psi(before, now, is_number)
    sentence = f"{check.method.upper()} is {value:.3f} against the {len(known)} days before, at most {check.limit:g} is expected; most of all {worst}."
    return Finding(value <= check.limit, f"{value:.3f}", sentence)


@find.register(NewCategories)
def _new_categories(check: NewCategories, today: Today, history: History) -> Finding:
    known = history.spread(today.day, check.window, check.column)
    if len(known) < check.at_least_days:
        return NO_HISTORY
    now, before = today.profiles[check.column], together(known)
    if REST in {*now, *before}:
        sentence = f"the column has more than {MOST_CATEGORIES} different values a day, too many to tell new ones; take the check away."
        return Finding(False, f"more than {MOST_CATEGORIES}", sentence)
    new = sorted((key for key in now if key.startswith("=") and key not in before), key=lambda key: (-now[key], key))
    shown = ", ".join(f"{named(key)} ({now[key]:,} rows)" for key in new[:NAMED_AT_MOST])
    sentence = f"{len(new)} value{'' if len(new) == 1 else 's'} that none of the {len(known)} days before has, at most {check.at_most} are expected: {shown}."
    return Finding(len(new) <= check.at_most, shown or "none", sentence, sum(now[key] for key in new))


@find.register(ArrivalTime)
def _arrival(check: ArrivalTime, today: Today, history: History) -> Finding:
    landed = today.batch.landed.get(today.day)
    if landed is None:
        return Finding(True, "unknown: this file system does not say when a file was written")
    first = min(landed, today.job.ledger.first_landed(today.table.name, today.day) or landed)  # a corrected file is not a late one
    pipeline = today.job.lake.pipeline_of(today.table.name)
    zone = ZoneInfo(pipeline.time_zone if pipeline else "UTC")
    end = datetime.combine(date.fromisoformat(today.day) + timedelta(days=1), time(), zone)
    hours = (first - end.astimezone(UTC)).total_seconds() / HOUR
    sentence = f"the file landed {hours:.1f} hours after the end of the day ({zone.key}), at most {check.within_hours:g} are expected."
    return Finding(hours <= check.within_hours, f"{hours:.1f} hours", sentence)


@find.register(Freshness)
def _freshness(check: Freshness, today: Today, history: History) -> Finding | None:
    if today.day != max(set(today.batch.inputs) - today.batch.emptied):
        return None
    job, ledger = today.job, today.job.ledger
    inputs = {read.table for read in today.table.contract.inputs if job.lake.has_days(read.table)}
    published = {name: max((day for day in ledger.versions(name) if day != ALL), default="") for name in inputs}
    ahead = max(published, key=lambda name: published[name])
    own = max({*ledger.versions(today.table.name), today.day} - {ALL})
    behind = (date.fromisoformat(published[ahead]) - date.fromisoformat(own)).days if published[ahead] else 0
    sentence = f"the newest day is {own}, {behind} days before {published[ahead]}, the newest of {ahead}; at most {check.at_most_days} are expected."
    return Finding(behind <= check.at_most_days, f"{behind} days", sentence)
