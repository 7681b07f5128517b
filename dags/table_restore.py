"""The Airflow DAG `table_restore`: a table back to an earlier version, by a form."""

from __future__ import annotations

from medallion.operations_dags import restore_dag

restore_dag()
