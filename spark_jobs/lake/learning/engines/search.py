"""The search for the best parameters: one Spark task a fit, one Spark job a rung."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sklearn.model_selection import ParameterGrid, ParameterSampler

from expectations.errors import ModelError, TransientError
from spark_jobs.lake.learning.engines.clusters import climb_on_ray, fit_on_dask, fit_on_ray
from spark_jobs.lake.learning.engines.estimators import for_contract, with_parameters
from spark_jobs.lake.learning.engines.fitting_worker import fitting_task
from spark_jobs.lake.learning.engines.search_folder import outcome_key
from spark_jobs.lake.learning.evaluation.figures import SCORERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspark.sql import SparkSession

    from expectations.model_contract import Budget, ModelContract
    from spark_jobs.lake.learning.engines.clusters import Task
    from spark_jobs.lake.learning.engines.search_folder import SearchFolder
    from spark_jobs.lake.learning.splitting import Fold

    Folds = Callable[[int], Sequence[Fold]]
    """A whole number n to the folds that learn from the newest 1/n of their days."""

OUTCOME = "id bigint, score double, seconds double, error string"


@dataclass(frozen=True)
class Candidate:
    """Parameters and their score on each fold (of scikit-learn's scorer: the greater the better); `seconds` of all its fits.

    It learned from the newest 1/`part` of each fold's days: 1, unless it dropped out on the way (on Ray: after some of the folds).
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

    Raises ModelError where a parameter is unknown or a fit fails, TransientError where Ray lost one; the outcomes of the others stay.
    """
    fits = _Fits(spark, contract, estimator, folder)
    if contract.search_on == "ray" and contract.budget.method == "halving":
        return fits.race(candidates_of(contract), folds(1))
    return climb(contract, lambda grid, part: fits.rung(grid, folds(part), part))


def climb(contract: ModelContract, judge: Callable[[list[dict[str, Any]], int], list[Candidate]]) -> list[Candidate]:
    """All candidates of the contract, as `judge` judged them on the last rung that each reached; it takes them and the rung's part of the days."""
    waiting, found = candidates_of(contract), []
    for part in rungs_of(contract.budget, len(waiting)):
        rung = judge(waiting, part)
        ranked = sorted(rung, key=lambda candidate: -candidate.mean)  # of equal ones the first stays first
        going_on = ranked[: math.ceil(len(rung) / contract.budget.factor)] if part > 1 else []
        found += [candidate for candidate in rung if candidate not in going_on]
        waiting = [candidate.parameters for candidate in rung if candidate in going_on]
    return found


def best_of(candidates: Sequence[Candidate]) -> Candidate:
    """Of those that learned from all days the greatest mean score; of equal ones the first, as scikit-learn's own search takes it."""
    return max((candidate for candidate in candidates if candidate.part == 1), key=lambda candidate: candidate.mean)


def candidate_of(parameters: dict[str, Any], folds: int, outcomes: Sequence[dict[str, Any]], part: int) -> Candidate:
    """The candidate of these outcomes, one for each of the folds, or of the first of them where it dropped out.

    Raises ModelError for the first fit that failed, TransientError where it was lost.
    """
    for number, outcome in enumerate(outcomes, 1):
        which = f"the fit of {parameters or 'the estimator'} on fold {number} of {folds}"
        if outcome.get("lost"):
            raise TransientError(f"{which} was lost on Ray ({outcome['error'][:300]}); train again: the finished fits are kept.")
        if outcome["error"] or outcome["score"] is None or math.isnan(outcome["score"]):
            why = (outcome["error"] or "its score is undefined; has the fold only one class?")[:500]
            raise ModelError(f"{which} failed: {why}")
    return Candidate(parameters, tuple(row["score"] for row in outcomes), sum(row["seconds"] for row in outcomes), part)


@dataclass(frozen=True)
class _Fits:
    """The fits of one search."""

    spark: SparkSession
    contract: ModelContract
    estimator: Any
    folder: SearchFolder

    def rung(self, grid: list[dict[str, Any]], folds: Sequence[Fold], part: int) -> list[Candidate]:
        """Every one of the grid on every fold."""
        fits = self._keyed(grid, folds)
        known = self.folder.outcomes(list(fits))
        due = [(key, fit) for key, fit in fits.items() if key not in known]
        due.sort(key=lambda pair: pair[1][1].first - pair[1][1].learned)  # the longest first, so that no core waits long for the last one
        known |= dict(zip((key for key, _ in due), self._make(due), strict=True))
        return [candidate_of(parameters, len(folds), [known[self._key(parameters, fold)] for fold in folds], part) for parameters in grid]

    def race(self, grid: list[dict[str, Any]], folds: Sequence[Fold]) -> list[Candidate]:
        """The grid on Ray: fold after fold, and of each fold only the best go on. One that dropped out has fewer scores, and a part of its own."""
        fits = self._keyed(grid, folds)
        known = self.folder.outcomes(list(fits))
        there = [[known.get(self._key(parameters, fold)) for fold in folds] for parameters in grid]
        # one task for all, by their positions in the grid
        task = self._task([(self._key(parameters, fold), (parameters, fold)) for parameters in grid for fold in folds])
        raced = climb_on_ray(task, there, self.contract.budget.factor)
        return [
            candidate_of(parameters, len(folds), outcomes, 1 if len(outcomes) == len(folds) else self.contract.budget.factor)
            for parameters, outcomes in zip(grid, raced, strict=True)
        ]

    def _make(self, due: list[tuple[str, tuple[dict[str, Any], Fold]]]) -> list[dict[str, Any]]:
        """The outcomes of these fits, in order."""
        if not due:
            return []
        task = self._task(due)
        if self.contract.search_on != "spark":
            return (fit_on_dask if self.contract.search_on == "dask" else fit_on_ray)(task, len(due))
        # range() has exactly one row a partition, and adaptive execution does not merge its partitions
        rows = self.spark.range(0, len(due), 1, len(due)).mapInPandas(task, OUTCOME).collect()
        return [{"score": row.score, "seconds": row.seconds, "error": row.error} for row in sorted(rows, key=lambda row: row.id)]

    def _task(self, due: list[tuple[str, tuple[dict[str, Any], Fold]]]) -> Task:
        contract = self.contract
        fits = [
            (for_contract(contract, with_parameters(self.estimator, parameters)), fold.first, fold.learned, fold.judged, self.folder.outcome(key))
            for key, (parameters, fold) in due
        ]
        return fitting_task(self.folder.examples, list(contract.inputs), contract.target, fits, SCORERS[contract.score])

    def _keyed(self, grid: list[dict[str, Any]], folds: Sequence[Fold]) -> dict[str, tuple[dict[str, Any], Fold]]:
        return {self._key(parameters, fold): (parameters, fold) for parameters in grid for fold in folds}

    def _key(self, parameters: dict[str, Any], fold: Fold) -> str:
        return outcome_key(parameters, fold, self.contract.score)
