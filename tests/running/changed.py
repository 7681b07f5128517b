"""`python -m tests.running.changed [--base COMMIT]`: the tests that a change reaches and the bugs planted in its files, in three minutes.

A test reaches a changed file by imports, those of its conftest files included, by naming it, or by catching a bug in it. The nearest come first; those for
which no time is left are listed, and so are the parts of `make test-all` that the change touches. `make test-changed` calls this.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import grimp
import pytest

from launcher.layout import REPOSITORY
from tests.planted.planted_bugs import of_files, planted_bugs
from tests.planted.trying import try_all
from tests.running.git import git, require_commit
from tests.running.parts import PARTS
from tests.spark_server import running_spark

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tests.planted.planted_bugs import PlantedBug

ROOTS = {"tests": "tests", "expectations": "expectations", "launcher": "launcher", "spark_jobs": "spark_jobs", "medallion": "plugins/medallion"}
"""Top-level package to its folder."""
SECONDS = 180
FOR_BUGS = 50
"""Of those seconds, kept for the planted bugs where there are any."""
FOR_A_BUG = 20
"""None is begun when fewer seconds are left."""

FILES_READ = {
    "tests/dags/test_dags_load.py": ("dags/", "plugins/", "expectations/"),
    "tests/test_every_contract.py": ("expectations/", "spark_jobs/"),
    "tests/planted/test_planted_bugs.py": ("tests/planted/bugs/",),
}
"""Tests that read files which they do not name, to the folders of those files."""


def changed_files(base: str) -> list[str]:
    """The files that differ from a commit, new ones included; without one: what is not committed, or else what the newest commit changed."""
    if not base:
        changed = git("diff", "--name-only", "HEAD") + _untracked()
        return changed or git("diff", "--name-only", "HEAD~1", "HEAD")
    require_commit(base)
    return git("diff", "--name-only", base) + _untracked()


def _untracked() -> list[str]:
    return git("ls-files", "--others", "--exclude-standard")


def module_of(file: str) -> str | None:
    """The module of a Python file of the project; None for other files."""
    for package, folder in ROOTS.items():
        if file.endswith(".py") and file.startswith(f"{folder}/"):
            inside = file.removeprefix(f"{folder}/").removesuffix(".py").removesuffix("__init__").strip("/")
            return ".".join([package, *inside.split("/")]).rstrip(".")
    return None


def file_of(module: str) -> str:
    """The file of a module that is no package."""
    package, _, inside = module.partition(".")
    return f"{ROOTS[package]}/{inside.replace('.', '/')}.py"


def _named_modules(module: str) -> set[str]:
    """The texts in a module that might name another one, which `import_module` gets."""
    file = REPOSITORY / file_of(module)
    return set(re.findall(r'"([a-z_]+(?:\.[a-z_]+)+)"', file.read_text())) if file.is_file() else set()


def importers() -> dict[str, set[str]]:
    """Module to the modules that import it or name it in a text; a conftest is imported by every module of its folder and below."""
    graph = grimp.build_graph(*ROOTS, cache_dir=None, exclude_type_checking_imports=True)
    found = {module: set(graph.find_modules_that_directly_import(module)) for module in graph.modules}
    for module in graph.modules:
        for named in _named_modules(module) & found.keys():
            found[named].add(module)
    for conftest in [module for module in found if module.endswith(".conftest")]:
        found[conftest] |= {module for module in found if module.startswith(conftest.removesuffix("conftest")) and module != conftest}
    return found


def distances(changed: Iterable[str], importers: Mapping[str, set[str]]) -> dict[str, int]:
    """Module to the number of imports from it to the nearest changed module; a module that reaches none is not in it."""
    reached = {module: 0 for module in changed if module in importers}
    edge = list(reached)
    while edge:
        module = edge.pop(0)
        for importer in sorted(importers[module] - reached.keys()):
            reached[importer] = reached[module] + 1
            edge.append(importer)
    return reached


def naming(changed: Iterable[str], texts: Mapping[str, str]) -> list[str]:
    """The test files whose text names one of the changed files, or that are called as it is; `texts`: test file to its text."""
    files = [Path(file) for file in changed]
    return [test for test, text in texts.items() if any(file.name in text or Path(test).name == f"test_{file.stem}.py" for file in files)]


def nearest_tests(changed: list[str], bugs: Iterable[PlantedBug], importers: Mapping[str, set[str]], texts: Mapping[str, str]) -> list[str]:
    """The test files that the changed files reach, the nearest first; `bugs`: those in the changed files."""
    modules = [module for file in changed if (module := module_of(file))]
    hops = {file_of(module): count for module, count in distances(modules, importers).items() if module.startswith("tests.")}
    hops |= dict.fromkeys([*naming(changed, texts), *(test.partition("::")[0] for bug in bugs for test in bug.tests)], 0)
    hops |= {test: min(1, hops.get(test, 1)) for test, folders in FILES_READ.items() if any(file.startswith(folders) for file in changed)}
    return sorted((test for test in hops if test in texts), key=lambda test: (hops[test], test))


def files_of_make_test() -> dict[str, str]:
    """Every test file of `make test`, to its text: those that pytest finds without the name of a folder."""
    others = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]["norecursedirs"]
    files = [file.relative_to(REPOSITORY) for file in sorted((REPOSITORY / "tests").rglob("test_*.py"))]
    return {str(file): (REPOSITORY / file).read_text() for file in files if not set(file.parts) & set(others)}


def run_until(tests: list[str], until: float) -> tuple[int, list[str]]:
    """Runs the tests of the files in their order until a moment; pytest's exit code, and the files of which tests were left out."""
    with tempfile.TemporaryDirectory(prefix="changed-") as folder:
        left_out = Path(folder) / "left-out"
        options = ["-q", "-p", "tests.running.stopping", f"--stop-after={until - time.monotonic():.0f}", f"--left-out={left_out}"]
        code = subprocess.run([sys.executable, "-m", "pytest", *options, *tests], cwd=REPOSITORY, check=False).returncode
        return 0 if code == pytest.ExitCode.NO_TESTS_COLLECTED else code, left_out.read_text().splitlines() if left_out.exists() else []


def main(arguments: list[str]) -> int:
    """0 where no test failed and every bug was caught."""
    parser = argparse.ArgumentParser(prog="python -m tests.running.changed", description=__doc__)
    parser.add_argument("--base", default="", metavar="COMMIT")
    started = time.monotonic()
    changed = changed_files(parser.parse_args(arguments).base)
    bugs = of_files(planted_bugs(), changed)
    tests = nearest_tests(changed, bugs, importers(), files_of_make_test())
    print(f"{len(changed)} changed files reach {len(tests)} test files and {len(bugs)} planted bugs", flush=True)
    if touched := [part.name for part in PARTS if part.is_touched_by(changed)]:
        print(f'They touch parts of `make test-all`, too: make test-all PARTS="{" ".join(touched)}"')
    if not tests and not bugs:
        return 0
    code, left, caught = 0, [], []
    with tempfile.TemporaryDirectory(prefix="changed-spark-") as folder, running_spark(Path(folder)) as spark:
        os.environ["SPARK_REMOTE"] = spark.remote
        if tests:
            code, left = run_until(tests, started + SECONDS - (FOR_BUGS if bugs else 0))
        for tried in try_all(bugs, started + SECONDS - FOR_A_BUG):
            caught.append(not tried.missed)
            print(tried.in_words, flush=True)
    if left or len(caught) < len(bugs):
        print(f"No time was left for tests of {len(left)} farther files and {len(bugs) - len(caught)} planted bugs; `make test` and `make planted` have them.")
        print("\n".join(left))
    return code or int(not all(caught))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
