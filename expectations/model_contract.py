"""What a model's contract may say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from expectations.facts import ColumnName, Facts, Needs, TableName, matching

if TYPE_CHECKING:
    from expectations.contract import TableContract

Kind = Literal["binary", "multiclass", "regression"]
"""What the target is: false or true, one of several texts, or a number."""
Metric = Literal["accuracy", "roc_auc", "average_precision", "log_loss", "brier", "precision", "recall", "f1_macro", "mae", "rmse", "r2"]
"""Figures of a model on its test days; of those in SMALLER_IS_BETTER the smaller is the better."""
SMALLER_IS_BETTER: frozenset[Metric] = frozenset({"log_loss", "brier", "mae", "rmse"})
METRICS: dict[Kind, tuple[Metric, ...]] = {
    "binary": ("accuracy", "roc_auc", "average_precision", "log_loss", "brier", "precision", "recall"),
    "multiclass": ("accuracy", "f1_macro", "log_loss"),
    "regression": ("mae", "rmse", "r2"),
}
"""The metrics that a kind of model is measured by."""
HEALTH_COLUMNS = {
    "watched_on": "date",
    "model_name": "string",
    "model_version": "int",
    "measure": "string",
    "measure_of": "string",
    "value": "double",
    "rows": "bigint",
    "made_from": "string",
    "measured_at": "timestamp",
}
"""The columns of a table of model health: one row a day, model version and figure. `measure` is psi or a metric, `measure_of` the input or answer
that drifted (empty for a metric), `made_from` tells the state of the day's data."""
HEALTH_GRAIN = ("watched_on", "model_name", "model_version", "measure", "measure_of")


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
    slice: ColumnName | None = None
    """The threshold holds for every value of this column of the training table, not for all rows together."""
    min_rows: Annotated[int, Field(ge=1)] = 200
    """With `slice`: values with fewer test rows are not judged."""

    @property
    def in_words(self) -> str:
        """`roc_auc at least 0.55 for each carrier`."""
        limits = [f"{words} {limit:g}" for words, limit in (("at least", self.at_least), ("at most", self.at_most)) if limit is not None]
        return f"{self.metric} {' and '.join(limits)}{f' for each {self.slice}' if self.slice else ''}"

    @model_validator(mode="after")
    def _has_a_threshold(self) -> MetricGate:
        if self.at_least is None and self.at_most is None:
            raise ValueError(f"the gate on {self.metric} has no threshold; add at_least or at_most")
        return self


class Budget(Facts):
    """How much is searched."""

    method: Literal["grid", "halving"] = "grid"
    """grid: every candidate on every fold. halving: all on few days, the best 1/factor of them on `factor` times as many, and so on."""
    factor: Annotated[int, Field(ge=2, le=10)] = 3
    candidates: Annotated[int, Field(ge=1)] | None = None
    """At most this many combinations, drawn with the contract's seed; None: all."""


class History(Facts):
    """A baseline that has learned nothing: the mean of the target over the rows of the same keys in the days before."""

    keys: Annotated[tuple[ColumnName, ...], Field(min_length=1)]
    days: Annotated[int, Field(ge=1, le=366)] = 30


class Alarm(Facts):
    """When watching asks for a training: on `days` of the last `of` watched days something was beyond its limit."""

    psi: Annotated[float, Field(gt=0)] | None = None
    """Drift of a day's inputs or predictions from those of the learned days: population stability index; 0.25 is the usual alarm."""
    columns: tuple[ColumnName, ...] = ()
    """With psi: only the drift of these inputs, or of the answer; of all where none is named."""
    metric: Metric | None = None
    """Decay: a realised metric of the champion's predictions, beyond at_least or at_most."""
    at_least: float | None = None
    at_most: float | None = None
    days: Annotated[int, Field(ge=1)] = 3
    of: Annotated[int, Field(ge=1)] = 7

    @model_validator(mode="after")
    def _has_a_limit(self) -> Alarm:
        limited = self.at_least is not None or self.at_most is not None
        if self.psi is None and not (self.metric and limited):
            raise ValueError("the alarm has no limit; add psi, or a metric with at_least or at_most")
        if limited != (self.metric is not None):
            raise ValueError("metric goes with at_least or at_most; name both")
        if self.columns and self.psi is None:
            raise ValueError("columns goes with psi; name both")
        if self.days > self.of:
            raise ValueError(f"{self.days} of {self.of} days can never be; days must be at most of")
        return self


class Train(Facts):
    """When a model is trained without anybody asking."""

    every: Annotated[str, matching(re.compile(r"\d{1,4} days"), "period like '28 days'")] = "28 days"
    alarms: tuple[Alarm, ...] = ()


class ModelContract(Facts):
    """What one model promises."""

    contract: Literal[1]
    description: Annotated[str, Field(min_length=10)]
    owner: str = ""
    kind: Kind = "binary"
    engine: Literal["sklearn", "per_group", "spark_ml"] = "sklearn"
    """sklearn: one scikit-learn estimator. per_group: one for each value of group_by. spark_ml: a Spark ML pipeline, fitted where the rows are."""
    group_by: ColumnName | None = None
    """per_group: the column, one of `inputs`, whose values have a model each."""
    search_on: Literal["spark", "dask", "ray"] = "spark"
    """Where the candidates of an sklearn engine are fitted; dask and ray need the extra of that name."""
    training: TableName
    """Features joined to labels, one row an example."""
    labels: TableName | None = None
    """What is only known afterwards: none of its columns but the keys may be an input."""
    needs: Needs = "published"
    """Which of its days may be learned from: all that are published, or those that are clean."""
    features: TableName
    """What is scored: the same features, without labels, one row a thing to predict."""
    predictions: TableName
    """The table that inference publishes to; its contract stands with the tables."""
    comparisons: TableName | None = None
    """A table like `predictions`, for scoring any days with any version beside what serves."""
    health: TableName | None = None
    """The table that watching publishes drift and realised metrics to."""
    probability: ColumnName = "probability"
    """The column of `predictions` for the probability that `target` is true, or of the answer where there are several; not of a regression."""
    predicted: ColumnName = "predicted"
    """The column of `predictions` for the answer; of a binary model, whether the probability is at least `threshold`."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    target: ColumnName
    """binary: a boolean, or a number that is 0 or 1. multiclass: a text. regression: a number."""
    inputs: Annotated[tuple[ColumnName, ...], Field(min_length=1)]
    """The columns that the estimator sees, in order."""
    split: Split
    search: dict[str, list[Any]] = Field(default_factory=dict)
    """Parameter name of the estimator to the values tried; every combination is a candidate."""
    budget: Budget = Budget()
    folds: Annotated[int, Field(ge=2, le=10)] = 3
    """Time-ordered folds within the training days."""
    score: Metric = "roc_auc"
    """What candidates are compared by, and a challenger with the champion."""
    history: History | None = None
    """A second baseline, beside the majority class or the mean."""
    slices: tuple[ColumnName, ...] = ()
    """Columns of the training table by whose values the figures are told too."""
    gates: tuple[MetricGate, ...] = ()
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    """By how much the score may be worse than the champion's on the same days."""
    when_better: Literal["promote", "ask", "keep"] = "promote"
    """What follows when a challenger passes: it serves, a person decides, or it is only registered."""
    leak_limit: Annotated[float, Field(gt=0.5, le=1)] = 0.98
    """An input that alone orders the learned rows by the target this well (ROC AUC, or rank correlation) is refused as known only afterwards; 1: none."""
    train: Train = Train()
    seed: int = 7
    trusted_types: tuple[str, ...] = ()
    """Types that skops may load beside its own defaults."""

    @property
    def fills(self) -> tuple[TableName, ...]:
        """The tables that only this model's own jobs write."""
        return tuple(name for name in (self.predictions, self.comparisons, self.health) if name is not None)

    def answer_columns(self) -> dict[str, str]:
        """The columns of `predictions` that hold the answer, and their types."""
        if self.kind == "regression":
            return {self.predicted: "double"}
        return {self.probability: "double", self.predicted: "boolean" if self.kind == "binary" else "string"}

    @property
    def watched_answer(self) -> ColumnName:
        """The column that tells most of an answer, whose drift is watched: the probability, the number, or the text."""
        return self.probability if self.kind == "binary" else self.predicted

    def prediction_columns(self, features: TableContract) -> dict[str, str]:
        """The columns of `predictions` and their types: the features' grain and day, the answer, and what it was made with."""
        keys = [*features.grain, *([features.day] if features.day and features.day not in features.grain else [])]
        made_with = {"model_name": "string", "model_version": "int", "features_version": "bigint", "scored_at": "timestamp"}
        return {**{key: features.columns[key].type for key in keys}, **self.answer_columns(), **made_with}
