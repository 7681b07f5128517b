"""Waking one DAG from another."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

from medallion.retrying import LIGHT_TIMEOUT

RUN = "{{ dag_run.dag_id }}__{{ dag_run.run_id }}"


def wake(dag_id: str, *, task_id: str = "", conf: dict[str, Any] | None = None, trigger_rule: str = "none_failed", doc: str = "") -> TriggerDagRunOperator:
    """The task `trigger_<dag_id>`, or `task_id` where `dag_id` is a template. `conf`: the fields of its form.

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
        execution_timeout=LIGHT_TIMEOUT,
        doc_md=doc or f"Wakes `{dag_id}`, which asks the ledger whether there is anything to do.",
    )
