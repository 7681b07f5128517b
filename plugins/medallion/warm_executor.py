"""Airflow's LocalExecutor whose workers have the heavy imports behind them when they are forked."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from airflow.executors.local_executor import LocalExecutor

if TYPE_CHECKING:
    from airflow.models.taskinstance import TaskInstance

# What every Spark task imports; Great Expectations alone takes 2 to 5 s, which each task would pay again, as each is a process of its own. The lake's own
# modules come last: with them a task without work takes 0.2 instead of 0.3 s. A table's logic is none of them: each job reads it anew.
# Why it is right to import it here, once:
# - Workers are forked from the scheduler, and tasks from workers, so each finds the modules loaded (tests/plugins/medallion/test_warm_executor.py).
# - Their memory is shared copy-on-write; Airflow freezes the garbage collector before it forks, so that it does not touch the shared pages.
# - Only imports: they start no thread and open no connection, which would not live on in a fork (an open gRPC channel hung the workers).
# - The tasks' own state stays theirs: what a task registers or configures it does in its own process, which ends with it.
# Where a job has a process of its own, by spark-submit or as a child of LAKE_PYTHON, it pays for its imports: see docs/reports.md.
HEAVY = (
    *("pyspark.sql.connect.session", "pyspark.sql.connect.dataframe", "pandas", "pyarrow.parquet", "grpc", "deltalake", "great_expectations"),
    *("medallion.pipeline_dag", "medallion.model_dags", "spark_jobs.run", "spark_jobs.lake.build"),
)


class WarmExecutor(LocalExecutor):
    """Imports once in the scheduler what otherwise each task would import for itself."""

    # All task logs lie in one folder of this machine, where the api-server reads them.
    serve_logs = False

    def start(self) -> None:
        """Imports, then forks the workers."""
        # Great Expectations reads it when it is imported.
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
        for module in HEAVY:
            try:
                importlib.import_module(module)
            except ImportError:
                # Where jobs have an environment of their own (LAKE_PYTHON), there is nothing to warm here.
                self.log.info("not installed beside Airflow, not warmed: %s", module)
        super().start()

    def get_task_log(self, ti: TaskInstance, try_number: int) -> tuple[list[str], list[str]]:
        """Says that a running task's log is complete as it lies on disk, so that no log server is asked for it."""
        return [f"{ti.task_id}, try {try_number}: read from this machine's log folder"], []
