"""What a model's contract may say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from expectations.facts import ColumnName, Facts, Needs, TableName, matching

if TYPE_CHECKING:
    from expectations.contract import TableContract

Metric = Literal["accuracy", "roc_auc", "average_precision", "log_loss", "brier", "precision", "recall"]
"""Figures of a model on its test days; of log_loss and brier the smaller is the better."""


class Split(Facts):
    """Days of the training table, by time: training is all before validation, which is all before test.

    Candidates are judged on folds of the training days and, as the last fold, on the validation days; the best one learns from both.
    """

    validation_days: Annotated[int, Field(ge=1)]
    test_days: Annotated[int, Field(ge=1)]
    training_days: Annotated[int, Field(ge=1)] = 365
    """At most this many days before the validation days."""


class MetricGate(Facts):
    """A threshold that a model must reach on the test days before it may serve."""

    metric: Metric
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _has_a_threshold(self) -> MetricGate:
        if self.at_least is None and self.at_most is None:
            raise ValueError(f"the gate on {self.metric} has no threshold; add at_least or at_most")
        return self


class Train(Facts):
    """When a model is trained without anybody asking."""

    every: Annotated[str, matching(re.compile(r"\d{1,4} days"), "period like '28 days'")] = "28 days"


class ModelContract(Facts):
    """What one model promises."""

    contract: Literal[1]
    description: Annotated[str, Field(min_length=10)]
    owner: str = ""
    engine: Literal["sklearn"] = "sklearn"
    training: TableName
    """Features joined to labels, one row an example."""
    needs: Needs = "published"
    """Which of its days may be learned from: all that are published, or those that are clean."""
    features: TableName
    """What is scored: the same features, without labels, one row a thing to predict."""
    predictions: TableName
    """The table that inference publishes to; its contract stands with the tables."""
    probability: ColumnName = "probability"
    """The column of `predictions` for the probability that `target` is true."""
    predicted: ColumnName = "predicted"
    """The column of `predictions` for the answer: the probability is at least `threshold`."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    target: ColumnName
    """A boolean, or a number that is 0 or 1."""
    inputs: Annotated[tuple[ColumnName, ...], Field(min_length=1)]
    """The columns that the estimator sees, in order."""
    split: Split
    search: dict[str, list[Any]] = Field(default_factory=dict)
    """Parameter name of the estimator to the values tried; every combination is fitted."""
    folds: Annotated[int, Field(ge=2, le=10)] = 3
    """Time-ordered folds within the training days."""
    score: Metric = "roc_auc"
    """What candidates are compared by, and a challenger with the champion."""
    gates: tuple[MetricGate, ...] = ()
    train: Train = Train()
    seed: int = 7
    trusted_types: tuple[str, ...] = ()
    """Types that skops may load beside its own defaults."""

    def prediction_columns(self, features: TableContract) -> dict[str, str]:
        """The columns of `predictions` and their types: the features' grain and day, the answer, and what it was made with."""
        keys = [*features.grain, *([features.day] if features.day and features.day not in features.grain else [])]
        made_with = {"model_name": "string", "model_version": "int", "features_version": "bigint", "scored_at": "timestamp"}
        return {**{key: features.columns[key].type for key in keys}, self.probability: "double", self.predicted: "boolean", **made_with}
