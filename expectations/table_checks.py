"""Checks of a table's contract against the other tables, and of what no engine could keep."""

from __future__ import annotations

from graphlib import CycleError
from typing import TYPE_CHECKING

from expectations.errors import ContractError, did_you_mean
from expectations.facts import LAYERS
from expectations.over_time_checks import RULE_OF_LANDING, check_over_time
from expectations.rule_checks import check_rules

if TYPE_CHECKING:
    from expectations.contract import Input, Source
    from expectations.lake import Lake, Table

ENGINE_COLUMNS = {
    *("_row", "_day", "_source_file", "_source_line", "_ingested_at", "_run_id", "_errors", "_corrupt", "_corrected", "_extra", "_metadata", "_late"),
    *("_id", "_first_seen", "_reason", "_who", "_aside", "_given_up", "_new", "_arrived", "_bronze"),
    *("_rules", "_arrival_day", "_values", "_state", "_valid_from", "_valid_to", "_is_current", "_gone", "_copy", "_now", "_before", "_rank"),
}
"""Columns that the engine adds to tables, to the quarantine, or on the way."""
ENGINE_RULES = {"type", "late", "grain", RULE_OF_LANDING}
"""How the engine calls its own rules, beside not_null(<column>)."""
PARTITION = "day"
"""The column of an external table that is its partitions' name."""
NOT_FOR_BRONZE = ("grain", "day", "write", "order_by", "late", "predict_at")


def check_table_name(lake: Lake, place: str, name: str) -> None:
    """Raises ContractError where `name`, written at `place`, is no table."""
    if name not in lake.tables:
        contract = f"expectations/{name.replace('.', '/')}.yaml"
        raise ContractError(f"{place}: there is no table {name}.{did_you_mean(name, lake.tables)} Its contract would be {contract}.")


def check_table(lake: Lake, table: Table) -> None:
    """Raises ContractError, with file and line, for the first thing that is wrong."""
    contract = table.contract
    if bool(contract.source) == bool(contract.inputs):
        raise ContractError(f"{table.file}:1: {table.name} needs either a source or inputs; it has {'both' if contract.source else 'neither'}.")
    if bool(contract.source) != (table.layer == "bronze"):
        raise ContractError(f"{table.file}:1: {table.name}: a bronze table has a source, the others have inputs.")
    if contract.source:
        _check_bronze_keys(table)
    if contract.source and contract.source.external:
        _check_external(table, contract.source)
    _check_columns(table)
    _check_keys(table)
    for position in range(len(contract.inputs)):
        _check_input(lake, table, position)
    _check_arrivals(lake, table)
    check_rules(table, ENGINE_RULES)
    check_over_time(lake, table, ENGINE_RULES)


def check_no_cycle(lake: Lake) -> None:
    """Raises ContractError where a table reads itself, directly or by way of others."""
    try:
        lake.in_order(lake.tables)
    except CycleError as error:
        circle = error.args[1]
        reader = lake.tables[circle[1]]
        place = reader.line("inputs", [read.table for read in reader.contract.inputs].index(circle[0]))
        raise ContractError(f"{place}: the tables read each other in a circle: {' <- '.join(circle)}; take one input away.") from None


def _check_bronze_keys(table: Table) -> None:
    for key in NOT_FOR_BRONZE:
        if key in table.contract.model_fields_set:
            raise ContractError(
                f"{table.line(key)}: {table.name}: a bronze table keeps what arrives, by the day of arrival; {key} is for the tables that read it."
            )
    for name, column in table.contract.columns.items():
        if not column.nullable:
            place = table.line("columns", name, "nullable")
            raise ContractError(f"{place}: {table.name} keeps what arrives, so {name} may always be null; promise nullable: false in the tables that read it.")


def _check_external(table: Table, source: Source) -> None:
    """An external table reads the landed files as they are."""
    place = table.line("source", "external")
    if not source.has_types or source.arrives == "snapshot":
        found = f"{source.format}, {source.arrives}"
        raise ContractError(f"{place}: {table.name}: an external table is of daily Parquet or ORC files, not of {found}; take external away.")
    if source.drift.changed == "cast":
        place = table.line("source", "drift")
        raise ContractError(f"{place}: {table.name}: nobody casts what an external table reads; write changed: fail, or take external away.")
    if PARTITION in {name.lower() for name in table.contract.columns}:
        place = table.line("columns")
        raise ContractError(f"{place}: {table.name}: an external table's partitions are its column {PARTITION}; call the files' own another name.")


def _check_columns(table: Table) -> None:
    if not table.contract.columns:
        raise ContractError(f"{table.line('columns')}: {table.name} has no columns; name at least one.")
    seen: dict[str, str] = {}
    for name in table.contract.columns:
        small = name.lower()
        if small in ENGINE_COLUMNS:
            raise ContractError(f"{table.line('columns', name)}: the column name {name!r} is the engine's own; choose another.")
        if small in seen:
            raise ContractError(f"{table.line('columns', name)}: to Spark the columns {seen[small]!r} and {name!r} are one; rename one of them.")
        seen[small] = name


def _check_keys(table: Table) -> None:
    """Day, grain and order_by can do what they are for."""
    contract = table.contract
    kinds = {name: column.type for name, column in contract.columns.items()}
    if contract.day and contract.columns[contract.day].nullable:
        place = table.line("columns", contract.day)
        raise ContractError(f"{place}: the day column {contract.day} needs nullable: false, for a row without a day would be in no day's rows.")
    if contract.day and contract.write == "replace_all":
        place = table.line("write")
        raise ContractError(
            f"{place}: replace_all replaces the whole table by the days of one run, so it takes no `day`; write replace_days, or take day away."
        )
    for position, name in enumerate(contract.grain):
        if name in contract.grain[:position]:
            raise ContractError(f"{table.line('grain', position)}: {name} stands in the grain twice; keep one.")
        if "<" in kinds[name]:
            raise ContractError(f"{table.line('grain', position)}: {name} is {kinds[name]}, which cannot tell rows apart; name columns with single values.")
    if contract.order_by and ("<" in kinds[contract.order_by] or kinds[contract.order_by] in {"boolean", "binary"}):
        place = table.line("order_by")
        raise ContractError(
            f"{place}: {contract.order_by} is {kinds[contract.order_by]}, which has no earlier and later; name a number, a date, a timestamp or a text."
        )
    if contract.order_by in contract.grain:
        place = table.line("order_by")
        raise ContractError(f"{place}: {contract.order_by} is in the grain, so no two versions of a row differ in it; name another column.")
    if contract.predict_at and kinds[contract.predict_at] != "timestamp":
        raise ContractError(f"{table.line('predict_at')}: {contract.predict_at} must be a timestamp column, not {kinds[contract.predict_at]}.")


def _check_input(lake: Lake, table: Table, position: int) -> None:
    read = table.contract.inputs[position]
    if read.table not in lake.tables:
        check_table_name(lake, table.line("inputs", position), read.table)
    if read.table in [other.table for other in table.contract.inputs[:position]]:
        raise ContractError(f"{table.line('inputs', position)}: {read.table} is listed twice; read it once, with all the days that are needed.")
    if LAYERS.index(lake.tables[read.table].layer) > LAYERS.index(table.layer):
        raise ContractError(f"{table.line('inputs', position)}: {table.name} reads {read.table}, a later layer; data flows bronze, silver, gold.")
    if read.days[0] > read.days[1]:
        raise ContractError(f"{table.line('inputs', position)}: days {list(read.days)} is back to front; write the earlier one first.")
    if read.needs != "published" or read.otherwise != "hold":
        _check_needs(lake, table, position, read)
    if read.days != (0, 0):
        _check_look_back(lake, table, position, read)


def _check_needs(lake: Lake, table: Table, position: int, read: Input) -> None:
    place = table.line("inputs", position)
    if lake.is_arrival(read.table):
        raise ContractError(f"{place}: the rows of {read.table} are judged one by one; take needs and otherwise away, or read a silver table.")
    if read.otherwise == "last_good_day" and not (read.days == (0, 0) and lake.has_days(read.table) and table.contract.day):
        raise ContractError(
            f"{place}: otherwise: last_good_day is for an input that has days and is read for the same day; {read.table} is not. Write otherwise: hold."
        )
    if read.otherwise == "last_good_day" and _reads_files(lake, table):
        raise ContractError(
            f"{place}: {table.name} reads daily files, whose rows may belong to any day; a last good day is for tables that are made of tables. "
            f"Write otherwise: hold, or make a table of {read.table} and this one."
        )


def _reads_files(lake: Lake, table: Table) -> bool:
    return any(other.table in lake.tables and lake.is_arrival(other.table) for other in table.contract.inputs)


def _check_look_back(lake: Lake, table: Table, position: int, read: Input) -> None:
    place = table.line("inputs", position)
    if not lake.has_days(read.table):
        raise ContractError(f"{place}: {read.table} has no days, it is read whole; take days {list(read.days)} away.")
    if table.contract.write == "replace_all":
        raise ContractError(f"{place}: {table.name} is replaced whole, so it reads all of {read.table}; take days {list(read.days)} away.")
    if table.contract.day and lake.is_arrival(read.table):
        raise ContractError(
            f"{place}: the days of {read.table} are days of arrival, and all rows that belong to a day are read, whenever they arrived; "
            f"take days {list(read.days)} away, or look back on a silver table."
        )


def _check_arrivals(lake: Lake, table: Table) -> None:
    """Which days a file touches is asked of one input only."""
    arrivals = [position for position, read in enumerate(table.contract.inputs) if lake.is_arrival(read.table)]
    if table.contract.day and len(arrivals) > 1:
        first, second = (table.contract.inputs[position].table for position in arrivals[:2])
        place = table.line("inputs", arrivals[1])
        raise ContractError(
            f"{place}: {table.name} has a `day` and reads two tables of daily files, {first} and {second}, whose rows may belong to any day; "
            f"make a silver table of one of them and read that."
        )
