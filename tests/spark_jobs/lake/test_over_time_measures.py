"""PSI and KS from counts, held against figures worked out by hand."""

from __future__ import annotations

from math import log

import pytest

from spark_jobs.lake.over_time.history import before
from spark_jobs.lake.over_time.measures import ks, psi, together
from spark_jobs.lake.over_time.profiles import WIDTH, upper_end


def test_psi_of_categories_is_the_sum_over_shares_each_with_half_a_row_more() -> None:
    value, worst = psi({"=a": 50, "=b": 50}, {"=a": 80, "=b": 20}, is_number=False)
    # 50.5 / 101 against 80.5 / 101 and 20.5 / 101
    assert value == pytest.approx(0.29703 * log(1.59406) + 0.29703 * log(1 / 0.40594), abs=1e-4)
    assert value == pytest.approx(0.40629, abs=1e-4)
    assert str(worst) == "'b' from 50.0% to 20.3% of the rows"


def test_psi_of_what_is_spread_alike_is_zero_whatever_the_number_of_rows() -> None:
    assert psi({"=a": 5000, "=b": 5000}, {"=a": 50, "=b": 50}, is_number=False)[0] == pytest.approx(0)


def test_a_category_that_is_new_has_a_psi_and_not_an_infinite_one() -> None:
    value, worst = psi({"=a": 99}, {"=a": 49, "=b": 50}, is_number=False)
    # 99.5 and 0.5 of 100 before, 49.5 and 50.5 of 100 now
    assert value == pytest.approx((0.495 - 0.995) * log(0.495 / 0.995) + (0.505 - 0.005) * log(0.505 / 0.005), abs=1e-9)
    assert worst.cell == "'b'"


def test_psi_of_numbers_has_ten_cells_of_as_many_rows_before() -> None:
    uniform = {str(position): 10 for position in range(1, 101)}
    moved = {str(position): 10 for position in range(51, 151)}
    # five of ten cells lose all 100 of their rows, four keep theirs, and the last one has 600: with half a row more of 1005 each
    gone, grown = (0.5 - 100.5) / 1005 * log(0.5 / 100.5), (600.5 - 100.5) / 1005 * log(600.5 / 100.5)
    value, worst = psi(uniform, moved, is_number=True)
    assert value == pytest.approx(5 * gone + grown)
    assert worst.cell.startswith("above ")


def test_nulls_are_a_cell_of_their_own() -> None:
    value, worst = psi({"10": 90, "null": 10}, {"10": 10, "null": 90}, is_number=True)
    assert value == pytest.approx(2 * (80 / 101) * log(90.5 / 10.5))
    assert {worst.cell} <= {"null", "any number"}


def test_ks_is_the_largest_distance_of_the_cumulated_shares() -> None:
    # cumulated: 0.25 0.50 0.75 1.00 before, 0.10 0.20 0.30 1.00 now
    value, worst = ks({"-5": 25, "0": 25, "7": 25, "9": 25}, {"-5": 1, "0": 1, "7": 1, "9": 7})
    assert value == pytest.approx(0.45)
    assert (worst.before, worst.now) == (0.75, 0.3)


def test_ks_looks_at_values_in_their_order_and_at_nothing_but_numbers() -> None:
    assert ks({"-900": 10, "900": 10, "null": 100}, {"-900": 10, "900": 10, "nan": 7})[0] == 0
    assert ks({"-900": 10}, {"-899": 10})[0] == 1
    assert ks({"null": 5}, {"3": 5})[0] == 0


def test_profiles_of_days_add_up() -> None:
    assert together([{"=a": 1, "null": 2}, {"=a": 3}]) == {"=a": 4, "null": 2}


def test_bins_end_where_their_values_end() -> None:
    assert upper_end(701) == pytest.approx(WIDTH)  # 1 up to 1.05
    assert upper_end(-701) == pytest.approx(-1)  # -1.05 up to -1
    assert upper_end(0) == 0


def test_the_days_before_are_all_of_a_window_or_those_of_one_weekday() -> None:
    assert before("2024-03-02", 3) == ["2024-03-01", "2024-02-29", "2024-02-28"]
    assert before("2024-03-02", 28, 7) == ["2024-02-24", "2024-02-17", "2024-02-10", "2024-02-03"]
