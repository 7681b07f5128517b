"""The application that a task's spark-submit started on YARN: how the ResourceManager finds it, and the button that leads to its page."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator, Connection
    from airflow.sdk.types import TaskInstanceKey

    from expectations.jobs import JobRequest

log = logging.getLogger(__name__)

PAGES = "yarn_resourcemanager_webapp_address"
"""In the connection's extra: http://host:8088. The provider's own name; it needs it for cluster mode too."""
ASKED_SECONDS = 10.0


def is_yarn(connection: Connection) -> bool:
    """Whether a connection of the type `spark` leads to YARN."""
    return (connection.host or "").startswith("yarn")


def tag_of(request: JobRequest) -> str:
    """What a job's applications are found by; each try of a task has one of its own."""
    return f"lake.{request.run_key}.{request.verb}.{request.name}".lower()


def is_driver_away(connection: Connection) -> bool:
    """Whether the driver runs on a machine of the cluster."""
    return connection.extra_dejson.get("deploy-mode") == "cluster"


def is_shipped(connection: Connection) -> bool:
    """Whether the driver runs on a node of YARN, where nothing of this machine is."""
    return is_yarn(connection) and is_driver_away(connection)


def latest_application(connection: Connection, tag: str) -> dict[str, Any]:
    """What the ResourceManager says of the last application with this tag: `id`, `state`, `finalStatus`, `trackingUrl`, `queue`, `diagnostics`.

    Empty where it is not known.
    """
    pages = str(connection.extra_dejson.get(PAGES) or "").rstrip("/")
    if not pages:
        return {}
    import requests

    try:
        answer = requests.get(f"{pages}/ws/v1/cluster/apps", params={"applicationTags": tag}, timeout=ASKED_SECONDS)
        answer.raise_for_status()
        found = (answer.json().get("apps") or {}).get("app") or []
    except (requests.RequestException, ValueError) as error:
        log.warning("The ResourceManager at %s does not say which application this was (%s).", pages, type(error).__name__)
        return {}
    return max(found, key=lambda one: one.get("startedTime") or 0, default={})


class ApplicationLink(BaseOperatorLink):
    """The button on a task's page, made when the task has ended: attempts, executors and their logs."""

    name = "Spark application"

    @property
    def xcom_key(self) -> str:
        """Where Airflow keeps the address."""
        return "spark_application"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The application's page; empty where the job ran elsewhere than on YARN."""
        return getattr(operator, "application_page", "")
