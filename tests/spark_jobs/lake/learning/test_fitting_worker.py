"""What runs in Spark's Python workers needs nothing of this project to be installed there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from spark_jobs.lake.learning.engines.fitting_worker import fit_and_score, fitting_task
from tests.spark_jobs.lake.learning.another_process import SEEN, TRUTH, in_another_process
from tests.spark_jobs.lake.learning.watched_trees import WatchedTrees, most_threads, noted

if TYPE_CHECKING:
    from pathlib import Path


def test_fitting_travels_alone_and_gives_a_score_or_an_error_a_fit(tmp_path: Path) -> None:
    SEEN.assign(y=TRUTH).to_parquet(tmp_path / "examples.parquet")
    fits = [(LogisticRegression(), 1, 4, 8, f"{tmp_path}/good.json"), (LogisticRegression(C=-1), 0, 4, 8, f"{tmp_path}/bad.json")]
    task = fitting_task(f"{tmp_path}/examples.parquet", ["a", "b"], "y", fits, "accuracy")
    found = in_another_process(tmp_path, task, [pd.DataFrame({"id": [0, 1]})])
    expected = LogisticRegression().fit(SEEN[1:4], TRUTH[1:4]).score(SEEN[4:], TRUTH[4:])
    assert found["score"][0] == expected
    assert found["error"][1].startswith("InvalidParameterError")
    assert json.loads((tmp_path / "good.json").read_text())["score"] == expected
    assert not (tmp_path / "bad.json").exists()


def test_a_fit_has_one_thread_whatever_its_process_has(tmp_path: Path) -> None:
    SEEN.assign(y=TRUTH).to_parquet(tmp_path / "examples.parquet")
    fits = [(WatchedTrees(notes=str(tmp_path)), 0, 4, 8, f"{tmp_path}/fit.json")]
    task = fitting_task(f"{tmp_path}/examples.parquet", ["a", "b"], "y", fits, "accuracy")
    with threadpool_limits(limits=2):
        found = next(task(iter([pd.DataFrame({"id": [0]})])))
        assert (found["error"][0], most_threads()) == (None, 2)
    assert noted(tmp_path) == [1]


def test_the_log_loss_of_a_fold_knows_the_classes_that_it_has_not(tmp_path: Path) -> None:
    truth = pd.Series(["hot", "cold", "mild", "hot", "cold", "mild", "hot", "hot"])
    model = LogisticRegression()
    score = fit_and_score((model, 0, 6, 8, str(tmp_path)), SEEN, truth, "neg_log_loss")
    assert score == pytest.approx(np.log(model.predict_proba(SEEN[6:])[:, list(model.classes_).index("hot")]).mean())


def test_the_log_loss_of_a_fold_that_never_learned_a_class_counts_its_rows_as_wrong(tmp_path: Path) -> None:
    truth = pd.Series(["hot", "cold", "hot", "hot", "cold", "cold", "hot", "mild"])
    model = LogisticRegression()
    score = fit_and_score((model, 0, 6, 8, str(tmp_path)), SEEN, truth, "neg_log_loss")
    wrong = np.log(np.finfo(float).eps)
    assert score == pytest.approx((np.log(model.predict_proba(SEEN[6:7])[0, 1]) + wrong) / 2)
