"""Visits, typed."""

from __future__ import annotations

from typing import Any


def transform(bronze_visits: Any, bronze_shops: Any) -> Any:
    """One row per visit."""
    return bronze_visits.join(bronze_shops)
