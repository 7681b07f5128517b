"""The button that leads from a training to its run in MLflow: figures, plots and the model."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import TaskInstanceKey

LEARNING_VERBS = ("train", "promote")


def run_address(mlflow_run: str) -> str:
    """The page of a run on the MLflow server, as a browser reaches it (LAKE_MLFLOW_URL, else MLFLOW_TRACKING_URI); empty where there is none."""
    for variable in ("LAKE_MLFLOW_URL", "MLFLOW_TRACKING_URI"):
        server = os.environ.get(variable, "").rstrip("/")
        if mlflow_run and server.startswith(("http://", "https://")):
            return f"{server}/#/runs/{quote(mlflow_run, safe='')}"
    return ""


class MlflowLink(BaseOperatorLink):
    """The button on a task's page, made when the task has ended."""

    name = "MLflow run"

    @property
    def xcom_key(self) -> str:
        """Where Airflow keeps the address."""
        return "mlflow_run"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:
        """The page of the run that the job registered, or found registered."""
        return run_address(getattr(operator, "mlflow_run", ""))
