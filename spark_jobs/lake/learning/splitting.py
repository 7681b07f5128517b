"""Splits days by time: what is learned from is always before what is judged."""

from __future__ import annotations

import bisect
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


def day_folds(split: DaySplit, folds: int, part: int = 1) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """The days learned from and the days judged of `folds` time-ordered folds of the training days, and of the validation days as the last one.

    scikit-learn's TimeSeriesSplit over days. Each fold learns from the newest 1/`part` of its days, at least one.
    """
    pairs = [(len(learned), int(judged[-1]) + 1) for learned, judged in TimeSeriesSplit(n_splits=folds).split(list(split.training))]
    pairs.append((len(split.training), len(split.learned)))
    return [(split.days[learned - math.ceil(learned / part) : learned], split.days[learned:judged]) for learned, judged in pairs]


def time_folds(split: DaySplit, folds: int, example_days: Sequence[str], part: int = 1) -> list[Fold]:
    """The folds of day_folds as positions in the examples; `example_days` is the day of each example, sorted."""
    found: list[Fold] = []
    for learned, judged in day_folds(split, folds, part):
        first, end, last = (bisect.bisect_left(example_days, learned[0]), *(bisect.bisect_right(example_days, days[-1]) for days in (learned, judged)))
        found.append(Fold(end, last, first))
    return found
