"""Variables of this process for a while, and of those that it starts meanwhile."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@contextmanager
def exported(variables: dict[str, str], instead_of: Iterable[str] = ()) -> Iterator[None]:
    """Sets these variables, and unsets those of `instead_of` that are not among them, until the block ends. A task has a process of its own."""
    touched = {*variables, *instead_of}
    before = {name: os.environ.pop(name) for name in touched if name in os.environ}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in touched:
            os.environ.pop(name, None)
        os.environ.update(before)
