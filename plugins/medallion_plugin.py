"""Registers what Airflow looks up by name: the timetable of the daily DAGs, and the pages of the quality reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from airflow.plugins_manager import AirflowPlugin

from medallion.day_timetable import DayTimetable
from medallion.report_links import REPORTS, base_path

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


async def report_pages(scope: Scope, receive: Receive, send: Send) -> None:
    """The reports' app, imported when it is first asked: every process of Airflow loads its plugins, and only the api-server serves."""
    from medallion.report_pages import report_app

    await report_app()(scope, receive, send)


class MedallionPlugin(AirflowPlugin):
    """What the lake adds to Airflow."""

    name = "medallion"
    timetables: ClassVar[list[type]] = [DayTimetable]
    fastapi_apps: ClassVar[list[dict[str, Any]]] = [{"name": "quality reports", "app": report_pages, "url_prefix": REPORTS}]
    external_views: ClassVar[list[dict[str, Any]]] = [
        {"name": "Reports", "href": f"{base_path()}{REPORTS}/", "destination": "nav", "url_route": "quality-reports"}
    ]
