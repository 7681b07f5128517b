"""How far two spreads of values are from each other, from their counts alone.

PSI, the population stability index (N. Siddiqi, Credit Risk Scorecards, 2006), is the sum over cells of (now - before) * ln(now / before),
with the shares of the rows in each cell; it is Jeffreys' divergence (Kullback and Leibler, On Information and Sufficiency, 1951). Usual limits:
0.1 a small shift, 0.25 a large one. Two samples of one population have a PSI of about (cells - 1) * (1 / rows now + 1 / rows before), so days
of few rows need a larger limit. Cells are the categories, or ten cells of as many rows each before; null and NaN are cells of their own.
A cell counts half a row more than it has (Krichevsky and Trofimov, 1981), so that an empty one has a logarithm.

KS is the two-sample statistic of Kolmogorov and Smirnov (N. Smirnov, 1948): the largest distance of the two cumulated shares. Numbers are
counted in bins 5 % wide, so it may come out smaller than from the values, by at most the share of the fullest bin. Nulls and NaN have no
place in the order and are left out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from spark_jobs.lake.over_time.profiles import NAN, NULL, named, upper_end

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from spark_jobs.lake.over_time.profiles import Counts

CELLS = 10


@dataclass(frozen=True)
class Shift:
    """One cell: its share of the rows before and now, from 0 to 1, and what it adds to the PSI."""

    cell: str
    before: float
    now: float
    psi: float

    def __str__(self) -> str:
        return f"{self.cell} from {self.before:.1%} to {self.now:.1%} of the rows"


def together(profiles: Iterable[Counts]) -> Counts:
    """The profile of several days as if they were one."""
    total: Counter[str] = Counter()
    for profile in profiles:
        total.update(profile)
    return dict(total)


def psi(before: Counts, now: Counts, is_number: bool) -> tuple[float, Shift]:
    """The index, and the cell that adds the most to it."""
    cells_before, cells_now = _cells(before, now, is_number)
    names = sorted({*cells_before, *cells_now})
    rows_before, rows_now = sum(cells_before.values()) + len(names) / 2, sum(cells_now.values()) + len(names) / 2
    shifts = []
    for name in names:
        was, now_is = (cells_before.get(name, 0) + 0.5) / rows_before, (cells_now.get(name, 0) + 0.5) / rows_now
        shifts.append(Shift(name, was, now_is, (now_is - was) * log(now_is / was)))
    return sum(shift.psi for shift in shifts), max(shifts, key=lambda shift: shift.psi)


def ks(before: Counts, now: Counts) -> tuple[float, Shift]:
    """The statistic, and the share of values up to where the two are furthest apart; 0 where either has no number."""
    numbers_before, numbers_now = _numbers(before), _numbers(now)
    rows_before, rows_now = sum(numbers_before.values()), sum(numbers_now.values())
    worst = Shift("nothing", 0, 0, 0)
    if not rows_before or not rows_now:
        return 0.0, worst
    below_before = below_now = 0
    for position in sorted({*numbers_before, *numbers_now}):
        below_before += numbers_before.get(position, 0)
        below_now += numbers_now.get(position, 0)
        was, now_is = below_before / rows_before, below_now / rows_now
        if abs(now_is - was) > abs(worst.now - worst.before):
            worst = Shift(f"at most {upper_end(position):.3g}", was, now_is, 0)
    return abs(worst.now - worst.before), worst


def _numbers(profile: Counts) -> dict[int, int]:
    return {int(key): count for key, count in profile.items() if key not in {NULL, NAN}}


def _cells(before: Counts, now: Counts, is_number: bool) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """Both profiles in the cells that PSI compares."""
    if not is_number:
        return {named(key): count for key, count in before.items()}, {named(key): count for key, count in now.items()}
    ends = _tenths(_numbers(before))
    return _in_cells(before, ends), _in_cells(now, ends)


def _tenths(numbers: dict[int, int]) -> list[int]:
    """The last bin of each cell but the last: a cell ends where the rows up to it pass another tenth of all."""
    total, seen, ends = sum(numbers.values()), 0, list[int]()
    passed = 0
    for position in sorted(numbers):
        seen += numbers[position]
        if seen * CELLS // total > passed:
            ends.append(position)
            passed = seen * CELLS // total
    return ends[:-1]


def _in_cells(profile: Counts, ends: list[int]) -> Counter[str]:
    cells: Counter[str] = Counter({key: profile[key] for key in (NULL, NAN) if key in profile})
    for position, count in _numbers(profile).items():
        cell = bisect_left(ends, position)
        parts = [f"above {upper_end(ends[cell - 1]):.3g}" if cell else "", f"at most {upper_end(ends[cell]):.3g}" if cell < len(ends) else ""]
        cells[" and ".join(filter(None, parts)) or "any number"] += count
    return cells
