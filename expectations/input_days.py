"""Which days of each input a day needs: said in the contract where two inputs have days, for nobody can guess it.

A day is made of that same day of its inputs, unless `days:` says more: a payment that comes a day after its order is not joined to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from expectations.contract import SAYS_DAYS
from expectations.errors import ContractError
from expectations.yaml_lines import Loader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from expectations.contract import Input
    from expectations.lake import Lake, Table

SAME_DAY = "days: [0, 0]"


def unsaid(lake: Lake, table: Table) -> list[int]:
    """The positions of the inputs of which a contract does not say which days a day needs, where two of them have days."""
    contract = table.contract
    if table.logic is None or contract.write == "replace_all" or sum(lake.has_days(read.table) for read in contract.inputs) < 2:  # noqa: PLR2004
        return []
    return [position for position, read in enumerate(contract.inputs) if _may_say(lake, table, read) and "days" not in read.model_fields_set]


def _may_say(lake: Lake, table: Table, read: Input) -> bool:
    """Of daily files, whose rows may belong to any day, all rows of a day are read in any case."""
    return lake.has_days(read.table) and not (lake.is_arrival(read.table) and table.contract.day)


def check_input_days(lake: Lake, table: Table) -> None:
    """Raises ContractError, with file and line, where a contract of version 2 leaves open which days a day needs."""
    if table.contract.contract < SAYS_DAYS:
        return
    for position in unsaid(lake, table):
        read = table.contract.inputs[position].table
        raise ContractError(
            f"{table.line('inputs', position)}: {table.name} reads {_names(lake, table)} by day, and does not say which days of {read} a day needs; "
            f"write {{{read}: {{{SAME_DAY}}}}} for that same day alone, or for example {{{read}: {{days: [0, 7]}}}} for what comes up to a week later."
        )


def left_open(lake: Lake) -> list[str]:
    """A sentence for each contract of version 1 that leaves open which days a day needs."""
    return [
        f"{table.line('inputs', positions[0])}: {table.name} reads {_names(lake, table)} by day: a day is made of that same day of each, and what belongs to "
        "it and comes on another day is left out. Say which days it needs (`days:`), with contract: 2; `make check-lake FIX=1` writes what holds today."
        for table in lake.tables.values()
        if table.contract.contract < SAYS_DAYS and (positions := unsaid(lake, table))
    ]


def _names(lake: Lake, table: Table) -> str:
    return " and ".join(read.table for read in table.contract.inputs if lake.has_days(read.table))


def write_days(lake: Lake) -> list[str]:
    """Write into the contracts of version 1 which days hold today, and make them version 2. Returns the tables; the rest of their files stays as it is."""
    changed = []
    for table in lake.tables.values():
        positions = unsaid(lake, table)
        if positions and table.contract.contract < SAYS_DAYS:
            table.file.write_text(with_days(table.file.read_text(encoding="utf-8"), positions), encoding="utf-8")
            changed.append(table.name)
    return changed


def with_days(text: str, positions: Iterable[int]) -> str:
    """A contract's text as version 2, with the days of the inputs at these positions."""
    root: Any = yaml.compose(text, Loader)
    parts = {key.value: value for key, value in root.value}
    edits = [(parts["contract"].start_mark.index, parts["contract"].end_mark.index, str(SAYS_DAYS))]
    edits += [_edit(parts["inputs"].value[position]) for position in positions]
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _edit(node: Any) -> tuple[int, int, str]:
    """Where one input's text changes, and to what."""
    if isinstance(node, yaml.ScalarNode):
        return node.start_mark.index, node.end_mark.index, f"{{{node.value}: {{{SAME_DAY}}}}}"
    facts = next(_facts(node))
    start = facts.start_mark.index
    if facts.flow_style:
        return start + 1, start + 1, SAME_DAY + (", " if facts.value else "")
    return start, start, f"{SAME_DAY}\n{' ' * facts.start_mark.column}"


def _facts(node: Any) -> Iterator[Any]:
    """The mapping that says how an input is read: that of the short form, or the node itself."""
    if len(node.value) == 1 and isinstance(node.value[0][1], yaml.MappingNode):
        yield node.value[0][1]
    yield node
