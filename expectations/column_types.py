"""Which texts are column names and which are Spark SQL types."""

from __future__ import annotations

import re

from expectations.errors import Misfit, did_you_mean

COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,126}")
SIMPLE_TYPES = ("string", "int", "bigint", "double", "boolean", "date", "timestamp", "binary")
DECIMAL = re.compile(r"decimal\((\d{1,2}),(\d{1,2})\)")
DECIMAL_DIGITS = 38
"""Spark's most."""
NESTED = re.compile(r"(array|map|struct)<(.+)>")


def is_type(text: str) -> bool:
    """Whether `text` is a Spark SQL type as Spark itself writes it: small letters, no blanks."""
    decimal = DECIMAL.fullmatch(text)
    if decimal:
        return 1 <= int(decimal[1]) <= DECIMAL_DIGITS and int(decimal[2]) <= int(decimal[1])
    nested = NESTED.fullmatch(text)
    if not nested:
        return text in SIMPLE_TYPES
    parts = _parts(nested[2])
    if nested[1] == "struct":
        fields = [part.partition(":") for part in parts]
        return all(COLUMN.fullmatch(name) and is_type(kind) for name, _, kind in fields)
    return len(parts) == (1 if nested[1] == "array" else 2) and all(map(is_type, parts))


def _parts(text: str) -> list[str]:
    """`text` at its outermost commas."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "<(") - (letter in ">)")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def checked_type(text: str) -> str:
    """`text` itself. Raises ValueError where it is no type."""
    if not is_type(text):
        known = f"{', '.join(SIMPLE_TYPES)}, decimal(p,s), array<>, map<>, struct<>, without blanks"
        raise Misfit(f"it is no column type; known are {known}", hint=did_you_mean(text, SIMPLE_TYPES))
    return text
