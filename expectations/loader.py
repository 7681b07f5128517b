"""Reads a lake's contracts and checks them, each for itself and all against each other."""

from __future__ import annotations

import ast
from functools import cache
from graphlib import CycleError
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from expectations.contract import IDENTIFIER, LAYERS, Facts, ModelContract, Pipeline, TableContract
from expectations.errors import ContractError, did_you_mean
from expectations.expectation_catalogue import fault_of_rule
from expectations.lake import Lake, Model, Table
from expectations.settings import load_settings
from expectations.yaml_lines import line_of, read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FactsT = TypeVar("FactsT", bound=Facts)
MODEL_INPUT_TYPES = ("string", "int", "bigint", "double", "boolean")


def load_lake(project: Path | None = None) -> Lake:
    """The lake under `project` (default: LAKE_PROJECT). Read once a process.

    Raises ContractError, with file and line, for the first thing that is wrong.
    """
    return _load(project or load_settings().project)


@cache
def _load(project: Path) -> Lake:
    folder = project / "expectations"
    tables = {f"{layer}.{file.stem}": file for layer in LAYERS for file in sorted((folder / layer).glob("*.yaml"))}
    models = {file.stem: file for file in sorted((folder / "models").glob("*.yaml"))}
    lake = Lake(
        project=project,
        tables={name: _table(project, name, file) for name, file in tables.items()},
        models={name: _model(project, name, file) for name, file in models.items()},
        pipelines=_pipelines(folder / "pipelines.yaml"),
    )
    for table in lake.tables.values():
        _check_table(lake, table)
    _check_no_cycle(lake)
    for model in lake.models.values():
        _check_model(lake, model)
    _check_pipelines(lake, folder / "pipelines.yaml")
    return lake


def parse_contract(kind: type[FactsT], file: Path, raw: Any, at: tuple[str | int, ...] = ()) -> FactsT:
    """`raw` as `kind`. Raises ContractError naming file and line of the first fault, with a suggestion for a misspelt key."""
    if not isinstance(raw, dict):
        raise ContractError(f"{file}:{line_of(file, at)}: expected keys and values, found {type(raw).__name__}; see docs/contracts.md.")
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        path = tuple(part for part in first["loc"] if isinstance(part, (str, int)))
        place = f"{file}:{line_of(file, (*at, *path))}"
        where = ".".join(map(str, path)) or "contract"
        if first["type"] == "extra_forbidden":
            known = _known_keys(kind, path)
            raise ContractError(f"{place}: unknown key {path[-1]!r}; known are {', '.join(known)}.{did_you_mean(str(path[-1]), known)}") from None
        if first["type"] == "missing":
            raise ContractError(f"{place}: the key {where!r} is missing; add it.") from None
        message = first["msg"].removeprefix("Value error, ")
        found = f" (found {first['input']!r:.80})" if not isinstance(first["input"], dict) else ""
        raise ContractError(f"{place}: {where}: {message}{found}.") from None


def _known_keys(kind: type[Facts], path: tuple[str | int, ...]) -> list[str]:
    """The keys allowed where `path` ends: found by walking the JSON schema, which pydantic makes from the classes."""
    schema = kind.model_json_schema()
    definitions = schema.get("$defs", {})
    here: Any = schema
    for part in path[:-1]:
        for option in (here, *here.get("anyOf", [])):
            target = option.get("properties", {}).get(part) or option.get("items") or option.get("additionalProperties")
            if isinstance(target, dict):
                here = target
                break
        references = [option["$ref"] for option in (here, *here.get("anyOf", [])) if "$ref" in option]
        if references:
            here = definitions[references[0].rsplit("/", 1)[-1]]
    return sorted(here.get("properties", {}))


def _table(project: Path, name: str, file: Path) -> Table:
    _check_stem(file)
    contract = parse_contract(TableContract, file, read_yaml(file))
    layer, stem = name.split(".")
    logic = [p for p in (project / "spark_jobs" / layer / f"{stem}.py", project / "spark_jobs" / layer / f"{stem}.sql") if p.exists()]
    if len(logic) > 1:
        raise ContractError(f"{name} has two logics, {logic[0].name} and {logic[1].name}; delete one.")
    if contract.source and logic:
        raise ContractError(f"{file}:1: {name} has a source, so {logic[0]} would never run; delete it, or give the table inputs instead.")
    return Table(name, contract, file, logic[0] if logic else None)


def _model(project: Path, name: str, file: Path) -> Model:
    _check_stem(file)
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
    raw = read_yaml(file) or {}
    if not isinstance(raw, dict):
        raise ContractError(f"{file}:1: expected one entry a pipeline, found {type(raw).__name__}.")
    for name in raw:
        if not IDENTIFIER.fullmatch(str(name)):
            raise ContractError(f"{file}:{line_of(file, (name,))}: the pipeline name {name!r} must be small letters, digits and _.")
    return {name: parse_contract(Pipeline, file, entry, (name,)) for name, entry in raw.items()}


def _check_table(lake: Lake, table: Table) -> None:
    contract = table.contract
    if bool(contract.source) == bool(contract.inputs):
        raise ContractError(f"{table.file}:1: {table.name} needs either a source or inputs; it has {'both' if contract.source else 'neither'}.")
    if bool(contract.source) != (table.layer == "bronze"):
        raise ContractError(f"{table.file}:1: {table.name}: a bronze table has a source, the others have inputs.")
    for position, read in enumerate(contract.inputs):
        place = table.line("inputs", position)
        _known_name(place, read.table, lake.tables, "table")
        if LAYERS.index(read.table.split(".")[0]) > LAYERS.index(table.layer):
            raise ContractError(f"{place}: {table.name} reads {read.table}, a later layer; data flows bronze, silver, gold.")
        if read.days[0] > read.days[1]:
            raise ContractError(f"{place}: days {list(read.days)} is back to front; write the earlier one first.")
    for position, rule in enumerate(contract.rules):
        fault = fault_of_rule(rule, contract)
        if fault:
            raise ContractError(f"{table.line('rules', position)}: {fault}")
    labels = [rule.label for rule in contract.rules]
    for position, label in enumerate(labels):
        if label in labels[:position]:
            raise ContractError(f"{table.line('rules', position)}: a second rule {label!r}; give one of them a name.")
    _check_logic(lake, table)


def _check_logic(lake: Lake, table: Table) -> None:
    if table.contract.source:
        return
    if table.logic is None:
        if table.name in {model.contract.predictions for model in lake.models.values()}:
            return
        stem = f"{lake.project}/spark_jobs/{table.name.replace('.', '/')}"
        raise ContractError(f"{table.file}:1: {table.name} has no logic; write {stem}.py with transform(), or {stem}.sql with one SELECT.")
    if table.logic.suffix == ".py":
        expected = [read.argument for read in table.contract.inputs]
        found = _arguments(table.logic, "transform")
        if found != expected:
            raise ContractError(f"{table.logic}: transform takes ({', '.join(found)}), but the inputs of {table.file} ask for ({', '.join(expected)}).")


def _arguments(file: Path, function: str) -> list[str]:
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise ContractError(f"{file}:{error.lineno}: not Python: {error.msg}.") from None
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == function:
            return [argument.arg for argument in node.args.args]
    raise ContractError(f"{file}:1: it has no function {function}(); write it.")


def _known_name(place: str, name: str, known: Iterable[str], kind: str) -> None:
    known = list(known)
    if name not in known:
        raise ContractError(f"{place}: there is no {kind} {name}.{did_you_mean(name, known)} Its contract would be expectations/{name.replace('.', '/')}.yaml.")


def _check_no_cycle(lake: Lake) -> None:
    try:
        lake.in_order(lake.tables)
    except CycleError as error:
        circle = error.args[1]
        raise ContractError(f"{lake.tables[circle[0]].file}:1: the tables read each other in a circle: {' <- '.join(circle)}; take one input away.") from None


def _check_model(lake: Lake, model: Model) -> None:
    contract = model.contract
    for key in ("training", "features", "predictions"):
        place = f"{model.file}:{line_of(model.file, (key,))}"
        _known_name(place, getattr(contract, key), lake.tables, "table")
    training = lake.tables[contract.training].contract
    features = lake.tables[contract.features].contract
    place = f"{model.file}:{line_of(model.file, ('inputs',))}"
    for column in (contract.target, *contract.inputs):
        if column not in training.columns:
            raise ContractError(f"{place}: {contract.training} has no column {column!r}.{did_you_mean(column, training.columns)}")
    for column in contract.inputs:
        if column not in features.columns:
            raise ContractError(f"{place}: {contract.features} has no column {column!r}.{did_you_mean(column, features.columns)}")
        if column == contract.target:
            raise ContractError(f"{place}: the target {column!r} is among the inputs; take it out.")
        if features.columns[column].type not in MODEL_INPUT_TYPES:
            raise ContractError(
                f"{place}: the input {column!r} is {features.columns[column].type}, a model takes {', '.join(MODEL_INPUT_TYPES)}; "
                f"make a number of it in {contract.features}."
            )
    _check_model_days(lake, model)
    _check_predictions(lake, model)
    _arguments(model.logic, "build_estimator")


def _check_model_days(lake: Lake, model: Model) -> None:
    for key in ("training", "features"):
        name = getattr(model.contract, key)
        if not lake.tables[name].contract.day:
            place = f"{model.file}:{line_of(model.file, (key,))}"
            raise ContractError(f"{place}: {name} has no `day`, so it cannot be split by time; name its day column in {lake.tables[name].file}.")


def _check_predictions(lake: Lake, model: Model) -> None:
    """Inference writes these columns and no others; a prediction is never rewritten."""
    table = lake.tables[model.contract.predictions]
    features = lake.tables[model.contract.features].contract
    expected = model.contract.prediction_columns(features)
    found = {name: column.type for name, column in table.contract.columns.items()}
    for name in [*expected, *found]:
        if expected.get(name) != found.get(name):
            raise ContractError(
                f"{table.line('columns')}: {model.name} fills {table.name} with {name!r} as {expected.get(name, 'no column')}, "
                f"the contract has {found.get(name, 'no such column')}; write {', '.join(f'{key}: {{type: {kind}}}' for key, kind in expected.items())}."
            )
    if table.contract.write != "append" or table.contract.day != features.day or not {*features.grain, "model_version"} <= {*table.contract.grain}:
        grain = ", ".join([*features.grain, "model_version"])
        needs = f"write: append, day: {features.day} and grain: [{grain}]"
        raise ContractError(f"{table.file}:1: {table.name} keeps the predictions of {model.name}, so it needs {needs}.")


def _check_pipelines(lake: Lake, file: Path) -> None:
    for name, pipeline in lake.pipelines.items():
        try:
            ZoneInfo(pipeline.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise ContractError(
                f"{file}:{line_of(file, (name, 'time_zone'))}: {pipeline.time_zone!r} is no time zone; write one like America/New_York."
            ) from None
        if pipeline.last_day and pipeline.last_day < pipeline.first_day:
            raise ContractError(f"{file}:{line_of(file, (name, 'last_day'))}: last_day {pipeline.last_day} is before first_day {pipeline.first_day}.")
        for position, table in enumerate(pipeline.tables):
            place = f"{file}:{line_of(file, (name, 'tables', position))}"
            _known_name(place, table, lake.tables, "table")
            for read in lake.tables[table].contract.inputs:
                if read.table not in pipeline.tables and lake.pipeline_of(read.table) is None:
                    raise ContractError(f"{place}: {table} reads {read.table}, which no pipeline builds; add it to the tables.")
