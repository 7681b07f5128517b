"""What runs inside Spark's Python workers. Travels by value: a worker needs scikit-learn and pyarrow, but not this package.

So nothing here may import from this project, and every import is inside its function.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pyspark import cloudpickle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    Batches = Iterator[pd.DataFrame]
    Fit = tuple[Any, int, int]
    """An unfitted estimator, and the positions `learned` and `judged` of a fold."""

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]


def read_bytes(location: str) -> bytes:
    """A whole file, from a local path or a URI."""
    from pyarrow import fs

    if "://" in location:
        system, path = fs.FileSystem.from_uri(location.replace("s3a://", "s3://", 1))
    else:
        system, path = fs.LocalFileSystem(), location
    with system.open_input_stream(path) as stream:
        return bytes(stream.read())


def read_model(location: str, sha256: str, trusted: list[str]) -> Any:
    """The fitted estimator in a skops file. Raises ValueError where the bytes or a type in them are not the expected ones."""
    import hashlib

    import skops.io

    data = read_bytes(location)
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ValueError(f"{location} has sha256 {found}, but {sha256} was registered")
    unknown = sorted(set(skops.io.get_untrusted_types(data=data)) - set(trusted))
    if unknown:
        raise ValueError(f"{location} holds types that the contract does not trust: {', '.join(unknown)}")
    return skops.io.loads(data, trusted=trusted)


def model_of_process(location: str, sha256: str, trusted: list[str]) -> Any:
    """The estimator, read once a process: Spark uses its Python workers again."""
    import types

    # This module travels by value, so its own variables would not outlive a task.
    kept: Any = sys.modules.setdefault("_lake_models", types.ModuleType("_lake_models"))
    key = f"{sha256} {sorted(trusted)}"
    if key not in kept.__dict__:
        kept.__dict__.clear()
        kept.__dict__[key] = read_model(location, sha256, trusted)
    return kept.__dict__[key]


def scoring_task(location: str, sha256: str, trusted: list[str], inputs: dict[str, str], output: str) -> Callable[[Batches], Batches]:
    """A function for mapInPandas: takes the columns that `inputs` maps to the model's names away and adds the probability as `output`."""

    def score(batches: Batches) -> Batches:
        from threadpoolctl import threadpool_limits

        model = model_of_process(location, sha256, trusted)
        with threadpool_limits(limits=1):
            for batch in batches:
                seen = batch[list(inputs)].rename(columns=inputs)
                # scikit-learn refuses to judge no rows
                probability = model.predict_proba(seen)[:, 1] if len(seen) else []
                yield batch.drop(columns=list(inputs)).assign(**{output: probability})

    return score


def fit_and_score(fit: Fit, seen: pd.DataFrame, truth: Any, scorer: str) -> float:
    """Fit on the examples before `learned` and score on those from there to `judged`."""
    from sklearn.metrics import get_scorer

    estimator, learned, judged = fit
    estimator.fit(seen[:learned], truth[:learned])
    return float(get_scorer(scorer)(estimator, seen[learned:judged], truth[learned:judged]))


def fitting_task(location: str, inputs: list[str], target: str, fits: list[Fit], scorer: str) -> Callable[[Batches], Batches]:
    """A function for mapInPandas: takes `id`, a position in `fits`, and gives `id`, `score`, `seconds` and `error`."""

    def fit(batches: Batches) -> Batches:
        import io
        import os
        import time
        import warnings

        os.environ["OMP_NUM_THREADS"] = "1"
        import pandas
        import pyarrow.parquet
        from threadpoolctl import threadpool_limits

        warnings.simplefilter("ignore")
        examples = pyarrow.parquet.read_table(io.BytesIO(read_bytes(location))).to_pandas()
        for batch in batches:
            rows = []
            for position in batch["id"]:
                started = time.monotonic()
                score, error = None, None
                try:
                    with threadpool_limits(limits=1):
                        score = fit_and_score(fits[position], examples[inputs], examples[target], scorer)
                except Exception as fault:  # the driver tells it, with the candidate's name
                    error = f"{type(fault).__name__}: {fault}"
                rows.append((position, score, time.monotonic() - started, error))
            yield pandas.DataFrame(rows, columns=["id", "score", "seconds", "error"])

    return fit
