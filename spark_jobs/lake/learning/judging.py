"""Judges a trained model by its answers: figures, those of the baseline and of the champion, and whether it may serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark_jobs.lake.learning.answering import PROBABILITY
from spark_jobs.lake.learning.evaluation import Figures, Verdict, evaluate, evaluate_baseline, judge

if TYPE_CHECKING:
    import pandas as pd

    from expectations.model_contract import ModelContract


@dataclass(frozen=True)
class Judgement:
    """Figures on the test days, of the baseline and, where there is one, of the champion; and what follows."""

    figures: Figures
    baseline: Figures
    champion: Figures | None
    verdict: Verdict


def judged(contract: ModelContract, learned: pd.DataFrame, answers: pd.DataFrame, champion: pd.DataFrame | None) -> Judgement:
    """`learned` are the examples that the model saw; `answers` and those of the `champion` are the test days' examples with their answers.

    Raises ValueError where a figure is undefined.
    """
    figures = evaluate(answers[contract.target], answers[PROBABILITY], contract.threshold)
    baseline = evaluate_baseline(learned[contract.target], answers[contract.target], contract.threshold)
    theirs = evaluate(champion[contract.target], champion[PROBABILITY], contract.threshold) if champion is not None else None
    return Judgement(figures, baseline, theirs, judge(contract.score, contract.gates, figures, baseline, theirs))
