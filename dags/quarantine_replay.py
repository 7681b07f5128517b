"""The Airflow DAG `quarantine_replay`: rows back from quarantine, by a form."""

from __future__ import annotations

from medallion.quarantine_dag import quarantine_dag

quarantine_dag()
