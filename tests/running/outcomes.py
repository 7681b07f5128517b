"""A pytest plugin: writes how many tests passed, failed and were skipped into the file that TEST_OUTCOMES names, as a JSON object.

`tests/running/parts.py` sets the variable: a part whose tests were all skipped has not passed.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from tests.running.parts import OUTCOMES


def pytest_configure(config: pytest.Config) -> None:
    """Only the process that hears of all tests counts them, and none that a test starts."""
    if OUTCOMES in os.environ and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes(Path(os.environ.pop(OUTCOMES))))


class Outcomes:
    """Counts each test once: by its call, or by the phase that kept it from its call."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.counts: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A set-up that passes is no outcome yet; a clean-up that fails is one more failure."""
        if report.when == "call" or report.outcome != "passed":
            self.counts[report.outcome] += 1

    def pytest_sessionfinish(self) -> None:
        """Writes the file."""
        self.file.write_text(json.dumps(self.counts))
