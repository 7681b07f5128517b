"""Where Airflow shows a run's quality report: the address of a page, the link on a task, and the task that writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from airflow.configuration import conf
from airflow.sdk import Asset, BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

REPORTS = "/lake/reports"
"""Where the api-server serves reports; see report_pages.py."""
PUBLISHING_VERBS = ("build", "score", "watch")


def base_path() -> str:
    """The path under which a proxy shows Airflow; empty where it is the root."""
    return urlsplit(conf.get("api", "base_url", fallback="") or "").path.rstrip("/")


def report_address(dag_id: str, run_id: str, table: str = "index") -> str:
    """The address of a table's page in the report of a run, or of the run's own page, on this Airflow."""
    return f"{base_path()}{REPORTS}/{quote(dag_id, safe='')}/{quote(run_id, safe='')}/{table}.html"


def reported_table(task: Any) -> str | None:
    """The table of a LakeJobOperator that has a page in the report of its run: the one it builds, fills with predictions, or replays."""
    if task.verb not in PUBLISHING_VERBS and getattr(task, "action", "") != "replay":
        return None
    return next((outlet.name for outlet in task.outlets if isinstance(outlet, Asset)), task.name)


class ReportLink(BaseOperatorLink):
    """The button on a task's page. The report is there once the run's task `quality_reports` has ended."""

    name = "Quality report"

    @property
    def xcom_key(self) -> str:
        """Where Airflow keeps the address."""
        return "quality_report"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The table's page, or the run's for the task that writes the report."""
        return report_address(ti_key.dag_id, ti_key.run_id, reported_table(operator) or "index")
