"""Waking one DAG from another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

from medallion.retrying import LIGHT_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Context

    Before = Callable[[Context], None]

RUN = "{{ dag_run.dag_id }}__{{ dag_run.run_id }}"


def wake(  # noqa: PLR0913 - what tells one task from another
    dag_id: str, *, task_id: str = "", conf: dict[str, Any] | None = None, trigger_rule: str = "none_failed", doc: str = "", before: Before | None = None
) -> TriggerDagRunOperator:
    """The task `trigger_<dag_id>`, or `task_id` where `dag_id` is a template. `conf`: the fields of its form; `before`: may raise to wake nobody.

    A retry finds the run that its first try made and is skipped; a run that was cleared and runs again wakes the DAG anew. Without
    a logical date: Airflow would skip the tasks of a run whose date lies outside its DAG's dates.
    """
    return TriggerDagRunOperator(
        task_id=task_id or f"trigger_{dag_id}",
        trigger_dag_id=dag_id,
        trigger_run_id=f"{RUN}__{{{{ dag_run.clear_number }}}}",
        conf={**(conf or {}), "triggered_by": "{{ dag_run.dag_id }}/{{ dag_run.run_id }}"},
        logical_date=None,
        skip_when_already_exists=True,
        trigger_rule=trigger_rule,
        pre_execute=before,
        execution_timeout=LIGHT_TIMEOUT,
        doc_md=doc or f"Wakes `{dag_id}`, which asks the ledger whether there is anything to do.",
    )
