"""The Airflow DAG `lake_maintenance`: OPTIMIZE and VACUUM, weekly or by hand."""

from __future__ import annotations

from medallion.operations_dags import maintenance_dag

maintenance_dag()
