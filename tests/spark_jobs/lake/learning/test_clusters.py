"""The same search on Dask and on Ray, each started for real: the same fits, the same scores, the same best candidate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV

from expectations.errors import ContractError
from expectations.model_contract import ModelContract
from spark_jobs.lake.learning.engines.clusters import fit_on_dask
from spark_jobs.lake.learning.engines.search import best_of, search
from spark_jobs.lake.learning.engines.search_folder import SearchFolder, keep_search
from spark_jobs.lake.learning.splitting import Fold

FOLDS = [Fold(200, 300), Fold(300, 400), Fold(400, 500)]
SPACE = {"max_leaf_nodes": [3, 15], "learning_rate": [0.001, 0.02, 0.2]}
ESTIMATOR = HistGradientBoostingClassifier(max_iter=30, random_state=7)


def flights() -> pd.DataFrame:
    dice = np.random.default_rng(3)
    seen = dice.normal(size=(700, 2))
    return pd.DataFrame({"a": seen[:, 0], "b": seen[:, 1], "y": (seen[:, 0] * seen[:, 1] + dice.normal(size=700) > 0).astype(int)})


def contract(search_on: str) -> ModelContract:
    tables = {"training": "gold.t", "features": "silver.f", "predictions": "gold.p"}
    split = {"validation_days": 1, "test_days": 1}
    facts = {"contract": 1, "description": "A model of the test.", "target": "y", "inputs": ["a", "b"], "split": split, "search": SPACE}
    return ModelContract.model_validate({**tables, **facts, "search_on": search_on, "budget": {"factor": 2}})


@pytest.fixture
def folder(tmp_path: Path) -> SearchFolder:
    return keep_search(str(tmp_path / "_search"), "code", flights())


def grid_search() -> GridSearchCV:
    """scikit-learn's own search over the same folds."""
    rows = flights()
    folds = [(np.arange(fold.learned), np.arange(fold.learned, fold.judged)) for fold in FOLDS]
    return GridSearchCV(ESTIMATOR, SPACE, scoring="roc_auc", cv=folds).fit(rows[["a", "b"]][:500], rows["y"][:500])


@pytest.mark.cluster
def test_a_grid_on_dask_finds_the_same_best_candidate_and_makes_no_finished_fit_again(folder: SearchFolder) -> None:
    pytest.importorskip("distributed")
    Path(folder.examples).with_name("unrelated.json").write_text("{}")
    found, theirs = search(None, contract("dask"), ESTIMATOR, folder, lambda _part: FOLDS), grid_search()  # type: ignore[arg-type]
    assert [candidate.mean for candidate in found] == pytest.approx(list(theirs.cv_results_["mean_test_score"]), abs=1e-12)
    assert best_of(found).parameters == theirs.best_params_
    kept = list(Path(folder.location).glob("*.json"))
    assert len(kept) == 1 + len(found) * len(FOLDS)
    Path(folder.examples).unlink()
    assert search(None, contract("dask"), ESTIMATOR, folder, lambda _part: FOLDS) == found  # type: ignore[arg-type]


@pytest.mark.cluster
def test_a_race_on_ray_drops_candidates_on_the_way_and_its_best_is_as_good_on_days_it_never_saw(folder: SearchFolder) -> None:
    pytest.importorskip("ray")
    found, theirs = search(None, contract("ray"), ESTIMATOR, folder, lambda _part: FOLDS), grid_search()  # type: ignore[arg-type]
    rows = flights()

    def auc(parameters: dict[str, object]) -> float:
        model = HistGradientBoostingClassifier(max_iter=30, random_state=7, **parameters).fit(rows[["a", "b"]][:500], rows["y"][:500])
        return float(roc_auc_score(rows["y"][500:], model.predict_proba(rows[["a", "b"]][500:])[:, 1]))

    assert auc(best_of(found).parameters) >= auc(theirs.best_params_) - 0.005
    means = dict(zip(map(str, theirs.cv_results_["params"]), theirs.cv_results_["mean_test_score"], strict=True))
    whole = [candidate for candidate in found if candidate.part == 1]
    assert [candidate.mean for candidate in whole] == pytest.approx([means[str(candidate.parameters)] for candidate in whole], abs=1e-12)
    assert len(list(Path(folder.location).glob("*.json"))) == sum(len(candidate.scores) for candidate in found)


def test_an_extra_that_is_not_installed_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ContractError, match=r"search_on: dask, which is not installed here; install the extra \.\[dask\]"):
        fit_on_dask(lambda batches: batches, 1)
