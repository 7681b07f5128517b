"""DAGs that look after tables: maintenance by the week, and a way back to an earlier version."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, AssetAlias, Param, task
from airflow.timetables.trigger import CronTriggerTimetable

from expectations.lake import ALL_TABLES
from expectations.loader import load_lake
from expectations.settings import load_settings
from medallion.lake_job import LakeJobOperator
from medallion.retrying import LIGHT_TIMEOUT, task_defaults

SUNDAY_NIGHT = "0 3 * * 0"
RESTORED = AssetAlias("restored tables", group="operations")
"""Which table was restored is known only when it runs."""

MAINTENANCE_DOC = """Compacts small files (OPTIMIZE) and deletes those that no kept version needs (VACUUM).

How long versions are kept is each contract's `keep_history`. One mapped task a table, one at a time, so that a daily run beside it
keeps its pace; tables of one layer fail and retry on their own.

Then `reconcile` holds each table, day by day, against what landed, counted anew; it fails where a day does not add up, and its log has the table."""

RESTORE_DOC = """Puts a table back to an earlier Delta version, and writes that into the ledger.

The versions are in the ledger, on the table's asset events and in `DESCRIBE HISTORY`. Nothing is lost: the restore is a new version
itself. Tables that read this one are stale afterwards; run their days again."""


def maintenance_dag() -> DAG:
    """The DAG `lake_maintenance`."""
    lake = load_lake()
    clock = CronTriggerTimetable(SUNDAY_NIGHT, timezone="UTC") if load_settings().schedule else None
    with DAG(
        dag_id="lake_maintenance",
        description="OPTIMIZE, VACUUM and reconciliation, weekly.",
        schedule=clock,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        default_args=task_defaults("lake"),
        params={"table": Param(ALL_TABLES, enum=[ALL_TABLES, *sorted(lake.tables)], title="Table", description="One table, or all.")},
        doc_md=MAINTENANCE_DOC,
        tags=["lake", "operations"],
    ) as dag:

        @task(execution_timeout=LIGHT_TIMEOUT, doc_md="The tables to look after.")
        def chosen_tables(params: dict[str, Any] | None = None) -> list[str]:
            table = (params or {})["table"]
            return load_lake().tables_called(table)

        tables = chosen_tables()
        maintain, reconcile = (
            LakeJobOperator.partial(task_id=verb, verb=verb, map_index_template="{{ task.name }}", max_active_tis_per_dagrun=1, doc_md=MAINTENANCE_DOC).expand(
                name=tables
            )
            for verb in ("maintain", "reconcile")
        )
        maintain >> reconcile
    return dag


def restore_dag() -> DAG:
    """The DAG `table_restore`."""
    lake = load_lake()
    with DAG(
        dag_id="table_restore",
        description="A table back to an earlier version.",
        schedule=None,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        default_args=task_defaults("lake"),
        params={
            "table": Param(type="string", enum=sorted(lake.tables), title="Table", description="The table to put back."),
            "version": Param(type="integer", minimum=0, title="Version", description="The Delta version to go back to."),
            "reason": Param(type="string", minLength=3, maxLength=500, title="Reason", description="Why; kept on the table's asset event."),
        },
        doc_md=RESTORE_DOC,
        tags=["lake", "operations"],
    ) as dag:
        LakeJobOperator(
            task_id="restore",
            verb="restore",
            name="{{ params.table }}",
            version="{{ params.version }}",
            remark="{{ params.reason }}",
            outlets=[RESTORED],
            doc_md=RESTORE_DOC,
        )
    return dag
