"""What a rule tolerates, and which rules can keep a day from being published. Without Spark."""

from __future__ import annotations

import pytest

from expectations.rule import Rule
from spark_jobs.lake.gate.judging import can_refuse_a_day, tolerated
from spark_jobs.lake.gate.plan import Finding


def rule(on_fail="stop", **more):
    return Rule.model_validate({"expect": "expect_column_values_to_be_between", "column": "a", "min_value": 0, "on_fail": on_fail, **more})


@pytest.mark.parametrize(
    ("limits", "success", "broken", "passes"),
    [
        # Great Expectations' own word
        ({}, True, 0, True),
        ({}, False, 1, False),
        ({"mostly": 0.5}, True, 2, True),
        ({"mostly": 0.5}, False, 3, False),
        # a number of rows
        ({"at_most": 2}, True, 0, True),
        ({"at_most": 2}, False, 1, True),
        ({"at_most": 2}, False, 2, True),
        ({"at_most": 2}, False, 3, False),
        ({"at_most": 0}, True, 0, True),
        ({"at_most": 0}, False, 1, False),
        # both: neither may be exceeded
        ({"at_most": 2, "mostly": 0.5}, True, 2, True),
        ({"at_most": 2, "mostly": 0.5}, True, 3, False),
        ({"at_most": 2, "mostly": 0.5}, False, 2, False),
    ],
)
def test_a_rule_passes_up_to_the_rows_and_the_share_that_it_tolerates(limits, success, broken, passes):
    finding = Finding(success, None, 9, broken)

    assert tolerated(rule(**limits), finding) == Finding(passes, None, 9, broken)


@pytest.mark.parametrize(
    ("on_fail", "limits", "can"),
    [
        ("stop", {}, True),
        ("ask", {}, True),
        ("warn", {}, False),
        ("warn", {"at_most": 1}, False),
        ("quarantine", {}, False),
        ("quarantine", {"at_most": 1}, True),
        ("quarantine", {"mostly": 0.5}, True),
        ("drop", {}, False),
        ("drop", {"at_most": 0}, True),
    ],
)
def test_a_day_is_refused_by_what_stops_or_asks_and_by_more_broken_rows_than_may_leave(on_fail, limits, can):
    assert can_refuse_a_day(rule(on_fail, **limits)) is can
