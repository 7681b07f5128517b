"""Which alarms ring on what watching has measured."""

from __future__ import annotations

from expectations.model_contract import Alarm
from spark_jobs.lake.learning.watching.alarms import Measure, ringing


def drifts(**values: float) -> list[Measure]:
    """The drift of the input `hour` on days of May 2024: d3=0.4 is 0.4 on the third."""
    return [Measure(f"2024-05-{int(day[1:]):02}", "psi", "hour", value, 100) for day, value in values.items()]


def auc(**values: float) -> list[Measure]:
    return [Measure(f"2024-05-{int(day[1:]):02}", "roc_auc", "", value, 100) for day, value in values.items()]


def test_drift_rings_when_enough_of_the_last_days_are_beyond_the_limit() -> None:
    alarm = Alarm(psi=0.25, days=2, of=3)
    assert ringing([alarm], drifts(d1=0.9, d2=0.1, d3=0.3, d4=0.2)) == []
    assert ringing([alarm], drifts(d1=0.1, d2=0.3, d3=0.1, d4=0.3)) == ["hour drifted beyond a PSI of 0.25 on 2 of 3 days, the last was 2024-05-04"]


def test_one_day_on_which_several_inputs_drift_is_one_day() -> None:
    measures = [Measure("2024-05-01", "psi", name, 0.5, 100) for name in ("a", "b", "c", "d", "e", "f")]
    assert ringing([Alarm(psi=0.25, days=2, of=3)], measures) == []
    assert ringing([Alarm(psi=0.25, days=1, of=1)], measures) == [
        "a, b, c, d, e and others drifted beyond a PSI of 0.25 on 1 of 1 days, the last was 2024-05-01"
    ]


def test_only_the_named_columns_ring_where_some_are_named() -> None:
    measures = [Measure("2024-05-01", "psi", "hour", 0.5, 100), Measure("2024-05-01", "psi", "chance", 0.1, 100)]
    assert ringing([Alarm(psi=0.25, columns=("chance",), days=1, of=1)], measures) == []
    assert ringing([Alarm(psi=0.25, columns=("chance", "hour"), days=1, of=1)], measures) == [
        "hour drifted beyond a PSI of 0.25 on 1 of 1 days, the last was 2024-05-01"
    ]


def test_decay_rings_on_its_own_metric_below_or_above_its_limit() -> None:
    low = Alarm(metric="roc_auc", at_least=0.6, days=1, of=2)
    assert ringing([low], auc(d1=0.55, d2=0.61, d3=0.62)) == []
    assert ringing([low], auc(d1=0.61, d2=0.55)) == ["roc_auc was below 0.6 on 1 of 2 days, the last was 2024-05-02"]
    high = Alarm(metric="mae", at_most=10, days=1, of=1)
    assert ringing([high], [Measure("2024-05-02", "mae", "", 11.0, 5)]) == ["mae was above 10.0 on 1 of 1 days, the last was 2024-05-02"]
    assert ringing([high], auc(d1=11)) == []


def test_days_without_labels_do_not_count_as_good_ones() -> None:
    measures = [*auc(d1=0.5, d2=0.5), *drifts(d3=0.0, d4=0.0, d5=0.0)]
    assert ringing([Alarm(metric="roc_auc", at_least=0.6, days=2, of=2)], measures) != []
