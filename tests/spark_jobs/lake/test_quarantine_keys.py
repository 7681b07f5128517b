"""What refused rows are filed under."""

from __future__ import annotations

from expectations.days import ALL
from spark_jobs.lake.quarantine.keys import arrival_key, batch_key, days_of

FIRST, SECOND, THIRD = "2024-05-01", "2024-05-02", "2024-05-03"


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
