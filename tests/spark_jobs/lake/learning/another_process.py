"""A process like one of Spark's Python workers, where nothing of this project is installed; and examples for it."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pyspark import cloudpickle

if TYPE_CHECKING:
    from pathlib import Path

WORKER = """
import pickle, sys
import pandas as pd
task, batches = pickle.load(open(sys.argv[1], "rb"))
found = [part if isinstance(part, pd.DataFrame) else part.to_pandas() for part in task(iter(batches))]
print(pd.concat(found, ignore_index=True).to_json(orient="split", double_precision=15))
assert not [name for name in sys.modules if name.startswith(("spark_jobs", "expectations"))]
"""
SEEN = pd.DataFrame({"a": np.arange(8.0), "b": [0.0, 1.0] * 4})
TRUTH = [0, 0, 1, 0, 1, 0, 1, 1]


def in_another_process(folder: Path, task: object, batches: list[Any]) -> pd.DataFrame:
    """What a shipped task gives of these batches, frames or Arrow's, where this repository cannot be imported."""
    shipped = folder / "task.pickle"
    shipped.write_bytes(cloudpickle.dumps((task, batches)))
    done = subprocess.run([sys.executable, "-I", "-c", WORKER, str(shipped)], cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return pd.read_json(StringIO(done.stdout), orient="split", precise_float=True)
