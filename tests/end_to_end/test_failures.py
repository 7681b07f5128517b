"""What a failed try says of itself, in the log that Airflow shows: whether the data or the surroundings failed, and what follows."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from launcher.errors import LauncherError

if TYPE_CHECKING:
    from tests.end_to_end.running_lake import RunningLake

LOG_SECONDS = 120.0

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1800)]


def last_line(lake: RunningLake, task: str) -> dict[str, Any]:
    lines: list[dict[str, Any]] = []
    until = time.monotonic() + LOG_SECONDS
    while time.monotonic() < until:
        with suppress(LauncherError):  # the API knows of no task instance at first
            lines = lake.log_lines("failing", "once", task)
            if lines and "reason" in lines[-2]:
                return lines[-2]  # behind it there is only the end of Airflow's group of lines
        time.sleep(0.2)
    pytest.fail(f"{task}: {lines}")


def test_a_failed_try_ends_its_log_by_saying_what_failed_and_whether_it_is_tried_again(lake: RunningLake) -> None:
    lake.wait_for_dag("failing")
    lake.api.trigger("failing", "once", {})
    of_data, of_surroundings = last_line(lake, "data"), last_line(lake, "surroundings")
    assert of_data["reason"] == "data failure: not tried again; the data, a contract or the request has to change first"
    assert of_surroundings["reason"] == "the surroundings failed, not the data: tried again in 20 s, this was try 1 of 3"
