"""YAML that remembers its lines, so that an error can say where."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import yaml

from expectations.errors import ContractError

if TYPE_CHECKING:
    from pathlib import Path

Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster than SafeLoader, on 60 contracts

YES_OR_NO = "tag:yaml.org,2002:bool"
"""What YAML takes `on`, `off`, `yes` and `no` for (YAML 1.1, "Boolean Language-Independent Type")."""
BRACKETS = (("(", ")"), ("<", ">"), ("[", "]"))


def read_yaml(file: Path) -> Any:
    """The file as plain values.

    Raises ContractError with file and line where it is no YAML, where a mapping says one key twice (YAML would keep the last), and
    where YAML reads something else than what is written.
    """
    loader = Loader(_text(file))
    try:
        node = loader.get_single_node()
        _check_keys(file, node)
        return loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ContractError(f"{file}:{line}: not YAML: {error.problem}; mend the line.") from None
    except yaml.YAMLError as error:
        raise ContractError(f"{file}:1: not YAML: {str(error).splitlines()[0]}; mend it.") from None
    except ValueError as error:  # looks like a date or a number, and is none
        raise ContractError(f"{file}:{_broken_line(node)}: {error}; mend the value, or put it in quotes.") from None
    finally:
        loader.dispose()


def line_of(file: Path, path: tuple[str | int, ...]) -> int:
    """The line, from 1, of the value at `path`; of its nearest parent where the value is not there."""
    node = yaml.compose(_text(file), Loader)
    line = 1
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        node, line = found
    return line


def _broken_line(root: Any) -> int:
    """The line of the value that YAML takes for a date or a number, and that is none."""
    stack = [root]
    while stack:
        node = stack.pop(0)
        if isinstance(node, yaml.MappingNode):
            stack.extend(part for pair in node.value for part in pair)
        elif isinstance(node, yaml.SequenceNode):
            stack.extend(node.value)
        else:
            try:
                Loader("").construct_object(node)
            except ValueError:
                return int(node.start_mark.line) + 1
    return 1


def _check_keys(file: Path, root: Any) -> None:
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                place = f"{file}:{key.start_mark.line + 1}"
                if key.value in seen:
                    raise ContractError(f"{place}: the key {key.value!r} stands here twice; keep one.")
                if key.tag == YES_OR_NO:
                    raise ContractError(f"{place}: YAML reads the key {key.value} as true or false; put it in quotes: '{key.value}'.")
                seen.add(key.value)
                stack.append(value)
            _check_commas(file, node)
        elif isinstance(node, yaml.SequenceNode):
            stack.extend(node.value)


def _check_commas(file: Path, node: Any) -> None:
    """Between braces a comma ends a value, also one within brackets: {type: decimal(10,2)} has the keys `type` and `2)`."""
    for (_, value), (key, rest) in pairwise(node.value):
        begun = str(value.value) if isinstance(value, yaml.ScalarNode) and not value.style else ""
        if node.flow_style and rest.value == "" and any(begun.count(opens) > begun.count(closes) for opens, closes in BRACKETS):
            raise ContractError(
                f"{file}:{value.start_mark.line + 1}: between braces a comma ends the value {begun!r}; put it in quotes, all of it: '{begun},{key.value}'."
            )


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ContractError(f"{file}:1: not UTF-8 (byte {error.start}); save the file as UTF-8.") from None


def _child(node: Any, step: str | int) -> tuple[Any, int] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return value, key.start_mark.line + 1
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark.line + 1
    return None
