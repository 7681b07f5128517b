"""A model's two DAGs, made from its contract."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow.providers.standard.operators.python import ShortCircuitOperator
from airflow.sdk import DAG, chain

from expectations.days import reach
from expectations.loader import load_lake
from medallion.asked_days import DAYS, model_days_task
from medallion.assets import model_asset, table_asset
from medallion.comparing import comparison_tasks, scored_table, version_field
from medallion.documentation import model_doc
from medallion.forms import day_fields, switch
from medallion.lake_job import LakeJobOperator
from medallion.lake_ledger import open_ledger
from medallion.promoting import promotion_tasks
from medallion.reporting import report_task
from medallion.retrying import LIGHT_TIMEOUT, TRAINING_TIMEOUT, task_defaults
from medallion.run_name import run_name
from medallion.triggering import wake
from medallion.watching import watch_tasks

if TYPE_CHECKING:
    from airflow.sdk.types import DagRunProtocol

    from expectations.lake import Lake

log = logging.getLogger(__name__)


def training_id(model: str) -> str:
    """The id of a model's training DAG."""
    return f"{model}_training"


def inference_id(model: str) -> str:
    """The id of a model's inference DAG."""
    return f"{model}_inference"


def training_dag(model: str) -> DAG:
    """The DAG `<model>_training`: asks the ledger whether it is time, trains, and wakes inference for a new champion."""
    facts = load_lake().model(model)
    with DAG(
        dag_id=training_id(model),
        description=f"Trains {model} when its contract says so, or by hand.",
        schedule=None,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        default_args=task_defaults(facts.contract.owner),
        params={
            "force": switch("Train even if the model is young", "Else its contract decides, and the run ends early where it is not time yet."),
            "alarm": switch(
                "An alarm of the watched model rang",
                "Ticked by inference where it starts this run: age does not count, but without new data nothing is trained.",
            ),
        },
        doc_md=model_doc(facts),
        tags=["lake", "model", model],
    ) as dag:
        is_it_time = ShortCircuitOperator(
            task_id="is_it_time",
            python_callable=time_to_train,
            op_kwargs={"model": model},
            execution_timeout=LIGHT_TIMEOUT,
            doc_md=f"Whether {model} is {facts.contract.train.every} of data old, or the form says to train anyway.",
        )
        train = LakeJobOperator(
            task_id="train",
            verb="train",
            name=model,
            force="{{ params.force }}",
            inlets=[table_asset(facts.contract.training)],
            outlets=[model_asset(model)],
            may_ask=facts.contract.when_better == "ask",
            execution_timeout=TRAINING_TIMEOUT,
            doc_md=model_doc(facts),
        )
        is_champion_new = ShortCircuitOperator(
            task_id="is_champion_new",
            python_callable=champion_is_new,
            op_kwargs={"model": model},
            trigger_rule="none_failed",  # the tasks before it are skipped where nobody is asked
            execution_timeout=LIGHT_TIMEOUT,
            doc_md="Whether this run's model became the champion.",
        )
        asked = promotion_tasks(model, model_doc(facts)) if facts.contract.when_better == "ask" else ()
        chain(is_it_time, train, *asked, is_champion_new, wake(inference_id(model)))
    return dag


def inference_dag(model: str) -> DAG:
    """The DAG `<model>_inference`: scores what has no prediction yet, or the form's days; or any days with the form's version, beside what serves."""
    lake = load_lake()
    facts = lake.model(model)
    predictions = facts.contract.predictions
    with DAG(
        dag_id=inference_id(model),
        description=f"Scores new rows with the champion of {model}.",
        schedule=None,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        default_args=task_defaults(facts.contract.owner),
        params={**day_fields("all days that have no prediction yet", _days_of(lake, model)), **version_field(facts)},
        doc_md=model_doc(facts),
        tags=["lake", "model", model],
    ) as dag:
        read, made = [table_asset(facts.contract.features), model_asset(model)], [table_asset(predictions)]
        score = LakeJobOperator(task_id="score", verb="score", name=model, days=DAYS, inlets=read, outlets=made, doc_md=model_doc(facts))
        comparison_tasks(facts, model_days_task(model), score) >> report_task(scored_table(facts))
        watch_tasks(facts, score, training_id(model))
    return dag


def _days_of(lake: Lake, model: str) -> str:
    """The days that the model can be asked about, by the contracts."""
    features = lake.model(model).contract.features
    builds = lake.pipeline_of(features)
    built = f", which is built for the days {reach(builds.first_day, builds.last_day)}" if builds else ""
    return f"a published day of {features}{built}"


def time_to_train(model: str, params: dict[str, Any]) -> bool:
    """Whether to train; the reason is in the log."""
    from medallion.training_time import training_time

    lake = load_lake()
    decision = training_time(lake, open_ledger(), lake.model(model), forced=bool(params.get("force")), alarmed=bool(params.get("alarm")))
    log.info("%s: %s", model, decision.reason)
    return decision.train


def champion_is_new(model: str, dag_run: DagRunProtocol) -> bool:
    """Whether the champion was trained, or promoted, by this run."""
    ledger, run = open_ledger(), run_name(dag_run)
    champion = ledger.champion(model)
    # a question may have passed on to this run from the one that trained
    promoted = {question.evidence.get("version") for question in ledger.decisions.questions(model, run) if question.answer == "promote"}
    new = champion is not None and (champion.run_id == run or champion.version in promoted)
    log.info("%s: %s", model, f"version {champion.version} is the new champion" if champion and new else "the champion stays")
    return new
