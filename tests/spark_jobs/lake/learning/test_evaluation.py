"""A model serves only if it passes its gates, beats the baseline and is not worse than the champion."""

from __future__ import annotations

import pytest

from expectations.model_contract import MetricGate
from spark_jobs.lake.learning.evaluation import evaluate, evaluate_baseline, judge, missed_gates

GOOD = {"roc_auc": 0.7, "log_loss": 0.5}
BASELINE = {"roc_auc": 0.5, "log_loss": 0.6}


def test_figures_are_those_of_literal_answers() -> None:
    figures = evaluate([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], 0.5)
    assert {name: figures[name] for name in ("accuracy", "roc_auc", "precision", "recall", "base_rate")} == {
        "accuracy": 0.5,
        "roc_auc": 0.75,
        "precision": 0.5,
        "recall": 0.5,
        "base_rate": 0.5,
    }
    assert figures["brier"] == pytest.approx((0.01 + 0.36 + 0.36 + 0.01) / 4)


def test_the_baseline_always_gives_the_majority_class_of_the_days_that_were_learned() -> None:
    figures = evaluate_baseline([0, 0, 0, 1], [0, 0, 1], 0.5)
    assert (figures["accuracy"], figures["roc_auc"], figures["recall"]) == (pytest.approx(2 / 3, abs=1e-6), 0.5, 0.0)


def test_a_missed_gate_is_told_with_its_value() -> None:
    gates = [MetricGate(metric="roc_auc", at_least=0.8), MetricGate(metric="log_loss", at_most=0.4)]
    assert missed_gates(gates, GOOD) == ["roc_auc 0.700 is below the gate 0.8", "log_loss 0.500 is above the gate 0.4"]
    assert not judge("roc_auc", gates, GOOD, BASELINE, None).promoted


def test_an_undefined_figure_passes_no_gate() -> None:
    assert missed_gates([MetricGate(metric="roc_auc", at_least=0.1)], {"roc_auc": float("nan")})


def test_a_model_no_better_than_the_majority_class_does_not_serve() -> None:
    verdict = judge("roc_auc", (), {"roc_auc": 0.5}, BASELINE, None)
    assert (verdict.promoted, verdict.reason) == (False, "roc_auc 0.500 is no better than the majority class (0.500)")


def test_a_challenger_worse_than_the_champion_does_not_serve() -> None:
    assert judge("roc_auc", (), GOOD, BASELINE, {"roc_auc": 0.71}).reason == "roc_auc 0.700 is worse than the champion's 0.710 on the same days"
    assert judge("roc_auc", (), GOOD, BASELINE, {"roc_auc": 0.7}).promoted


def test_of_a_loss_the_smaller_is_the_better() -> None:
    assert judge("log_loss", (), GOOD, BASELINE, {"log_loss": 0.55}).promoted
    assert not judge("log_loss", (), GOOD, BASELINE, {"log_loss": 0.45}).promoted
