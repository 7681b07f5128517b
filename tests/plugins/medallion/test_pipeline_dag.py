"""What a layer's gate makes of its tables' tasks, and the tasks of a table that asks a person."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from expectations.errors import LayerError
from expectations.ledger import Attempt, Ledger
from expectations.settings import load_settings
from medallion.pipeline_dag import pipeline_dag, show_verdict

RUN: Any = SimpleNamespace(dag_id="shop_daily", run_id="1")
ASKING = {"silver.visits": ["silver.visits", "silver.visits.decision", "silver.visits.decided"], "silver.shops": ["silver.shops"]}


def verdict(**states: str) -> list[dict[str, object]]:
    """The gate of silver, whose tasks ended so; the ones that are not named did not run. `_` stands for a dot."""
    named = {task.replace("_", "."): state for task, state in states.items()}
    ti: Any = SimpleNamespace(get_task_states=lambda dag_id, task_ids, run_ids: {"1": {task: named[task] for task in task_ids if task in named}})
    return show_verdict("silver", ASKING, "2013-01-01..2013-01-01", RUN, ti)


@pytest.fixture
def built() -> None:
    """Both tables have left a good job in the ledger."""
    for table in ASKING:
        Ledger(load_settings().ledger_url).note(Attempt("shop_daily/1", table, "done", "", []))


@pytest.mark.usefixtures("built")
def test_a_table_that_asked_nobody_is_as_its_own_task_left_it() -> None:
    found = verdict(silver_visits="success", silver_visits_decision="skipped", silver_visits_decided="skipped", silver_shops="success")
    assert [(table["table"], table["status"]) for table in found] == [("silver.visits", "done"), ("silver.shops", "done")]


@pytest.mark.usefixtures("built")
def test_a_table_that_asked_is_as_the_task_left_it_that_obeyed_the_answer() -> None:
    states = {"silver_visits": "success", "silver_visits_decision": "success", "silver_shops": "success"}
    assert verdict(**states, silver_visits_decided="success")
    with pytest.raises(LayerError, match=r"silver: 1 of 2 tables are not as asked: silver\.visits failed; its log says why"):
        verdict(**states, silver_visits_decided="failed")
    with pytest.raises(LayerError, match=r"silver\.visits failed"):
        verdict(**{**states, "silver_visits_decision": "failed"}, silver_visits_decided="upstream_failed")


@pytest.mark.usefixtures("built")
def test_a_table_whose_task_was_left_out_is_not_taken_for_built() -> None:
    with pytest.raises(LayerError, match=r"silver: 2 of 2 tables are not as asked: silver\.visits not run; .* \| silver\.shops not run"):
        verdict(silver_visits="upstream_failed", silver_visits_decision="upstream_failed", silver_shops="upstream_failed")
    with pytest.raises(LayerError, match=r"1 of 2 tables are not as asked: silver\.shops not run"):
        verdict(silver_visits="success")


def test_a_run_without_days_has_no_verdict() -> None:
    with pytest.raises(AirflowSkipException, match="the run has no days"):
        show_verdict("silver", ASKING, "", RUN, SimpleNamespace())  # type: ignore[arg-type]


def test_what_reads_a_table_that_asks_waits_for_the_answer(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "lake"
    shutil.copytree(shop, project)
    contract = project / "expectations" / "silver" / "visits.yaml"
    contract.write_text(f"{contract.read_text()}  - {{expect: expect_table_row_count_to_be_between, min_value: 1, on_fail: ask}}\n")
    monkeypatch.setenv("LAKE_PROJECT", str(project))
    dag = pipeline_dag("shop")
    upstream = {task.task_id: sorted(task.upstream_task_ids) for task in dag.tasks}
    table, decision, decided = ASKING["silver.visits"]
    assert (upstream[decision], upstream[decided]) == ([table], [decision])
    for reader in ("gold.days", "trigger_spender_training", "trigger_spender_inference"):
        assert decided in upstream[reader]
        assert table not in upstream[reader]
    assert {decided, "silver.shops"} == set(upstream["silver_gate"])
    build, obeys, gate = dag.get_task(table), dag.get_task(decided), dag.get_task("silver_gate")
    assert (build.may_ask, obeys.may_ask, obeys.verb, obeys.trigger_rule) == (True, False, "build", "none_failed_min_one_success")
    assert gate.op_kwargs["tables"] == ASKING
