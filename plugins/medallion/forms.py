"""The fields of the trigger forms; what does not fit them is refused before a run exists."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param


def day_fields(empty_means: str, valid: str = "") -> dict[str, Param]:
    """Two days that may stay empty. `valid`: which there are, by the contracts alone.

    What has landed is not said here: it changes, and a form that changes is a new version of its DAG.

    Texts, not date pickers: of a date that does not exist, like the 31st of February, a browser's picker makes an
    empty field, which would quietly mean `empty_means`. So the format stands in `allOf`: Airflow refuses by it what
    is no date before there is a run, and its page, which makes a picker of a `format` beside the type, does not.
    """
    kind: dict[str, Any] = {"type": ["null", "string"], "allOf": [{"format": "date"}]}
    written = f"YYYY-MM-DD, {valid}." if valid else "YYYY-MM-DD."
    first, last = f"The first day of the range: {written}", f"The last day of the range: {written}"
    return {
        "first_day": Param(None, title="First day", description=f"{first} Empty: {empty_means}.", **kind),
        "last_day": Param(None, title="Last day", description=f"{last} Empty: the first day alone.", **kind),
    }


def switch(title: str, description: str) -> Param:
    """A box that starts unticked."""
    return Param(False, type="boolean", title=title, description=description)
