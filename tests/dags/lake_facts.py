"""Loads the DAG files for each lake in a fresh process and prints what is in them as JSON: `python lake_facts.py FOLDER LAKE...`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag

HEAVY = ("pyspark", "delta", "great_expectations", "sklearn", "mlflow", "pandas", "numpy", "pyarrow", "grpc", "spark_jobs")


def facts(folder: Path, project: str) -> dict[str, object]:
    """Every DAG's tasks and edges in this lake, the files' errors, and the heavy modules that loading brought in, for it or before."""
    os.environ["LAKE_PROJECT"] = project
    dags = {}
    errors = {}
    for file in sorted(folder.glob("*.py")):
        bag = DagBag(str(file))
        errors |= {Path(path).name: text for path, text in bag.import_errors.items()}
        dags |= bag.dags
    return {
        "errors": errors,
        "heavy": [module for module in HEAVY if module in sys.modules],
        "dags": {
            dag_id: {
                "docs": dag.doc_md,
                "params": {name: dag.params.get_param(name).schema for name in dag.params},
                "paused": dag.is_paused_upon_creation,
                "runs_at_once": dag.max_active_runs,
                "catchup": dag.catchup,
                "tasks": {
                    task.task_id: {
                        "upstream": sorted(task.upstream_task_ids),
                        "owner": task.owner,
                        "docs": task.doc_md,
                        "retries": task.retries,
                        "timeout": bool(task.execution_timeout),
                        "trigger_rule": task.trigger_rule.value,
                        "inlets": [inlet.name for inlet in task.inlets],
                        "outlets": [outlet.name for outlet in task.outlets],
                        "group": task.task_group.group_id if task.task_group else None,
                    }
                    for task in dag.tasks
                },
            }
            for dag_id, dag in dags.items()
        },
    }


if __name__ == "__main__":
    found = json.dumps([facts(Path(sys.argv[1]), project) for project in sys.argv[2:]], default=str)
    sys.stdout.write(f"\n{found}\n")
