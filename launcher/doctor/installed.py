"""What is installed on this machine: Python, packages, Java and jars."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from launcher.errors import LauncherError
from launcher.jars import LOCK, read_lock, require_jars
from launcher.layout import REPOSITORY, jars_folder
from launcher.spark_server import java as wheel
from launcher.spark_server import java_version

if TYPE_CHECKING:
    from collections.abc import Mapping

PACKAGES = REPOSITORY / "requirements.lock"
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?==(?P<version>\S+)", re.MULTILINE)
NEEDED_PYTHON = "3.11"
NAMED = 3
"""So many packages are named where more differ."""


def python(environment: Mapping[str, str]) -> str:
    """The version of the Python that runs the jobs. Raises LauncherError where it is another than the lock is for."""
    own = environment.get("LAKE_PYTHON")
    found = _other_python(own) if own else sys.version.split()[0]
    if not found.startswith(f"{NEEDED_PYTHON}."):
        raise LauncherError(f"Python {NEEDED_PYTHON} is needed, found {found} in {own or sys.executable}: run `make setup`, or mend LAKE_PYTHON.")
    return f"{found} in {own or sys.executable}"


def packages() -> str:
    """That what is installed is what the lock says. Raises LauncherError with what differs."""
    wanted = {pin["name"]: pin["version"] for pin in PINNED.finditer(PACKAGES.read_text())}
    different = [f"{name} {found or 'missing'}, expected {wanted[name]}" for name in wanted if (found := _installed(name)) != wanted[name]]
    if different:
        more = f" and {len(different) - NAMED} more" if len(different) > NAMED else ""
        raise LauncherError(f"not those of {PACKAGES.name}: {'; '.join(different[:NAMED])}{more}: run `make setup`.")
    return f"{len(wanted)} of {PACKAGES.name}"


def java() -> str:
    """The version of the Java that `make up` starts Spark on. Raises LauncherError where it does not run."""
    return java_version(str(wheel()))


def jars() -> str:
    """That the jars are those of their locks. Raises LauncherError with what differs."""
    require_jars()
    return f"{len(read_lock())} of {LOCK.name} in {jars_folder()}"


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _other_python(binary: str) -> str:
    try:
        return subprocess.run([binary, "-c", "import sys; print(sys.version.split()[0])"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        raise LauncherError(f"LAKE_PYTHON={binary} cannot be started; point it to the jobs' Python.") from None
