"""Refuses to learn from what was known only afterwards, and from rows that teach nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from expectations.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expectations.model_contract import ModelContract

LOOKED_AT = 50_000
"""Rows that are looked at, evenly spaced: the error of a ROC AUC near 0.98 is then below 0.001."""
FEWEST = 30
"""Rows of a class, or of its rest, with which an order is no chance."""
OFF = 1.0
"""The limit at which nothing is refused."""


def require_learnable(model: str, contract: ModelContract, learned: pd.DataFrame, test: pd.DataFrame) -> None:
    """Raises ModelError, before anything is searched, where no model could be learned from these rows, or judged by them."""
    for rows, words in ((learned, "days to learn from"), (test, "test days")):
        if rows.empty:
            raise ModelError(f"{model}: the {words} have no row; take more days.")
        found = rows[contract.target].unique()
        # a regression can be judged by days that are all the same
        if len(found) == 1 and (rows is learned or contract.kind == "binary"):
            raise ModelError(f"{model}: on the {words} the target {contract.target!r} is always {found[0]}, which teaches and tells nothing; take more days.")
    for rows, words in ((learned, "days to learn from"), (test, "test days")):
        _require_finite(model, contract, rows, words)
    empty = [name for name in contract.inputs if learned[name].isna().all()]
    if empty:
        named = f"the input {empty[0]!r} is" if len(empty) == 1 else f"the inputs {', '.join(map(repr, empty))} are"
        raise ModelError(
            f"{model}: on the days to learn from {named} null in every row, which teaches nothing; look at how {contract.training} is made, or take "
            "what is null out of the inputs."
        )
    refuse_leaks(model, contract, learned)


def _require_finite(model: str, contract: ModelContract, rows: pd.DataFrame, words: str) -> None:
    for name in contract.inputs:
        if pd.api.types.is_numeric_dtype(rows[name]):
            count = int(np.isinf(rows[name].to_numpy(dtype=float, na_value=np.nan)).sum())
            if count:
                raise ModelError(
                    f"{model}: the input {name!r} is infinite in {count:,} {'row' if count == 1 else 'rows'} of the {words}, which no estimator takes; "
                    f"look at how {contract.training} is made."
                )


def refuse_leaks(model: str, contract: ModelContract, learned: pd.DataFrame) -> None:
    """Raises ModelError where one input alone orders the learned rows by the target as well as `leak_limit`: it was known only afterwards.

    Measured by the ROC AUC, folded around 0.5 (of a class against the rest where there are several), or by Spearman's rank correlation. A null may tell
    as much as a value, so whether an input is null is judged too. A text counts by the mean target of its other rows.
    """
    if contract.leak_limit >= OFF:
        return
    rows = learned.iloc[:: math.ceil(len(learned) / LOOKED_AT) or 1]
    for name in contract.inputs:
        figure = alone(contract, rows[name], rows[contract.target])
        if figure >= contract.leak_limit:
            what = "rank correlation" if contract.kind == "regression" else "ROC AUC"
            raise ModelError(
                f"{model}: the input {name!r} alone orders the learned rows by {contract.target!r} with {what} {figure:.3f}, the limit is "
                f"{contract.leak_limit}, so it was probably known only afterwards; take it out of the inputs, or, if it is known in time, raise "
                f"leak_limit ({OFF:g} switches this check off)."
            )


def alone(contract: ModelContract, column: pd.Series, target: pd.Series) -> float:
    """How well a column alone orders rows by the target: from 0.5 (or 0 in a regression) to 1."""
    order = _rank_correlation if contract.kind == "regression" else _folded_auc
    return max((order(values, truth) for truth in _truths(contract, target) for values in _orders(column, truth)), default=0.0)


def _truths(contract: ModelContract, target: pd.Series) -> Iterator[pd.Series]:
    if contract.kind != "multiclass":
        yield target.astype(float)
        return
    for one in target.unique():
        yield (target == one).astype(float)


def _orders(column: pd.Series, truth: pd.Series) -> Iterator[pd.Series]:
    """The numbers by which a column may order rows; NaN where it says nothing."""
    if column.isna().any():
        yield column.isna().astype(float)
    yield column.astype(float) if pd.api.types.is_numeric_dtype(column) else _mean_of_others(column, truth)


def _mean_of_others(column: pd.Series, truth: pd.Series) -> pd.Series:
    """The mean truth of a text's rows in the other half of the rows: its own rows would tell their own truth.

    A text that is not there says nothing, so it gets the mean of all: were it left out, a few sentences that happen to come twice would look like a leak.
    """
    values, truths = column.to_numpy(dtype=object), truth.to_numpy()
    found = np.full(len(values), np.nan)
    for learned, judged in KFold(2, shuffle=True, random_state=0).split(values) if len(values) > 1 else ():
        means = pd.Series(truths[learned]).groupby(values[learned]).mean()
        found[judged] = pd.Series(values[judged]).map(means).to_numpy(dtype=float)
    found[np.isnan(found) & column.notna().to_numpy()] = truths.mean()
    return pd.Series(found, index=column.index)


def _folded_auc(values: pd.Series, truth: pd.Series) -> float:
    """The ROC AUC, or 1 less it where the order is the other way round."""
    known = values.notna()
    if truth[known].value_counts().reindex([0.0, 1.0], fill_value=0).min() < FEWEST:
        return 0.5
    auc = float(roc_auc_score(truth[known], values[known]))
    return max(auc, 1 - auc)


def _rank_correlation(values: pd.Series, truth: pd.Series) -> float:
    known = values.notna()
    if known.sum() < FEWEST or values[known].nunique() == 1 or truth[known].nunique() == 1:
        return 0.0
    return abs(float(spearmanr(values[known], truth[known]).statistic))
