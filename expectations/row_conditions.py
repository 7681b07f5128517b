"""Words of a rule's row_condition that should be columns. What the condition says is Spark's to judge, when the rule is first used."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from expectations.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

TEXTS = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")
FIELDS = re.compile(r"\.\s*\w+")
FUNCTIONS = re.compile(r"\w+\s*\(")
NO_COLUMNS = re.compile(r"(::|\b(as|collate)\b)\s*\w+", re.IGNORECASE)
"""Types and collations."""
COMPARED = re.compile(r"(?<![\w:])([A-Za-z]\w*)\b\s*(?=<|>|=|!=|(?:is|in|not|between|like|ilike|rlike|regexp)\b)", re.IGNORECASE)
"""A word before a comparison: a column, if it is no word of SQL."""
OF_GREAT_EXPECTATIONS = re.compile(r"\bcol\s*\(\s*['\"](\w+)['\"]\s*\)")
IN_DOUBT = re.compile(r"->|=>|--|/\*|\b(select|lambda)\b|\b[rR]['\"]", re.IGNORECASE)
"""Names of its own, comments and raw texts: not told apart without Spark."""
NEARLY = 0.75
"""How like a column's name a word of four letters or more must be to be taken for a slip: other words may be known to Spark."""
WORDS = re.compile(r"\b[A-Za-z]\w{3,}")
SQL_WORDS = {
    *("and", "or", "not", "is", "null", "true", "false", "in", "like", "ilike", "rlike", "regexp", "between", "case", "when", "then", "else", "end"),
    *("as", "div", "mod", "escape", "distinct", "from", "any", "all", "some", "exists", "date", "timestamp", "timestamp_ntz", "timestamp_ltz", "interval"),
    *("current_date", "current_time", "current_timestamp", "localtimestamp", "current_user", "session_user", "user", "current_catalog", "current_database"),
    *("year", "years", "quarter", "quarters", "month", "months", "week", "weeks", "day", "days", "hour", "hours", "minute", "minutes", "second", "seconds"),
    *("millisecond", "milliseconds", "microsecond", "microseconds", "nanosecond", "nanoseconds", "current_schema", "to", "col", "both", "leading"),
    *("trailing", "collate", "unknown", "tinyint", "smallint", "short", "long", "byte", "string", "int", "integer", "bigint", "double", "float", "boolean"),
    *("decimal", "binary", "time", "nan"),
}
"""Words of a Spark SQL condition that are no column."""


def fault_of_condition(condition: str, columns: Iterable[str]) -> str | None:
    """`'itme', which the table has not. Did you mean "item"?`, or None, also where it cannot be told. Columns of the engine begin with _."""
    columns = list(columns)
    known = {name.lower() for name in columns}
    for word in OF_GREAT_EXPECTATIONS.findall(condition):
        if word.lower() not in known and not word.startswith("_"):
            return _sentence(word, columns)
    if IN_DOUBT.search(condition):
        return None
    known |= SQL_WORDS
    bare = NO_COLUMNS.sub(" ", FIELDS.sub(" . ", TEXTS.sub("''", condition)).replace("`", " "))
    for word in COMPARED.findall(bare):
        if word.lower() not in known:
            return _sentence(word, columns)
    for word in WORDS.findall(FUNCTIONS.sub(" ", bare)):
        if word.lower() not in known and get_close_matches(word, columns, n=1, cutoff=NEARLY):
            return _sentence(word, columns)
    return None


def _sentence(word: str, columns: Iterable[str]) -> str:
    return f"{word!r}, which the table has not.{did_you_mean(word, columns)}"
