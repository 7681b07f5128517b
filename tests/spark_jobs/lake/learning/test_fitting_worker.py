"""What runs in Spark's Python workers needs nothing of this project to be installed there."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pyspark import cloudpickle
from sklearn.linear_model import LogisticRegression

from spark_jobs.lake.learning.worker import fitting_task, scoring_task
from tests.spark_jobs.lake.learning.test_model_store import kept

if TYPE_CHECKING:
    from pathlib import Path

WORKER = """
import pickle, sys
import pandas as pd
task, batches = pickle.load(open(sys.argv[1], "rb"))
print(pd.concat(list(task(iter(batches)))).to_json(orient="split", double_precision=15))
assert not [name for name in sys.modules if name.startswith(("spark_jobs", "expectations"))]
"""
SEEN = pd.DataFrame({"a": np.arange(8.0), "b": [0.0, 1.0] * 4})
TRUTH = [0, 0, 1, 0, 1, 0, 1, 1]


def in_another_process(folder: Path, task: object, batches: list[pd.DataFrame]) -> pd.DataFrame:
    """Run a shipped task where this repository cannot be imported."""
    shipped = folder / "task.pickle"
    shipped.write_bytes(cloudpickle.dumps((task, batches)))
    done = subprocess.run([sys.executable, "-I", "-c", WORKER, str(shipped)], cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    from io import StringIO

    return pd.read_json(StringIO(done.stdout), orient="split", precise_float=True)


def test_scoring_travels_alone_and_gives_the_keys_with_the_probability(tmp_path: Path) -> None:
    model = LogisticRegression().fit(SEEN, TRUTH)
    sha256 = kept(tmp_path, model)
    task = scoring_task(f"{tmp_path}/_models/m/model.skops", sha256, [], {"_x0": "a", "_x1": "b"}, "chance")
    keyed = SEEN.rename(columns={"a": "_x0", "b": "_x1"}).assign(key=range(8))
    found = in_another_process(tmp_path, task, [keyed[:5], keyed[5:5], keyed[5:]])
    assert list(found.columns) == ["key", "chance"]
    assert np.allclose(found["chance"], model.predict_proba(SEEN)[:, 1], rtol=0, atol=1e-12)


def test_fitting_travels_alone_and_gives_a_score_or_an_error_a_fit(tmp_path: Path) -> None:
    SEEN.assign(y=TRUTH).to_parquet(tmp_path / "examples.parquet")
    fits = [(LogisticRegression(), 4, 8), (LogisticRegression(C=-1), 4, 8)]
    task = fitting_task(f"{tmp_path}/examples.parquet", ["a", "b"], "y", fits, "accuracy")
    found = in_another_process(tmp_path, task, [pd.DataFrame({"id": [0, 1]})])
    expected = LogisticRegression().fit(SEEN[:4], TRUTH[:4]).score(SEEN[4:], TRUTH[4:])
    assert found["score"][0] == expected
    assert found["error"][1].startswith("InvalidParameterError")
