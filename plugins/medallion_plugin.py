"""Registers what Airflow looks up by name: the timetable of the daily DAGs."""

from __future__ import annotations

from typing import ClassVar

from airflow.plugins_manager import AirflowPlugin

from medallion.day_timetable import DayTimetable


class MedallionPlugin(AirflowPlugin):
    """What the lake adds to Airflow."""

    name = "medallion"
    timetables: ClassVar[list[type]] = [DayTimetable]
