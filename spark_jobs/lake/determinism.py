"""Functions whose value is another one each time: refused where they decide which row or which day it is, allowed in all other columns.

A day's rows may be evaluated more than once: a scan tells which days new files touch, a retry makes the day again. A row whose day or key is drawn
anew would be lost, or be there twice.
"""

from __future__ import annotations

import io
import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expectations.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import DataFrame

    from expectations.contract import TableContract
    from expectations.lake import Table

DRAWN = re.compile(
    r"\b(rand|randn|randstr|uuid|shuffle|monotonically_increasing_id|spark_partition_id|input_file_name"
    r"|now|current_date|current_timestamp|localtimestamp|current_time)\(",
    re.IGNORECASE,
)
"""How Spark's analysed plan writes expressions that are not deterministic, or are of the moment (Spark 4's `Nondeterministic` and `CurrentTimestampLike`
expressions). Python functions are taken to be deterministic, as Spark takes them."""
NAMED = re.compile(r" AS ([^\s,#\]]+)#(\d+)")
REFERENCE = re.compile(r"#(\d+)")
ANALYSED, OPTIMIZED = "== Analyzed Logical Plan ==", "== Optimized Logical Plan =="


@dataclass(frozen=True)
class Drawn:
    """A column of a plan, by its expression's id, and the function that its value comes from."""

    ids: dict[str, str]
    names: dict[str, str]


def drawn(plan: str) -> Drawn:
    """The columns of an analysed plan whose values come from such a function, by id and by name; directly or through other columns."""
    aliases = [alias for line in plan.splitlines() for alias in _aliases(line)]
    ids: dict[str, str] = {}
    names: dict[str, str] = {}
    while True:
        before = len(ids)
        for name, key, expression in aliases:
            found = DRAWN.search(expression)
            cause = found[1].lower() if found else next((ids[read] for read in REFERENCE.findall(expression) if read in ids), None)
            if cause and key not in ids:
                ids[key] = names[name] = cause
        if len(ids) == before:
            return Drawn(ids, names)


def _aliases(line: str) -> list[tuple[str, str, str]]:
    """Name, id and expression of each column that a line of a plan makes: the text before ` AS `, back to the comma or bracket that it begins after."""
    return [(found[1], found[2], _expression(line[: found.start()])) for found in NAMED.finditer(line)]


def _expression(before: str) -> str:
    depth = 0
    for place in range(len(before) - 1, -1, -1):
        letter = before[place]
        depth += (letter in ")]") - (letter in "([")
        if depth < 0 or (depth == 0 and letter == ","):
            return before[place + 1 :]
    return before


def output_ids(plan: str) -> dict[str, str]:
    """Name to id of the columns of a plan whose topmost node is a projection."""
    top = plan.strip().splitlines()[0] if plan.strip() else ""
    listed = re.findall(r"([^\s,\[#]+)#(\d+)(?=[,\]L])", top)
    return dict(listed)


def found_in(plan: str, columns: Iterable[str]) -> dict[str, str]:
    """Those of a plan's output `columns` whose values come from such a function, and its name.

    A union gives its columns the ids of its first branch, so there the columns of the others count by their names.
    """
    causes, ids = drawn(plan), output_ids(plan)
    has_union = re.search(r"^[\s:+-]*Union\b", plan, re.MULTILINE) is not None
    found = {}
    for column in columns:
        cause = causes.ids.get(ids.get(column, "")) or (causes.names.get(column) if has_union else None)
        if cause:
            found[column] = cause
    return found


def analysed(rows: DataFrame) -> str:
    """The analysed plan of `rows`, whole."""
    shown = io.StringIO()
    with redirect_stdout(shown):  # the one way that classic sessions and Spark Connect have in common
        rows.explain(extended=True)
    plan = shown.getvalue().partition(ANALYSED)[2].partition(OPTIMIZED)[0].strip("\n")
    return plan.partition("\n")[2]  # the first line is the schema


def deciding(contract: TableContract) -> list[str]:
    """The columns that say which row or which day it is."""
    names = [contract.day, *contract.grain]
    return list(dict.fromkeys(name for name in names if name))


def require_determined(table: Table, plan: str) -> None:
    """Raises ContractError where a column that decides comes from such a function."""
    for column, function in found_in(plan, deciding(table.contract)).items():
        part = "its day" if column == table.contract.day else "its key"
        raise ContractError(
            f"{table.name}: {column} is {part}, and in {table.logic} it comes from {function}(), whose value is another one each time: rows would be lost or "
            f"be there twice. Take {column} from the inputs; {function}() may fill other columns."
        )
