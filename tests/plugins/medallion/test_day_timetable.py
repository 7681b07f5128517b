from __future__ import annotations

from datetime import UTC, date, datetime

import pendulum
import pytest
from airflow.timetables.base import TimeRestriction

from medallion.day_timetable import DayTimetable


def new_york(cron: str = "0 6 * * *", last_day: date | None = date(2013, 12, 31), *, by_the_clock: bool = True) -> DayTimetable:
    return DayTimetable(cron, time_zone="America/New_York", first_day=date(2013, 1, 1), last_day=last_day, by_the_clock=by_the_clock)


def midnight(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def keys(timetable: DayTimetable, first: str, last: str) -> list[str | None]:
    runs = timetable.iter_partition_dagrun_infos(earliest=midnight(first), latest=midnight(last))
    return [run.partition_key for run in runs]


def test_a_backfill_from_midnight_to_midnight_has_both_days_whatever_the_hour_of_the_clock() -> None:
    assert keys(new_york(), "2013-02-01", "2013-02-03") == ["2013-02-01", "2013-02-02", "2013-02-03"]


@pytest.mark.parametrize(("first", "last"), [("2013-03-09", "2013-03-11"), ("2013-11-02", "2013-11-04")])
def test_no_day_is_lost_or_doubled_over_a_clock_change(first: str, last: str) -> None:
    found = keys(new_york(), first, last)
    assert (len(found), found[0], found[-1]) == (3, first, last)


def test_a_backfill_stays_between_the_pipelines_first_and_last_day() -> None:
    assert keys(new_york(), "2012-12-30", "2013-01-01") == ["2013-01-01"]
    assert keys(new_york(), "2013-12-31", "2014-01-05") == ["2013-12-31"]


def next_key(timetable: DayTimetable, earliest: datetime | None = None) -> str | None:
    restriction = TimeRestriction(earliest=pendulum.instance(earliest) if earliest else None, latest=None, catchup=True)
    run = timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=restriction)
    return run.partition_key if run else None


def test_the_first_run_by_the_clock_is_for_the_first_day() -> None:
    assert next_key(new_york()) == "2013-01-01"


def test_a_run_is_for_the_day_before_it_also_where_the_clock_fires_twice_a_day() -> None:
    assert next_key(new_york("0 18 * * *")) == "2013-01-01"
    assert next_key(new_york("0 6,18 * * *"), datetime(2013, 1, 5, 20, tzinfo=UTC)) == "2013-01-04"


def test_after_the_last_day_nothing_runs_by_the_clock() -> None:
    assert next_key(new_york(), datetime(2014, 1, 2, tzinfo=UTC)) is None


def test_with_the_clock_off_only_backfills_make_runs() -> None:
    silent = new_york(by_the_clock=False)
    assert next_key(silent) is None
    assert keys(silent, "2013-02-01", "2013-02-01") == ["2013-02-01"]


@pytest.mark.parametrize("last_day", [None, date(2013, 12, 31)])
def test_it_is_the_same_after_airflow_wrote_it_down(last_day: date | None) -> None:
    timetable = new_york(last_day=last_day)
    assert DayTimetable.deserialize(timetable.serialize()).serialize() == timetable.serialize()
