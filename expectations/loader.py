"""Reads a lake's contracts and checks them, each for itself and all against each other."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from expectations.change_checks import check_changes
from expectations.contract import Pipeline, TableContract
from expectations.errors import ContractError, did_you_mean
from expectations.facts import IDENTIFIER, LAYERS
from expectations.input_days import check_input_days
from expectations.lake import Lake, Model, Table
from expectations.logic_checks import check_logic, check_no_logic_without_contract
from expectations.model_checks import check_model
from expectations.model_contract import ModelContract
from expectations.parsing import parse_contract
from expectations.pipeline_checks import check_pipelines
from expectations.settings import load_settings
from expectations.table_checks import check_no_cycle, check_table
from expectations.yaml_lines import line_of, read_yaml

if TYPE_CHECKING:
    from pathlib import Path

SINGLE_FILES = ("pipelines.yaml", "environments.yaml")
FOLDERS = (*LAYERS, "models")


def load_lake(project: Path | None = None) -> Lake:
    """The lake under `project` (default: LAKE_PROJECT). Read once a process.

    Raises ContractError, with file and line, for the first thing that is wrong.
    """
    return _load(project or load_settings().project)


def reload() -> None:
    """Read contracts anew from now on."""
    _load.cache_clear()


@cache
def _load(project: Path) -> Lake:
    folder = project / "expectations"
    files = {kind: _contracts(folder / kind) for kind in FOLDERS}
    _check_no_stray_file(folder)
    tables = {f"{layer}.{file.stem}": file for layer in LAYERS for file in files[layer]}
    lake = Lake(
        project=project,
        tables={name: _table(project, name, file) for name, file in tables.items()},
        models={file.stem: _model(project, file) for file in files["models"]},
        pipelines=_pipelines(folder / "pipelines.yaml"),
    )
    for table in lake.tables.values():
        check_table(lake, table)
    check_no_cycle(lake)
    for table in lake.tables.values():
        check_changes(lake, table)
        check_input_days(lake, table)
    for table in lake.tables.values():
        check_logic(lake, table)
    check_no_logic_without_contract(lake)
    for model in lake.models.values():
        check_model(lake, model)
    check_pipelines(lake, folder / "pipelines.yaml")
    return lake


def _contracts(folder: Path) -> list[Path]:
    return [file for file in sorted(folder.glob("*.yaml")) if not file.name.startswith(".")]


def _check_no_stray_file(folder: Path) -> None:
    """YAML that nothing reads is a contract that its writer believes in."""
    for file in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
        parts = file.relative_to(folder).parts
        if any(part.startswith(".") for part in parts):
            continue
        if file.suffix == ".yml":
            raise ContractError(f"{file}:1: contracts end in .yaml, so this one would never be read; rename it to {file.stem}.yaml.")
        if len(parts) == 1 and file.name not in SINGLE_FILES:
            raise ContractError(
                f"{file}:1: nothing reads this file; tables stand in {', '.join(LAYERS)}, models in models.{did_you_mean(file.name, SINGLE_FILES)}"
            )
        if len(parts) > 1 and "/".join(parts[:-1]) not in FOLDERS:
            raise ContractError(f"{file}:1: nothing reads this folder; contracts stand in {', '.join(FOLDERS)}.{did_you_mean(parts[0], FOLDERS)}")


def _table(project: Path, name: str, file: Path) -> Table:
    _check_stem(file)
    contract = parse_contract(TableContract, file, read_yaml(file))
    layer, stem = name.split(".")
    logic = [p for p in (project / "spark_jobs" / layer / f"{stem}.py", project / "spark_jobs" / layer / f"{stem}.sql") if p.exists()]
    if len(logic) > 1:
        raise ContractError(f"{file}:1: {name} has two logics, {logic[0]} and {logic[1]}; delete one.")
    if contract.source and logic:
        raise ContractError(f"{file}:1: {name} has a source, so {logic[0]} would never run; delete it, or give the table inputs instead.")
    return Table(name, contract, file, logic[0] if logic else None)


def _model(project: Path, file: Path) -> Model:
    _check_stem(file)
    name = file.stem
    contract = parse_contract(ModelContract, file, read_yaml(file))
    logic = project / "spark_jobs" / "models" / f"{name}.py"
    if not logic.exists():
        raise ContractError(f"{file}:1: the model {name} has no {logic}; write it with a function build_estimator().")
    return Model(name, contract, file, logic)


def _check_stem(file: Path) -> None:
    if not IDENTIFIER.fullmatch(file.stem):
        raise ContractError(f"{file}:1: the file name must be small letters, digits and _, beginning with a letter; rename it.")


def _pipelines(file: Path) -> dict[str, Pipeline]:
    if not file.exists():
        return {}
    raw = read_yaml(file)
    if raw is None:
        return {}
    if not isinstance(raw, dict):
        raise ContractError(f"{file}:1: expected one entry a pipeline, found {type(raw).__name__}.")
    for name in raw:
        if not IDENTIFIER.fullmatch(str(name)):
            raise ContractError(f"{file}:{line_of(file, (name,))}: the pipeline name {name!r} must be small letters, digits and _.")
    return {name: parse_contract(Pipeline, file, entry, (name,)) for name, entry in raw.items()}
