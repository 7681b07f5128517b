"""Texts, and what each means as a value of a type: the test's data, and the table of docs/types.md. None: it is no value of the type, its row waits."""

from __future__ import annotations

from decimal import Decimal

TEXTS: dict[str, dict[str, str | None]] = {
    "int": {
        "7": "7",
        "007": "7",
        "+7": "7",
        "-7": "-7",
        "2147483647": "2147483647",
        "2147483648": None,
        "1.0": None,
        "1.5": None,
        "1e3": None,
        "1,000": None,
        "0x10": None,
        "7 pieces": None,
        "seven": None,
    },
    "bigint": {
        "9223372036854775807": "9223372036854775807",
        "-9223372036854775808": "-9223372036854775808",
        "9223372036854775808": None,
        "0": "0",
        "-0": "0",
        "12345678901": "12345678901",
        "1.0": None,
        "1e3": None,
        "1_000": None,
        "": None,
        "NaN": None,
    },
    "double": {
        "1": "1.0",
        "1.5": "1.5",
        ".5": "0.5",
        "5.": "5.0",
        "-1e3": "-1000.0",
        "1E-3": "0.001",
        "NaN": "NaN",
        "-Infinity": "-Infinity",
        "inf": "Infinity",
        "0e-999": "0.0",
        "1e400": None,
        "1e-400": None,
        "1d": None,
        "1f": None,
        "0x1p3": None,
        "1,5": None,
        "1.5.1": None,
        "1 000": None,
    },
    "decimal(10,2)": {
        "1.00": "1.00",
        "1": "1.00",
        "1.5": "1.50",
        "1.500": "1.50",
        ".5": "0.50",
        "+7.00": "7.00",
        "1e3": "1000.00",
        "99999999.99": "99999999.99",
        "1.005": None,
        "1.005e0": None,
        "1e-3": None,
        "100000000.00": None,
        "1,5": None,
        "NaN": None,
        "0x10": None,
    },
    "boolean": {
        "true": "true",
        "False": "false",
        "T": "true",
        "n": "false",
        "yes": "true",
        "no": "false",
        "1": "true",
        "0": "false",
        "on": None,
        "2": None,
        "ja": None,
        "1.0": None,
    },
    "date": {
        "2024-05-01": "2024-05-01",
        "2024-5-1": "2024-05-01",
        "0001-01-01": "0001-01-01",
        "9999-12-31": "9999-12-31",
        "2024-05-01T00:00:00": "2024-05-01",
        "2024-05-01 00:00": "2024-05-01",
        "2024-05-01 12:00": None,
        "2024-05-01Tjunk": None,
        "2024-02-30": None,
        "2024": None,
        "2024-05": None,
        "20240501": None,
        "01/05/2024": None,
        "12345-01-01": None,
        "0000-01-01": None,
        "-024-01-01": None,
    },
    "timestamp": {
        "2024-05-01 12:30:00": "2024-05-01 12:30:00",
        "2024-05-01T12:30:00": "2024-05-01 12:30:00",
        "2024-05-01 12:30": "2024-05-01 12:30:00",
        "2024-05-01": "2024-05-01 00:00:00",
        "2024-05-01T12:30:00Z": "2024-05-01 12:30:00",
        "2024-05-01T12:30:00+02:00": "2024-05-01 10:30:00",
        "2024-05-01 12:30:00.123456": "2024-05-01 12:30:00.123456",
        "2024-05-01 12:30:00.123456000": "2024-05-01 12:30:00.123456",
        "2024-05-01 12:30:00.123456789": None,
        "2024-05-01 12:30:00 Europe/Berlin": "2024-05-01 10:30:00",
        "12:30": None,
        "T12:30:05": None,
        "2024": None,
        "2024-05": None,
        "12345-01-01 00:00:00": None,
        "2024-05-01 25:00:00": None,
        "2024-05-01 12:30 junk": None,
        "1714566600": None,
    },
}
"""Type to text to the value, as Spark writes it."""


def document() -> str:
    """The table as Markdown: a line for each type, its values and what is none."""
    lines = ["| type | values | no values of the type |", "|---|---|---|"]
    for kind, texts in TEXTS.items():
        values = ", ".join(f"`{text}`" + ("" if _is_the_same(text, value) else f" ({value})") for text, value in texts.items() if value is not None)
        others = ", ".join(f"`{text}`" for text, value in texts.items() if value is None and text.strip())
        lines.append(f"| `{kind}` | {values} | {others} |")
    return "\n".join(lines) + "\n"


def _is_the_same(text: str, value: str) -> bool:
    try:
        return text == value or Decimal(text) == Decimal(value)
    except ArithmeticError:
        return False
