"""Checks of the files that hold a table's or a model's logic, without running them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from expectations.errors import ContractError, did_you_mean
from expectations.facts import LAYERS
from expectations.logic_files import load_module

if TYPE_CHECKING:
    from pathlib import Path

    from expectations.lake import Lake, Model, Table

TEXT_OR_COMMENT = re.compile(r"""(?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`)|--[^\n]*|/\*.*?\*/""", re.DOTALL)


def check_logic(lake: Lake, table: Table) -> None:
    """Every table but a bronze one and one that inference fills has logic, which takes its inputs. Raises ContractError."""
    if table.contract.source:
        return
    fillers = [model.name for model in lake.models.values() if table.name in model.contract.fills]
    if table.logic is None:
        if fillers:
            return
        stem = f"{lake.project}/spark_jobs/{table.name.replace('.', '/')}"
        raise ContractError(
            f"{table.file}:1: {table.name} has no logic; write {stem}.py with transform(), or {stem}.sql with one SELECT; "
            "or let a model name it in its predictions, comparisons or health."
        )
    if fillers:
        raise ContractError(f"{table.file}:1: the model {fillers[0]} fills {table.name}, so {table.logic} must not; delete it.")
    expected = [read.argument for read in table.contract.inputs]
    if table.logic.suffix == ".sql":
        _check_select(table.logic, expected)
        return
    found, line = _arguments(table.logic, "transform")
    if found != expected:
        raise ContractError(f"{table.logic}:{line}: transform takes ({', '.join(found)}), but the inputs of {table.file} ask for ({', '.join(expected)}).")


def check_estimator(model: Model) -> None:
    """A model's file has a build_estimator() without arguments. Raises ContractError."""
    found, line = _arguments(model.logic, "build_estimator")
    if found:
        raise ContractError(f"{model.logic}:{line}: build_estimator takes ({', '.join(found)}), but it is called without arguments; take them away.")


def check_no_logic_without_contract(lake: Lake) -> None:
    """A file of logic that no contract names would never run. Raises ContractError."""
    for layer in LAYERS:
        folder = lake.project / "spark_jobs" / layer
        for file in sorted([*folder.glob("*.py"), *folder.glob("*.sql")]):
            name = f"{layer}.{file.stem}"
            if name not in lake.tables and not file.name.startswith(("_", ".")):
                contract = lake.project / "expectations" / layer / f"{file.stem}.yaml"
                raise ContractError(f"{file}:1: it would never run, for there is no {contract}; write it, or rename the file.{did_you_mean(name, lake.tables)}")


def require_importable(lake: Lake) -> None:
    """Import each file of logic as a job would. Raises ContractError for the first one that cannot be imported.

    Not for whoever loads contracts: this runs the lake's code, and imports Spark with it.
    """
    files = [table.logic for table in lake.tables.values() if table.logic and table.logic.suffix == ".py"]
    for file in [*files, *(model.logic for model in lake.models.values())]:
        try:
            load_module(file)
        except ImportError as error:
            raise ContractError(
                f"{file}: {error}, so no job can run it; import a module of the lake by its whole name from {lake.project}, like `from lib.prices import net` "
                "for lib/prices.py, or install the package."
            ) from None
        except Exception as error:
            raise ContractError(f"{file}: it cannot be imported, so no job can run it: {type(error).__name__}: {str(error)[:200]}.") from error


def _arguments(file: Path, function: str) -> tuple[list[str], int]:
    """The function's arguments, and its line."""
    try:
        tree = ast.parse(_text(file))
    except SyntaxError as error:
        raise ContractError(f"{file}:{error.lineno or 1}: not Python: {error.msg}.") from None
    except ValueError as error:  # a zero byte
        raise ContractError(f"{file}:1: not Python: {error}.") from None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            taken = node.args
            stars = [f"*{rest.arg}" for rest in (taken.vararg, taken.kwarg) if rest]
            return [argument.arg for argument in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs)] + stars, node.lineno
    raise ContractError(f"{file}:1: it has no function {function}(); write it.")


def _check_select(file: Path, views: list[str]) -> None:
    """The text is one SELECT, and reads every view."""
    bare = TEXT_OR_COMMENT.sub(lambda found: found["text"] or " ", _text(file))
    unquoted = TEXT_OR_COMMENT.sub(lambda found: found["text"] if found["text"].startswith("`") else "''", bare)
    statements = [statement for statement in unquoted.split(";") if statement.strip()]
    if len(statements) != 1:
        raise ContractError(
            f"{file}:1: expected one SELECT, found {len(statements) or 'no'} statements; a table is one SELECT, without a second one behind a ;."
        )
    first = (re.match(r"[\s(]*(\w*)", unquoted) or [""])[1]
    if first.upper() not in {"SELECT", "WITH"}:
        raise ContractError(f"{file}:1: expected one SELECT, found a text that begins with {first[:40]!r}; the engine writes the table, the file only reads.")
    words = {word.lower() for word in re.findall(r"\w+", unquoted)}
    for view in views:
        if view not in words:
            raise ContractError(f"{file}:1: it never reads {view}, which is among the inputs; read it, or take the input away.{did_you_mean(view, words)}")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ContractError(f"{file}:1: not UTF-8 (byte {error.start}); save the file as UTF-8.") from None
