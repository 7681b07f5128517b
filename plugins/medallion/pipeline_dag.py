"""A pipeline's daily DAG, made from its contracts."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG, BaseOperator, TaskGroup
from airflow.sdk.exceptions import AirflowSkipException

from expectations.days import reach
from expectations.facts import LAYERS
from expectations.loader import load_lake
from expectations.settings import load_settings
from medallion.asked_days import DAYS, pipeline_days_task, require_days
from medallion.asking import decided_id, decision_task, table_tasks
from medallion.assets import table_asset
from medallion.day_timetable import DayTimetable
from medallion.documentation import pipeline_doc, table_doc
from medallion.forms import day_fields, switch
from medallion.lake_job import LakeJobOperator
from medallion.lake_ledger import open_ledger
from medallion.model_dags import inference_id, training_id
from medallion.reporting import report_task
from medallion.retrying import LIGHT_TIMEOUT, task_defaults
from medallion.run_name import run_name
from medallion.triggering import wake

if TYPE_CHECKING:
    from airflow.sdk.types import DagRunProtocol, RuntimeTaskInstanceProtocol

    from expectations.lake import Lake

log = logging.getLogger(__name__)


def pipeline_dag(pipeline: str) -> DAG:
    """The DAG `<pipeline>_daily`: one task a table in the order of the contracts' inputs, a gate a layer, then the models.

    A table waits for its own inputs, not for the gate of the layer before: a held table stops its readers and nobody else. The
    gates show each layer's verdict and make the run fail where a day was held. Raises ContractError where a contract is wrong.
    """
    lake = load_lake()
    facts = lake.pipeline(pipeline)
    by_default = "the run's own day, which for a run by hand is yesterday"
    with DAG(
        dag_id=f"{pipeline}_daily",
        description=facts.description or f"The tables of {pipeline}, day by day.",
        schedule=DayTimetable(
            facts.schedule,
            time_zone=facts.time_zone,
            first_day=facts.first_day,
            last_day=facts.last_day,
            by_the_clock=load_settings().schedule,
        ),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        default_args=task_defaults(facts.owner),
        params={
            **day_fields(by_default, reach(facts.first_day, facts.last_day)),
            "force": switch("Rebuild", "Build the days again even where nothing changed."),
        },
        doc_md=pipeline_doc(lake, pipeline),
        tags=["lake", pipeline],
    ) as dag:
        tasks, published = _table_tasks(lake, pipeline)
        _wake_models(lake, pipeline, tasks, published)
        # Behind the tables, not the gates: those must stay last tasks, for a run is what its last tasks are.
        list(published.values()) >> report_task(pipeline)
    return dag


def _table_tasks(lake: Lake, pipeline: str) -> tuple[dict[str, LakeJobOperator], dict[str, BaseOperator]]:
    """Table to the task that builds it, and to the one after which it is as it will be."""
    facts = lake.pipeline(pipeline)
    # A table without source and without logic is filled by inference.
    built = [name for name in lake.in_order(facts.tables) if lake.table(name).contract.source or lake.table(name).logic]
    days = pipeline_days_task(pipeline)
    tasks: dict[str, LakeJobOperator] = {}
    published: dict[str, BaseOperator] = {}
    for layer in LAYERS:
        names = [name for name in built if lake.table(name).layer == layer]
        if not names:
            continue
        with TaskGroup(layer, prefix_group_id=False):
            tasks |= {name: _table_task(lake, name, facts.owner, name) for name in names}
            published |= {name: _published(lake, name, facts.owner, tasks[name]) for name in names}
            [published[name] for name in names] >> _gate(layer, {name: table_tasks(lake.table(name)) for name in names})
    for name, task in tasks.items():
        inputs = [published[read.table] for read in lake.table(name).contract.inputs if read.table in published]
        (inputs or [days]) >> task
    return tasks, published


def _published(lake: Lake, name: str, owner: str, build: LakeJobOperator) -> BaseOperator:
    """The task after which the table is as it will be: its own, or, where a rule asks, the one that obeys the answer."""
    if not lake.table(name).contract.asks:
        return build
    # skipped like the decision where nothing is asked
    decided = _table_task(lake, name, owner, decided_id(name), trigger_rule="none_failed_min_one_success")
    build >> decision_task(name) >> decided
    return decided


def _table_task(lake: Lake, name: str, owner: str, task_id: str, trigger_rule: str = "none_failed") -> LakeJobOperator:
    """`none_failed`: a table that asks is followed by tasks that are skipped where nothing is asked."""
    table = lake.table(name)
    return LakeJobOperator(
        task_id=task_id,
        trigger_rule=trigger_rule,
        may_ask=table.contract.asks and task_id == name,
        verb="build",
        name=name,
        days=DAYS,
        force="{{ params.force }}",
        inlets=[table_asset(read.table) for read in table.contract.inputs],
        outlets=[table_asset(name)],
        owner=table.contract.owner or owner or "lake",
        doc_md=table_doc(table),
    )


def _gate(layer: str, tables: dict[str, list[str]]) -> PythonOperator:
    return PythonOperator(
        task_id=f"{layer}_gate",
        python_callable=show_verdict,
        op_kwargs={"layer": layer, "tables": tables, "days": DAYS},
        trigger_rule="all_done",
        execution_timeout=LIGHT_TIMEOUT,
        doc_md=f"What this run did with the tables of {layer}, from the ledger. Fails where a day was held or a table failed.",
    )


def show_verdict(layer: str, tables: dict[str, list[str]], days: str, dag_run: DagRunProtocol, ti: RuntimeTaskInstanceProtocol) -> list[dict[str, object]]:
    """Logs one line a table and hands the verdicts on. Raises LayerError where the layer is not as asked.

    `tables`: table to the tasks that build it, the last one deciding. Skips where the run has no days: then resolve_days has said why.
    """
    if not days:
        raise AirflowSkipException("the run has no days")
    from medallion.layer_gate import judge_layer

    every = [task for tasks in tables.values() for task in tasks]
    found = ti.get_task_states(dag_id=dag_run.dag_id, task_ids=every, run_ids=[dag_run.run_id]).get(dag_run.run_id, {})
    states = {table: _last_state([str(found.get(task, "not run")) for task in tasks]) for table, tasks in tables.items()}
    lines, verdicts = judge_layer(open_ledger(), run_name(dag_run), layer, states)
    log.info("%s passed: %s", layer, " | ".join(lines))
    return verdicts


def _last_state(states: list[str]) -> str:
    """That of the last task which ran; of the first one where none did."""
    return next((state for state in reversed(states) if state not in {"skipped", "upstream_failed", "not run"}), states[0])


def _wake_models(lake: Lake, pipeline: str, tasks: dict[str, LakeJobOperator], published: dict[str, BaseOperator]) -> None:
    """A training comes when every table of the run was judged: it does not learn from a day that one of them holds, or asks about.

    Of the tables that it learns from it waits for the answer, of the others it does not.
    """
    for model in lake.models_of(pipeline):
        contract = lake.model(model).contract
        if contract.training in tasks:
            judged = {**tasks, contract.training: published[contract.training]}
            list(judged.values()) >> wake(training_id(model), trigger_rule="all_done", before=require_days)
        if contract.features in tasks:
            published[contract.features] >> wake(inference_id(model))
