"""A model's answers on days that it did not learn from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from expectations.model_contract import ModelContract

PROBABILITY = "_probability"
"""The column of answers for the probability that the target is true, or of the answer where there are several; not of a regression."""
PREDICTED = "_predicted"
"""The column of answers for the answer."""
SHARE = "_probability of "
"""Of several classes, each one's probability is in the column SHARE + class."""


def with_answers(contract: ModelContract, estimator: Any, examples: pd.DataFrame, inputs: list[str]) -> pd.DataFrame:
    """The examples with the model's answers. Raises ValueError where the estimator cannot judge them."""
    seen = examples[inputs]
    if contract.kind == "regression":
        return examples.assign(**{PREDICTED: estimator.predict(seen)})
    shares = estimator.predict_proba(seen)
    if contract.kind == "binary":
        return examples.assign(**{PROBABILITY: shares[:, 1], PREDICTED: shares[:, 1] >= contract.threshold})
    answers = {PROBABILITY: shares.max(axis=1), PREDICTED: np.asarray(estimator.classes_)[shares.argmax(axis=1)]}
    return examples.assign(**answers, **{f"{SHARE}{name}": shares[:, place] for place, name in enumerate(estimator.classes_)})
