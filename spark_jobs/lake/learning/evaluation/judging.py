"""Judges a trained model by its answers: figures, those of the baselines and of the champion, and what follows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from expectations.errors import ModelError
from spark_jobs.lake.learning.evaluation.baselines import HISTORY, MAJORITY, baselines_of
from spark_jobs.lake.learning.evaluation.figures import Figures, figures_of_answers
from spark_jobs.lake.learning.evaluation.plots import plots_of
from spark_jobs.lake.learning.evaluation.slices import SliceFigures, became_worse, slices_of
from spark_jobs.lake.learning.evaluation.verdicts import Verdict, verdict_on
from spark_jobs.lake.learning.examples import DAY

if TYPE_CHECKING:
    import pandas as pd

    from expectations.model_contract import ModelContract


@dataclass(frozen=True)
class Judgement:
    """Figures on the test days, of the baselines, of parts of the rows and, where there is one, of the champion; and what follows.

    `worse`: one sentence for each part of the rows for which the champion is better. `pages`: file name to a picture, or to the slices as JSON.
    """

    figures: Figures
    baselines: dict[str, Figures]
    slices: SliceFigures
    champion: Figures | None
    worse: list[str]
    verdict: Verdict
    pages: dict[str, bytes]

    def recorded(self) -> dict[str, Any]:
        """What the ledger keeps of it with the version: `baseline` is the majority class or the mean."""
        return {
            "metrics": self.figures,
            "baseline": self.baselines[MAJORITY],
            "history": self.baselines.get(HISTORY),
            "slices": self.slices,
            "champion": self.champion,
            "worse": self.worse,
            "outcome": self.verdict.outcome,
            "reason": self.verdict.reason,
            "promoted": self.verdict.promoted,
        }


def judged(
    contract: ModelContract, learned: pd.DataFrame, answers: pd.DataFrame, champion: pd.DataFrame | str | None, past: pd.DataFrame | None = None
) -> Judgement:
    """`learned` are the examples that the model saw; `answers` and those of the `champion` are the test days' examples with their answers.
    `past` is what past_of says of all rows, where these are a sample.

    For the champion it may be why there are none: one that serves and cannot be compared is not replaced. Raises ModelError for answers that
    are NaN or infinite.
    """
    figures, slices = figures_of_answers(contract, answers), slices_of(contract, answers)
    baselines = baselines_of(contract, learned, answers, DAY, past)
    theirs, their_slices, why_not = _of_champion(contract, champion)
    worse = became_worse(contract, slices, their_slices)
    pages = plots_of(contract, answers, slices) | {"slices.json": json.dumps(slices, indent=1).encode()}
    verdict = verdict_on(contract, answers, figures, baselines, theirs, why_not)
    return Judgement(figures, baselines, slices, theirs, worse, verdict, pages)


def _of_champion(contract: ModelContract, answers: pd.DataFrame | str | None) -> tuple[Figures | None, SliceFigures, str]:
    """Its figures, those of its slices, and why there are none."""
    if answers is None or isinstance(answers, str):
        return None, {}, answers or ""
    try:
        return figures_of_answers(contract, answers), slices_of(contract, answers), ""
    except ModelError as error:
        return None, {}, str(error)
