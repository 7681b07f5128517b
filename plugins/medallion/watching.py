"""The tasks behind a model's scoring that watch it, and have it trained where an alarm rings."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow.providers.standard.operators.python import ShortCircuitOperator

from medallion.assets import table_asset
from medallion.lake_job import LakeJobOperator
from medallion.lake_ledger import open_ledger
from medallion.retrying import LIGHT_TIMEOUT
from medallion.run_name import run_name
from medallion.triggering import wake

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator
    from airflow.sdk.types import DagRunProtocol

    from expectations.lake import Model

log = logging.getLogger(__name__)


def watch_tasks(model: Model, score: BaseOperator, training_dag: str) -> None:
    """Behind `score`: measure the champion where the contract names a table for it, and train where one of its alarms rings."""
    health = model.contract.health
    if health is None:
        return
    watch = LakeJobOperator(
        task_id="watch",
        verb="watch",
        name=model.name,
        inlets=[table_asset(model.contract.predictions)],
        outlets=[table_asset(health)],
        doc_md=f"Measures drift, and where labels have come the figures, of {model.name}'s champion on every day it has predicted, into {health}.",
    )
    score >> watch
    if model.contract.train.alarms:
        is_alarmed = ShortCircuitOperator(
            task_id="is_alarmed",
            python_callable=alarm_rings,
            op_kwargs={"model": model.name},
            execution_timeout=LIGHT_TIMEOUT,
            doc_md="Whether an alarm of the contract rings; the reason is in the log.",
        )
        # not where the tasks before it were skipped: a comparison is no reason to train
        trigger = wake(training_dag, conf={"alarm": True}, trigger_rule="all_success", doc=f"Trains {model.name} anew because an alarm rings.")
        _ = watch >> is_alarmed >> trigger


def alarm_rings(model: str, dag_run: DagRunProtocol) -> bool:
    """Whether this run's watching has found a reason to train."""
    attempts = open_ledger().attempts(run_name(dag_run), model)
    alarms: list[str] = next((attempt.facts["alarms"] for attempt in attempts if "alarms" in attempt.facts), [])
    log.info("%s: %s", model, "; ".join(alarms) or "no alarm rings")
    return bool(alarms)
