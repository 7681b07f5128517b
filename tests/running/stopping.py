"""A pytest plugin: begins no test after so many seconds, and says of which files tests were left out."""

from __future__ import annotations

import time
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Its two options."""
    parser.addoption("--stop-after", type=float, required=True, metavar="SECONDS")
    parser.addoption("--left-out", type=Path, required=True, metavar="FILE", help="gets the files with tests that were not begun, a line each")


class Stopping:
    """Looks at the clock before each test."""

    def __init__(self, seconds: float, left_out: Path) -> None:
        self.until, self.left_out = time.monotonic() + seconds, left_out

    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Ends the session where the time is over."""
        if time.monotonic() > self.until:
            items = item.session.items[item.session.items.index(item) :]
            files = dict.fromkeys(left.nodeid.partition("::")[0] for left in items)
            self.left_out.write_text("\n".join(files))
            pytest.exit("the time is over", returncode=int(item.session.testsfailed > 0))


def pytest_configure(config: pytest.Config) -> None:
    """Starts the clock."""
    config.pluginmanager.register(Stopping(config.getoption("--stop-after"), config.getoption("--left-out")))
