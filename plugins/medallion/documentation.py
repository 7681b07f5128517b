"""Contracts as Markdown, for the docs of DAGs and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.days import reach
from expectations.pipeline_checks import waits_for_nobody

if TYPE_CHECKING:
    from expectations.contract import TableContract
    from expectations.lake import Lake, Model, Table
    from expectations.rule import Rule


def table_doc(table: Table) -> str:
    """A table's contract: description, inputs, columns, rules and checks over time."""
    contract = table.contract
    parts = [f"**{table.name}**: {contract.description}", _origin(contract)]
    if contract.grain:
        deletes = " Rows that are deleted at their source stay." if contract.deletes == "kept" else ""
        parts.append(f"One row per {', '.join(contract.grain)}; written by `{contract.write}`.{deletes}")
    parts.append("| column | type | null | |\n|---|---|---|---|")
    parts[-1] += "".join(
        f"\n| {name} | {column.type} | {'yes' if column.nullable else 'no'} | {_cell(column.description)} |" for name, column in contract.columns.items()
    )
    if contract.rules:
        parts.append("Rules:\n" + "\n".join(f"- `{_cell(rule.label)}`{_arguments(rule)}, else {rule.on_fail}" for rule in contract.rules))
    if contract.over_time:
        parts.append("Beside the days before:\n" + "\n".join(f"- `{_cell(check.label)}`, else {check.on_fail}" for check in contract.over_time))
    return "\n\n".join(parts)


def pipeline_doc(lake: Lake, pipeline: str) -> str:
    """A pipeline: its clock and its tables."""
    facts = lake.pipeline(pipeline)
    days = reach(facts.first_day, facts.last_day)
    clock = f"Runs at `{facts.schedule}` in {facts.time_zone}, each run for the day before it; days {days}."
    form = "By hand: first and last day in the form, or none for yesterday. A range is one run; any day can be run again."
    others = [sentence[0].upper() + sentence[1:] for sentence in waits_for_nobody(lake) if sentence.startswith(f"the pipeline {pipeline} ")]
    rows = [f"| {name} | {_cell(lake.table(name).contract.description)} |" for name in facts.tables]
    return "\n\n".join([facts.description or pipeline, clock, form, *others, "\n".join(["| table | |", "|---|---|", *rows])])


def model_doc(model: Model) -> str:
    """A model's contract: what it predicts, from what, and what it must reach."""
    contract = model.contract
    gates = [
        f"- `{gate.metric}`"
        + (f" at least {gate.at_least}" if gate.at_least is not None else "")
        + (f" at most {gate.at_most}" if gate.at_most is not None else "")
        for gate in contract.gates
    ]
    parts = [
        f"**{model.name}**: {contract.description}",
        f"Learns `{contract.target}` from {contract.training}, scores {contract.features} into {contract.predictions}.",
        f"Inputs: {', '.join(contract.inputs)}.",
        f"Trained every {contract.train.every} of data, and by hand.",
    ]
    return "\n\n".join([*parts, *(["To serve it must reach:\n" + "\n".join(gates)] if gates else [])])


def _origin(contract: TableContract) -> str:
    if contract.source:
        return f"Lands as {contract.source.format} in `{contract.source.folder}/` ({contract.source.arrives})."
    reads = [entry.table + (f" (days {entry.days[0]} to {entry.days[1]})" if entry.days != (0, 0) else "") for entry in contract.inputs]
    return f"Reads {', '.join(reads)}."


def _arguments(rule: Rule) -> str:
    return f" {_cell(', '.join(f'{key} {value}' for key, value in rule.arguments.items()))}" if rule.arguments else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
