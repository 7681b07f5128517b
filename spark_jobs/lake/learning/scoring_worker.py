"""Scores rows inside Spark's Python workers. Travels by value, like worker.py: nothing of this project need be installed there."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pyspark import cloudpickle

from expectations.s3 import s3_variables
from spark_jobs.lake.learning.answering import PREDICTED, PROBABILITY, answers_of
from spark_jobs.lake.learning.worker import model_of_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd
    import pyarrow as pa

    from expectations.model_contract import Kind

    Batches = Iterator[pa.RecordBatch]

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # type: ignore[no-untyped-call]

UNSCORED = "_unscored"
"""Why a row has no answer: `unscored(<reason>)`."""
ADDED = {
    "binary": {PROBABILITY: "double", UNSCORED: "string"},
    "multiclass": {PROBABILITY: "double", PREDICTED: "string", UNSCORED: "string"},
    "regression": {PREDICTED: "double", UNSCORED: "string"},
}
"""What is added to a row, by its model's kind: the answer, first the number that tells whether there is one, and UNSCORED."""
MOST_UNSCORED = 1_000
"""Rows of one batch that may be refused one by one: beyond, it is the model that is at fault."""
LONGEST_REASON = 160


def scoring_task(location: str, sha256: str, trusted: list[str], inputs: dict[str, str], kind: Kind) -> Callable[[Batches], Batches]:
    """A function for mapInArrow: takes the columns that `inputs` maps to the model's names away and adds those of ADDED."""
    access = s3_variables()

    def score(batches: Batches) -> Batches:
        import pyarrow as pa
        from threadpoolctl import threadpool_limits

        model = model_of_process(location, sha256, trusted, access)
        with threadpool_limits(limits=1):
            for batch in batches:
                if not batch.num_rows:  # scikit-learn refuses to judge no rows
                    continue
                rows = pa.Table.from_batches([batch])
                seen = rows.select(list(inputs)).rename_columns(list(inputs.values())).to_pandas()
                for name, values in answers(model, seen, kind).items():
                    rows = rows.append_column(name, pa.array(values, pa.float64() if ADDED[kind][name] == "double" else pa.string(), from_pandas=True))
                yield from rows.drop_columns(list(inputs)).combine_chunks().to_batches()

    return score


def answers(model: Any, seen: pd.DataFrame, kind: Kind) -> dict[str, Any]:
    """The columns of ADDED, an array each. Where the model refuses the rows together, they are halved until it is known which it refuses.

    Raises ValueError where it refuses more than MOST_UNSCORED.
    """
    import numpy as np

    parts, waiting, refused = [], [(0, len(seen))], 0
    while waiting:
        first, end = waiting.pop()
        try:
            parts.append(_answers_together(model, seen[first:end], kind))
        except Exception as fault:
            middle = (first + end) // 2
            if first < middle:
                waiting += [(middle, end), (first, middle)]
                continue
            refused += 1
            reason = f"unscored({_reason(fault)})"
            if refused > MOST_UNSCORED:
                raise ValueError(f"the model refuses more than {MOST_UNSCORED:,} rows of one batch, the last as {reason}") from fault
            parts.append({name: np.array([reason if name == UNSCORED else None], dtype=object) for name in ADDED[kind]})
    return {name: np.concatenate([part[name] for part in parts]) for name in ADDED[kind]}


def _answers_together(model: Any, seen: pd.DataFrame, kind: Kind) -> dict[str, Any]:
    import numpy as np

    said = answers_of(model, seen, kind)
    answer = {name: said[name] for name in ADDED[kind] if name != UNSCORED}
    number = next(iter(answer.values()))
    told = np.full(len(number), None, dtype=object)
    strange = ~np.isfinite(number)
    if strange.any():
        told[strange] = [f"unscored(the answer is {value})" for value in number[strange]]
        answer = {name: values.astype(object) for name, values in answer.items()}
        for values in answer.values():
            values[strange] = None
    return {**answer, UNSCORED: told}


def _reason(fault: Exception) -> str:
    """The fault in one line; it may quote values, and these may be anything."""
    text = " ".join(f"{type(fault).__name__}: {fault}".split())
    return "".join(char if char.isprintable() else " " for char in text)[:LONGEST_REASON]
