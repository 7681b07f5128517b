"""A Debian package that is not here is one sentence, and no test is left out where none may be."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from launcher.layout import REPOSITORY
from tests.debian_packages import require_package

SENTENCE = "chromium is not here: as root, apt-get install chromium"
VARIABLES = ("CI", "SKIP_NOTHING")


@pytest.fixture(autouse=True)
def neither(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def test_a_test_without_its_package_is_skipped_with_the_command_that_brings_it() -> None:
    require_package("chromium", is_here=True)
    with pytest.raises(pytest.skip.Exception) as skipped:
        require_package("chromium", is_here=False)
    assert str(skipped.value) == SENTENCE


@pytest.mark.parametrize("variable", VARIABLES)
def test_where_none_may_be_left_out_it_fails_with_the_same_sentence(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "true")
    require_package("chromium", is_here=True)
    with pytest.raises(pytest.fail.Exception) as failed:
        require_package("chromium", is_here=False)
    assert str(failed.value) == SENTENCE


def test_the_installer_names_what_it_could_not_bring_and_the_command_and_leaves_it_to_the_tests_to_fail(tmp_path: Path) -> None:
    """On a machine without apt-get: the search path has nothing but the two programs that the script needs."""
    for program in ("bash", "id"):
        (tmp_path / program).symlink_to(str(shutil.which(program)))
    wanted = ["bash=bash", f"{tmp_path}/no*thing=chromium", "no-such-program=docker-compose"]
    command = [str(shutil.which("bash")), str(REPOSITORY / ".ci" / "install"), *wanted]
    ended = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "Not here: chromium docker-compose: as root, apt-get install chromium docker-compose.\n")


def test_the_installer_says_nothing_where_all_is_here(tmp_path: Path) -> None:
    command = [str(REPOSITORY / ".ci" / "install"), "bash=bash", f"{REPOSITORY}/READ*=nothing"]
    ended = subprocess.run(command, env={**os.environ, "CI": "true"}, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
