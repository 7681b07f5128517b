"""The search for the best parameters: one Spark task a fit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sklearn.base import clone
from sklearn.model_selection import ParameterGrid

from expectations.errors import ModelError
from spark_jobs.lake.learning.evaluation.figures import SCORERS
from spark_jobs.lake.learning.worker import fitting_task

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import SparkSession

    from expectations.model_contract import ModelContract
    from spark_jobs.lake.learning.splitting import Fold

OUTCOME = "id bigint, score double, seconds double, error string"


@dataclass(frozen=True)
class Candidate:
    """Parameters and their score on each fold (of scikit-learn's scorer: the greater the better); `seconds` of all its fits."""

    parameters: dict[str, Any]
    scores: tuple[float, ...]
    seconds: float

    @property
    def mean(self) -> float:
        """The mean over the folds."""
        return math.fsum(self.scores) / len(self.scores)


def candidates_of(contract: ModelContract) -> list[dict[str, Any]]:
    """Every combination of the search space, in scikit-learn's order; one without parameters where there is nothing to search."""
    return [dict(parameters) for parameters in ParameterGrid(contract.search)]


def search(spark: SparkSession, contract: ModelContract, estimator: Any, location: str, folds: Sequence[Fold]) -> list[Candidate]:
    """Fit and judge every candidate on every fold of the examples at `location` (Parquet that the workers can read).

    Raises ModelError where a parameter is unknown or a fit fails.
    """
    grid = candidates_of(contract)
    fits = [(with_parameters(estimator, parameters), fold.learned, fold.judged) for parameters in grid for fold in folds]
    task = fitting_task(location, list(contract.inputs), contract.target, fits, SCORERS[contract.score])
    # range() has exactly one row a partition, and adaptive execution does not merge its partitions
    rows = spark.range(0, len(fits), 1, len(fits)).mapInPandas(task, OUTCOME).collect()
    outcomes = {row.id: row for row in rows}
    for position, outcome in sorted(outcomes.items()):
        if outcome.error or outcome.score is None or math.isnan(outcome.score):
            parameters, fold = grid[position // len(folds)], position % len(folds) + 1
            why = (outcome.error or "its score is undefined; has the fold only one class?")[:500]
            raise ModelError(f"the fit of {parameters or 'the estimator'} on fold {fold} of {len(folds)} failed: {why}")
    parts = [[outcomes[position * len(folds) + fold] for fold in range(len(folds))] for position in range(len(grid))]
    return [Candidate(parameters, tuple(row.score for row in part), sum(row.seconds for row in part)) for parameters, part in zip(grid, parts, strict=True)]


def best_of(candidates: Sequence[Candidate]) -> Candidate:
    """The greatest mean score; of equal ones the first, as scikit-learn's own search takes it."""
    return max(candidates, key=lambda candidate: candidate.mean)


def with_parameters(estimator: Any, parameters: dict[str, Any]) -> Any:
    """An unfitted copy with these parameters. Raises ModelError for one that the estimator does not have."""
    try:
        return clone(estimator).set_params(**parameters)
    except ValueError as error:
        raise ModelError(f"the search space names a parameter that build_estimator() does not have: {str(error)[:300]}") from None


def seeded(estimator: Any, seed: int) -> Any:
    """The estimator with every `random_state` in it set."""
    names = [name for name in estimator.get_params() if name == "random_state" or name.endswith("__random_state")]
    return estimator.set_params(**dict.fromkeys(names, seed))
