"""The search over Spark is scikit-learn's own search, fit by fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GridSearchCV

from expectations.errors import ModelError
from expectations.model_contract import ModelContract
from spark_jobs.lake.learning.search import best_of, search
from spark_jobs.lake.learning.splitting import Fold

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
FOLDS = [Fold(100, 200), Fold(200, 300), Fold(300, 400)]


def contract(**search_space: list[Any]) -> ModelContract:
    tables = {"training": "gold.t", "features": "silver.f", "predictions": "gold.p"}
    split = {"validation_days": 1, "test_days": 1}
    facts = {"contract": 1, "description": "A model of the test.", "target": "y", "inputs": ["a", "b"], "split": split, "search": search_space}
    return ModelContract.model_validate({**tables, **facts})


@pytest.fixture
def examples(tmp_path: Path) -> pd.DataFrame:
    dice = np.random.default_rng(3)
    seen = dice.normal(size=(400, 2))
    frame = pd.DataFrame({"a": seen[:, 0], "b": seen[:, 1], "y": (seen[:, 0] + dice.normal(size=400) > 0).astype(int)})
    frame.to_parquet(tmp_path / "examples.parquet")
    return frame


def test_it_finds_what_grid_search_finds_on_the_same_folds(spark: SparkSession, examples: pd.DataFrame, tmp_path: Path) -> None:
    space = {"max_leaf_nodes": [3, 15], "learning_rate": [0.02, 0.2]}
    estimator = HistGradientBoostingClassifier(max_iter=30, random_state=7)
    candidates = search(spark, contract(**space), estimator, str(tmp_path / "examples.parquet"), FOLDS)
    folds = [(np.arange(fold.learned), np.arange(fold.learned, fold.judged)) for fold in FOLDS]
    theirs = GridSearchCV(estimator, space, scoring="roc_auc", cv=folds).fit(examples[["a", "b"]], examples["y"])
    assert [candidate.parameters for candidate in candidates] == theirs.cv_results_["params"]
    assert [candidate.mean for candidate in candidates] == pytest.approx(list(theirs.cv_results_["mean_test_score"]), abs=1e-12)
    assert best_of(candidates).parameters == theirs.best_params_


@pytest.mark.usefixtures("examples")
def test_a_fit_that_fails_is_told_with_its_parameters(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"the fit of \{'learning_rate': -1\} on fold 1 of 3 failed: InvalidParameterError"):
        search(spark, contract(learning_rate=[-1]), HistGradientBoostingClassifier(), str(tmp_path / "examples.parquet"), FOLDS)


@pytest.mark.usefixtures("examples")
def test_a_parameter_that_the_estimator_does_not_have_is_told(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"build_estimator\(\) does not have: Invalid parameter 'leafs'"):
        search(spark, contract(leafs=[1]), HistGradientBoostingClassifier(), str(tmp_path / "examples.parquet"), FOLDS)
