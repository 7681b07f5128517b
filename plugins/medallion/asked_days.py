"""The first task of a run: which days it is for."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk.exceptions import AirflowSkipException

from expectations.days import DayRange, require_within, resolve_days
from expectations.errors import RequestError, did_you_mean
from expectations.loader import load_lake
from expectations.model_versions import comparisons_of, version_of
from medallion.lake_ledger import open_ledger
from medallion.landing import days_that_landed
from medallion.retrying import LIGHT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Context
    from airflow.sdk.types import DagRunProtocol

log = logging.getLogger(__name__)
TASK = "resolve_days"
FIELDS = ("first_day", "last_day", "force", "triggered_by")
"""What a form or a trigger may say."""
MODEL_FIELDS = ("first_day", "last_day", "version", "triggered_by")
"""The same where a model scores."""
DAYS = f"{{{{ ti.xcom_pull(task_ids='{TASK}') or '' }}}}"
"""The template by which later tasks read the days."""


def pipeline_days(params: dict[str, Any], dag_run: DagRunProtocol, pipeline: str) -> str:
    """`2013-01-01..2013-01-31`: the form's days, else the run's partition, else yesterday.

    Raises RequestError for no range, for an unknown field, and for days that the pipeline does not have: it names the
    nearest days that landed.
    """
    _require_known(dag_run.conf or {}, FIELDS)
    facts = load_lake().pipeline(pipeline)
    days = _resolved(params, dag_run, facts.time_zone)
    require_within(days, facts.first_day, facts.last_day, pipeline, partial(days_that_landed, pipeline))
    log.info("days %s", days)
    return str(days)


def require_days(context: Context) -> None:
    """Skips a task of a run that has no days: `resolve_days` has said why."""
    if not context["ti"].xcom_pull(task_ids=TASK):
        raise AirflowSkipException("the run has no days")


def model_days(params: dict[str, Any], dag_run: DagRunProtocol, model: str) -> str:
    """The form's days, or an empty text where the form names none.

    Raises RequestError for no range, for an unknown field, for a version of the model that is none, and where there is no table for what it says.
    """
    _require_known(dag_run.conf or {}, MODEL_FIELDS)
    facts, version = load_lake().model(model), params.get("version")
    if version is not None:
        comparisons_of(facts)
        version_of(open_ledger(), facts, int(version))
    if not (params.get("first_day") or params.get("last_day")):
        return ""
    return str(_resolved(params, dag_run, "UTC"))


def _resolved(params: dict[str, Any], dag_run: DagRunProtocol, time_zone: str) -> DayRange:
    return resolve_days(
        first_day=params.get("first_day"),
        last_day=params.get("last_day"),
        partition_key=dag_run.partition_key,
        asked_at=dag_run.run_after,
        time_zone=time_zone,
    )


def _require_known(conf: dict[str, Any], fields: tuple[str, ...]) -> None:
    """Airflow takes any field over REST: a mistyped one would quietly mean yesterday."""
    for field in conf:
        if field not in fields:
            raise RequestError(f"the form has no field {field[:40]!r}; known are {', '.join(fields)}.{did_you_mean(field, fields)}")


def pipeline_days_task(pipeline: str) -> PythonOperator:
    """The task `resolve_days` of a pipeline."""
    return _task(pipeline_days, {"pipeline": pipeline}, "The days of this run: the form's, else the run's partition, else yesterday.")


def model_days_task(model: str) -> PythonOperator:
    """The task `resolve_days` of a DAG whose form may name no days, and a version of a model."""
    return _task(model_days, {"model": model}, "The days of the form, if it names any; and whether the version that it names is one.")


def _task(days: Callable[..., str], about: dict[str, str], doc: str) -> PythonOperator:
    return PythonOperator(task_id=TASK, python_callable=days, op_kwargs=about, execution_timeout=LIGHT_TIMEOUT, doc_md=doc)
