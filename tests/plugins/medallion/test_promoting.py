"""A person is shown the new version beside its rivals, and her first answer stays."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from expectations.ledger import Ledger, Question
from expectations.settings import load_settings
from medallion.model_dags import training_dag
from medallion.promoting import PromotionOperator, comparison_text
from tests.plugins.medallion.test_lake_job import context

if TYPE_CHECKING:
    from airflow.sdk import DAG

RUN = "shop_daily/manual__1"
EVIDENCE = {
    "sentence": "v3 passed: roc_auc 0.700 against 0.500 (the majority class) on 2013-01-25..2013-01-31.",
    "version": 3,
    "instead_of": 2,
    "score": "roc_auc",
    "metrics": {"roc_auc": 0.7, "accuracy": 0.75, "log_loss": 0.6},
    "champion": {"roc_auc": 0.69},
    "baseline": {"roc_auc": 0.5, "accuracy": 0.72},
    "history": None,
    "gates": ["roc_auc at least 0.55"],
    "weakest": ["carrier HA: roc_auc 0.510 (31 rows)"],
    "worse": ["carrier B6: roc_auc 0.600, the champion 0.650 (40 rows)"],
    "learned_days": "2013-01-01..2013-01-24",
    "test_days": "2013-01-25..2013-01-31",
    "rows": 26_000,
}


def asked() -> Ledger:
    ledger = Ledger(load_settings().ledger_url)
    ledger.record([], [], questions=[Question("spender", "all", "promotion", "v3 abc", RUN, EVIDENCE)])
    return ledger


def test_a_person_is_shown_the_figures_beside_those_of_every_rival_and_what_became_worse() -> None:
    assert comparison_text(Question("spender", "all", "promotion", "v3 abc", RUN, EVIDENCE)).splitlines() == [
        "**spender**: v3 passed: roc\\_auc 0.700 against 0.500 (the majority class) on 2013-01-25..2013-01-31.",
        "",
        "| figure | new | champion | majority or mean |",
        "|---|---|---|---|",
        "| accuracy | 0.750 |  | 0.720 |",
        "| log_loss, the smaller the better | 0.600 |  |  |",
        "| roc_auc | 0.700 | 0.690 | 0.500 |",
        "",
        "- learned from 2013-01-01..2013-01-24, judged on 2013-01-25..2013-01-31, 26,000 rows together",
        "- passed its gates: roc\\_auc at least 0.55",
        "- weakest for carrier HA: roc\\_auc 0.510 (31 rows)",
        "- worse than the champion: carrier B6: roc\\_auc 0.600, the champion 0.650 (40 rows)",
        "- version and file asked about: `v3 abc`",
    ]


def test_what_a_run_asked_is_open_until_it_is_answered_and_the_first_answer_stays() -> None:
    ledger, operator = asked(), PromotionOperator(task_id="train.decision", about="spender")
    [question] = operator.open_questions(RUN)
    assert operator.shown([question])[0] == "Promote spender v3?"
    assert operator.options == ["Promote", "Keep the old one"]
    operator.note(question, "Keep the old one", "Ada", "too near to tell")
    assert operator.open_questions(RUN) == []
    operator.note(ledger.decisions.questions("spender")[0], "Promote", "Bob", "")
    [answered] = ledger.decisions.questions("spender")
    assert (answered.answer, answered.answered_by, answered.reason) == ("keep", "Ada", "too near to tell")
    with pytest.raises(AirflowSkipException, match="spender: nothing is asked"):
        operator.execute(context())  # type: ignore[arg-type]


def training(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when_better: str) -> DAG:
    copy = tmp_path / "lake"
    shutil.copytree(project, copy)
    contract = copy / "expectations" / "models" / "spender.yaml"
    contract.write_text(f"{contract.read_text()}when_better: {when_better}\n")
    monkeypatch.setenv("LAKE_PROJECT", str(copy))
    return training_dag("spender")


def test_a_training_that_asks_has_a_task_that_waits_and_one_that_obeys(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dag = training(shop, tmp_path, monkeypatch, "ask")
    upstream = {name: sorted(dag.get_task(name).upstream_task_ids) for name in ("train.decision", "train.decided", "is_champion_new")}
    assert upstream == {"train.decision": ["train"], "train.decided": ["train.decision"], "is_champion_new": ["train.decided"]}
    train: Any = dag.get_task("train")
    decided: Any = dag.get_task("train.decided")
    assert (train.may_ask, decided.verb, decided.trigger_rule) == (True, "promote", "none_failed_min_one_success")


def test_a_training_that_promotes_by_itself_asks_nobody(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dag = training(shop, tmp_path, monkeypatch, "promote")
    train: Any = dag.get_task("train")
    assert (train.may_ask, sorted(train.downstream_task_ids)) == (False, ["is_champion_new"])
