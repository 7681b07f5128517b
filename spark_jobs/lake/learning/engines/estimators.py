"""The estimators that a model's file builds: checked, seeded, with the parameters of a candidate, one for each group where the contract says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sklearn.base import clone

from expectations.errors import ContractError, ModelError, did_you_mean
from expectations.logic_files import load_module
from spark_jobs.lake.learning.engines.grouped import Grouped

if TYPE_CHECKING:
    from expectations.lake import Model
    from expectations.model_contract import ModelContract

ANSWERS = {"binary": "predict_proba", "multiclass": "predict_proba", "regression": "predict"}
"""Kind of model to the method that answers for it."""


def build_estimator(model: Model) -> Any:
    """The model's unfitted estimator, seeded. Raises ContractError where the file does not give one that can answer for the contract's kind."""
    estimator, method = load_module(model.logic).build_estimator(), ANSWERS[model.contract.kind]
    if not hasattr(estimator, "fit") or not hasattr(estimator, method):
        found, wanted = type(estimator).__name__, "regressor" if method == "predict" else "classifier"
        raise ContractError(
            f"{model.logic}: build_estimator() returned {found}, which has no fit and {method}; return a scikit-learn {wanted}, "
            f"as kind {model.contract.kind} needs one."
        )
    return seeded(estimator, model.contract.seed)


def for_contract(contract: ModelContract, estimator: Any) -> Any:
    """The unfitted estimator of the contract's engine: one for each group where it is per_group."""
    return Grouped(estimator, contract.group_by) if contract.group_by else estimator


def with_parameters(estimator: Any, parameters: dict[str, Any]) -> Any:
    """An unfitted copy with these parameters. Raises ModelError for one that the estimator does not have."""
    try:
        return clone(estimator).set_params(**parameters)
    except ValueError as error:
        known = estimator.get_params()
        lost = [name for name in parameters if name not in known]
        if not lost:
            raise ModelError(f"the search space has a parameter that build_estimator() refuses: {str(error)[:300]}") from None
        raise ModelError(f"the search space names {lost[0]!r}, which build_estimator() does not have.{did_you_mean(lost[0], known)}") from None


def seeded(estimator: Any, seed: int) -> Any:
    """The estimator with every `random_state` in it set."""
    names = [name for name in estimator.get_params() if name == "random_state" or name.endswith("__random_state")]
    return estimator.set_params(**dict.fromkeys(names, seed))
