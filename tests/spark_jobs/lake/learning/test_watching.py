"""Watching: drift from what was learned, what the predictions were worth, and when to train again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sklearn.metrics import roc_auc_score

from tests.spark_jobs.lake.learning.conftest import calls_of

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEALTH = "gold.model_health"
CONTRACT = """
    contract: 1
    description: How the models are doing. One row a day, version and figure.
    inputs: [silver.calls, gold.call_predictions]
    grain: [watched_on, model_name, model_version, measure, measure_of]
    day: watched_on
    write: merge
    order_by: measured_at
    columns:
      watched_on: {type: date, nullable: false}
      model_name: {type: string, nullable: false}
      model_version: {type: int, nullable: false}
      measure: {type: string, nullable: false}
      measure_of: {type: string, nullable: false}
      value: {type: double, nullable: false}
      rows: {type: bigint, nullable: false}
      made_from: {type: string, nullable: false}
      measured_at: {type: timestamp, nullable: false}
"""
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
    calls.write("expectations/gold/model_health.yaml", CONTRACT)
    model = calls.project / "expectations/models/answers.yaml"
    alarms = "train: {alarms: [{psi: 1, days: 2, of: 7}, {metric: roc_auc, at_least: 0.5, days: 2, of: 7}]}\n"
    model.write_text(f"{model.read_text()}health: gold.model_health\n{alarms}")
    return calls


def measured(lake: LittleLake) -> dict[tuple[str, str, str], tuple[float, int]]:
    """Day, measure and what it is of, to value and rows."""
    return {(str(row[0]), row[1], row[2]): (row[3], row[4]) for row in lake.rows(HEALTH, "watched_on", "measure", "measure_of", "value", "rows")}


def test_each_predicted_day_is_measured_once_against_what_was_learned_and_what_came_true(watched: LittleLake) -> None:
    assert watched.run("watch", "answers").message == "answers v1: every day that it has predicted is measured"
    watched.run("score", "answers", run_id="score")
    first = watched.run("watch", "answers", run_id="watch-1")
    assert (first.status, first.facts["days"], first.facts["alarms"]) == ("done", ["2024-05-15", "2024-05-16"], []), first.message
    found = measured(watched)
    predicted = {row[0]: row[1] for row in watched.rows("gold.call_predictions", "call", "chance")}
    truth = {row[0]: row[1] for row in watched.rows("silver.calls", "call", "answered")}
    on_the_15th = [call for call in predicted if call // 1000 == 15]
    auc = roc_auc_score([truth[call] for call in on_the_15th], [predicted[call] for call in on_the_15th])
    assert found["2024-05-15", "roc_auc", ""] == (pytest.approx(auc, abs=1e-6), 80)
    assert {key for key in found if key[1] == "psi"} == {(day, "psi", name) for day in ("2024-05-15", "2024-05-16") for name in ("kind", "hour")}
    assert all(value < 0.1 for (_, measure, of), (value, _) in found.items() if (measure, of) == ("psi", "kind"))
    # drift is told of the week, so of the six learned days before the first predicted one too
    assert found["2024-05-15", "psi", "kind"][1] == 560
    version = watched.version(HEALTH)
    assert watched.run("watch", "answers", run_id="watch-2").status == "unchanged"
    assert watched.version(HEALTH) == version


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
    trained = watched.run("train", "answers", "2024-05-15..2024-05-24", run_id="train-2", force=True)
    assert trained.facts["promoted"], trained.message
    after = watched.run("watch", "answers", run_id="watch-3")
    assert (after.status, after.facts["model_version"], after.facts["alarms"]) == ("unchanged", 2, [])


def test_days_whose_data_change_are_measured_again(watched: LittleLake) -> None:
    watched.run("score", "answers", "2024-05-15", run_id="score")
    watched.run("watch", "answers", run_id="watch-1")
    before = measured(watched)
    watched.land("calls/2024-05-15.csv", HEADER, *calls_of("2024-05-15")[:40])
    for table in ("bronze.calls", "silver.calls"):
        watched.build(table, "2024-05-15", "build-2")
    watched.run("score", "answers", run_id="score-2")
    again = watched.run("watch", "answers", run_id="watch-2")
    assert again.facts["days"] == ["2024-05-15", "2024-05-16"]
    after = measured(watched)
    assert (before["2024-05-15", "roc_auc", ""][1], after["2024-05-15", "roc_auc", ""][1]) == (80, 40)


def test_labels_that_come_later_are_measured_later_and_a_figure_that_a_correction_takes_away_counts_no_more(watched: LittleLake) -> None:
    watched.write("expectations/gold/labelled_calls.yaml", LABELLED)
    watched.write("spark_jobs/gold/labelled_calls.sql", "SELECT called_on, call, kind, hour, answered FROM silver_calls\n")
    model = (watched.project / "expectations/models/answers.yaml").read_text()
    watched.write("expectations/models/answers.yaml", model.replace("training: silver.calls", "training: gold.labelled_calls").replace("0.5,", "0.99,"))
    watched.run("score", "answers", run_id="score")
    unlabelled = watched.run("watch", "answers", run_id="watch-1")
    assert (unlabelled.facts["days"], {measure for _, measure, _ in measured(watched)}) == (["2024-05-15", "2024-05-16"], {"psi"}), unlabelled.message

    watched.build("gold.labelled_calls", "2024-05-15..2024-05-16", "labels")
    labelled = watched.run("watch", "answers", run_id="watch-2")
    assert labelled.facts["alarms"] == ["roc_auc was below 0.99 on 2 of 2 days, the last was 2024-05-16"], labelled.message
    assert measured(watched)["2024-05-15", "roc_auc", ""][1] == 80

    # everybody answered after all, so of that day there is no ROC AUC any more
    watched.write("spark_jobs/gold/labelled_calls.sql", "SELECT called_on, call, kind, hour, true AS answered FROM silver_calls\n")
    watched.build("gold.labelled_calls", "2024-05-15", "corrected labels")
    corrected = watched.run("watch", "answers", run_id="watch-3")
    assert (corrected.facts["days"], corrected.facts["alarms"]) == (["2024-05-15"], []), corrected.message
    assert len({row[1] for row in watched.rows(HEALTH, "watched_on", "made_from") if str(row[0]) == "2024-05-15"}) == 2
    version = watched.version(HEALTH)
    again = watched.run("watch", "answers", run_id="watch-4")
    assert (again.status, again.facts["alarms"], watched.version(HEALTH)) == ("unchanged", [], version), again.message


def test_watching_without_a_table_for_it_says_what_to_add(calls: LittleLake) -> None:
    result = calls.run("watch", "answers")
    assert (result.status, result.message) == (
        "failed_terminal",
        "answers: its contract names no table for what watching finds; add health: gold.model_health, and that table's contract.",
    )
