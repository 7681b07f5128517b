"""Which days are scored, and what is said where none is: decided from the ledger alone, so without Spark."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from expectations.errors import TransientError
from expectations.ledger import DayEntry
from spark_jobs.lake.learning.scoring import days_to_compare, due_days, made_from, require_unchanged, score
from tests.spark_jobs.lake.learning.versions import CONTRACT, champion, job_of, publish_by_hand, serves

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

FEATURES, PREDICTIONS, COMPARISONS = "silver.calls", "gold.call_predictions", "gold.call_comparisons"
D15, D16 = "2024-05-15", "2024-05-16"


def due(lake: LittleLake, days: str | None = None) -> dict[str, int]:
    job = job_of(lake, "score", days)
    return due_days(job, job.lake.model("answers"), champion(lake))


def predicted(lake: LittleLake, versions: dict[str, int]) -> None:
    """These days have predictions, made from features at these versions."""
    publish_by_hand(lake, PREDICTIONS, versions, {day: {FEATURES: {day: version}} for day, version in versions.items()})


@pytest.fixture
def compared(registered: LittleLake) -> LittleLake:
    """The lake, with a table for comparisons."""
    registered.write("expectations/gold/call_comparisons.yaml", (registered.project / "expectations/gold/call_predictions.yaml").read_text())
    text = (registered.project / CONTRACT).read_text()
    registered.write(CONTRACT, f"{text}comparisons: {COMPARISONS}\n")
    return registered


def test_the_days_after_those_that_the_champion_was_shown_are_due(registered: LittleLake) -> None:
    assert due(registered) == {D15: 0, D16: 0}
    assert due(registered, "2024-05-10..2024-05-15") == {D15: 0}
    assert due(registered, "2024-05-01..2024-05-14") == {}


def test_a_day_that_the_champion_was_not_shown_is_due_though_it_was_shown_later_ones(registered: LittleLake) -> None:
    shown = champion(registered)
    versions = {day: version for day, version in shown.inputs[FEATURES].items() if day != "2024-05-10"}
    job = job_of(registered, "score")
    left_out = replace(shown, inputs={FEATURES: versions})
    assert list(due_days(job, job.lake.model("answers"), left_out)) == ["2024-05-10", D15, D16]
    later = replace(left_out, first_day="2024-05-11")
    assert list(due_days(job, job.lake.model("answers"), later)) == [D15, D16], "days before the first one were left to earlier versions"


def test_a_day_that_has_predictions_is_due_again_only_where_its_features_changed(registered: LittleLake) -> None:
    predicted(registered, {D15: 0})
    assert due(registered) == {D16: 0}
    serves(registered)
    assert due(registered) == {D16: 0}, "a new champion does not score again what was scored"
    publish_by_hand(registered, FEATURES, {D15: 3})
    assert due(registered) == {D15: 3, D16: 0}


def test_a_day_whose_predictions_are_held_is_due(registered: LittleLake) -> None:
    registered.ledger.record([DayEntry(PREDICTIONS, D15, "held", None, "score-1", "c", "l", {FEATURES: {D15: 0}})], [])
    assert due(registered) == {D15: 0, D16: 0}


def test_any_days_are_compared_where_they_are_named_and_else_those_after_the_versions_own(compared: LittleLake) -> None:
    def days(asked: str | None, **entry: Any) -> list[str]:
        job = job_of(compared, "score", asked, version=1)
        return list(days_to_compare(job, job.lake.model("answers"), replace(champion(compared), **entry)))

    assert days("2024-05-13..2024-05-15") == ["2024-05-13", "2024-05-14", D15]
    assert days(None) == [D15, D16]
    publish_by_hand(compared, COMPARISONS, {D15: 0}, {D15: {FEATURES: {D15: 0}, "answers v1": {D15: 0}}})
    assert (days(None), days(None, version=2)) == ([D16], [D15, D16]), "each version is asked once about the same features"
    publish_by_hand(compared, FEATURES, {D15: 3})
    assert days(None) == [D15, D16]


def test_a_day_of_comparisons_keeps_what_each_version_was_asked_about(compared: LittleLake) -> None:
    publish_by_hand(compared, COMPARISONS, {D15: 0}, {D15: {FEATURES: {D15: 0}, "answers v1": {D15: 0}}})
    job = job_of(compared, "score", None, version=2)
    second = replace(champion(compared), version=2)
    assert made_from(job, job.lake.table(COMPARISONS), FEATURES, second, {D15: 3, D16: 0}) == {
        D15: {FEATURES: {D15: 3}, "answers v1": {D15: 0}, "answers v2": {D15: 3}},
        D16: {FEATURES: {D16: 0}, "answers v2": {D16: 0}},
    }
    served = job_of(compared, "score")
    assert made_from(served, job.lake.table(PREDICTIONS), FEATURES, second, {D15: 3}) == {D15: {FEATURES: {D15: 3}}}


def test_predictions_of_features_that_changed_meanwhile_are_not_published(registered: LittleLake) -> None:
    inputs = {D15: {FEATURES: {D15: 0}}, D16: {FEATURES: {D16: 0}}}
    require_unchanged(registered.ledger, FEATURES, PREDICTIONS, inputs)
    publish_by_hand(registered, FEATURES, {D16: 1})
    with pytest.raises(TransientError) as changed:
        require_unchanged(registered.ledger, FEATURES, PREDICTIONS, inputs)
    assert str(changed.value) == "silver.calls changed while it was scored for gold.call_predictions; nothing was written, run it again."


def test_where_no_day_is_due_it_is_told_why(registered: LittleLake) -> None:
    predicted(registered, {D15: 0, D16: 0})

    def told(days: str | None) -> str:
        result = score(job_of(registered, "score", days))
        assert (result.status, result.facts["days"]) == ("unchanged", [])
        return result.message

    assert told("2024-05-13") == (
        "answers: version 1 was shown the days to 2024-05-14, and silver.calls has none after them; "
        "name a version to score these days for comparison; nothing to score"
    )
    assert told("2024-05-15") == "answers: 2024-05-15 has its predictions by version 1; nothing to score"
    assert told("2024-06-01") == "answers: silver.calls has no published day in 2024-06-01; land and build those days first; nothing to score"
    assert told(None) == "answers: every day of silver.calls after 2024-05-14 has its predictions by version 1; nothing to score"


def test_a_version_that_is_none_and_a_contract_without_comparisons_are_told_before_spark_is_asked(registered: LittleLake) -> None:
    unknown = registered.run("score", "answers", "2024-05-15", version=7)
    assert (unknown.status, unknown.message) == ("failed_terminal", "answers has no version 7; registered is 1. Choose one of these.")
    nowhere = registered.run("score", "answers", "2024-05-15", version=1)
    assert nowhere.status == "failed_terminal"
    assert "answers has no table for what a named version says; add `comparisons: gold.<table>` to" in nowhere.message
