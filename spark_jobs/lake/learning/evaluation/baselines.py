"""What can be answered without learning anything: the same to all rows, or what happened to the same keys in the days before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spark_jobs.lake.learning.evaluation.figures import Figures, figures_of

if TYPE_CHECKING:
    from expectations.model_contract import History, ModelContract

MAJORITY, HISTORY = "majority", "history"
ROWS, SUM = "_rows", "_sum of "
NAMES = {"binary": "the majority class", "multiclass": "the commonest class", "regression": "the mean"}
"""What the first baseline is called, by kind of model."""


def baselines_of(contract: ModelContract, learned: pd.DataFrame, test: pd.DataFrame, day: str, past: pd.DataFrame | None = None) -> dict[str, Figures]:
    """The figures on the test rows of each baseline: MAJORITY, and HISTORY where the contract names its keys.

    Rows have the target, the keys, and the day key in the column `day`. `past` is that of all rows, where `learned` and `test` are a sample.
    """
    truth = test[contract.target]
    found = {MAJORITY: figures_of(contract, truth, *_answers(contract, always(contract, learned, test)))}
    if contract.history is not None:
        known = past_of(contract, contract.history, pd.concat([learned, test], ignore_index=True), day) if past is None else past
        found[HISTORY] = figures_of(contract, truth, *_answers(contract, history(contract, contract.history, learned, test, day, known)))
    return found


def always(contract: ModelContract, learned: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """The mean of the learned target for every test row: a column of it, or one a class."""
    means = _values(contract, learned[contract.target]).mean()
    return pd.DataFrame(np.tile(means.to_numpy(), (len(test), 1)), columns=means.index)


def past_of(contract: ModelContract, of: History, rows: pd.DataFrame, day: str) -> pd.DataFrame:
    """What happened to each key on each day: day and keys, the number of its rows in ROWS, and in SUM + name the sum of the target, or of each class."""
    values = _values(contract, rows[contract.target]).add_prefix(SUM)
    parts = pd.concat([rows[[day, *of.keys]], values, pd.Series(1.0, rows.index, name=ROWS)], axis="columns")
    return parts.groupby([day, *of.keys], dropna=False, as_index=False)[[ROWS, *values.columns]].sum()


def history(  # noqa: PLR0913, PLR0917 - who is asked, and what is known
    contract: ModelContract, of: History, learned: pd.DataFrame, test: pd.DataFrame, day: str, past: pd.DataFrame
) -> pd.DataFrame:
    """The mean of the target over the rows of the same keys in the days before each test row's day, that day excluded, by their `past`.

    Learned and earlier test rows count alike. The day before counts whole, also what came true of it only on the day itself: no contract tells
    when a label is known. So this baseline knows a little more than the model. Keys without a row in those days get the learned mean.
    """
    found = always(contract, learned, test)
    both = pd.concat([past[list(of.keys)], test[list(of.keys)]], ignore_index=True)
    keys = both.groupby(list(of.keys), dropna=False).ngroup().to_numpy()
    past_keys, asked_keys = keys[: len(past)], keys[len(past) :]
    past_dates, asked_dates = pd.to_datetime(past[day]).to_numpy(), pd.to_datetime(test[day]).to_numpy()
    for today in np.unique(asked_dates):
        known, asked = (past_dates < today) & (past_dates >= today - np.timedelta64(of.days, "D")), asked_dates == today
        sums = past[known].groupby(past_keys[known]).sum(numeric_only=True).reindex(asked_keys[asked]).set_axis(found.index[asked])
        means = pd.DataFrame({name: sums[f"{SUM}{name}"] / sums[ROWS] if f"{SUM}{name}" in sums else 0.0 for name in found.columns}, index=sums.index)
        found[asked] = means.where(sums[ROWS].notna(), found[asked])
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
