"""Figures are scikit-learn's; what is undefined is left out, and what is no number is refused."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from expectations.errors import ModelError
from spark_jobs.lake.learning.evaluation.figures import calibration_error, figures_of, is_worse
from tests.spark_jobs.lake.learning.evaluation.contracts import contract_of

BINARY, SEVERAL, NUMBER = contract_of(), contract_of(kind="multiclass", score="accuracy"), contract_of(kind="regression", score="mae")


def test_figures_of_two_classes_are_those_of_literal_answers() -> None:
    figures = figures_of(BINARY, [0, 0, 1, 1], None, [0.1, 0.6, 0.4, 0.9])
    assert {name: figures[name] for name in ("accuracy", "roc_auc", "precision", "recall", "base_rate")} == {
        "accuracy": 0.5,
        "roc_auc": 0.75,
        "precision": 0.5,
        "recall": 0.5,
        "base_rate": 0.5,
    }
    assert figures["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)


def test_figures_of_several_classes_know_a_class_that_was_never_learned() -> None:
    shares = pd.DataFrame({"jet": [0.9, 0.4, 0.8], "prop": [0.1, 0.6, 0.2]})
    figures = figures_of(SEVERAL, ["jet", "prop", "glider"], ["jet", "prop", "jet"], [0.9, 0.6, 0.8], shares)
    assert (figures["accuracy"], figures["f1_macro"]) == (pytest.approx(2 / 3, abs=1e-6), pytest.approx((2 / 3 + 1 + 0) / 3, abs=1e-6))
    assert figures["log_loss"] > 5
    assert "log_loss" not in figures_of(SEVERAL, ["jet", "prop"], ["jet", "prop"])


def test_figures_of_numbers_are_those_of_literal_answers() -> None:
    assert figures_of(NUMBER, [1.0, 2.0, 6.0], [1.0, 4.0, 5.0]) == {"mae": 1.0, "rmse": round(math.sqrt(5 / 3), 6), "r2": round(1 - 5 / 14, 6), "mean": 3.0}


def test_of_one_class_there_is_no_order_so_its_figures_are_left_out() -> None:
    figures = figures_of(BINARY, [0, 0], None, [0.1, 0.2])
    assert "roc_auc" not in figures and "average_precision" not in figures
    assert figures["accuracy"] == 1.0
    assert figures_of(BINARY, [], None, []) == {}


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
def test_an_answer_that_is_no_number_is_refused(wrong: float) -> None:
    with pytest.raises(ModelError, match=r"1 of 2 answers on the test days are NaN or infinite"):
        figures_of(BINARY, [0, 1], None, [0.5, wrong])
    with pytest.raises(ModelError, match="NaN or infinite"):
        figures_of(NUMBER, [0, 1], [wrong, 1.0])


def test_the_calibration_error_is_how_far_the_probability_is_from_what_happened() -> None:
    assert calibration_error([1, 0, 0, 0], [0.25, 0.25, 0.25, 0.25]) == 0.0
    assert calibration_error([1, 1, 0, 0], [1.0, 1.0, 0.2, 0.2]) == pytest.approx(0.1)


def test_of_a_loss_the_smaller_is_the_better_and_the_tolerance_forgives() -> None:
    assert is_worse("log_loss", 0.5, 0.4) and not is_worse("log_loss", 0.4, 0.5)
    assert is_worse("roc_auc", 0.70, 0.72) and not is_worse("roc_auc", 0.70, 0.72, tolerance=0.05)
