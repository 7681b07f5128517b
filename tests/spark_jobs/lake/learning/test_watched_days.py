"""Which days are watched anew, which measures count, and what has drifted: of literal states and counts, so without Spark."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from expectations.days import parse_range
from expectations.errors import ModelError
from expectations.jobs import JobRequest, JobResult
from spark_jobs.lake.learning.watching.alarms import Measure
from spark_jobs.lake.learning.watching.health import answer_shifts, shifts
from spark_jobs.lake.learning.watching.watch import days_due, fingerprint, measured_as_now, since_training, states_of, told, watch
from spark_jobs.lake.over_time.profiles import Spread
from tests.spark_jobs.lake.learning.conftest import HEALTH_CONTRACT
from tests.spark_jobs.lake.learning.evaluation.contracts import contract_of
from tests.spark_jobs.lake.learning.versions import CONTRACT, champion, job_of

if TYPE_CHECKING:
    from expectations.ledger.entries import Inputs
    from tests.spark_jobs.lake.conftest import LittleLake

D = [f"2024-05-{day:02}" for day in range(32)]
FEATURES, PREDICTIONS, LABELS = "silver.features", "gold.predictions", "gold.training"
MODEL = contract_of()


def published(**more: dict[str, int]) -> Inputs:
    """Eleven days of features, of which the last two are predicted and one is labelled."""
    now = {"features": dict.fromkeys(D[5:16], 0), "predictions": {D[14]: 0, D[15]: 0}, "training": {D[14]: 0}}
    return {f"{'silver' if name == 'features' else 'gold'}.{name}": {**versions, **more.get(name, {})} for name, versions in now.items()}


def states(**more: dict[str, int]) -> dict[str, Inputs]:
    return states_of(MODEL, [D[14], D[15]], published(**more))


def measure(day: str, value: float = 0.7, name: str = "roc_auc", of: str = "") -> Measure:
    return Measure(day, name, of, value, 80)


def row(day: str, inputs: Inputs, **more: Any) -> Any:
    """A row of a health table that was made from these inputs."""
    facts = {"watched_on": day, "measure": "roc_auc", "measure_of": "", "value": 0.7, "rows": 80, "made_from": fingerprint(inputs)}
    return SimpleNamespace(**{**facts, **more})


# which days are measured


def test_a_day_is_measured_from_a_week_of_features_and_predictions_and_from_its_own_labels() -> None:
    assert states()[D[14]] == {FEATURES: dict.fromkeys(D[8:15], 0), PREDICTIONS: {D[14]: 0}, LABELS: {D[14]: 0}}
    assert states()[D[15]] == {FEATURES: dict.fromkeys(D[9:16], 0), PREDICTIONS: {D[14]: 0, D[15]: 0}, LABELS: {}}


def test_a_day_whose_predictions_are_gone_is_not_measured() -> None:
    assert states_of(MODEL, [D[13], D[14]], published()).keys() == {D[14]}


def test_days_that_are_measured_as_they_are_now_are_not_due() -> None:
    now = states()
    assert days_due(now, [], None) == now
    assert list(days_due(now, [measure(D[14])], None)) == [D[15]]
    assert list(days_due(now, [], parse_range(D[14]))) == [D[14]]
    assert days_due(now, [measure(D[14])], parse_range(D[14])) == {}


@pytest.mark.parametrize(
    ("changed", "due"),
    [
        ({"features": {D[8]: 1}}, [D[14]]),
        ({"features": {D[14]: 1}}, [D[14], D[15]]),
        ({"predictions": {D[15]: 1}}, [D[15]]),
        ({"training": {D[14]: 1}}, [D[14]]),
        ({"training": {D[15]: 0}}, [D[15]]),
        ({"features": {D[7]: 1}, "training": {D[13]: 1}}, []),
    ],
    ids=["the oldest day of features", "features of both", "predictions", "corrected labels", "labels that come later", "what no day is measured from"],
)
def test_days_whose_data_change_are_measured_again(changed: dict[str, dict[str, int]], due: list[str]) -> None:
    rows = [row(day, inputs) for day, inputs in states().items()]
    assert [one.day for one in measured_as_now(rows, states())] == [D[14], D[15]]
    assert list(days_due(states(**changed), measured_as_now(rows, states(**changed)), None)) == due


def test_a_figure_that_a_correction_takes_away_counts_no_more() -> None:
    before, now = states()[D[14]], states(training={D[14]: 1})
    rows = [row(D[14], before), row(D[14], now[D[14]], measure="psi", measure_of="hour", value=0.1), row(D[13], before)]
    assert measured_as_now(rows, now) == [measure(D[14], 0.1, "psi", "hour")]


def test_the_same_data_have_the_same_name_and_other_data_another() -> None:
    assert fingerprint({"a": {D[1]: 0}, "b": {}}) == fingerprint({"b": {}, "a": {D[1]: 0}})
    assert fingerprint({"a": {D[1]: 0}}) != fingerprint({"a": {D[1]: 1}})


# alarms


def test_only_what_was_measured_after_the_days_of_the_newest_training_rings(registered: LittleLake) -> None:
    first, measures = champion(registered), [measure(D[14]), measure(D[15]), measure(D[16])]
    assert since_training([first], measures) == [measure(D[15]), measure(D[16])]
    refused = replace(first, version=2, champion=False, last_day=D[15])
    assert since_training([refused, first], measures) == [measure(D[16])], "a challenger that was just refused has seen that day"


def test_alarms_are_told_with_the_version_that_needs_training(registered: LittleLake) -> None:
    result = JobResult(request=JobRequest(verb="watch", name="answers", run_id="watch-1"), status="done", message="2 days", facts={"days": [D[15]]})
    quiet = told(result, champion(registered), [])
    assert (quiet.message, quiet.facts) == ("2 days", {"days": [D[15]], "model": "answers", "model_version": 1, "alarms": []})
    rings = told(result, champion(registered), ["hour drifted", "roc_auc was low"])
    assert (rings.message, rings.facts["alarms"]) == ("2 days; answers v1 needs training: hour drifted; roc_auc was low", ["hour drifted", "roc_auc was low"])


def test_watching_without_a_table_for_it_says_what_to_add(registered: LittleLake) -> None:
    with pytest.raises(ModelError) as refused:
        watch(job_of(registered, "watch"))
    assert str(refused.value) == ("answers: its contract names no table for what watching finds; add health: gold.model_health, and that table's contract.")


def test_where_nothing_was_predicted_there_is_nothing_to_measure(registered: LittleLake) -> None:
    registered.write("expectations/gold/model_health.yaml", HEALTH_CONTRACT)
    text = (registered.project / CONTRACT).read_text()
    registered.write(CONTRACT, f"{text}health: gold.model_health\n")
    result = watch(job_of(registered, "watch"))
    assert (result.status, result.message) == ("unchanged", "answers v1: every day that it has predicted is measured")


# drift, of counts: `=home` is a text that came so many times

KIND = Spread("kind", is_number=False)
EVEN, ALL_HOME = {"=home": 40, "=office": 40}, {"=home": 80}


def counted(column: str, days: dict[str, dict[str, int]]) -> dict[tuple[str, str], dict[str, int]]:
    return {(day, column): counts for day, counts in days.items()}


def test_drift_is_told_of_a_day_and_the_six_before_it() -> None:
    week = counted("kind", dict.fromkeys(D[1:16], EVEN))
    assert shifts({"kind": EVEN}, week, [D[15]], [KIND]) == [Measure(D[15], "psi", "kind", pytest.approx(0.0, abs=1e-9), 7 * 80)]
    [drifted] = shifts({"kind": EVEN}, {**week, **counted("kind", dict.fromkeys(D[9:16], ALL_HOME))}, [D[15]], [KIND])
    assert (drifted.value > 1, drifted.rows) == (True, 7 * 80)


def test_where_there_is_no_row_on_one_side_nothing_is_told() -> None:
    assert shifts({"kind": EVEN}, {}, [D[15]], [KIND]) == []
    assert shifts({"kind": {}}, counted("kind", {D[15]: EVEN}), [D[15]], [KIND]) == []


def test_answers_are_held_against_those_of_the_first_seven_predicted_days() -> None:
    answer, predicted = Spread("likely_team", is_number=False), D[11:19]
    even = counted("likely_team", dict.fromkeys(predicted, EVEN))
    assert answer_shifts(even, predicted[:7], predicted[:7], answer) == []
    assert answer_shifts(even, predicted, predicted, answer) == [Measure(D[18], "psi", "likely_team", pytest.approx(0.0, abs=1e-9), 7 * 80)]


def test_answers_that_go_to_one_class_are_drift_of_the_answer() -> None:
    answer, predicted = Spread("likely_team", is_number=False), D[11:19]
    teams = {"=billing": 20, "=repairs": 20, "=sales": 20, "=travel": 20}
    found = counted("likely_team", {**dict.fromkeys(predicted, teams), D[18]: {"=sales": 400}})
    [drifted] = answer_shifts(found, predicted, predicted, answer)
    assert (drifted.day, drifted.of, drifted.value > 0.25, drifted.rows) == (D[18], "likely_team", True, 6 * 80 + 400)
