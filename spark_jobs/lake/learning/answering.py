"""A model's answers on days that it did not learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from expectations.model_contract import ModelContract

PROBABILITY = "_probability"
"""The column of answers for the probability that the target is true."""
PREDICTED = "_predicted"
"""The column of answers for the answer."""
SHARE = "_probability of "
"""Of several classes, each one's probability is in the column SHARE + class."""


def with_answers(contract: ModelContract, estimator: Any, examples: pd.DataFrame, inputs: list[str]) -> pd.DataFrame:
    """The examples with PROBABILITY and PREDICTED. Raises ValueError where the estimator cannot judge them."""
    probability = estimator.predict_proba(examples[inputs])[:, 1]
    return examples.assign(**{PROBABILITY: probability, PREDICTED: probability >= contract.threshold})
