"""An error that speaks of values is none of the surroundings, whatever words the values hold."""

from __future__ import annotations

import pytest
from pyspark.errors import AnalysisException, NumberFormatException, PySparkException, PythonException

from spark_jobs.lake.verbs import is_of_the_data, is_terminal

WORKER = 'An exception was thrown from the Python worker:\nTraceback (most recent call last):\n  File "sales.py", line 3\n'


@pytest.mark.parametrize(
    ("error", "of_the_data", "terminal"),
    [
        (NumberFormatException("[CAST_INVALID_INPUT] The value 'AccessDenied' cannot be cast"), True, True),
        (PythonException(f"{WORKER}ValueError: UnknownHostException"), True, True),
        (PythonException(f"{WORKER}OSError: [Errno 28] No space left on device"), False, True),
        (AnalysisException("HiveMetaStoreClient: Could not connect to meta store"), False, True),
        (PySparkException("[TASK_WRITE_FAILED] Task failed while writing rows"), False, False),
    ],
)
def test_values_are_told_from_the_surroundings(error: Exception, of_the_data: bool, terminal: bool) -> None:
    assert (is_of_the_data(error), is_terminal(error)) == (of_the_data, terminal)
