"""When watching asks for a training: a contract's alarms, held against what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from expectations.model_contract import Alarm

PSI = "psi"
NAMED = 5
"""So many of the columns that drifted are named."""


@dataclass(frozen=True)
class Measure:
    """One figure of one watched day: `measure` is psi, or a metric; `of` the input or answer that drifted, empty for a metric."""

    day: str
    measure: str
    of: str
    value: float
    rows: int


def ringing(alarms: Iterable[Alarm], measures: Iterable[Measure]) -> list[str]:
    """One sentence for each alarm that rings: on `days` of the last `of` days that were measured for it, a figure was beyond its limit."""
    known = list(measures)
    return [sentence for alarm in alarms for sentence in _ring(alarm, known)]


def _ring(alarm: Alarm, measures: list[Measure]) -> Iterable[str]:
    if alarm.psi is not None:
        limit = alarm.psi
        drifts = [one for one in measures if one.measure == PSI and (not alarm.columns or one.of in alarm.columns)]
        yield from _on_days(alarm, drifts, [one for one in drifts if one.value > limit], f"drifted beyond a PSI of {limit:g}")
    if alarm.metric is not None:
        figures = [one for one in measures if one.measure == alarm.metric]
        low = [one for one in figures if alarm.at_least is not None and one.value < alarm.at_least]
        high = [one for one in figures if alarm.at_most is not None and one.value > alarm.at_most]
        yield from _on_days(alarm, figures, low, f"was below {alarm.at_least}")
        yield from _on_days(alarm, figures, high, f"was above {alarm.at_most}")


def _on_days(alarm: Alarm, measured: list[Measure], beyond: list[Measure], what: str) -> Iterable[str]:
    last = sorted({one.day for one in measured})[-alarm.of :]
    days = sorted({one.day for one in beyond} & set(last))
    if len(days) >= alarm.days:
        names = sorted({one.of or one.measure for one in beyond if one.day in days})
        yield f"{', '.join(names[:NAMED])}{' and others' if len(names) > NAMED else ''} {what} on {len(days)} of {len(last)} days, the last was {days[-1]}"
