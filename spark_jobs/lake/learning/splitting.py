"""Splits days by time: what is learned from is always before what is judged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sklearn.model_selection import TimeSeriesSplit

from expectations.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from expectations.model_contract import Split


@dataclass(frozen=True)
class DaySplit:
    """Day keys in order: all of `training` before all of `validation` before all of `test`."""

    training: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    @property
    def days(self) -> tuple[str, ...]:
        """All days."""
        return (*self.training, *self.validation, *self.test)

    @property
    def learned(self) -> tuple[str, ...]:
        """The days that the final model learns from."""
        return (*self.training, *self.validation)


@dataclass(frozen=True)
class Fold:
    """Positions in the sorted examples: learn from [first, learned), judge on [learned, judged)."""

    learned: int
    judged: int
    first: int = 0


def split_days(table: str, days: Iterable[str], split: Split, folds: int) -> DaySplit:
    """The last days are for the test, those before for validation, those before (at most training_days) for training.

    Raises ModelError where there are too few days.
    """
    ordered = sorted(days)
    held_out = split.validation_days + split.test_days
    needed = held_out + folds + 1
    if len(ordered) < needed:
        raise ModelError(
            f"{table} has {len(ordered)} published days; {split.test_days} test days, {split.validation_days} validation days and {folds} folds "
            f"need at least {needed}: build more days, or ask for fewer in the model's contract."
        )
    validation = len(ordered) - held_out
    test = validation + split.validation_days
    first = max(0, validation - split.training_days)
    return DaySplit(tuple(ordered[first:validation]), tuple(ordered[validation:test]), tuple(ordered[test:]))


def time_folds(split: DaySplit, folds: int, example_days: Sequence[str], part: int = 1) -> list[Fold]:
    """`folds` time-ordered folds of the training days (scikit-learn's TimeSeriesSplit over days), then the validation days as the last one.

    `example_days` is the day of each example, sorted. Each fold learns from the newest 1/`part` of its days, at least one.
    """
    count = dict.fromkeys(split.days, 0)
    for day in example_days:
        count[day] += 1

    def fold(learned: int, judged: int) -> Fold:
        first, end, last = (sum(count[day] for day in split.days[:days]) for days in (learned - math.ceil(learned / part), learned, judged))
        return Fold(end, last, first)

    pairs = [(len(learned), int(judged[-1]) + 1) for learned, judged in TimeSeriesSplit(n_splits=folds).split(list(split.training))]
    return [fold(learned, judged) for learned, judged in [*pairs, (len(split.training), len(split.learned))]]
