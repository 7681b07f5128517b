"""Checks of a model's contract against the tables that it learns from, is asked about and answers to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.errors import ContractError, did_you_mean
from expectations.logic_checks import check_estimator
from expectations.model_contract import HEALTH_COLUMNS, HEALTH_GRAIN, METRICS
from expectations.table_checks import check_table_name

if TYPE_CHECKING:
    from expectations.lake import Lake, Model

INPUT_TYPES = ("string", "int", "bigint", "double", "boolean")
TARGET_TYPES = {
    "binary": (("boolean", "int", "bigint", "double"), "a boolean, or a number that is 0 or 1"),
    "multiclass": (("string",), "a string"),
    "regression": (("int", "bigint", "double"), "a number"),
}
"""Kind of model to the types of its target, in Spark's words and in ours."""


THRESHOLD = 0.5
"""At which scikit-learn's own predict() says yes."""


def check_model(lake: Lake, model: Model) -> None:
    """Raises ContractError, with file and line, for the first thing that is wrong."""
    for key in ("training", "features", "predictions"):
        check_table_name(lake, model.line(key), getattr(model.contract, key))
    _check_target(lake, model)
    _check_metrics(model)
    _check_asks_nobody(lake, model)
    for position in range(len(model.contract.inputs)):
        _check_input(lake, model, position)
    _check_labels(lake, model)
    _check_told_columns(lake, model)
    _check_engine(model)
    _check_search(model)
    _check_days(lake, model)
    _check_predictions(lake, model, model.contract.predictions)
    if model.contract.comparisons is not None:
        check_table_name(lake, model.line("comparisons"), model.contract.comparisons)
        _check_predictions(lake, model, model.contract.comparisons)
    _check_own_tables(lake, model)
    _check_health(lake, model)
    check_estimator(model)


def _check_asks_nobody(lake: Lake, model: Model) -> None:
    table = lake.tables[model.contract.predictions]
    if table.contract.asks:
        place = table.line("rules" if any(rule.on_fail == "ask" for rule in table.contract.rules) else "over_time")
        raise ContractError(f"{place}: inference fills {table.name}, and nobody is asked there: write on_fail: stop instead of ask.")


def _check_target(lake: Lake, model: Model) -> None:
    target = model.contract.target
    columns = lake.tables[model.contract.training].contract.columns
    if target not in columns:
        raise ContractError(f"{model.line('target')}: {model.contract.training} has no column {target!r}.{did_you_mean(target, columns)}")
    types, words = TARGET_TYPES[model.contract.kind]
    if columns[target].type not in types:
        raise ContractError(f"{model.line('target')}: the target {target!r} is {columns[target].type}; for kind {model.contract.kind} it must be {words}.")


def _check_metrics(model: Model) -> None:
    contract, known = model.contract, METRICS[model.contract.kind]
    named = [("score", contract.score), *(("gates", gate.metric) for gate in contract.gates)]
    if contract.threshold != THRESHOLD and contract.engine != "spark_ml" and contract.score in {"accuracy", "precision", "recall"}:
        told = f"scikit-learn searches {contract.score} at a probability of {THRESHOLD}, not at threshold {contract.threshold}"
        raise ContractError(f"{model.line('score')}: {told}; write score: roc_auc, average_precision, log_loss or brier.")
    alarms = [("train", alarm.metric) for alarm in contract.train.alarms if alarm.metric is not None]
    if contract.kind == "multiclass" and ("train", "log_loss") in alarms:  # predictions keep the answer's probability alone
        raise ContractError(f"{model.line('train')}: log_loss of several classes cannot be told from predictions; choose another metric for the alarm.")
    named += alarms
    for key, metric in named:
        if metric not in known:
            raise ContractError(f"{model.line(key)}: {metric} does not measure a model of kind {contract.kind}; choose from {', '.join(known)}.")


def _check_input(lake: Lake, model: Model, position: int) -> None:
    contract, column = model.contract, model.contract.inputs[position]
    place = model.line("inputs", position)
    if column == contract.target:
        raise ContractError(f"{place}: the target {column!r} is among the inputs; take it out.")
    if column in contract.inputs[:position]:
        raise ContractError(f"{place}: the input {column!r} is listed twice; keep one.")
    for name in (contract.training, contract.features):
        columns = lake.tables[name].contract.columns
        if column not in columns:
            raise ContractError(f"{place}: {name} has no column {column!r}.{did_you_mean(column, columns)}")
        if columns[column].type not in INPUT_TYPES:
            raise ContractError(
                f"{place}: the input {column!r} is {columns[column].type}, a model takes {', '.join(INPUT_TYPES)}; make a number of it in {name}."
            )
    learned, asked = (lake.tables[name].contract.columns[column].type for name in (contract.training, contract.features))
    if (learned == "string") != (asked == "string"):  # a model sees texts as texts, and all else as doubles
        raise ContractError(
            f"{place}: the input {column!r} is {learned} in {contract.training} and {asked} in {contract.features}, so a model would learn from one and be "
            "asked about the other; let both be a string, or both a number."
        )


def _check_labels(lake: Lake, model: Model) -> None:
    """What is only known afterwards is no input."""
    contract = model.contract
    if contract.labels is None:
        return
    check_table_name(lake, model.line("labels"), contract.labels)
    labels = lake.tables[contract.labels].contract
    for position, column in enumerate(contract.inputs):
        if column in labels.columns and column not in (*labels.grain, labels.day):
            place = model.line("inputs", position)
            raise ContractError(f"{place}: the input {column!r} is a label of {contract.labels}, so it is known only afterwards; take it out.")


def _check_told_columns(lake: Lake, model: Model) -> None:
    """Slices, and the keys of the history, are columns of the training table."""
    contract = model.contract
    columns = lake.tables[contract.training].contract.columns
    named = [("slices", name) for name in contract.slices]
    named += [("gates", gate.slice) for gate in contract.gates if gate.slice is not None]
    named += [("history", name) for name in (contract.history.keys if contract.history else ())]
    for key, name in named:
        if name not in columns:
            raise ContractError(f"{model.line(key)}: {contract.training} has no column {name!r}.{did_you_mean(name, columns)}")


def _check_engine(model: Model) -> None:
    contract = model.contract
    if (contract.engine == "per_group") != (contract.group_by is not None):
        raise ContractError(f"{model.line('engine')}: group_by goes with engine: per_group; name both, or neither.")
    if contract.group_by is not None and contract.group_by not in contract.inputs:
        raise ContractError(f"{model.line('group_by')}: {contract.group_by!r} (group_by) is not among the inputs; add it.")
    if contract.engine != "sklearn" and contract.search_on != "spark":
        raise ContractError(f"{model.line('search_on')}: {contract.search_on} searches for engine: sklearn only; write spark, or leave it out.")


def _check_search(model: Model) -> None:
    for parameter, values in model.contract.search.items():
        if not values:
            raise ContractError(f"{model.line('search', parameter)}: the search names no value for {parameter!r}; name one, or take the parameter away.")


def _check_days(lake: Lake, model: Model) -> None:
    for key in ("training", "features"):
        name = getattr(model.contract, key)
        if not lake.tables[name].contract.day:
            raise ContractError(f"{model.line(key)}: {name} has no `day`, so it cannot be split by time; name its day column in {lake.tables[name].file}.")
    days, folds = model.contract.split.training_days, model.contract.folds
    if days <= folds:  # each fold judges days of its own, and the first one learns from a day before them
        told = f"{folds} folds need at least {folds + 1} training days, but the split takes at most {days}"
        raise ContractError(f"{model.line('split')}: {told}; write training_days: {folds + 1} or more, or fewer folds.")


def _check_predictions(lake: Lake, model: Model, name_of_table: str) -> None:
    """Inference writes these columns and no others; a prediction is never rewritten."""
    table = lake.tables[name_of_table]
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


def _check_own_tables(lake: Lake, model: Model) -> None:
    """What has its predictions is told by the table's days: a table that two models fill would leave days of one of them out."""
    for key in ("predictions", "comparisons"):
        name = getattr(model.contract, key)
        others = [other.name for other in lake.models.values() if other.name != model.name and name in (other.contract.predictions, other.contract.comparisons)]
        if key == "comparisons" and name == model.contract.predictions:
            others = [model.name]
        if name is not None and others:
            raise ContractError(f"{model.line(key)}: {name} is filled by {others[0]} already; give {model.name} a table of its own for its {key}.")


def _check_health(lake: Lake, model: Model) -> None:
    """Watching writes these columns; several models may share the table."""
    watched = [*model.contract.inputs, model.contract.watched_answer]
    for column in (column for alarm in model.contract.train.alarms for column in alarm.columns if column not in watched):
        raise ContractError(f"{model.line('train')}: an alarm names {column!r}, which is no input and not the answer.{did_you_mean(column, watched)}")
    name = model.contract.health
    if name is None:
        if model.contract.train.alarms:
            raise ContractError(f"{model.line('train')}: alarms ring on what watching finds; add health: gold.model_health, and that table's contract.")
        return
    check_table_name(lake, model.line("health"), name)
    table = lake.tables[name]
    found = {column: facts.type for column, facts in table.contract.columns.items()}
    if found != HEALTH_COLUMNS:
        needs = ", ".join(f"{column}: {{type: {kind}}}" for column, kind in HEALTH_COLUMNS.items())
        raise ContractError(f"{table.line('columns')}: {table.name} keeps the health of {model.name}, so its columns are {needs}.")
    asked = (table.contract.write, table.contract.day, table.contract.order_by, set(table.contract.grain))
    if asked != ("merge", "watched_on", "measured_at", set(HEALTH_GRAIN)):
        needs = f"write: merge, day: watched_on, order_by: measured_at and grain: [{', '.join(HEALTH_GRAIN)}]"
        raise ContractError(f"{table.file}:1: {table.name} keeps the health of {model.name}, so it needs {needs}.")
