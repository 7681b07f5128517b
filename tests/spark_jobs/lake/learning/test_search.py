"""The search over Spark is scikit-learn's own search, fit by fit, and no fit is made twice."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV

from expectations.errors import ModelError, TransientError
from expectations.model_contract import Budget, ModelContract
from spark_jobs.lake.learning.engines.search import Candidate, best_of, candidate_of, candidates_of, climb, rungs_of, search
from spark_jobs.lake.learning.engines.search_folder import SearchFolder, keep_search
from spark_jobs.lake.learning.splitting import Fold
from spark_jobs.lake.logic import load_module

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import SparkSession

FOLDS = [Fold(100, 200), Fold(200, 300), Fold(300, 400)]
RIDGE = """
import os
import uuid
from pathlib import Path

from sklearn.linear_model import Ridge


class NotedRidge(Ridge):
    def __init__(self, alpha=1.0, notes=""):
        super().__init__(alpha=alpha)
        self.notes = notes

    def fit(self, X, y):
        if self.alpha == 4 and Path(self.notes, "power cut").exists():
            os._exit(1)
        Path(self.notes, f"alpha {self.alpha} on {len(X)} rows {uuid.uuid4().hex}").touch()
        return super().fit(X, y)
"""


def newest(part: int) -> list[Fold]:
    """The folds, learning from the newest 1/part of their rows."""
    return [Fold(fold.learned, fold.judged, fold.learned - fold.learned // part) for fold in FOLDS]


def contract(kind: str = "binary", score: str = "roc_auc", budget: dict[str, Any] | None = None, **search_space: list[Any]) -> ModelContract:
    tables = {"training": "gold.t", "features": "silver.f", "predictions": "gold.p"}
    split = {"validation_days": 1, "test_days": 1}
    facts = {"contract": 1, "description": "A model of the test.", "target": "y", "inputs": ["a", "b"], "split": split, "search": search_space}
    return ModelContract.model_validate({**tables, **facts, "kind": kind, "score": score, "budget": budget or {}})


@pytest.fixture
def examples() -> pd.DataFrame:
    dice = np.random.default_rng(3)
    seen = dice.normal(size=(400, 2))
    return pd.DataFrame({"a": seen[:, 0], "b": seen[:, 1], "y": (seen[:, 0] + dice.normal(size=400) > 0).astype(int)})


@pytest.fixture
def folder(examples: pd.DataFrame, tmp_path: Path) -> SearchFolder:
    return keep_search(str(tmp_path / "_search"), "code", examples)


def noted(notes: Path) -> list[str]:
    """The fits that were made since this was last asked."""
    files = [file for file in notes.iterdir() if file.name.startswith("alpha")]
    for file in files:
        file.unlink()
    return sorted(file.name.rpartition(" ")[0] for file in files)


def outcomes(folder: SearchFolder) -> dict[str, str]:
    """The kept outcomes, as they are written."""
    return {file.name: file.read_text() for file in Path(folder.location).glob("*.json")}


@pytest.mark.spark
def test_a_search_that_was_killed_goes_on_makes_no_finished_fit_again_and_finds_what_grid_search_finds(
    spark: SparkSession, examples: pd.DataFrame, folder: SearchFolder, tmp_path: Path
) -> None:
    (tmp_path / "ridge.py").write_text(RIDGE)
    notes = tmp_path / "notes"
    (notes / "power cut").mkdir(parents=True)
    estimator = load_module(tmp_path / "ridge.py").NotedRidge(notes=str(notes))
    facts = contract("regression", "mae", alpha=[1, 2, 3, 4])
    with pytest.raises(Exception, match="worker exited unexpectedly"):
        search(spark, facts, estimator, folder, newest)
    kept = outcomes(folder)
    first = noted(notes)
    (notes / "power cut").rmdir()
    whole = search(spark, facts, estimator, folder, newest)
    second = noted(notes)
    wanted = sorted(f"alpha {alpha} on {rows} rows" for alpha in (1, 2, 3, 4) for rows in (100, 200, 300))
    assert 0 < len(kept) < len(outcomes(folder)) == 12
    assert kept.items() <= outcomes(folder).items(), "one that was made again would have other seconds"
    assert sorted({*first, *second}) == wanted
    assert search(spark, facts, estimator, folder, newest) == whole
    assert noted(notes) == []

    # and what it finds is what scikit-learn's own search finds on the same folds
    folds = [(np.arange(fold.learned), np.arange(fold.learned, fold.judged)) for fold in FOLDS]
    theirs = GridSearchCV(Ridge(), facts.search, scoring="neg_mean_absolute_error", cv=folds).fit(examples[["a", "b"]], examples["y"])
    assert [candidate.parameters for candidate in whole] == theirs.cv_results_["params"]
    assert [candidate.mean for candidate in whole] == pytest.approx(list(theirs.cv_results_["mean_test_score"]), abs=1e-12)
    assert best_of(whole).parameters == theirs.best_params_


def test_a_parameter_that_the_estimator_does_not_have_is_told_before_anything_is_fitted(folder: SearchFolder) -> None:
    nothing: Any = None
    with pytest.raises(ModelError, match=r"names 'leafs', which build_estimator\(\) does not have\."):
        search(nothing, contract(leafs=[1]), HistGradientBoostingClassifier(), folder, newest)


def outcome(score: float | None, error: str | None = None, **more: Any) -> dict[str, Any]:
    return {"score": score, "seconds": 0.5, "error": error, **more}


def test_a_candidate_has_the_scores_of_its_folds() -> None:
    assert candidate_of({"a": 1}, 3, [outcome(0.5), outcome(0.7)], 2) == Candidate({"a": 1}, (0.5, 0.7), 1.0, 2)
    assert Candidate({}, (0.5, 0.7), 1.0).mean == pytest.approx(0.6)


@pytest.mark.parametrize(
    ("outcomes", "kind", "told"),
    [
        (
            [outcome(None, "InvalidParameterError: -1"), outcome(None, "later")],
            ModelError,
            "the fit of {'a': 1} on fold 1 of 3 failed: InvalidParameterError: -1",
        ),
        ([outcome(0.5), outcome(None)], ModelError, "the fit of {'a': 1} on fold 2 of 3 failed: its score is undefined; has the fold only one class?"),
        ([outcome(float("nan"))], ModelError, "the fit of {'a': 1} on fold 1 of 3 failed: its score is undefined; has the fold only one class?"),
        (
            [outcome(0.5), outcome(None, "WorkerCrashed: it died", lost=True)],
            TransientError,
            "the fit of {'a': 1} on fold 2 of 3 was lost on Ray (WorkerCrashed: it died); train again: the finished fits are kept.",
        ),
    ],
    ids=["raises", "no score", "not a number", "lost"],
)
def test_a_fit_that_fails_is_told_once_with_its_parameters(outcomes: list[dict[str, Any]], kind: type[Exception], told: str) -> None:
    with pytest.raises(kind) as failed:
        candidate_of({"a": 1}, 3, outcomes, 1)
    assert str(failed.value) == told


@pytest.mark.spark
def test_halving_judges_all_on_few_days_and_the_best_on_all(spark: SparkSession, folder: SearchFolder, tmp_path: Path) -> None:
    (tmp_path / "ridge.py").write_text(RIDGE)
    estimator = load_module(tmp_path / "ridge.py").NotedRidge(notes=str(tmp_path))
    alphas = [1000000.0, 30000.0, 1.0, 10000.0, 100000.0]
    found = search(spark, contract("regression", "mae", {"method": "halving", "factor": 2}, alpha=alphas), estimator, folder, newest)
    assert [(candidate.part, candidate.parameters["alpha"]) for candidate in found] == [(4, 1000000.0), (4, 100000.0), (2, 30000.0), (1, 1.0), (1, 10000.0)]
    assert best_of(found).parameters == {"alpha": 1.0}
    assert len(noted(tmp_path)) == 3 * (5 + 3 + 2)
    folder.delete()
    assert not Path(folder.location).exists()


def test_a_rung_lets_the_better_half_go_on_and_of_equal_ones_the_first() -> None:
    marks = {4: {"a": 0.5, "b": 0.9, "c": 0.5, "d": 0.8, "e": 0.1}, 2: {"a": 0.9, "b": 0.2, "d": 0.3}, 1: {"a": 0.4, "d": 0.6}}
    asked: list[tuple[int, list[str]]] = []

    def judge(grid: list[dict[str, Any]], part: int) -> list[Candidate]:
        asked.append((part, [parameters["x"] for parameters in grid]))
        return [Candidate(parameters, (marks[part][parameters["x"]],), 1.0, part) for parameters in grid]

    found = climb(contract(budget={"method": "halving", "factor": 2}, x=["a", "b", "c", "d", "e"]), judge)
    assert asked == [(4, ["a", "b", "c", "d", "e"]), (2, ["a", "b", "d"]), (1, ["a", "d"])]
    assert [(candidate.parameters["x"], candidate.part) for candidate in found] == [("c", 4), ("e", 4), ("b", 2), ("a", 1), ("d", 1)]
    assert best_of(found).parameters == {"x": "d"}


def test_a_rung_learns_from_so_many_times_the_days_of_the_one_before() -> None:
    def rungs(candidates: int, factor: int) -> Sequence[int]:
        return rungs_of(Budget(method="halving", factor=factor), candidates)

    assert (rungs(1, 3), rungs(6, 3), rungs(9, 3), rungs(27, 3), rungs(5, 2)) == ([1], [3, 1], [9, 3, 1], [27, 9, 3, 1], [4, 2, 1])
    assert rungs_of(Budget(), 100) == [1]


def test_a_budget_of_few_candidates_draws_them_by_the_seed() -> None:
    space = {"alpha": list(range(100))}
    drawn = candidates_of(contract(budget={"candidates": 5}, **space))
    assert len({parameters["alpha"] for parameters in drawn}) == 5
    assert drawn == candidates_of(contract(budget={"candidates": 5}, **space)) != candidates_of(contract(**space))[:5]
    assert len(candidates_of(contract(budget={"candidates": 500}, **space))) == 100


def test_the_same_examples_and_code_have_one_folder(examples: pd.DataFrame, folder: SearchFolder, tmp_path: Path) -> None:
    assert keep_search(str(tmp_path / "_search"), "code", examples) == folder
    assert keep_search(str(tmp_path / "_search"), "other code", examples) != folder
    assert keep_search(str(tmp_path / "_search"), "code", examples.head(399)) != folder
    Path(folder.outcome("torn")).write_text('{"score": 0.')
    assert folder.outcomes(["torn", "never"]) == {}
