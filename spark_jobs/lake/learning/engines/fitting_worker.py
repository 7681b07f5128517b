"""Fits estimators inside Spark's Python workers. Travels by value, like worker.py."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pyspark import cloudpickle

from expectations.s3 import s3_variables
from spark_jobs.lake.learning.engines.grouped import Grouped
from spark_jobs.lake.learning.worker import kept_in_process, read_bytes, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from spark_jobs.lake.learning.worker import Access

    Batches = Iterator[pd.DataFrame]
    Fit = tuple[Any, int, int, int, str]
    """An unfitted estimator, the positions `first`, `learned` and `judged` of a fold, and the file that the outcome is kept in."""

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]


def fit_and_score(fit: Fit, seen: pd.DataFrame, truth: Any, scorer: str) -> float:
    """Fit on the examples from `first` to `learned`, and score on those from there to `judged`."""
    import pandas
    from sklearn.metrics import get_scorer, log_loss

    estimator, first, learned, judged, _ = fit
    estimator.fit(seen[first:learned], truth[first:learned])
    asked, true = seen[learned:judged], truth[learned:judged]
    if scorer == "neg_log_loss":  # scikit-learn's own asks that the classes learned and judged are the same; one that was never learned has no probability
        shares, classes = pandas.DataFrame(estimator.predict_proba(asked), columns=estimator.classes_), sorted({*estimator.classes_, *true})
        return -float(log_loss(true, shares.reindex(columns=classes, fill_value=0.0).to_numpy(), labels=classes))
    return float(get_scorer(scorer)(estimator, asked, true))


def read_examples(location: str, inputs: list[str], target: str, access: Access = None) -> tuple[pd.DataFrame, Any]:
    """What an estimator sees, and the truth, of a Parquet file."""
    import io

    import pyarrow.parquet

    frame = pyarrow.parquet.read_table(io.BytesIO(read_bytes(location, access)), columns=[*inputs, target]).to_pandas()
    return frame[inputs], frame[target]


def fitting_task(location: str, inputs: list[str], target: str, fits: list[Fit], scorer: str) -> Callable[[Batches], Batches]:
    """A function for mapInPandas: takes `id`, a position in `fits`, and gives `id`, `score`, `seconds` and `error`.

    What a fit that went well gave is in its file before the next one begins, so that a search that is killed can go on.
    """
    access = s3_variables()

    def fit(batches: Batches) -> Batches:
        import json
        import os
        import time
        import warnings

        os.environ["OMP_NUM_THREADS"] = "1"
        import pandas
        from threadpoolctl import threadpool_limits

        warnings.simplefilter("ignore")
        seen, truth = kept_in_process("_lake_examples", location, lambda: read_examples(location, inputs, target, access))
        for batch in batches:
            rows = []
            for position in batch["id"]:
                started = time.monotonic()
                score, error = None, None
                try:
                    with threadpool_limits(limits=1):
                        score = fit_and_score(fits[position], seen, truth, scorer)
                except Exception as fault:  # the driver tells it, with the candidate's name
                    error = f"{type(fault).__name__}: {fault}"
                seconds = time.monotonic() - started
                if error is None and score == score:  # noqa: PLR0124 - not NaN
                    write_whole(fits[position][-1], json.dumps({"score": score, "seconds": seconds, "error": None}), access)
                rows.append((position, score, seconds, error))
            yield pandas.DataFrame(rows, columns=["id", "score", "seconds", "error"])

    return fit


def group_task(estimator: Any, group_by: str, inputs: list[str], target: str, position: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """A function for applyInPandas: takes the examples of one group, sorts them by `position`, and gives its `name` and its `model` as skops bytes.

    The model is null for a group that has no estimator of its own (a frame without rows is one that Spark 4.2 cannot take back).
    """

    def fit(rows: pd.DataFrame) -> pd.DataFrame:
        import os
        import warnings

        os.environ["OMP_NUM_THREADS"] = "1"
        import pandas
        import skops.io
        from sklearn.base import clone
        from threadpoolctl import threadpool_limits

        warnings.simplefilter("ignore")
        rows = rows.sort_values(position, ignore_index=True)
        model = None
        if Grouped(estimator, group_by).is_enough(rows[target]):
            with threadpool_limits(limits=1):
                model = skops.io.dumps(clone(estimator).fit(rows[inputs], rows[target]))
        return pandas.DataFrame({"name": [str(rows[group_by].iloc[0])], "model": [model]})

    return fit
