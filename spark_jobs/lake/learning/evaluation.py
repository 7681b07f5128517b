"""Judges a model: its figures on held-out days, beside a baseline, its contract's gates and the champion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import metrics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from expectations.model_contract import Metric, MetricGate

Figures = dict[str, float]
SMALLER_IS_BETTER = frozenset({"log_loss", "brier"})
SCORERS: dict[Metric, str] = {
    "accuracy": "accuracy",
    "roc_auc": "roc_auc",
    "average_precision": "average_precision",
    "log_loss": "neg_log_loss",
    "brier": "neg_brier_score",
    "precision": "precision",
    "recall": "recall",
}
"""Metric to scikit-learn's scorer of it, of which the greater is always the better."""


@dataclass(frozen=True)
class Verdict:
    """Whether a model may serve, and why (not)."""

    promoted: bool
    reason: str


def evaluate(truth: Any, probability: Any, threshold: float) -> Figures:
    """The figures of probabilities (n,) against truths (n,) of 0 and 1, and the base rate: the share of ones."""
    predicted = np.asarray(probability) >= threshold
    figures = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "roc_auc": metrics.roc_auc_score(truth, probability),
        "average_precision": metrics.average_precision_score(truth, probability),
        "log_loss": metrics.log_loss(truth, probability, labels=[0, 1]),
        "brier": metrics.brier_score_loss(truth, probability),
        "precision": metrics.precision_score(truth, predicted, zero_division=0),
        "recall": metrics.recall_score(truth, predicted, zero_division=0),
        "base_rate": np.mean(truth),
    }
    return {name: round(float(value), 6) for name, value in figures.items()}


def evaluate_baseline(learned_truth: Any, truth: Any, threshold: float) -> Figures:
    """The figures of always giving the majority class of the learned days, with its share as probability."""
    return evaluate(truth, np.full(len(truth), np.mean(learned_truth)), threshold)


def judge(metric: Metric, gates: Iterable[MetricGate], figures: Figures, baseline: Figures, champion: Figures | None) -> Verdict:
    """Whether a challenger may serve: every gate passed, better than the baseline, not worse than the champion on the same days."""
    missed = missed_gates(gates, figures)
    if missed:
        return Verdict(promoted=False, reason="; ".join(missed))
    if not is_worse(metric, baseline[metric], figures[metric]):
        return Verdict(promoted=False, reason=f"{metric} {figures[metric]:.3f} is no better than the majority class ({baseline[metric]:.3f})")
    if champion and is_worse(metric, figures[metric], champion[metric]):
        return Verdict(promoted=False, reason=f"{metric} {figures[metric]:.3f} is worse than the champion's {champion[metric]:.3f} on the same days")
    return Verdict(promoted=True, reason="")


def missed_gates(gates: Iterable[MetricGate], figures: Figures) -> list[str]:
    """One sentence for each gate that the figures miss."""
    missed: list[str] = []
    for gate in gates:
        value = figures[gate.metric]
        if gate.at_least is not None and not value >= gate.at_least:
            missed.append(f"{gate.metric} {value:.3f} is below the gate {gate.at_least}")
        if gate.at_most is not None and not value <= gate.at_most:
            missed.append(f"{gate.metric} {value:.3f} is above the gate {gate.at_most}")
    return missed


def is_worse(metric: Metric, value: float, other: float) -> bool:
    """Whether `value` is worse than `other`."""
    return value > other if metric in SMALLER_IS_BETTER else value < other
