"""Makes contracts of plain values; of a fault one sentence that says where it is and what was meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from expectations.errors import ContractError, did_you_mean
from expectations.facts import Facts
from expectations.yaml_lines import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pydantic_core import ErrorDetails

    Steps = tuple[str | int, ...]

FactsT = TypeVar("FactsT", bound=Facts)
LONGEST_FOUND = 80


def parse_contract(kind: type[FactsT], file: Path, raw: Any, at: Steps = ()) -> FactsT:
    """`raw` as `kind`. Raises ContractError naming file and line of the first fault, with a suggestion for a misspelt key."""
    if raw is None and not at:
        raise ContractError(f"{file}:1: the file is empty; write a contract as in docs/contracts.md.")
    if not isinstance(raw, dict):
        raise ContractError(f"{file}:{line_of(file, at)}: expected keys and values, found {type(raw).__name__}; see docs/contracts.md.")
    for key in raw:
        if not isinstance(key, str):
            raise ContractError(f"{file}:{line_of(file, at)}: the key {key!r} is no text; put it in quotes.")
    try:
        return kind.model_validate(raw)
    except ValidationError as error:
        raise _fault(kind, file, error, at, raw) from None


def _fault(kind: type[Facts], file: Path, error: ValidationError, at: Steps, raw: Any) -> ContractError:
    faults = error.errors(include_url=False)
    # a misspelt key is both unknown and missing: the first says more
    first = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
    misfit = first.get("ctx", {}).get("error")
    path = (*_written(raw, [part for part in first["loc"] if part != "[key]"]), *getattr(misfit, "path", ()))
    place, where = f"{file}:{line_of(file, (*at, *path))}", ".".join(map(str, path)) or "contract"
    if first["type"] == "extra_forbidden":
        known = _known_keys(kind, first["loc"])
        return ContractError(f"{place}: unknown key {path[-1]!r}; known are {', '.join(known)}.{did_you_mean(str(path[-1]), known)}")
    if first["type"] == "missing":
        return ContractError(f"{place}: the key {where!r} is missing; add it.")
    if path == ("contract",):
        known = re.findall(r"\d+", first["msg"])
        words = f"version {known[0]}" if len(known) == 1 else f"versions {' and '.join(known)}"
        return ContractError(f"{place}: contract: this program knows {words} of the format, found {first['input']!r:.80}; write contract: {known[-1]}.")
    message = first["msg"].removeprefix("Value error, ").replace("tuple", "list").replace("Tuple", "List")
    if first["type"] in {"model_type", "dict_type"}:
        message = "expected keys and values, as in docs/contracts.md"
    if first["type"] in {"list_type", "tuple_type"}:
        message = "expected a list, as in docs/contracts.md"
    return ContractError(f"{place}: {where}: {message}{_found(first)}.{_hint(first, misfit)}")


def _written(raw: Any, steps: Sequence[str | int]) -> Iterator[str | int]:
    """The steps that stand in the file: pydantic also names which of several classes it took an entry for."""
    for position, step in enumerate(steps):
        if isinstance(raw, dict) and step not in raw and step in raw.values() and position < len(steps) - 1:
            continue
        yield step
        is_there = (isinstance(raw, dict) and step in raw) or (isinstance(raw, list) and isinstance(step, int) and step < len(raw))
        raw = raw[step] if is_there else None


def _found(fault: ErrorDetails) -> str:
    is_whole = isinstance(fault["input"], (dict, list))
    return "" if is_whole else f" (found {repr(fault['input'])[:LONGEST_FOUND]})"


def _hint(fault: ErrorDetails, misfit: Any) -> str:
    if fault["type"] == "literal_error":
        return did_you_mean(str(fault["input"]), re.findall(r"'([^']+)'", fault["msg"]))
    if fault["type"] == "union_tag_invalid":
        return did_you_mean(fault["ctx"]["tag"], re.findall(r"'([^']+)'", fault["ctx"]["expected_tags"]))
    return str(getattr(misfit, "hint", ""))


def _known_keys(kind: type[Facts], path: Steps) -> list[str]:
    """The keys allowed where `path` ends: found by walking the JSON schema, which pydantic makes from the classes."""
    schema = kind.model_json_schema()
    definitions = schema.get("$defs", {})
    here = [schema]
    for part in path[:-1]:
        here = [option for place in here for option in _inside(place, part, definitions)]
    return sorted({key for place in here for key in place.get("properties", {})})


def _inside(schema: dict[str, Any], part: str | int, definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    variant = schema.get("discriminator", {}).get("mapping", {}).get(part)
    target = {"$ref": variant} if variant else schema.get("properties", {}).get(part) or schema.get("items") or schema.get("additionalProperties")
    if isinstance(target, dict):
        yield from _options(target, definitions)


def _options(schema: dict[str, Any], definitions: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" not in schema:
        yield schema
    for option in schema.get("anyOf", []):
        yield from _options(option, definitions)
