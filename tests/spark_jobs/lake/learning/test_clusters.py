"""The same search on Dask and on Ray, each started for real: the same fits, the same scores, the same best candidate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV

from expectations.errors import ContractError, LakeError, ModelError, TransientError
from expectations.model_contract import ModelContract
from spark_jobs.lake.learning.engines.clusters import fit_on_dask, ray_cluster
from spark_jobs.lake.learning.engines.search import Candidate, best_of, search
from spark_jobs.lake.learning.engines.search_folder import SearchFolder, keep_search
from spark_jobs.lake.learning.splitting import Fold
from spark_jobs.lake.logic import load_module
from tests.spark_jobs.lake.learning import watched_trees

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDS = [Fold(200, 300), Fold(300, 400), Fold(400, 500)]
SPACE = {"learning_rate": [0.2, 0.02, 0.001], "max_leaf_nodes": [15, 3]}
"""The best first: of a race, who comes later and is worse drops out."""
HALVING = {"method": "halving", "factor": 2}


DIED = r"the fit of \{'fault': 'dies'\} on fold 1 of 3 was lost on Ray \(\w+: .* died .*; train again: the finished fits are kept"
RAISED = r"the fit of \{'fault': 'raises'\} on fold 1 of 3 failed: ValueError: no trees grow here"


def flights() -> pd.DataFrame:
    dice = np.random.default_rng(3)
    seen = dice.normal(size=(700, 2))
    return pd.DataFrame({"a": seen[:, 0], "b": seen[:, 1], "y": (seen[:, 0] * seen[:, 1] + dice.normal(size=700) > 0).astype(int)})


def searched(search_on: str, folder: SearchFolder, budget: dict[str, Any], **space: list[Any]) -> list[Candidate]:
    """The candidates of this space, on this cluster; each fit leaves a note beside the folder's examples."""
    tables = {"training": "gold.t", "features": "silver.f", "predictions": "gold.p"}
    split = {"validation_days": 1, "test_days": 1}
    facts = {"contract": 1, "description": "A model of the test.", "target": "y", "inputs": ["a", "b"], "split": split, "search": space}
    contract = ModelContract.model_validate({**tables, **facts, "search_on": search_on, "budget": budget})
    trees = load_module(Path(watched_trees.__file__)).WatchedTrees(notes=folder.location)
    return search(None, contract, trees, folder, lambda _part: FOLDS)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> SearchFolder:
    return keep_search(str(tmp_path / "_search"), "code", flights())


@pytest.fixture(scope="module")
def ray() -> Iterator[None]:
    """One Ray for all tests, started as a search without an address starts its own."""
    pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.delenv("LAKE_RAY_ADDRESS", raising=False)
        with ray_cluster():
            yield


@pytest.fixture(scope="module")
def theirs() -> GridSearchCV:
    """scikit-learn's own search over the same folds."""
    rows = flights()
    folds = [(np.arange(fold.learned), np.arange(fold.learned, fold.judged)) for fold in FOLDS]
    trees = HistGradientBoostingClassifier(max_iter=30, random_state=7)
    return GridSearchCV(trees, SPACE, scoring="roc_auc", cv=folds).fit(rows[["a", "b"]][:500], rows["y"][:500])


def outcomes(folder: SearchFolder) -> list[Path]:
    return list(Path(folder.location).glob("*.json"))


def require_the_same(found: list[Candidate], theirs: GridSearchCV, folder: SearchFolder) -> None:
    assert [candidate.mean for candidate in found] == pytest.approx(list(theirs.cv_results_["mean_test_score"]), abs=1e-9)
    assert best_of(found).parameters == theirs.best_params_
    assert watched_trees.noted(Path(folder.location)) == [1] * len(found) * len(FOLDS)


@pytest.mark.usefixtures("dask")
def test_a_grid_on_dask_finds_the_same_best_candidate_and_makes_no_finished_fit_again(folder: SearchFolder, theirs: GridSearchCV) -> None:
    Path(folder.examples).with_name("unrelated.json").write_text("{}")
    found = searched("dask", folder, {}, **SPACE)
    require_the_same(found, theirs, folder)
    assert len(outcomes(folder)) == 1 + len(found) * len(FOLDS)
    Path(folder.examples).unlink()
    assert searched("dask", folder, {}, **SPACE) == found


@pytest.mark.cluster
@pytest.mark.usefixtures("ray")
def test_a_grid_on_ray_finds_the_same_best_candidate_and_makes_no_finished_fit_again(folder: SearchFolder, theirs: GridSearchCV) -> None:
    found = searched("ray", folder, {}, **SPACE)
    require_the_same(found, theirs, folder)
    assert len(outcomes(folder)) == len(found) * len(FOLDS)
    Path(folder.examples).unlink()
    assert searched("ray", folder, {}, **SPACE) == found


@pytest.mark.cluster
@pytest.mark.usefixtures("ray")
def test_a_race_on_ray_drops_candidates_on_the_way_and_its_best_is_as_good_on_days_it_never_saw(folder: SearchFolder, theirs: GridSearchCV) -> None:
    found = searched("ray", folder, HALVING, **SPACE)
    rows = flights()

    def auc(parameters: dict[str, object]) -> float:
        model = HistGradientBoostingClassifier(max_iter=30, random_state=7, **parameters).fit(rows[["a", "b"]][:500], rows["y"][:500])
        return float(roc_auc_score(rows["y"][500:], model.predict_proba(rows[["a", "b"]][500:])[:, 1]))

    assert auc(best_of(found).parameters) >= auc(theirs.best_params_) - 0.005
    means = dict(zip(map(str, theirs.cv_results_["params"]), theirs.cv_results_["mean_test_score"], strict=True))
    whole, dropped = ([candidate for candidate in found if (candidate.part == 1) is wanted] for wanted in (True, False))
    assert [candidate.mean for candidate in whole] == pytest.approx([means[str(candidate.parameters)] for candidate in whole], abs=1e-12)
    assert {len(candidate.scores) for candidate in whole} == {len(FOLDS)}
    assert dropped, "each was judged on every fold"
    assert max(len(candidate.scores) for candidate in dropped) < len(FOLDS)
    assert len(outcomes(folder)) == sum(len(candidate.scores) for candidate in found)
    assert watched_trees.noted(Path(folder.location)) == [1] * len(outcomes(folder))


@pytest.mark.cluster
@pytest.mark.usefixtures("ray")
@pytest.mark.parametrize(
    ("budget", "fault", "kind", "told"), [({}, "dies", TransientError, DIED), (HALVING, "dies", TransientError, DIED), (HALVING, "raises", ModelError, RAISED)]
)
def test_a_fit_that_fails_or_dies_on_ray_is_told_by_name_and_the_others_are_kept(
    folder: SearchFolder, budget: dict[str, Any], fault: str, kind: type[LakeError], told: str
) -> None:
    with pytest.raises(kind, match=told):
        searched("ray", folder, budget, fault=["", fault])
    assert len(outcomes(folder)) == len(FOLDS)


def test_an_extra_that_is_not_installed_is_told_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ContractError, match=r"search_on: dask, which is not installed here; install the extra \.\[dask\]"):
        fit_on_dask(lambda batches: batches, 1)
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ContractError, match=r"search_on: ray, which is not installed here; install the extra \.\[ray\]"), ray_cluster():
        pass


LATE = Exception("The current node timed out during startup. This could happen because the GCS has become overloaded.")
"""What ray.init raises where the node that it starts takes more than 30 s."""


def ray_that_starts(monkeypatch: pytest.MonkeyPatch, outcomes: list[Exception | None]) -> list[str]:
    """The addresses asked for, as they come; ray.init ends as `outcomes` says, one after another."""
    ray = pytest.importorskip("ray")
    asked: list[str] = []

    def init(address: str, **_settings: object) -> None:
        asked.append(address)
        if error := outcomes[len(asked) - 1]:
            raise error

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", init)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    return asked


def test_a_ray_that_a_busy_machine_starts_too_late_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAKE_RAY_ADDRESS", raising=False)
    asked = ray_that_starts(monkeypatch, [LATE, LATE, None])
    with ray_cluster():
        assert asked == ["local"] * 3


def test_a_ray_that_never_starts_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAKE_RAY_ADDRESS", raising=False)
    ray_that_starts(monkeypatch, [LATE, LATE, LATE])
    with (
        pytest.raises(TransientError, match=r"^Ray did not start on this machine in 3 attempts of 30 s: .* set LAKE_RAY_ADDRESS to a cluster's address\.$"),
        ray_cluster(),
    ):
        pass


@pytest.mark.parametrize("address", ["", "127.0.0.1:1"])
def test_another_fault_of_a_rays_start_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("LAKE_RAY_ADDRESS", address)
    asked = ray_that_starts(monkeypatch, [ConnectionError("no such head")])
    with pytest.raises(ConnectionError, match="no such head"), ray_cluster():
        pass
    assert asked == [address or "local"]
