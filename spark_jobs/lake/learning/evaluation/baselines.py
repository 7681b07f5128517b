"""What can be answered without learning anything: the same to all rows, or what happened to the same keys in the days before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spark_jobs.lake.learning.evaluation.figures import Figures, figures_of

if TYPE_CHECKING:
    from expectations.model_contract import History, ModelContract

MAJORITY, HISTORY = "majority", "history"
NAMES = {"binary": "the majority class", "multiclass": "the commonest class", "regression": "the mean"}
"""What the first baseline is called, by kind of model."""


def baselines_of(contract: ModelContract, learned: pd.DataFrame, test: pd.DataFrame, day: str) -> dict[str, Figures]:
    """The figures on the test rows of each baseline: MAJORITY, and HISTORY where the contract names its keys.

    Rows have the target, the keys, and the day key in the column `day`.
    """
    truth = test[contract.target]
    found = {MAJORITY: figures_of(contract, truth, *_answers(contract, always(contract, learned, test)))}
    if contract.history is not None:
        found[HISTORY] = figures_of(contract, truth, *_answers(contract, history(contract, contract.history, learned, test, day)))
    return found


def always(contract: ModelContract, learned: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """The mean of the learned target for every test row: a column of it, or one a class."""
    means = _values(contract, learned[contract.target]).mean()
    return pd.DataFrame(np.tile(means.to_numpy(), (len(test), 1)), columns=means.index)


def history(contract: ModelContract, of: History, learned: pd.DataFrame, test: pd.DataFrame, day: str) -> pd.DataFrame:
    """The mean of the target over the rows of the same keys in the days before each test row's day, that day excluded.

    Learned and earlier test rows count alike. The day before counts whole, also what came true of it only on the day itself: no contract tells
    when a label is known. So this baseline knows a little more than the model. Keys without a row in those days get the learned mean.
    """
    rows = pd.concat([learned, test], ignore_index=True)
    keys, dates = rows.groupby(list(of.keys), dropna=False).ngroup(), pd.to_datetime(rows[day])
    values, found = _values(contract, rows[contract.target]), always(contract, learned, test)
    values = values.reindex(columns=found.columns, fill_value=0.0)
    asked_keys, asked_dates = keys.iloc[len(learned) :].to_numpy(), dates.iloc[len(learned) :].to_numpy()
    for today in np.unique(asked_dates):
        known, asked = (dates < today) & (dates >= today - pd.Timedelta(days=of.days)), asked_dates == today
        means = values[known].groupby(keys[known]).mean().reindex(asked_keys[asked]).set_axis(found.index[asked])
        found[asked] = means.fillna(found[asked])
    return found


def _values(contract: ModelContract, target: pd.Series) -> pd.DataFrame:
    """The target as numbers that have a mean: itself, or a column a class."""
    if contract.kind == "multiclass":
        return pd.get_dummies(target, dtype=float)
    return target.astype(float).to_frame(contract.target)


def _answers(contract: ModelContract, means: pd.DataFrame) -> tuple[pd.Series, pd.Series | None, pd.DataFrame | None]:
    """Answer, its probability, and those of all classes."""
    first = means.iloc[:, 0]
    if contract.kind == "multiclass":
        return means.idxmax(axis="columns"), means.max(axis="columns"), means
    return (first >= contract.threshold, first, None) if contract.kind == "binary" else (first, None, None)
