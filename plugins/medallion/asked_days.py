"""The first task of a run: which days it is for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.python import PythonOperator

from expectations.days import DayRange, require_within, resolve_days
from expectations.errors import RequestError, did_you_mean
from expectations.loader import load_lake
from medallion.retrying import LIGHT_TIMEOUT

if TYPE_CHECKING:
    from airflow.sdk.types import DagRunProtocol

log = logging.getLogger(__name__)
TASK = "resolve_days"
FIELDS = ("first_day", "last_day", "force", "triggered_by")
"""What a form or a trigger may say."""
DAYS = f"{{{{ ti.xcom_pull(task_ids='{TASK}') or '' }}}}"
"""The template by which later tasks read the days."""


def pipeline_days(params: dict[str, Any], dag_run: DagRunProtocol, pipeline: str) -> str:
    """`2013-01-01..2013-01-31`: the form's days, else the run's partition, else yesterday.

    Raises RequestError for no range, for an unknown field, and for days that the pipeline does not have.
    """
    facts = load_lake().pipeline(pipeline)
    days = _asked(params, dag_run, facts.time_zone)
    require_within(days, facts.first_day, facts.last_day, pipeline)
    log.info("days %s", days)
    return str(days)


def form_days(params: dict[str, Any], dag_run: DagRunProtocol) -> str:
    """The form's days, or an empty text where the form names none. Raises RequestError for no range."""
    if not (params.get("first_day") or params.get("last_day")):
        return ""
    return str(_asked(params, dag_run, "UTC"))


def _asked(params: dict[str, Any], dag_run: DagRunProtocol, time_zone: str) -> DayRange:
    _require_known(dag_run.conf or {})
    return resolve_days(
        first_day=params.get("first_day"),
        last_day=params.get("last_day"),
        partition_key=dag_run.partition_key,
        asked_at=dag_run.run_after,
        time_zone=time_zone,
    )


def _require_known(conf: dict[str, Any]) -> None:
    """Airflow takes any field over REST: a mistyped one would quietly mean yesterday."""
    for field in conf:
        if field not in FIELDS:
            raise RequestError(f"the form has no field {field[:40]!r}; known are {', '.join(FIELDS)}.{did_you_mean(field, FIELDS)}")


def pipeline_days_task(pipeline: str) -> PythonOperator:
    """The task `resolve_days` of a pipeline."""
    return PythonOperator(
        task_id=TASK,
        python_callable=pipeline_days,
        op_kwargs={"pipeline": pipeline},
        execution_timeout=LIGHT_TIMEOUT,
        doc_md="The days of this run: the form's, else the run's partition, else yesterday.",
    )


def form_days_task() -> PythonOperator:
    """The task `resolve_days` of a DAG whose form may name no days."""
    return PythonOperator(task_id=TASK, python_callable=form_days, execution_timeout=LIGHT_TIMEOUT, doc_md="The days of the form, if it names any.")
