"""What a replay builds, for which days, and what is said of it: decided without Spark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from expectations.days import ALL
from expectations.jobs import JobRequest, JobResult
from expectations.loader import _load, load_lake
from spark_jobs.lake.quarantine.keys import arrival_key, batch_key
from spark_jobs.lake.quarantine.replaying import Group, Step, built_up_to_held, days_to_make, joined, steps
from tests.expectations.conftest import write_lake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from expectations.lake import Lake

FIRST, SECOND, THIRD = "2024-05-01", "2024-05-02", "2024-05-03"
BRONZE, SOLD, TOTALS = "bronze.sales", "silver.sales", "gold.totals"


def group(key: str, day: str | None = None, arrival_day: str | None = None, state: str = "waiting") -> Group:
    return Group(key, day, arrival_day, state, 1)


# which days


@pytest.mark.parametrize(
    ("waiting", "days"),
    [
        # a row that does not parse, came late or has no day: the day its file arrived
        (group(arrival_key(BRONZE, SECOND), None, SECOND), {SECOND}),
        # a row that broke a rule, and is traced to the file that brought it later
        (group(FIRST, FIRST, THIRD), {THIRD}),
        # a row that is not traced: all arrivals that touch its day
        (group(FIRST, FIRST), {FIRST, THIRD}),
        (group(SECOND, SECOND), {SECOND}),
        (group("2024-05-09", "2024-05-09"), set()),
        # not traced and without a day, of a batch of several days
        (group(batch_key([FIRST, SECOND])), {FIRST, SECOND, THIRD}),
    ],
)
def test_a_table_that_is_made_of_files_is_asked_for_the_days_they_arrived(waiting: Group, days: set[str]) -> None:
    touched = {FIRST: [FIRST], SECOND: [SECOND], THIRD: [FIRST, THIRD]}
    assert days_to_make([waiting], by_arrival=True, touched=touched, made=[FIRST, SECOND, THIRD]) == days


def test_a_table_that_is_made_of_files_and_has_no_days_of_its_own_is_asked_for_the_batches_it_has_made() -> None:
    waiting = [group(SECOND), group(batch_key([FIRST, SECOND]))]
    assert days_to_make(waiting, by_arrival=True, touched={}, made=[FIRST, SECOND, THIRD]) == {FIRST, SECOND}


@pytest.mark.parametrize(
    ("waiting", "days"),
    [
        # the day it is filed under, not the day its file arrived
        (group(SECOND, None, THIRD), {SECOND}),
        (group(SECOND, SECOND, THIRD), {SECOND}),
        (group(SECOND, SECOND), {SECOND}),
        # a batch of several days: those that were made
        (group(batch_key([FIRST, SECOND])), {FIRST, SECOND}),
        (group(batch_key([FIRST, "2024-05-09"])), {FIRST, SECOND}),
        (group(ALL), set()),
        # of no day that was made, so the file has to tell
        (group(arrival_key(BRONZE, SECOND), None, SECOND), {SECOND}),
        (group(THIRD, None, SECOND), {SECOND}),
        (group(THIRD), set()),
    ],
)
def test_a_table_that_is_made_of_tables_is_asked_for_the_days_its_rows_are_filed_under(waiting: Group, days: set[str]) -> None:
    assert days_to_make([waiting], by_arrival=False, touched={}, made=[FIRST, SECOND]) == days


def test_a_table_that_is_replaced_whole_is_asked_for_all() -> None:
    assert days_to_make([group(ALL)], by_arrival=False, touched={}, made=[ALL]) == {ALL}


def test_the_days_of_all_groups_are_asked_for_once() -> None:
    waiting = [group(SECOND, SECOND), group(SECOND, SECOND, state="reopened"), group(FIRST, FIRST)]
    assert days_to_make(waiting, by_arrival=False, touched={}, made=[FIRST, SECOND]) == {FIRST, SECOND}
    assert days_to_make([], by_arrival=True, touched={FIRST: [FIRST]}, made=[FIRST]) == set()


# which tables


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """Files of sales and of shops, silver tables of each, and gold of silver."""
    write_lake(tmp_path, {})
    yield load_lake(tmp_path)
    _load.cache_clear()


def test_where_nothing_was_corrected_only_the_table_itself_is_built(lake: Lake) -> None:
    assert steps(lake, SOLD, {}, [], [SECOND, FIRST], ["waiting"]) == [Step(SOLD, (FIRST, SECOND))]


def test_corrected_files_are_read_first_and_their_days_are_made_too(lake: Lake) -> None:
    assert steps(lake, SOLD, {BRONZE: [THIRD, SECOND]}, [SECOND, THIRD], [FIRST], ["waiting"]) == [
        Step(BRONZE, (SECOND, THIRD)),
        Step(SOLD, (FIRST, SECOND, THIRD)),
    ]


def test_the_tables_between_the_file_and_the_table_are_built_in_their_order(lake: Lake) -> None:
    assert steps(lake, TOTALS, {BRONZE: [SECOND]}, [SECOND], [FIRST], ["waiting"]) == [
        Step(BRONZE, (SECOND,)),
        Step(SOLD, (SECOND,)),
        Step(TOTALS, (FIRST, SECOND)),
    ]


def test_only_the_tables_are_built_that_are_made_of_a_corrected_file(lake: Lake) -> None:
    found = steps(lake, TOTALS, {"bronze.shops": [SECOND]}, [SECOND], [], ["waiting"])
    assert [step.table for step in found] == ["bronze.shops", "silver.shops", SOLD, TOTALS]
    assert [step.table for step in steps(lake, SOLD, {BRONZE: [SECOND]}, [SECOND], [], ["waiting"])] == [BRONZE, SOLD]


def test_of_two_corrected_files_each_is_read_for_its_own_days(lake: Lake) -> None:
    corrected = {BRONZE: [SECOND], "bronze.shops": [FIRST]}
    found = {step.table: step.days for step in steps(lake, SOLD, corrected, [FIRST, SECOND], [], ["waiting"])}
    assert found == {BRONZE: (SECOND,), "bronze.shops": (FIRST,), "silver.shops": (FIRST, SECOND), SOLD: (FIRST, SECOND)}


def test_a_bronze_table_replays_its_own_quarantine(lake: Lake) -> None:
    assert steps(lake, BRONZE, {BRONZE: [SECOND]}, [SECOND], [FIRST], ["waiting"]) == [Step(BRONZE, (FIRST, SECOND))]


def test_what_a_first_try_of_the_run_has_read_is_made_though_no_correction_is_new(lake: Lake) -> None:
    assert steps(lake, SOLD, {}, [SECOND], [], ["waiting"]) == [Step(SOLD, (SECOND,))]


def test_only_the_table_whose_rows_were_reopened_is_made_where_nothing_changed(lake: Lake) -> None:
    found = steps(lake, SOLD, {BRONZE: [SECOND]}, [SECOND], [], ["waiting", "reopened"])
    assert [(step.table, step.force) for step in found] == [(BRONZE, False), (SOLD, True)]


# what is said


def result(table: str, status: str, message: str = "", **facts: Any) -> JobResult:
    request = JobRequest(verb="build", name=table, run_id="decision")
    return JobResult(request=request, status=status, message=message or f"{table} {status}", facts=facts)  # type: ignore[arg-type]


REQUEST = JobRequest(verb="quarantine", name=SOLD, run_id="decision")


@pytest.mark.parametrize(
    ("statuses", "built"),
    [
        (("done", "held"), [BRONZE, SOLD]),
        (("held",), [BRONZE]),
        (("unchanged", "asks"), [BRONZE, SOLD]),
        (("failed_terminal",), [BRONZE]),
        (("done", "unchanged", "done"), [BRONZE, SOLD, TOTALS]),
    ],
)
def test_a_replay_builds_nothing_that_comes_after_a_table_that_is_held(statuses: tuple[str, ...], built: list[str]) -> None:
    said = dict(zip([BRONZE, SOLD, TOTALS], statuses, strict=False))
    wanted = [Step(table, (FIRST,)) for table in (BRONZE, SOLD, TOTALS)]
    results = built_up_to_held(wanted, lambda step: result(step.table, said.get(step.table, "done")))
    assert [(one.request.name, one.status) for one in results] == list(zip(built, statuses, strict=True))


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        (("done", "done"), "done"),
        (("done", "unchanged"), "done"),
        (("unchanged", "done"), "done"),
        (("unchanged", "unchanged"), "unchanged"),
        (("done", "held"), "held"),
        (("unchanged", "asks"), "asks"),
    ],
)
def test_a_replay_has_done_something_where_one_of_its_tables_changed_and_ends_as_the_table_that_was_held(statuses: tuple[str, str], status: str) -> None:
    both = [result(BRONZE, statuses[0]), result(SOLD, statuses[1])]
    assert joined(REQUEST, SOLD, both, [], 1, 0).status == status


def test_a_replay_that_got_no_further_than_its_file_has_made_no_day_of_the_table() -> None:
    held = joined(REQUEST, SOLD, [result(BRONZE, "held", days=[FIRST])], [FIRST], 1, 1)
    assert (held.status, held.facts["days"], held.facts["arrival_days"]) == ("held", [], [FIRST])


def test_a_replay_tells_what_it_built_and_how_many_rows_still_wait() -> None:
    both = [result(BRONZE, "done", "bronze: read.", days=[FIRST]), result(SOLD, "done", "silver: published.", days=[SECOND], version=3)]
    told = joined(REQUEST, SOLD, both, [FIRST], 1200, 1)
    assert (told.request, told.message) == (REQUEST, "silver.sales: of 1,200 waiting rows 1 still waits; bronze: read.; silver: published.")
    assert {name: told.facts[name] for name in ("table", "days", "version", "waited", "waiting")} == {
        "table": SOLD,
        "days": [SECOND],
        "version": 3,
        "waited": 1200,
        "waiting": 1,
    }
    assert [(built["table"], built["status"], built["message"], built["facts"]) for built in told.facts["built"]] == [
        (BRONZE, "done", "bronze: read.", {"days": [FIRST]}),
        (SOLD, "done", "silver: published.", {"days": [SECOND], "version": 3}),
    ]
    assert joined(REQUEST, SOLD, both[1:], [], 1, 0).message == "silver.sales: of 1 waiting row 0 still wait; silver: published."
