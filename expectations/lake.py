"""A lake is a folder of contracts: what is in it, and what follows from it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, TypeVar

from expectations.errors import RequestError, did_you_mean
from expectations.logic_files import code_hash, lake_modules
from expectations.yaml_lines import line_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from expectations.contract import Pipeline, TableContract
    from expectations.model_contract import ModelContract

Thing = TypeVar("Thing")
ALL_TABLES = "all"
"""What a request calls all tables of the lake: no name of a table or a pipeline."""


@dataclass(frozen=True)
class Table:
    """A contract, its name and the files that keep it."""

    name: str
    contract: TableContract
    file: Path
    logic: Path | None
    """`<table>.py` or `<table>.sql`; none for bronze tables and for tables that inference fills."""

    @property
    def layer(self) -> str:
        """bronze, silver or gold."""
        return self.name.split(".")[0]

    @cached_property
    def contract_hash(self) -> str:
        """sha256 of what the contract says of its rows, so that a change of it makes them stale.

        Left out are its description, the names that others find it by, what it admits of its inputs (`feed`,
        `deletes`), and its version: words that change no row.
        """
        admitted: dict[str, bool] = {"feed": True, "deletes": True}
        first = self.contract.model_copy(update={"contract": 1})
        facts = first.model_dump_json(exclude={"description": True, "owner": True, "source": {"external"}, **admitted})
        return hashlib.sha256(facts.encode()).hexdigest()[:16]

    @cached_property
    def logic_hash(self) -> str:
        """sha256 of the code that the table runs: its logic file, and the modules of the lake that this imports."""
        return code_hash(self.project, self.logic) if self.logic else ""

    @property
    def project(self) -> Path:
        """The lake's folder."""
        return self.file.parents[2]

    def line(self, *path: str | int) -> str:
        """`file:line` of a part of the contract."""
        return f"{self.file}:{line_of(self.file, path)}"

    def rule_place(self, label: str) -> str:
        """`file:line` of the rule with this label; of the contract for a rule that the engine adds."""
        labels = [rule.label for rule in self.contract.rules]
        return self.line("rules", labels.index(label)) if label in labels else f"{self.file}"


@dataclass(frozen=True)
class Model:
    """A model's contract, its name and its files."""

    name: str
    contract: ModelContract
    file: Path
    logic: Path

    @property
    def code(self) -> bytes:
        """The code that the model runs: its file, and the modules of the lake that this imports."""
        return b"".join(file.read_bytes() for file in (self.logic, *lake_modules(self.file.parents[2], self.logic)))

    def line(self, *path: str | int) -> str:
        """`file:line` of a part of the contract."""
        return f"{self.file}:{line_of(self.file, path)}"


@dataclass(frozen=True)
class Lake:
    """Every table, model and pipeline of a project, checked against each other."""

    project: Path
    tables: dict[str, Table]
    models: dict[str, Model]
    pipelines: dict[str, Pipeline]

    def table(self, name: str) -> Table:
        """The table called `layer.name`. Raises RequestError for an unknown one."""
        return _find(self.tables, name, "table")

    def model(self, name: str) -> Model:
        """The model called `name`. Raises RequestError for an unknown one."""
        return _find(self.models, name, "model")

    def pipeline(self, name: str) -> Pipeline:
        """The pipeline called `name`. Raises RequestError for an unknown one."""
        return _find(self.pipelines, name, "pipeline")

    def tables_called(self, name: str) -> list[str]:
        """The table of this name, those of the pipeline of this name, or all, inputs first. Raises RequestError where nothing is called so."""
        if name == ALL_TABLES:
            return self.in_order(self.tables)
        return self.in_order(self.pipelines[name].tables) if name in self.pipelines else [self.table(name).name]

    def in_order(self, names: Iterable[str]) -> list[str]:
        """The tables, inputs before the tables that read them."""
        wanted = set(names)
        graph = {name: [i.table for i in self.tables[name].contract.inputs if i.table in wanted] for name in sorted(wanted)}
        return list(TopologicalSorter(graph).static_order())

    def is_arrival(self, table: str) -> bool:
        """Whether a table's rows are those of daily files, which may belong to any day."""
        source = self.tables[table].contract.source
        return source is not None and source.arrives == "daily"

    def has_days(self, table: str) -> bool:
        """Whether a reader can ask a table for some of its days."""
        return self.tables[table].contract.day is not None or self.is_arrival(table)

    def ancestors(self, table: str) -> set[str]:
        """The tables that `table` is made of, directly or by way of others."""
        found: set[str] = set()
        waiting = [table]
        while waiting:
            inputs = {read.table for read in self.tables[waiting.pop()].contract.inputs}
            waiting += sorted(inputs - found)
            found |= inputs
        return found

    def bronze_of(self, table: str) -> list[str]:
        """The bronze tables that `table` is made of, directly or by way of others."""
        return sorted(name for name in self.ancestors(table) if self.tables[name].contract.source)

    def readers(self, table: str) -> list[str]:
        """The tables that read `table`."""
        return [name for name, other in self.tables.items() if table in {i.table for i in other.contract.inputs}]

    def downstream(self, table: str) -> tuple[list[str], list[str]]:
        """The tables made of `table`, directly or by way of others, inputs first, and the models that learn from or look at any of these."""
        made = [name for name in self.in_order(self.tables) if table in self.ancestors(name)]
        seen = {table, *made}
        return made, [name for name, model in self.models.items() if seen & {model.contract.training, model.contract.features}]

    def models_of(self, pipeline: str) -> list[str]:
        """The models whose features this pipeline builds."""
        tables = set(self.pipeline(pipeline).tables)
        return [name for name, model in self.models.items() if model.contract.features in tables]

    def pipeline_of(self, table: str) -> Pipeline | None:
        """The pipeline that builds `table`, if one does."""
        return next((p for p in self.pipelines.values() if table in p.tables), None)


def _find(things: dict[str, Thing], name: str, kind: str) -> Thing:
    if name not in things:
        known = ", ".join(sorted(things)) or "none"
        raise RequestError(f"there is no {kind} {name[:80]!r} in this lake; it has {known}.{did_you_mean(name, things)}")
    return things[name]
