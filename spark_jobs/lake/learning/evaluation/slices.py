"""Figures of parts of the test rows: how good a model is for each carrier, not only over all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expectations.model_contract import SMALLER_IS_BETTER
from spark_jobs.lake.learning.evaluation.figures import Figures, figures_of_answers, is_worse

if TYPE_CHECKING:
    import pandas as pd

    from expectations.model_contract import Metric, MetricGate, ModelContract

FEWEST = 30
"""Values with fewer rows are left out: their figures are chance."""
MOST = 50
"""Of one column the values with the most rows are told."""
SliceFigures = dict[str, dict[str, dict[str, float]]]
"""Column to value to its figures; `rows` is one of them."""


def slices_of(contract: ModelContract, answers: pd.DataFrame) -> SliceFigures:
    """The figures of each value of each of the contract's slices that has FEWEST rows or more, those with the most rows first."""
    return {
        column: {value: figures | {"rows": rows} for value, rows, figures in _parts(contract, answers, column, FEWEST)[:MOST]} for column in contract.slices
    }


def missed_slices(contract: ModelContract, gate: MetricGate, answers: pd.DataFrame) -> str | None:
    """One sentence that names the worst value of the gate's slice and counts those that miss it; None where none does.

    Values with fewer than `min_rows` rows, or with rows that do not define the metric, are not judged.
    """
    parts = [
        (figures[gate.metric], value, rows) for value, rows, figures in _parts(contract, answers, str(gate.slice), gate.min_rows) if gate.metric in figures
    ]
    low = sorted(part for part in parts if gate.at_least is not None and part[0] < gate.at_least)
    high = sorted((part for part in parts if gate.at_most is not None and part[0] > gate.at_most), reverse=True)
    for missed, words, limit in ((low, "below", gate.at_least), (high, "above", gate.at_most)):
        if missed:
            figure, value, rows = missed[0]
            others = f", and {len(missed) - 1} more of {len(parts)} values miss it" if len(missed) > 1 else ""
            return f"{gate.metric} {figure:.3f} for {gate.slice} {value} ({rows:,} rows) is {words} the gate {limit}{others}"
    return None


def became_worse(contract: ModelContract, slices: SliceFigures, before: SliceFigures) -> list[str]:
    """One sentence for each value for which the challenger's score is worse than the champion's by more than the tolerance, the worst first."""
    found = []
    for column, values in slices.items():
        for value, figures in values.items():
            ours, theirs = figures.get(contract.score), before.get(column, {}).get(value, {}).get(contract.score)
            if ours is not None and theirs is not None and is_worse(contract.score, ours, theirs, contract.tolerance):
                found.append((abs(theirs - ours), f"{column} {value}: {contract.score} {ours:.3f}, the champion {theirs:.3f} ({int(figures['rows']):,} rows)"))
    return [sentence for _, sentence in sorted(found, reverse=True)]


def weakest(score: Metric, slices: SliceFigures) -> list[str]:
    """One sentence for the value of each column for which the score is worst."""
    found = []
    for column, values in slices.items():
        scored = sorted((figures[score], value, figures["rows"]) for value, figures in values.items() if score in figures)
        if scored:
            figure, value, rows = scored[-1 if score in SMALLER_IS_BETTER else 0]
            found.append(f"{column} {value}: {score} {figure:.3f} ({int(rows):,} rows)")
    return found


def _parts(contract: ModelContract, answers: pd.DataFrame, column: str, fewest: int) -> list[tuple[str, int, Figures]]:
    """Value, rows and figures of each value with enough rows, those with the most rows first."""
    parts = [(_word(value), rows) for value, rows in answers.groupby(column, dropna=False) if len(rows) >= fewest]
    parts.sort(key=lambda part: (-len(part[1]), part[0]))
    return [(value, len(rows), figures_of_answers(contract, rows)) for value, rows in parts]


def _word(value: Any) -> str:
    """A value as a word; inputs that are numbers are doubles."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return "(null)"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
