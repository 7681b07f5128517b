"""Pictures of how good answers are, as PNG files, by matplotlib's Figure: it needs no window and keeps no state."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.metrics import confusion_matrix, precision_recall_curve

from expectations.model_contract import SMALLER_IS_BETTER
from spark_jobs.lake.learning.answering import PREDICTED, PROBABILITY
from spark_jobs.lake.learning.evaluation.figures import BINS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from matplotlib.axes import Axes

    from expectations.model_contract import ModelContract
    from spark_jobs.lake.learning.evaluation.slices import SliceFigures

MOST_CLASSES = 20
"""With more classes a confusion matrix shows nothing."""


def plots_of(contract: ModelContract, answers: pd.DataFrame, slices: SliceFigures) -> dict[str, bytes]:
    """File name to PNG: calibration and precision-recall, the confusion of classes, or predicted beside actual; and the score of each slice."""
    return dict([*_of_kind(contract, answers), *(_of_slice(contract, column, values) for column, values in slices.items() if values)])


def _of_kind(contract: ModelContract, answers: pd.DataFrame) -> Iterator[tuple[str, bytes]]:
    truth = answers[contract.target]
    if contract.kind == "regression":
        yield "predicted_and_actual.png", _picture(_predicted_and_actual, truth, answers[PREDICTED])
        return
    right = truth == answers[PREDICTED] if contract.kind == "multiclass" else truth
    yield "calibration.png", _picture(_calibration, right, answers[PROBABILITY])
    if contract.kind == "binary":
        yield "precision_recall.png", _picture(_precision_recall, truth, answers[PROBABILITY])
    elif truth.nunique() <= MOST_CLASSES:
        yield "confusion.png", _picture(_confusion, truth, answers[PREDICTED])


def _picture(draw: Any, *data: Any) -> bytes:
    figure = Figure(figsize=(7, 5), layout="constrained")
    draw(figure.add_subplot(), *data)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()


def _calibration(axes: Axes, truth: Any, probability: Any) -> None:
    happened, said = calibration_curve(np.asarray(truth, dtype=int), probability, n_bins=BINS, pos_label=1)
    axes.plot([0, 1], [0, 1], linestyle=":", color="grey", label="as it should be")
    axes.plot(said, happened, marker="o", label="test days")
    axes.set(xlabel="mean probability", ylabel="share that came true", title="Calibration")
    axes.legend()


def _precision_recall(axes: Axes, truth: Any, probability: Any) -> None:
    precision, recall, _ = precision_recall_curve(truth, probability)
    axes.plot(recall, precision, label="test days")
    axes.axhline(float(np.mean(truth)), linestyle=":", color="grey", label="without a model")
    axes.set(xlabel="recall", ylabel="precision", title="Precision and recall", ylim=(0, 1.02))
    axes.legend()


def _confusion(axes: Axes, truth: Any, predicted: Any) -> None:
    classes = sorted({*truth, *predicted})
    counts = confusion_matrix(truth, predicted, labels=classes)
    axes.imshow(counts, cmap="Blues")
    for row, column in np.ndindex(counts.shape):
        axes.annotate(f"{counts[row, column]:,}", (column, row), ha="center", va="center", fontsize=8)
    places = range(len(classes))
    axes.set_xticks(places, classes, rotation=45, ha="right")
    axes.set_yticks(places, classes)
    axes.set(xlabel="predicted", ylabel="true", title="Confusion of classes")


def _predicted_and_actual(axes: Axes, truth: Any, predicted: Any) -> None:
    axes.hexbin(predicted, truth, gridsize=60, bins="log", mincnt=1, cmap="Blues")
    low, high = min(np.min(predicted), np.min(truth)), max(np.max(predicted), np.max(truth))
    axes.plot([low, high], [low, high], linestyle=":", color="grey")
    axes.set(xlabel="predicted", ylabel="actual", title="Predicted and actual")


def _of_slice(contract: ModelContract, column: str, values: dict[str, dict[str, float]]) -> tuple[str, bytes]:
    """The score of each value, the worst at the top."""
    scores = sorted(((figures[contract.score], value) for value, figures in values.items() if contract.score in figures), reverse=True)
    scores = scores[::-1] if contract.score in SMALLER_IS_BETTER else scores

    def draw(axes: Axes) -> None:
        axes.barh([f"{value} ({values[value]['rows']:,})" for _, value in scores], [score for score, _ in scores])
        axes.set(xlabel=contract.score, title=f"{contract.score} by {column} (rows)")

    return f"by_{column}.png", _picture(draw)
