"""Scoring in Spark's Python workers: alone, and without losing a day to a row that no model can score."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from threadpoolctl import threadpool_limits

from spark_jobs.lake.learning.answering import PREDICTED, PROBABILITY
from spark_jobs.lake.learning.scoring_worker import MOST_UNSCORED, UNSCORED, answers, scoring_task
from spark_jobs.lake.learning.worker import kept_in_process
from tests.spark_jobs.lake.learning.another_process import SEEN, TRUTH, in_another_process
from tests.spark_jobs.lake.learning.test_model_store import kept
from tests.spark_jobs.lake.learning.watched_trees import most_threads

if TYPE_CHECKING:
    from pathlib import Path


def test_scoring_travels_alone_and_gives_the_keys_with_the_answer(tmp_path: Path) -> None:
    model = LogisticRegression().fit(SEEN, TRUTH)
    sha256 = kept(tmp_path, model)
    task = scoring_task(f"{tmp_path}/_models/m/model.skops", sha256, [], {"_x0": "a", "_x1": "b"}, "binary")
    keyed = pa.RecordBatch.from_pandas(SEEN.rename(columns={"a": "_x0", "b": "_x1"}).assign(key=range(8)))
    found = in_another_process(tmp_path, task, [keyed.slice(0, 5), keyed.slice(5, 0), keyed.slice(5)])
    assert list(found.columns) == ["key", PROBABILITY, UNSCORED]
    assert (found["key"].tolist(), found[UNSCORED].isna().all()) == (list(range(8)), True)
    assert np.allclose(found[PROBABILITY], model.predict_proba(SEEN)[:, 1], rtol=0, atol=1e-12)


def test_a_model_is_read_once_a_process(tmp_path: Path) -> None:
    sha256 = kept(tmp_path, LogisticRegression().fit(SEEN, TRUTH))
    file = tmp_path / "_models" / "m" / "model.skops"
    batch = pa.RecordBatch.from_pandas(SEEN)
    first = list(scoring_task(str(file), sha256, [], {"a": "a", "b": "b"}, "binary")(iter([batch])))
    file.unlink()
    assert list(scoring_task(str(file), sha256, [], {"a": "a", "b": "b"}, "binary")(iter([batch]))) == first


def test_the_rows_that_a_model_refuses_are_found_and_the_others_are_scored() -> None:
    names = pd.DataFrame({"name": ["ann", "bob"] * 50})
    model = make_pipeline(OneHotEncoder(handle_unknown="error"), LogisticRegression()).fit(names, [0, 1] * 50)
    asked = names.copy()
    asked.loc[[17, 99], "name"] = ["eve\n", "mallory"]
    found = answers(model, asked, "binary")
    refused = {at: reason for at, reason in enumerate(found[UNSCORED]) if reason is not None}
    assert list(refused) == [17, 99]
    assert refused[99] == "unscored(ValueError: Found unknown categories ['mallory'] in column 0 during transform)"
    assert "\n" not in refused[17]
    known = [at for at in range(100) if at not in refused]
    assert np.allclose(found[PROBABILITY][known].astype(float), model.predict_proba(names.loc[known])[:, 1], rtol=0, atol=0)


class Says:
    """A model that answers what its only column says."""

    classes_ = np.array(["no", "yes"])

    def predict_proba(self, seen: pd.DataFrame) -> Any:
        return np.column_stack([1 - seen["x"], seen["x"]])

    def predict(self, seen: pd.DataFrame) -> Any:
        return seen["x"].to_numpy()


def test_a_model_answers_with_one_thread_whatever_its_process_has() -> None:
    class Counts(Says):
        def predict_proba(self, seen: pd.DataFrame) -> Any:
            return np.full((len(seen), 2), float(most_threads()))

    kept_in_process("_lake_models", "sum []", Counts)  # as if read before
    with threadpool_limits(limits=2):
        found = list(scoring_task("nowhere", "sum", [], {"a": "a"}, "binary")(iter([pa.RecordBatch.from_pandas(SEEN[["a"]][:1])])))
        assert (found[0][PROBABILITY].to_pylist(), most_threads()) == ([1.0], 2)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("binary", {PROBABILITY: [0.75, None, None]}),
        ("multiclass", {PROBABILITY: [0.75, None, None], PREDICTED: ["yes", None, None]}),
        ("regression", {PREDICTED: [0.75, None, None]}),
    ],
)
def test_an_answer_that_is_no_number_is_none(kind: Any, expected: dict[str, list[Any]]) -> None:
    found = answers(Says(), pd.DataFrame({"x": [0.75, math.nan, math.inf]}), kind)
    assert found.pop(UNSCORED).tolist() == [None, "unscored(the answer is nan)", "unscored(the answer is inf)"]
    assert {name: values.tolist() for name, values in found.items()} == expected


def test_a_model_that_refuses_everything_is_at_fault_and_not_its_rows() -> None:
    with pytest.raises(ValueError, match=r"refuses more than 1,000 rows of one batch, the last as unscored\(KeyError: 'x'\)"):
        answers(Says(), pd.DataFrame({"y": np.zeros(MOST_UNSCORED + 1)}), "binary")
