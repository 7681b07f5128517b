"""Which days new files touch: told from the days that their rows arrived and belong to, so without Spark."""

from __future__ import annotations

from datetime import date

import pytest

from spark_jobs.lake.scanning import days_touched

MAY_1, MAY_2, MAY_20 = date(2024, 5, 1), date(2024, 5, 2), date(2024, 5, 20)


def test_a_file_touches_the_days_of_its_rows_and_each_file_its_own() -> None:
    pairs = [(MAY_2, MAY_2), (MAY_2, MAY_1), (MAY_20, MAY_2)]
    assert days_touched(pairs, ["2024-05-02", "2024-05-20"], 30) == (
        {"2024-05-02": ["2024-05-02", "2024-05-01"], "2024-05-20": ["2024-05-02"]},
        False,
    )


def test_a_file_without_rows_and_a_row_without_a_day_touch_none() -> None:
    assert days_touched([(MAY_2, None)], ["2024-05-01", "2024-05-02"], 30) == ({"2024-05-01": [], "2024-05-02": []}, False)


@pytest.mark.parametrize(("late", "touched", "some_are_late"), [(18, ["2024-05-02"], False), (17, [], True)])
def test_a_row_that_comes_too_long_after_its_day_does_not_touch_it(late: int, touched: list[str], some_are_late: bool) -> None:
    assert days_touched([(MAY_20, MAY_2)], ["2024-05-20"], late) == ({"2024-05-20": touched}, some_are_late)


def test_a_row_of_a_day_that_is_still_to_come_is_not_late() -> None:
    assert days_touched([(MAY_1, MAY_20)], ["2024-05-01"], 0) == ({"2024-05-01": ["2024-05-20"]}, False)
