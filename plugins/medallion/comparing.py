"""The form's field `version`, and the task that scores with that version into a table of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.python import BranchPythonOperator
from airflow.sdk import Param

from medallion.asked_days import DAYS
from medallion.assets import model_asset, table_asset
from medallion.lake_job import LakeJobOperator
from medallion.retrying import LIGHT_TIMEOUT

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator

    from expectations.lake import Model

SCORE, COMPARE = "score", "compare"


def version_field(model: Model) -> dict[str, Param]:
    """The form's field for a registered version."""
    table = model.contract.comparisons
    what = (
        f"A registered version scores the days above (empty: those after its last day) into {table}, beside what serves."
        if table
        else "Any registered version could score any days; for that add `comparisons: gold.<table>` to the model's contract, with that table's contract."
    )
    return {"version": Param(None, type=["null", "integer"], minimum=1, title="Version", description=f"{what} Empty: the champion scores for good.")}


def scored_table(model: Model) -> str:
    """The table that a run fills, as a template."""
    contract = model.contract
    return f"{{{{ '{contract.comparisons}' if params.version else '{contract.predictions}' }}}}" if contract.comparisons else contract.predictions


def comparison_tasks(model: Model, asked: BaseOperator, score: BaseOperator) -> list[BaseOperator]:
    """Behind `asked`: `score`, or `compare` where the form names a version; those of both that there are."""
    table = model.contract.comparisons
    if table is None:
        _ = asked >> score
        return [score]
    which_version = BranchPythonOperator(
        task_id="which_version",
        python_callable=asked_task,
        execution_timeout=LIGHT_TIMEOUT,
        doc_md="Whether the champion scores for good, or the form's version for comparison.",
    )
    compare = LakeJobOperator(
        task_id=COMPARE,
        verb="score",
        name=model.name,
        days=DAYS,
        version="{{ params.version or '' }}",
        inlets=[table_asset(model.contract.features), model_asset(model.name)],
        outlets=[table_asset(table)],
        doc_md=f"Scores the form's days with the form's version of {model.name}, into {table}. Twice is once; what serves stays as it is.",
    )
    _ = asked >> which_version >> [score, compare]
    return [score, compare]


def asked_task(params: dict[str, Any]) -> str:
    """The task that the form asks for."""
    return COMPARE if params.get("version") else SCORE
