"""Watching: drift from what was learned, what the predictions were worth, and when to train again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sklearn.metrics import roc_auc_score

from tests.spark_jobs.lake.learning.conftest import HEALTH_CONTRACT, calls_of
from tests.spark_jobs.lake.learning.versions import CONTRACT, OTHER, champion, change, serves

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEALTH = "gold.model_health"
LABELLED = """
    contract: 1
    description: Calls of which it is known whether they were answered.
    inputs: [silver.calls]
    grain: [call]
    day: called_on
    columns:
      called_on: {type: date, nullable: false}
      call: {type: int, nullable: false}
      kind: {type: string}
      hour: {type: int}
      answered: {type: boolean}
"""
HEADER = "called_on,call,kind,hour,answered"


@pytest.fixture
def watched(calls: LittleLake) -> LittleLake:
    """The lake of calls, with a table of model health and two alarms."""
    calls.write("expectations/gold/model_health.yaml", HEALTH_CONTRACT)
    model = calls.project / "expectations/models/answers.yaml"
    alarms = "train: {alarms: [{psi: 1, days: 2, of: 7}, {metric: roc_auc, at_least: 0.5, days: 2, of: 7}]}\n"
    model.write_text(f"{model.read_text()}health: gold.model_health\n{alarms}")
    return calls


def measured(lake: LittleLake) -> dict[tuple[str, str, str], tuple[float, int]]:
    """Day, measure and what it is of, to value and rows."""
    return {(str(row[0]), row[1], row[2]): (row[3], row[4]) for row in lake.rows(HEALTH, "watched_on", "measure", "measure_of", "value", "rows")}


def test_each_predicted_day_is_measured_against_what_was_learned_and_then_against_the_labels_as_they_come_and_are_corrected(watched: LittleLake) -> None:
    watched.write("expectations/gold/labelled_calls.yaml", LABELLED)
    watched.write("spark_jobs/gold/labelled_calls.sql", "SELECT called_on, call, kind, hour, answered FROM silver_calls\n")
    change(watched, CONTRACT, "training: silver.calls", "training: gold.labelled_calls")
    change(watched, CONTRACT, "at_least: 0.5,", "at_least: 0.99,")
    watched.run("score", "answers", run_id="score")
    unlabelled = watched.run("watch", "answers", run_id="watch-1")
    assert (unlabelled.status, unlabelled.facts["days"], unlabelled.facts["alarms"]) == ("done", ["2024-05-15", "2024-05-16"], []), unlabelled.message
    found = measured(watched)
    assert set(found) == {(day, "psi", name) for day in ("2024-05-15", "2024-05-16") for name in ("kind", "hour")}
    assert all(value < 0.1 for (_, _, of), (value, _) in found.items() if of == "kind")
    # drift is told of the week, so of the six learned days before the first predicted one too
    assert found["2024-05-15", "psi", "kind"][1] == 560

    watched.build("gold.labelled_calls", "2024-05-15..2024-05-16", "labels")
    labelled = watched.run("watch", "answers", run_id="watch-2")
    assert labelled.facts["alarms"] == ["roc_auc was below 0.99 on 2 of 2 days, the last was 2024-05-16"], labelled.message
    predicted = {row[0]: row[1] for row in watched.rows("gold.call_predictions", "call", "chance")}
    truth = {row[0]: row[1] for row in watched.rows("silver.calls", "call", "answered")}
    on_the_15th = [call for call in predicted if call // 1000 == 15]
    auc = roc_auc_score([truth[call] for call in on_the_15th], [predicted[call] for call in on_the_15th])
    assert measured(watched)["2024-05-15", "roc_auc", ""] == (pytest.approx(auc, abs=1e-6), 80)

    # half of that day's calls never were, and everybody answered the others, so there is no ROC AUC any more
    watched.land("calls/2024-05-15.csv", HEADER, *calls_of("2024-05-15")[:40])
    watched.write("spark_jobs/gold/labelled_calls.sql", "SELECT called_on, call, kind, hour, true AS answered FROM silver_calls\n")
    for table in ("bronze.calls", "silver.calls", "gold.labelled_calls"):
        watched.build(table, "2024-05-15", "corrected")
    corrected = watched.run("watch", "answers", run_id="watch-3")
    # the day after is measured again for the sake of the week before it
    assert (corrected.facts["days"], corrected.facts["alarms"]) == (["2024-05-15", "2024-05-16"], []), corrected.message
    after = measured(watched)
    assert (after["2024-05-15", "accuracy", ""][1], after["2024-05-15", "psi", "kind"][1]) == (40, 520)
    assert len({row[1] for row in watched.rows(HEALTH, "watched_on", "made_from") if str(row[0]) == "2024-05-15"}) == 2
    version = watched.version(HEALTH)
    again = watched.run("watch", "answers", run_id="watch-4")
    assert (again.status, again.facts["alarms"], watched.version(HEALTH)) == ("unchanged", [], version), again.message


def test_drift_and_decay_ask_for_training_until_a_training_has_seen_those_days(watched: LittleLake) -> None:
    for day in (17, 18, 19, 20, 21, 22, 23, 24):
        name = f"2024-05-{day}"
        # everybody is at home at night, and whoever used to answer does not
        lines = [f"{name},{day * 1000 + at},home,{hour},{str(hour > 21).lower()}" for at, hour in enumerate([8, 22, 23] * 20)]
        watched.land(f"calls/{name}.csv", HEADER, *lines)
    for table in ("bronze.calls", "silver.calls"):
        watched.build(table, "2024-05-17..2024-05-24", "build-2")
    watched.run("score", "answers", run_id="score")
    result = watched.run("watch", "answers", run_id="watch-1")
    drifted, decayed = result.facts["alarms"]
    assert drifted.startswith("chance, hour, kind drifted beyond a PSI of 1 on "), drifted
    assert decayed == "roc_auc was below 0.5 on 7 of 7 days, the last was 2024-05-24"
    assert result.message.endswith(f"answers v1 needs training: {drifted}; {decayed}")
    assert watched.run("watch", "answers", run_id="watch-2").facts["alarms"] == [drifted, decayed]
    serves(watched)
    watched.ledger.record_model(replace(champion(watched), last_day="2024-05-24"))
    after = watched.run("watch", "answers", run_id="watch-3")
    assert (after.status, after.facts["model_version"], after.facts["alarms"]) == ("unchanged", OTHER, [])
