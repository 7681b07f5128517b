"""The fields of the trigger forms; what does not fit them is refused before a run exists."""

from __future__ import annotations

from typing import Any

from airflow.sdk import Param


def day_fields(empty_means: str) -> dict[str, Param]:
    """Two date pickers that may stay empty."""
    kind: dict[str, Any] = {"type": ["null", "string"], "format": "date"}
    return {
        "first_day": Param(None, title="First day", description=f"The first day of the range. Empty: {empty_means}.", **kind),
        "last_day": Param(None, title="Last day", description="The last day of the range. Empty: the first day alone.", **kind),
    }


def switch(title: str, description: str) -> Param:
    """A box that starts unticked."""
    return Param(False, type="boolean", title=title, description=description)
