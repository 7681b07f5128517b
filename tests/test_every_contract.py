"""What holds for every contract and every source file of this repository, also for those that are yet to be written."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from expectations.loader import load_lake

REPOSITORY = Path(__file__).parent.parent
LAKE = load_lake(REPOSITORY)
SOURCES = sorted(file for room in ("dags", "expectations", "launcher", "plugins", "spark_jobs") for file in (REPOSITORY / room).rglob("*.py"))
BUILT = [name for name, table in LAKE.tables.items() if table.logic]
SQL_IN_TEXTS = {"commit.py", "maintenance.py", "naming.py", "databases.py"}
"""Where SQL is put together: the first three from a contract's names, which are checked, and places, which are quoted; the last with quoted names."""
UNSAFE_LOADERS = {"pickle", "cPickle", "dill", "shelve", "marshal"}
UNPICKLES = (".load_model", "cloudpickle.load", "cloudpickle.loads", "joblib.load", "torch.load", ".read_pickle", ".Unpickler")
"""Ends of calls that may unpickle: MLflow's loaders of every flavour, and those of libraries that write pickles."""


@pytest.mark.parametrize("name", sorted(LAKE.tables))
def test_a_table_says_what_a_row_is_and_who_answers_for_it(name: str) -> None:
    contract = LAKE.table(name).contract
    assert contract.description.endswith("."), "a description is one or more sentences"
    assert contract.source or "One row per " in contract.description, 'say "One row per ..."'
    assert contract.owner


@pytest.mark.parametrize("name", sorted(name for name, table in LAKE.tables.items() if not table.contract.source))
def test_a_table_has_a_grain_and_a_rule_for_its_size_or_values(name: str) -> None:
    contract = LAKE.table(name).contract
    assert contract.grain
    assert all(not contract.columns[column].nullable for column in contract.grain), "a row is not told by a null"
    assert contract.rules


@pytest.mark.parametrize("name", sorted(LAKE.tables))
def test_every_table_is_built_by_a_pipeline_or_filled_by_a_model(name: str) -> None:
    assert LAKE.pipeline_of(name) or name in {filled for model in LAKE.models.values() for filled in model.contract.fills}


@pytest.mark.parametrize("name", BUILT)
def test_every_table_has_its_test(name: str) -> None:
    layer, stem = name.split(".")
    assert (REPOSITORY / "tests" / "spark_jobs" / layer / f"test_{stem}.py").exists()


@pytest.mark.parametrize("name", sorted(LAKE.models))
def test_every_model_has_its_test_and_a_gate(name: str) -> None:
    assert (REPOSITORY / "tests" / "spark_jobs" / "models" / f"test_{name}.py").exists()
    assert LAKE.model(name).contract.gates


def test_the_engine_knows_no_table_and_no_model_by_name() -> None:
    names = {*LAKE.tables, *LAKE.models}
    found = {(file.name, text) for file in (REPOSITORY / "spark_jobs" / "lake").rglob("*.py") for text in _texts(_tree(file)) if text in names}
    assert found == set()


@cache
def _tree(file: Path) -> ast.Module:
    """Read once for all of its tests."""
    return ast.parse(file.read_text(encoding="utf-8"))


def _texts(tree: ast.Module) -> Iterator[str]:
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _imported(tree: ast.Module) -> set[str]:
    """The first parts of all imported names, wherever the import stands."""
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return {module.split(".")[0] for module in modules}


def _calls(tree: ast.Module) -> set[str]:
    """What is called, as it is written: `cloudpickle.loads`."""
    return {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(REPOSITORY)))
class TestEverySource:
    def test_it_never_unpickles(self, file: Path) -> None:
        tree = _tree(file)
        assert not _imported(tree) & UNSAFE_LOADERS
        assert not {call for call in _calls(tree) if call.endswith(UNPICKLES)}
        names = {f"{node.module}.{alias.name}" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
        assert not {name for name in names if name.endswith(UNPICKLES)}
        assert not [node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "allow_pickle"]

    def test_it_talks_to_mlflow_only_where_its_unpickling_is_switched_off(self, file: Path) -> None:
        assert "mlflow" not in _imported(_tree(file)) or file.name in {"mlflow_registry.py", "model_store.py"}

    def test_it_starts_no_shell_and_runs_no_text(self, file: Path) -> None:
        tree = _tree(file)
        keywords = [keyword for node in ast.walk(tree) if isinstance(node, ast.Call) for keyword in node.keywords]
        assert not [
            keyword for keyword in keywords if keyword.arg == "shell" and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
        ]
        assert not _calls(tree) & {"os.system", "os.popen", "eval", "exec", "yaml.load", "yaml.unsafe_load"}
        assert "BashOperator" not in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}

    def test_it_puts_no_values_into_sql(self, file: Path) -> None:
        """`spark.sql(f"...")` and `text(f"...")`: only where names come from a checked contract."""
        if file.name in SQL_IN_TEXTS:
            return
        tree = _tree(file)
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in {"sql", "text", "exec_driver_sql"}]
        assert not [ast.unparse(call) for call in calls if any(isinstance(argument, ast.JoinedStr) for argument in call.args)]
