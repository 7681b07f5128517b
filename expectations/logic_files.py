"""The code that a table's or a model's file runs: itself, and the modules of the lake that it imports."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from typing import TYPE_CHECKING

from expectations.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import ModuleType

ENGINE = ("expectations", "launcher", "medallion", "plugins", "tests", "spark_jobs.lake", "spark_jobs.run")
"""Packages that are no lake's own."""


def load_module(file: Path) -> ModuleType:
    """The file as a module. It is not entered in sys.modules: its functions then travel to Spark's workers by value."""
    spec = importlib.util.spec_from_file_location(f"lake_logic_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise ContractError(f"{file} cannot be loaded as Python.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def code_hash(project: Path, file: Path) -> str:
    """sha256 of the code that a file of logic runs. Where it imports no module of the lake, that of the file alone."""
    digest = hashlib.sha256(file.read_bytes())
    for module in lake_modules(project, file):
        digest.update(f"\n{module.relative_to(project)}\n".encode() + module.read_bytes())
    return digest.hexdigest()[:16]


def file_hash(file: Path) -> str:
    """sha256 of a file alone, which was all that counted once."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def lake_modules(project: Path, file: Path) -> tuple[Path, ...]:
    """The files of the lake's modules that a Python file imports, directly or through each other, sorted. What cannot be parsed imports nothing."""
    if file.suffix != ".py":
        return ()
    found: set[Path] = set()
    waiting = [file]
    while waiting:
        here = waiting.pop()
        for name in _imported(project, here):
            new = set(_files(project, name)) - found - {file}
            found |= new
            waiting += new
    return tuple(sorted(found))


def _imported(project: Path, file: Path) -> Iterator[str]:
    """The dotted names that a file may import: of `from a import b` both `a` and `a.b`."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # the checks of contracts say so, with the line
        return
    package = _package_of(project, file)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _package_of(project: Path, file: Path) -> tuple[str, ...]:
    return file.relative_to(project).parent.parts if file.is_relative_to(project) else ()


def _files(project: Path, name: str) -> Iterable[Path]:
    """The files that importing a dotted name runs, as far as they are the lake's: the module, and the packages above it."""
    if not name or any(name == package or name.startswith(f"{package}.") for package in ENGINE):
        return
    place = project
    for part in name.split("."):
        place = place / part
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file():
                yield file
