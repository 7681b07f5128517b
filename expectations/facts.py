"""What every contract is made of: closed, frozen classes, and names that are safe in paths and SQL."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

from expectations.column_types import COLUMN, checked_type

Layer = Literal["bronze", "silver", "gold"]
LAYERS: tuple[Layer, ...] = ("bronze", "silver", "gold")
Needs = Literal["published", "clean"]
"""Which days of a table a consumer takes: all published ones, or only clean ones (no `warn` rule broken, none let through by a person)."""
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
TABLE = re.compile(rf"(bronze|silver|gold)\.{IDENTIFIER.pattern}")


def matching(pattern: re.Pattern[str], what: str) -> AfterValidator:
    """A validator: the text is wholly of `pattern`, else it is no `what`."""

    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"it is no {what}")
        return text

    return AfterValidator(check)


ColumnName = Annotated[str, matching(COLUMN, "column name (letters, digits and _)")]
TableName = Annotated[str, matching(TABLE, "table name like silver.flights")]
ColumnType = Annotated[str, AfterValidator(checked_type)]


class Facts(BaseModel):
    """Frozen, and closed: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
