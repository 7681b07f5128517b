"""What refused rows are filed under, which of them leave with a run, and how many: decided without Spark."""

from __future__ import annotations

import pytest

from expectations.days import ALL
from expectations.ledger import Quarantine
from spark_jobs.lake.gate import DayCounts
from spark_jobs.lake.quarantine.keys import arrival_key, batch_key, covered, days_of
from spark_jobs.lake.quarantine.refusals import broken_of, discarded_of
from spark_jobs.lake.quarantine.set_aside import Aside
from spark_jobs.lake.quarantine.store import keys_after, still_there, waits_within

FIRST, SECOND, THIRD = "2024-05-01", "2024-05-02", "2024-05-03"
ARRIVED = arrival_key("bronze.sales", FIRST)
SOLD = "silver.sales"


def test_a_key_names_the_days_that_have_to_be_made_again() -> None:
    made = [FIRST, SECOND, THIRD]
    assert days_of(batch_key([SECOND]), made) == {SECOND}
    assert days_of(batch_key([THIRD, FIRST]), made) == {FIRST, SECOND, THIRD}
    assert days_of(batch_key([FIRST, SECOND]), made) == {FIRST, SECOND}
    assert days_of(batch_key([]), [ALL]) == {ALL}
    assert days_of(arrival_key("bronze.sales", FIRST), made) == set()


def test_batches_of_other_days_do_not_replace_each_other() -> None:
    assert len({batch_key(days) for days in ([FIRST, THIRD], [FIRST, SECOND, THIRD], [FIRST, SECOND])}) == 3
    assert batch_key([FIRST, THIRD]) == batch_key([THIRD, FIRST])


@pytest.mark.parametrize(
    ("made", "passed", "leaves"),
    [
        ([FIRST, SECOND], [FIRST], False),
        ([FIRST, SECOND], [SECOND], False),
        ([FIRST, SECOND], [FIRST, SECOND], True),
        ([FIRST, SECOND, THIRD], [FIRST, SECOND], True),
        ([FIRST], [FIRST], True),
        ([FIRST, SECOND], [], False),
    ],
)
def test_rows_of_a_batch_wait_until_all_its_days_that_were_made_are_made_again(*, made: list[str], passed: list[str], leaves: bool) -> None:
    batch = batch_key([FIRST, SECOND])
    assert covered([batch, FIRST, ARRIVED], made, passed) == ({batch} if leaves else set())


# the ledger's list of keys


@pytest.mark.parametrize(
    ("within", "count", "keys"),
    [
        ({SECOND}, 2, [FIRST, SECOND, ARRIVED]),
        ({SECOND}, 0, [FIRST, ARRIVED]),
        ({FIRST, SECOND, ARRIVED}, 1, [FIRST, SECOND, ARRIVED]),
        ({FIRST, SECOND, ARRIVED}, 0, []),
        ({THIRD}, 1, [FIRST, SECOND, THIRD, ARRIVED]),
        ({THIRD}, 0, [FIRST, SECOND, ARRIVED]),
    ],
)
def test_what_is_filed_under_other_keys_waits_still(within: set[str], count: int, keys: list[str]) -> None:
    assert keys_after(Quarantine(SOLD, 3, [FIRST, SECOND, ARRIVED]), within, count, whole=False) == keys


def test_where_all_is_replaced_or_nothing_stood_only_the_new_keys_are_left() -> None:
    standing = Quarantine(SOLD, 3, [FIRST, ARRIVED])
    assert keys_after(standing, {ALL}, 2, whole=True) == [ALL]
    assert keys_after(standing, {ALL}, 0, whole=True) == []
    assert keys_after(None, {SECOND}, 2, whole=False) == [SECOND]
    assert keys_after(None, {SECOND}, 0, whole=False) == []


def test_a_quarantine_is_not_touched_where_no_row_comes_and_none_of_its_keys_is_replaced() -> None:
    standing = Quarantine(SOLD, 3, [FIRST])
    assert (waits_within(standing, {FIRST, SECOND}, whole=False), waits_within(standing, {SECOND}, whole=False)) == (True, False)
    assert (waits_within(standing, {ALL}, whole=True), waits_within(Quarantine(SOLD, 3, []), {ALL}, whole=True)) == (True, False)


def test_a_folder_that_was_deleted_has_not_what_the_ledger_names() -> None:
    standing = Quarantine(SOLD, 3, [FIRST])
    assert (still_there(standing, 3), still_there(standing, 7), still_there(standing, 2)) == (standing, standing, None)


# how many rows leave


def counts(quarantined: int) -> DayCounts:
    return DayCounts(rows=9, good=9 - quarantined, quarantined=quarantined, dropped=0)


def test_rows_of_days_that_passed_and_rows_without_a_day_leave_and_those_of_held_days_do_not() -> None:
    found = {FIRST: counts(1), SECOND: counts(20), "null": counts(300)}
    assert broken_of(found, "sold_on", [FIRST]) == 301
    assert broken_of(found, "sold_on", [FIRST, SECOND]) == 321
    assert broken_of(found, "sold_on", []) == 300
    assert broken_of({ALL: counts(4)}, None, [FIRST, SECOND]) == 4


def test_discarded_rows_of_held_days_are_left_where_they_are() -> None:
    assert discarded_of({FIRST: 1, SECOND: 20, "null": 300}, [SECOND]) == 301
    assert discarded_of({FIRST: 1, SECOND: 20, "null": 300}, []) == 321
    assert discarded_of({}, [SECOND]) == 0


def test_an_arrival_is_charged_with_its_late_rows_and_with_discarded_ones_of_days_that_are_not_made() -> None:
    aside = Aside(late={FIRST: 1}, arrived={(FIRST, FIRST): 20, (SECOND, FIRST): 300, ("null", FIRST): 4000, (SECOND, THIRD): 50000})
    assert aside.refused_of(FIRST, [FIRST]) == 4301
    assert aside.refused_of(THIRD, [FIRST, SECOND]) == 0
    assert aside.refused_of("2024-05-09", [FIRST]) == 0
