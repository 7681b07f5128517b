"""A person decides: 2013-03-08, when snow made the flights of New York late by 86 minutes on average. After the tests that know all published days."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.end_to_end.running_lake import DAILY, PATIENCE_SECONDS

if TYPE_CHECKING:
    from tests.end_to_end.running_lake import RunningLake

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1800)]

CHAOS = "2013-03-08"
TABLE, DECISION, DECIDED = "gold.daily_flights", "gold.daily_flights.decision", "gold.daily_flights.decided"


def wait_for(lake: RunningLake, run_id: str, task: str, state: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while (found := lake.api.task_states(DAILY, run_id).get(task)) != state:
        assert time.monotonic() < until, found
        assert found not in {"failed", "upstream_failed", "skipped"}, lake.log(DAILY, run_id, TABLE)
        time.sleep(0.2)


def wait_for_scheduler(lake: RunningLake, run_id: str) -> None:
    """Until the scheduler says that the process which has asked has ended.

    Airflow loses an answer that comes before, and asks again: nobody reads as fast as that.
    """
    said = f"event with state success for task instance TaskInstanceKey(dag_id='{DAILY}', task_id='{DECISION}', run_id='{run_id}', try_number=1,"
    until = time.monotonic() + PATIENCE_SECONDS
    while not any(said in log.read_text(errors="replace") for log in lake.state.logs.glob("scheduler.log*")):
        assert time.monotonic() < until, lake.log_ends()
        time.sleep(0.2)


def answer(lake: RunningLake, run_id: str, option: str, reason: str) -> dict[str, Any]:
    """Answers once, and returns what was shown."""
    place = f"/dags/{DAILY}/dagRuns/{run_id}/taskInstances/{DECISION}/-1/hitlDetails"
    shown: dict[str, Any] = lake.api.get(place)
    wait_for_scheduler(lake, run_id)
    lake.api.patch(place, {"chosen_options": [option], "params_input": {"reason": reason}})
    return shown


def days_of(lake: RunningLake) -> set[str]:
    return {str(day) for day in lake.frame(TABLE).flight_date}


def test_a_day_of_chaos_waits_for_a_person_and_is_published_when_she_says_so(published: RunningLake) -> None:
    ended = published.make("land", f"DAYS={CHAOS}")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    published.api.trigger(DAILY, "chaos_held", {"first_day": CHAOS, "last_day": None})
    wait_for(published, "chaos_held", DECISION, "awaiting_input")
    assert CHAOS not in days_of(published)
    shown = answer(published, "chaos_held", "Hold", "is it really so?")
    assert shown["subject"] == f"Publish {TABLE} of {CHAOS}?"
    assert "rule `no\\_day\\_of\\_chaos`" in shown["body"] or "rule `no_day_of_chaos`" in shown["body"]
    assert "1 of 1 rows break expect" in shown["body"]
    assert dict(published.api.follow(DAILY, "chaos_held", PATIENCE_SECONDS))[""] == "failed"
    assert "Held by admin: is it really so?" in published.log(DAILY, "chaos_held", DECIDED)
    assert CHAOS not in days_of(published)

    published.api.trigger(DAILY, "chaos_published", {"first_day": CHAOS, "last_day": None, "force": True})
    wait_for(published, "chaos_published", DECISION, "awaiting_input")
    answer(published, "chaos_published", "Publish", "snow")
    assert dict(published.api.follow(DAILY, "chaos_published", PATIENCE_SECONDS))[""] == "success"
    assert CHAOS in days_of(published)
    question = published.ledger.decisions.questions(TABLE)[0]
    assert (question.day, question.rule, question.answer, question.answered_by, question.reason) == (CHAOS, "no_day_of_chaos", "publish", "admin", "snow")
    assert not published.ledger.days(TABLE)[CHAOS].clean
