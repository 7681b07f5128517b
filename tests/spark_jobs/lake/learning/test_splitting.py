"""What is learned from is always before what is judged."""

from __future__ import annotations

import pytest

from expectations.errors import ModelError
from expectations.model_contract import Split
from spark_jobs.lake.learning.splitting import DaySplit, Fold, split_days, time_folds

DAYS = [f"2024-05-{day:02}" for day in range(1, 13)]


def test_the_last_days_are_for_the_test_and_those_before_for_validation() -> None:
    split = split_days("gold.t", reversed(DAYS), Split(validation_days=2, test_days=3), 3)
    assert split == DaySplit(tuple(DAYS[:7]), tuple(DAYS[7:9]), tuple(DAYS[9:]))
    assert split.learned == tuple(DAYS[:9])


def test_only_so_many_training_days_are_taken_and_they_are_the_latest() -> None:
    assert split_days("gold.t", DAYS, Split(validation_days=2, test_days=3, training_days=4), 3).training == tuple(DAYS[3:7])


def test_too_few_days_are_an_error_that_says_how_many_are_needed() -> None:
    with pytest.raises(ModelError, match=r"gold\.t has 8 published days; 3 test days, 2 validation days and 3 folds need at least 9"):
        split_days("gold.t", DAYS[:8], Split(validation_days=2, test_days=3), 3)


def test_folds_go_forward_in_time_and_the_validation_days_are_the_last_one() -> None:
    split = DaySplit(("d1", "d2", "d3", "d4"), ("d5",), ("d6",))
    example_days = ["d1"] * 5 + ["d2"] * 1 + ["d3"] * 2 + ["d4"] * 3 + ["d5"] * 4 + ["d6"] * 9
    assert time_folds(split, 3, example_days) == [Fold(5, 6), Fold(6, 8), Fold(8, 11), Fold(11, 15)]
    assert time_folds(split, 3, example_days, 2) == [Fold(5, 6), Fold(6, 8, 5), Fold(8, 11, 5), Fold(11, 15, 6)]
