"""The figures of answers whose truth is known."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn import metrics

from expectations.errors import ModelError
from expectations.model_contract import SMALLER_IS_BETTER
from spark_jobs.lake.learning.answering import PREDICTED, PROBABILITY, SHARE

if TYPE_CHECKING:
    from expectations.model_contract import Metric, ModelContract

Figures = dict[str, float]
SCORERS: dict[Metric, str] = {
    "accuracy": "accuracy",
    "roc_auc": "roc_auc",
    "average_precision": "average_precision",
    "log_loss": "neg_log_loss",
    "brier": "neg_brier_score",
    "precision": "precision",
    "recall": "recall",
    "f1_macro": "f1_macro",
    "mae": "neg_mean_absolute_error",
    "rmse": "neg_root_mean_squared_error",
    "r2": "r2",
}
"""Metric to scikit-learn's scorer of it, of which the greater is always the better."""
BINS = 10
"""Bins of probability, each as wide as the others."""


def figures_of(contract: ModelContract, truth: Any, predicted: Any, probability: Any = None, shares: pd.DataFrame | None = None) -> Figures:
    """The figures of answers to n rows; one that the rows do not define (the ROC AUC of one class) is left out.

    binary: `truth` is 0 or 1, `probability` that of 1. multiclass: `truth` and `predicted` are texts, `probability` that of the answer, and `shares`,
    where it is known, has a column of probabilities for each class. regression: `truth` and `predicted` are numbers. Raises ModelError for
    an answer that is NaN or infinite.
    """
    if not len(truth):
        return {}
    for numbers in (probability, predicted if contract.kind == "regression" else None):
        _require_finite(numbers)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is undefined is left out, here
        if contract.kind == "binary":
            figures = _binary(np.asarray(truth, dtype=int), np.asarray(probability, dtype=float), contract.threshold)
        elif contract.kind == "multiclass":
            figures = _multiclass(np.asarray(truth, dtype=object), np.asarray(predicted, dtype=object), probability, shares)
        else:
            figures = _regression(np.asarray(truth, dtype=float), np.asarray(predicted, dtype=float))
    return {name: round(float(value), 6) for name, value in figures.items() if np.isfinite(value)}


def figures_of_answers(contract: ModelContract, answers: pd.DataFrame) -> Figures:
    """The figures of examples with PREDICTED and PROBABILITY and, where the shares of all classes are known, a column SHARE of each."""
    names = [name for name in map(str, answers.columns) if name.startswith(SHARE)]
    shares = answers[names].rename(columns=lambda name: name.removeprefix(SHARE)) if names else None
    probability = answers[PROBABILITY] if contract.kind != "regression" else None
    return figures_of(contract, answers[contract.target], answers[PREDICTED], probability, shares)


def is_worse(metric: Metric, value: float, other: float, tolerance: float = 0.0) -> bool:
    """Whether `value` is worse than `other` by more than `tolerance`."""
    behind = value - other if metric in SMALLER_IS_BETTER else other - value
    return behind > tolerance


def calibration_error(truth: Any, probability: Any) -> float:
    """Expected calibration error: how far, over all rows, the probability is from the share of truths, in bins of equal width.

    Naeini, Cooper and Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI 2015.
    """
    rows = pd.DataFrame({"truth": np.asarray(truth, dtype=float), "probability": np.asarray(probability, dtype=float)})
    bins = np.minimum((rows["probability"] * BINS).astype(int), BINS - 1)
    means, sizes = rows.groupby(bins).mean(), rows.groupby(bins).size()
    return float(((means["truth"] - means["probability"]).abs() * sizes).sum() / len(rows))


def _require_finite(numbers: Any) -> None:
    if numbers is None:
        return
    wrong = int((~np.isfinite(np.asarray(numbers, dtype=float))).sum())
    if wrong:
        raise ModelError(f"{wrong:,} of {len(numbers):,} answers on the test days are NaN or infinite; look at what the estimator makes of nulls.")


def _binary(truth: Any, probability: Any, threshold: float) -> Figures:
    predicted = probability >= threshold
    figures = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "log_loss": metrics.log_loss(truth, probability, labels=[0, 1]),
        "brier": metrics.brier_score_loss(truth, probability, pos_label=1),
        "precision": metrics.precision_score(truth, predicted, zero_division=0),
        "recall": metrics.recall_score(truth, predicted, zero_division=0),
        "base_rate": np.mean(truth),
        "calibration_error": calibration_error(truth, probability),
    }
    if len(np.unique(truth)) > 1:
        figures["roc_auc"] = metrics.roc_auc_score(truth, probability)
        figures["average_precision"] = metrics.average_precision_score(truth, probability)
    return figures


def _multiclass(truth: Any, predicted: Any, probability: Any, shares: pd.DataFrame | None) -> Figures:
    figures = {"accuracy": metrics.accuracy_score(truth, predicted), "f1_macro": metrics.f1_score(truth, predicted, average="macro", zero_division=0)}
    if probability is not None:
        figures["calibration_error"] = calibration_error(truth == predicted, probability)
    if shares is not None:
        # a class that was never learned has no probability, and two classes are the fewest that a loss is defined for
        classes = sorted({*shares.columns, *truth})
        if len(classes) > 1:
            figures["log_loss"] = metrics.log_loss(truth, shares.reindex(columns=classes, fill_value=0.0).to_numpy(), labels=classes)
    return figures


def _regression(truth: Any, predicted: Any) -> Figures:
    return {
        "mae": metrics.mean_absolute_error(truth, predicted),
        "rmse": metrics.root_mean_squared_error(truth, predicted),
        "r2": metrics.r2_score(truth, predicted),
        "mean": np.mean(truth),
    }
