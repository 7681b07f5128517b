"""Waking one DAG from another."""

from __future__ import annotations

from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator

from medallion.retrying import LIGHT_TIMEOUT

RUN = "{{ dag_run.dag_id }}__{{ dag_run.run_id }}"


def wake(dag_id: str) -> TriggerDagRunOperator:
    """The task `trigger_<dag_id>`.

    A retry finds the run that its first try made and is skipped; a run that was cleared and runs again wakes the DAG anew. Without
    a logical date: Airflow would skip the tasks of a run whose date lies outside its DAG's dates.
    """
    return TriggerDagRunOperator(
        task_id=f"trigger_{dag_id}",
        trigger_dag_id=dag_id,
        trigger_run_id=f"{RUN}__{{{{ dag_run.clear_number }}}}",
        conf={"triggered_by": "{{ dag_run.dag_id }}/{{ dag_run.run_id }}"},
        logical_date=None,
        skip_when_already_exists=True,
        trigger_rule="none_failed",
        execution_timeout=LIGHT_TIMEOUT,
        doc_md=f"Wakes `{dag_id}`, which asks the ledger whether there is anything to do.",
    )
