"""One rule of a contract: an expectation of Great Expectations, and what happens where it is broken."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

OnFail = Literal["quarantine", "drop", "stop", "warn", "ask"]


class Rule(BaseModel):
    """One Great Expectations expectation, by its own name and arguments, and what happens to a day or row that breaks it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    expect: str
    on_fail: OnFail = "stop"
    at_most: Annotated[int, Field(strict=True, ge=0)] | None = None
    """Rows that may break it. Beside `mostly`, which is the share that has to keep it, this is what a rule tolerates: `stop`, `ask` and
    `warn` are broken only beyond that; `quarantine` and `drop` take their rows away in any case, and hold the day beyond that."""
    name: str = ""
    """How the rule is called in the ledger and the quarantine; made from the expectation and its columns where left out."""

    @property
    def arguments(self) -> dict[str, Any]:
        """The expectation's own arguments."""
        return dict(self.model_extra or {})

    @property
    def parts_rows(self) -> bool:
        """Whether rows that break it leave the candidate."""
        return self.on_fail in {"quarantine", "drop"}

    @property
    def is_limited(self) -> bool:
        """Whether it says how many rows may break it."""
        return self.at_most is not None or "mostly" in self.arguments

    @property
    def label(self) -> str:
        """A short name that tells the rule from the table's other rules."""
        if self.name:
            return self.name
        columns = self.columns
        return f"{self.expect.removeprefix('expect_')}" + (f"({', '.join(columns)})" if columns else "")

    @property
    def columns(self) -> list[str]:
        """The columns that the arguments name."""
        found: list[str] = []
        for key in ("column", "column_A", "column_B"):
            if key in self.arguments:
                found.append(str(self.arguments[key]))
        for key in ("column_list", "column_set"):
            named = self.arguments.get(key)
            found.extend(map(str, named if isinstance(named, list) else []))
        return found
