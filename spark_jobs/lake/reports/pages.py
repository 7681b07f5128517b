"""Results as pages that need nothing but themselves: no script, no address outside of their folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from expectations.days import in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from expectations.ledger import Verdict

TEMPLATES = Path(__file__).with_name("templates")
BAR_WIDTH, BAR_STEP, HEIGHT = 7, 9, 26


@cache
def _templates() -> Environment:
    # Rule names, observed values and examples come from contracts and data: all of it is escaped.
    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.filters["days"] = in_words
    made.filters["count"] = lambda number: f"{number:,}"
    made.filters["bars"] = bars
    return made


def page(template: str, **facts: Any) -> str:
    """The page that a template makes of the facts."""
    return _templates().get_template(template).render(**facts)


def bars(history: Sequence[Verdict]) -> list[dict[str, Any]]:
    """One bar a verdict, the oldest first: place and height in pixels, and what it stands for in words.

    The height is the share of rows that broke the rule; for a rule over a whole day it is the observed number between the least and
    the greatest one shown.
    """
    heights = _heights(history)
    return [
        {"x": n * BAR_STEP, "y": HEIGHT - height, "width": BAR_WIDTH, "height": height, "kept": verdict.success, "words": _words(verdict)}
        for n, (verdict, height) in enumerate(zip(history, heights, strict=True))
    ]


def _heights(history: Sequence[Verdict]) -> list[int]:
    numbers = [_number(verdict.observed) for verdict in history]
    shown = [number for number in numbers if number is not None]
    if shown and len(shown) == len(history):
        least, most = min(shown), max(shown)
        return [_height((number - least) / (most - least) if most > least else 0.5) for number in shown]
    return [_height(verdict.rows_broken / verdict.rows_judged if verdict.rows_judged else 0) for verdict in history]


def _height(share: float) -> int:
    """Never nothing: a bar is there to be pointed at."""
    return max(3, round(share * HEIGHT))


def _number(observed: str) -> float | None:
    try:
        number = float(observed)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _words(verdict: Verdict) -> str:
    found = f"found {verdict.observed}" if verdict.observed else f"{verdict.rows_broken:,} of {verdict.rows_judged:,} rows broken"
    return f"{verdict.day}: {'kept' if verdict.success else 'broken'}, {found}"
