"""The search for the best parameters: one Spark task a fit, one Spark job a rung."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sklearn.model_selection import ParameterGrid, ParameterSampler

from expectations.errors import ModelError
from spark_jobs.lake.learning.estimators import for_contract, with_parameters
from spark_jobs.lake.learning.evaluation.figures import SCORERS
from spark_jobs.lake.learning.fitting_worker import fitting_task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql import SparkSession

    from expectations.model_contract import Budget, ModelContract
    from spark_jobs.lake.learning.search_folder import SearchFolder
    from spark_jobs.lake.learning.splitting import Fold

    Folds = Callable[[int], Sequence[Fold]]
    """A whole number n to the folds that learn from the newest 1/n of their days."""

OUTCOME = "id bigint, score double, seconds double, error string"


@dataclass(frozen=True)
class Candidate:
    """Parameters and their score on each fold (of scikit-learn's scorer: the greater the better); `seconds` of all its fits.

    It learned from the newest 1/`part` of each fold's days: 1, unless it dropped out on the way.
    """

    parameters: dict[str, Any]
    scores: tuple[float, ...]
    seconds: float
    part: int = 1

    @property
    def mean(self) -> float:
        """The mean over the folds."""
        return math.fsum(self.scores) / len(self.scores)


def candidates_of(contract: ModelContract) -> list[dict[str, Any]]:
    """Every combination of the search space, in scikit-learn's order; one without parameters where there is nothing to search.

    Where the budget has fewer, so many drawn by scikit-learn's sampler with the contract's seed.
    """
    grid, most = ParameterGrid(contract.search), contract.budget.candidates
    if most is None or most >= len(grid):
        return [dict(parameters) for parameters in grid]
    return [dict(parameters) for parameters in ParameterSampler(contract.search, most, random_state=contract.seed)]


def rungs_of(budget: Budget, candidates: int) -> list[int]:
    """For each rung the n of the 1/n of the days that its candidates learn from; the last is 1. As scikit-learn's halving counts them."""
    if budget.method == "grid":
        return [1]
    rungs = 1
    while budget.factor**rungs <= candidates:
        rungs += 1
    return [budget.factor**rung for rung in reversed(range(rungs))]


def search(spark: SparkSession, contract: ModelContract, estimator: Any, folder: SearchFolder, folds: Folds) -> list[Candidate]:
    """Fit and judge the candidates on the examples in `folder`; a fit whose outcome is kept there is not made again.

    Raises ModelError where a parameter is unknown or a fit fails; the outcomes of the others stay.
    """
    fits, waiting, found = _Fits(spark, contract, estimator, folder), candidates_of(contract), []
    for part in rungs_of(contract.budget, len(waiting)):
        rung = fits.rung(waiting, folds(part), part)
        ranked = sorted(rung, key=lambda candidate: -candidate.mean)  # of equal ones the first stays first
        going_on = ranked[: math.ceil(len(rung) / contract.budget.factor)] if part > 1 else []
        found += [candidate for candidate in rung if candidate not in going_on]
        waiting = [candidate.parameters for candidate in rung if candidate in going_on]
    return found


def best_of(candidates: Sequence[Candidate]) -> Candidate:
    """Of those that learned from all days the greatest mean score; of equal ones the first, as scikit-learn's own search takes it."""
    return max((candidate for candidate in candidates if candidate.part == 1), key=lambda candidate: candidate.mean)


@dataclass(frozen=True)
class _Fits:
    """The fits of one search."""

    spark: SparkSession
    contract: ModelContract
    estimator: Any
    folder: SearchFolder

    def rung(self, grid: list[dict[str, Any]], folds: Sequence[Fold], part: int) -> list[Candidate]:
        """Every one of the grid on every fold."""
        keys = [self._key(parameters, fold) for parameters in grid for fold in folds]
        fits = dict(zip(keys, ((parameters, fold) for parameters in grid for fold in folds), strict=True))
        known = self.folder.outcomes(keys)
        known |= self._make({key: fits[key] for key in keys if key not in known})
        for position, key in enumerate(keys):
            outcome = known[key]
            if outcome["error"] or outcome["score"] is None or math.isnan(outcome["score"]):
                parameters, number = fits[key][0], position % len(folds) + 1
                why = (outcome["error"] or "its score is undefined; has the fold only one class?")[:500]
                raise ModelError(f"the fit of {parameters or 'the estimator'} on fold {number} of {len(folds)} failed: {why}")
        rows = [[known[key] for key in keys[at : at + len(folds)]] for at in range(0, len(keys), len(folds))]
        return [
            Candidate(parameters, tuple(row["score"] for row in outcomes), sum(row["seconds"] for row in outcomes), part)
            for parameters, outcomes in zip(grid, rows, strict=True)
        ]

    def _make(self, due: dict[str, tuple[dict[str, Any], Fold]]) -> dict[str, dict[str, Any]]:
        """The outcome of each fit, by its key."""
        if not due:
            return {}
        contract, keys = self.contract, list(due)
        fits = [
            (for_contract(contract, with_parameters(self.estimator, parameters)), fold.first, fold.learned, fold.judged, self.folder.outcome(key))
            for key, (parameters, fold) in due.items()
        ]
        task = fitting_task(self.folder.examples, list(contract.inputs), contract.target, fits, SCORERS[contract.score])
        # range() has exactly one row a partition, and adaptive execution does not merge its partitions
        rows = self.spark.range(0, len(fits), 1, len(fits)).mapInPandas(task, OUTCOME).collect()
        return {keys[row.id]: {"score": row.score, "seconds": row.seconds, "error": row.error} for row in rows}

    def _key(self, parameters: dict[str, Any], fold: Fold) -> str:
        """What a fit is known by within its folder, which stands for examples and code."""
        return hashlib.sha256(repr((sorted(parameters.items()), fold, self.contract.score)).encode()).hexdigest()[:32]
