"""What a run of a DAG is called in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk.types import DagRunProtocol


def run_name(dag_run: DagRunProtocol) -> str:
    """`dag_id/run_id`: Airflow's run ids are unique only within one DAG."""
    return f"{dag_run.dag_id}/{dag_run.run_id}"
