"""A model between its fit and its registration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from spark_jobs.lake.learning.engines.fitting import Fitted


@dataclass(frozen=True)
class Trained:
    """A fitted estimator, what it learned, and what it answers.

    `examples` are all that were read, those of the test days too, with the contract's inputs (of a spark_ml model a sample of the `rows`);
    `learned` are those that it saw. `past`, of a spark_ml model with a history: see past_of, over all its rows. `answers` are the examples of the
    test days (day, keys, told columns, truth) with the model's answer,
    `champion` the same with the champion's, or why it could not be asked; None where nothing serves.
    """

    fitted: Fitted
    examples: pd.DataFrame
    rows: int
    learned: pd.DataFrame
    past: pd.DataFrame | None
    answers: pd.DataFrame
    champion: pd.DataFrame | str | None
    seconds: dict[str, float]
