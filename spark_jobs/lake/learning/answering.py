"""An estimator's answers, of whatever kind it is. Travels by value, like worker.py."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pyspark import cloudpickle

if TYPE_CHECKING:
    import pandas as pd

    from expectations.model_contract import Kind, ModelContract

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]

PROBABILITY = "_probability"
"""The column of answers for the probability that the target is true, or of the answer where there are several; not of a regression."""
PREDICTED = "_predicted"
"""The column of answers for the answer."""
SHARE = "_probability of "
"""Of several classes, each one's probability is in the column SHARE + class."""


def with_answers(contract: ModelContract, estimator: Any, examples: pd.DataFrame, inputs: list[str]) -> pd.DataFrame:
    """The examples with the model's answers. Raises ValueError where the estimator cannot judge them."""
    said = answers_of(estimator, examples[inputs], contract.kind)
    if contract.kind == "binary":
        said[PREDICTED] = said[PROBABILITY] >= contract.threshold
    return examples.assign(**said)


def answers_of(estimator: Any, seen: pd.DataFrame, kind: Kind) -> dict[str, Any]:
    """An array for each column of answers: of a binary model PROBABILITY alone, for PREDICTED hangs on its contract's threshold."""
    import numpy as np

    if kind == "regression":
        return {PREDICTED: np.asarray(estimator.predict(seen), dtype="float64")}
    shares = np.asarray(estimator.predict_proba(seen), dtype="float64")
    if kind == "binary":
        return {PROBABILITY: shares[:, 1]}
    classes = np.asarray(estimator.classes_, dtype=object)
    each = {f"{SHARE}{name}": shares[:, place] for place, name in enumerate(classes)}
    return {PROBABILITY: shares.max(axis=1), PREDICTED: classes[shares.argmax(axis=1)], **each}
