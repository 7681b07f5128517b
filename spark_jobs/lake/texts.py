"""Which texts are values of a type. Spark's own casts take more: `12:30` is today at 12:30, `2020` a day, `1.005` is 1.01 and `1e400` infinite.

Each check looks at the usual form by its length and a sign or two, which costs little, and at any other form by a pattern.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from expectations.column_types import DECIMAL

if TYPE_CHECKING:
    from pyspark.sql import Column

NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
NO_NUMBER = ("nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
"""What Spark takes for a double that is no number, in small letters: they mean what they say."""
ZERO = r"^[+-]?[0.]+([eE].*)?$"
WIDEST, BEYOND = "decimal(38,18)", r"\.[0-9]{18}0*[1-9]|[eE]-"
"""The decimal in which others are compared, and what it may round itself."""
DATE = r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([T ]0{1,2}:00(:00(\.0+)?)?)?$"
MOMENT = r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([T ].+)?$"
FINER = r"\.[0-9]{6}0*[1-9]"
"""A fraction of a second that microseconds cut."""
LONGEST_DATE, SHORTEST_DATE, LONGEST_MOMENT = 10, 8, 26


def is_value(text: Column, kind: str) -> Column:
    """Whether a text without outer blanks, which is not null, is a value of the type, and the same one on every day."""
    cast = text.try_cast(kind)
    form = _form(text, cast, kind)
    return cast.isNotNull() if form is None else F.coalesce(cast.isNotNull() & form, F.lit(False))


def _form(text: Column, cast: Column, kind: str) -> Column | None:
    """What has to hold beside that Spark can cast the text; None where nothing has to."""
    if kind == "double":
        is_number = text.rlike(NUMBER) & (F.abs(cast) < F.lit(float("inf"))) & ((cast != 0) | text.rlike(ZERO))
        return is_number | F.lower(text).isin(*NO_NUMBER)
    decimal = DECIMAL.fullmatch(kind)
    if decimal:
        point = F.instr(text, ".")
        is_short = ((point == 0) | (F.length(text) - point <= int(decimal[2]))) & ~text.rlike("[eE]")
        return is_short | (~text.rlike(BEYOND) & (text.try_cast(WIDEST) == cast))
    if kind == "date":
        is_short = F.length(text).between(SHORTEST_DATE, LONGEST_DATE) & _has_year(text)
        return is_short | (_has_year(text) & text.rlike(DATE))
    if kind == "timestamp":
        is_whole = (F.length(text) >= SHORTEST_DATE) & _has_year(text) & text.rlike(MOMENT)
        return is_whole & ((F.length(text) <= LONGEST_MOMENT) | ~text.rlike(FINER))
    return None


def _has_year(text: Column) -> Column:
    """Whether the text begins with a year of four digits, from 0001 on: others break what reads the table."""
    return (F.substring(text, 5, 1) == "-") & (text >= "0001") & (text < ":")
