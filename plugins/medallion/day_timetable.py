"""The clock of a daily DAG: one run a day, named by the day before it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.timetables.base import DagRunInfo, TimeRestriction
from airflow.timetables.trigger import CronPartitionTimetable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from airflow.timetables.base import Timetable

KEY_FORMAT = "%Y-%m-%d"


class DayTimetable(CronPartitionTimetable):
    """Airflow's CronPartitionTimetable, whose partitions are whole local days between two days.

    It differs in three ways. A backfill from one midnight to another makes a run for both of these days at whatever hour the
    cron fires (Airflow's own leaves the last day out unless it fires at midnight). The first and the last day are kept here: as
    `start_date` and `end_date` of the DAG they would silently skip the tasks of runs by hand. And the clock can be off while
    backfills still work.
    """

    def __init__(self, cron: str, *, time_zone: str, first_day: date, last_day: date | None = None, by_the_clock: bool = True) -> None:
        super().__init__(cron, timezone=time_zone, run_offset=-1, key_format=KEY_FORMAT)
        self._time_zone = time_zone
        self._first_day = first_day
        self._last_day = last_day
        self._by_the_clock = by_the_clock

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:
        """The timetable that `serialize` wrote down."""
        return cls(
            data["cron"],
            time_zone=data["time_zone"],
            first_day=date.fromisoformat(data["first_day"]),
            last_day=date.fromisoformat(data["last_day"]) if data["last_day"] else None,
            by_the_clock=data["by_the_clock"],
        )

    def serialize(self) -> dict[str, Any]:
        """What Airflow keeps of it in its database."""
        return {
            "cron": self._expression,
            "time_zone": self._time_zone,
            "first_day": self._first_day.isoformat(),
            "last_day": self._last_day.isoformat() if self._last_day else None,
            "by_the_clock": self._by_the_clock,
        }

    @property
    def summary(self) -> str:
        """What the list of DAGs shows."""
        return f"{self._expression} {self._time_zone}" if self._by_the_clock else "no clock"

    def next_dagrun_info_v2(self, *, last_dagrun_info: DagRunInfo | None, restriction: TimeRestriction) -> DagRunInfo | None:
        """The next run by the clock, for the day before it; None after the last day."""
        if not self._by_the_clock:
            return None
        first_run = self._midnight(self._first_day + timedelta(days=1))
        after_last_run = self._midnight(self._last_day + timedelta(days=2)) if self._last_day else None
        bounds = TimeRestriction(
            earliest=max(first_run, restriction.earliest) if restriction.earliest else first_run,
            latest=after_last_run - timedelta(seconds=1) if after_last_run else restriction.latest,
            catchup=restriction.catchup,
        )
        run = super().next_dagrun_info_v2(last_dagrun_info=last_dagrun_info, restriction=bounds)
        if run is None:
            return None
        return self._run_for(run.run_after.in_timezone(self._time_zone).date() - timedelta(days=1), run.run_after)

    def iter_partition_dagrun_infos(self, *, earliest: datetime, latest: datetime) -> Iterator[DagRunInfo]:
        """A backfill's runs: one for each day whose date lies between the two, both included."""
        day = max(self._local_date(earliest), self._first_day)
        last = min(self._local_date(latest), self._last_day or date.max)
        while day <= last:
            yield self._run_for(day, self._midnight(day))
            day += timedelta(days=1)

    def _run_for(self, day: date, run_after: pendulum.DateTime) -> DagRunInfo:
        return DagRunInfo(run_after=run_after, data_interval=None, partition_date=self._midnight(day), partition_key=day.strftime(KEY_FORMAT))

    def _midnight(self, day: date) -> pendulum.DateTime:
        return pendulum.datetime(day.year, day.month, day.day, tz=self._time_zone)

    def _local_date(self, moment: datetime) -> date:
        """The date that the caller wrote, whatever its time zone: forms and the REST API send midnights in UTC."""
        return self.localize_partition_datetime(moment).in_timezone(self._time_zone).date()
