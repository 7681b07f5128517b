"""Debian packages that some tests need. Where one is not here its tests are skipped, and fail where none may be left out."""

from __future__ import annotations

import os

import pytest

FAILS = ("CI", "SKIP_NOTHING")
"""Variables; where one of them is `true` a missing package fails. .ci/install asks them too."""


def require_package(package: str, *, is_here: bool) -> None:
    """Ends the test that asks with one sentence where a Debian package is not here."""
    if is_here:
        return
    sentence = f"{package} is not here: as root, apt-get install {package}"
    if any(os.environ.get(variable) == "true" for variable in FAILS):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)
