"""Debian packages that some tests need. Where one is not here its tests are skipped; they fail where CI or SKIP_NOTHING is `true`.

CI brings the packages, so there a missing one is a fault; other reasons to skip (no Docker, no Go) stand in its table. `make test-all` skips nothing.
"""

from __future__ import annotations

import os

import pytest


def may_skip_nothing() -> bool:
    """Whether every skipped test fails, for whatever reason it was skipped."""
    return os.environ.get("SKIP_NOTHING") == "true"


def require_package(package: str, *, is_here: bool) -> None:
    """Ends the test that asks with one sentence where a Debian package is not here."""
    if is_here:
        return
    sentence = f"{package} is not here: as root, apt-get install {package}"
    if may_skip_nothing() or os.environ.get("CI") == "true":
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
