"""Keys: what a refused row is filed under, and so with what it is replaced.

A day that the table makes; `<bronze table>/<arrival day>` for rows that belong to no such day; or all days of a batch, `first..last`, where
nothing tells more.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from expectations.days import ALL

if TYPE_CHECKING:
    from collections.abc import Iterable

SEVERAL = ".."
DAY_LENGTH = len("2024-05-01")


def arrival_key(bronze: str, arrival_day: str) -> str:
    """The key of rows that belong to no day: those that do not parse, come too late, or have no day."""
    return f"{bronze}/{arrival_day}"


def batch_key(days: Iterable[str]) -> str:
    """The key of rows of a batch that neither their day nor their file is known of. Batches of other days have other keys."""
    found = sorted(days) or [ALL]
    if len(found) == 1:
        return found[0]
    imprint = hashlib.sha256(" ".join(found).encode()).hexdigest()[:8]
    return f"{found[0]}{SEVERAL}{found[-1]}/{imprint}"


def covered(keys: Iterable[str], made: Iterable[str], passed: Iterable[str]) -> set[str]:
    """Those of the `keys` of earlier batches all of whose days, of those that the table has `made`, are among the days that `passed` now."""
    known, now = set(made), set(passed)
    return {key for key in keys if SEVERAL in key and days_of(key, known) <= now}


def days_of(key: str, made: Iterable[str]) -> set[str]:
    """Those of the days that a table has `made` whose rows may wait under `key`; none for the key of an arrival day."""
    if SEVERAL in key:
        first, _, rest = key.partition(SEVERAL)
        last = rest.partition("/")[0]
        return {day for day in made if ALL in {first, last} or first <= day[:DAY_LENGTH] <= last}
    return {key} & set(made)
