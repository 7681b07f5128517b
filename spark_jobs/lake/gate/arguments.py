"""What the arguments of an expectation may be, from Great Expectations' own pydantic models."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

if TYPE_CHECKING:
    from expectations.expectation_catalogue import Argument

FRAMEWORK = {
    *("id", "meta", "notes", "result_format", "description", "catch_exceptions", "rendered_content"),
    *("windows", "batch_id", "severity", "library_metadata"),
}
"""Arguments that belong to Great Expectations' own bookkeeping, not to a rule."""
NOT_ON_SPARK = {"pandas"}
"""Parsers of a row_condition that belong to another engine."""
SIMPLE: tuple[tuple[type, str], ...] = ((bool, "flag"), (str, "text"), (int, "whole number"), (float, "number"), (date, "date"))
"""Subclasses stand before their classes."""


def arguments_of(implementation: Any) -> dict[str, Argument]:
    """The arguments that a rule may give, by name."""
    return {name: _argument(field) for name, field in implementation.__fields__.items() if name not in FRAMEWORK}


def _argument(field: Any) -> Argument:
    takes, one_of = set[str](), list[str]()
    _take(field.outer_type_, takes, one_of)
    if len(takes) > 1:  # nearly every argument may also be a suite parameter or a condition, and contracts have neither
        takes.discard("mapping")
    return {"required": bool(field.required), "takes": sorted(takes), "one_of": one_of}


def _take(kind: Any, takes: set[str], one_of: list[str]) -> None:
    """Add what `kind`, a type or an annotation, stands for."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        _take(parts[0], takes, one_of)
    elif origin is Union:
        for part in parts:
            _take(part, takes, one_of)
    elif origin is Literal:
        takes.add("text")
        one_of.extend(str(part) for part in parts if part not in NOT_ON_SPARK)
    elif origin in {list, Sequence}:
        takes.add(_list(parts))
    elif kind in {list, set}:
        takes.add("list")
    elif inspect.isclass(kind) and kind is not type(None):
        takes.add(next((name for simple, name in SIMPLE if issubclass(kind, simple)), "mapping"))


def _list(parts: tuple[Any, ...]) -> str:
    element = parts[0] if parts else Any
    if get_origin(element) is tuple:
        return "list of pairs"
    return "list of texts" if inspect.isclass(element) and issubclass(element, str) else "list"
