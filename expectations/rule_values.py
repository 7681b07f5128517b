"""Whether the values that a rule gives to an expectation are of the kinds that the expectation and the columns take."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeGuard

from expectations.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from expectations.expectation_catalogue import Argument
    from expectations.rule import Rule

SPOKEN = {
    "text": "a text",
    "number": "a number",
    "whole number": "a whole number",
    "flag": "true or false",
    "date": "a date like 2024-05-01",
    "list": "a list",
    "list of texts": "a list of texts",
    "list of pairs": "a list of pairs",
    "mapping": "a mapping",
}
ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(\D|$)")
NUMERAL = re.compile(r"[-+]?\d+(\.\d+)?")
POWER = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d{1,3}")
"""A number to people and to JSON, a text to YAML 1.1."""
NESTED_SET = re.compile(r"\[[^\]]*\[")
"""Java has sets within sets, Python has not."""
PAIR = 2
BOUNDS = ("min_value", "max_value")
OF_THE_COLUMN = ("expect_column_values_to_be_between", "expect_column_min_to_be_between", "expect_column_max_to_be_between")
"""Their bounds are values of the column; those of the others are lengths, counts, shares or figures."""
NUMBERS_ONLY = {
    *("expect_column_mean_to_be_between", "expect_column_sum_to_be_between", "expect_column_stdev_to_be_between"),
    *("expect_column_median_to_be_between", "expect_column_quantile_values_to_be_between", "expect_multicolumn_sum_to_equal"),
    *("expect_column_value_z_scores_to_be_less_than", "expect_column_values_to_not_be_outliers"),
}
TEXTS_ONLY = {"expect_column_values_to_match_strftime_format"}
AS_TEXT = {
    *("expect_column_values_to_match_regex", "expect_column_values_to_not_match_regex", "expect_column_values_to_match_regex_list"),
    *("expect_column_values_to_not_match_regex_list", "expect_column_value_lengths_to_be_between", "expect_column_value_lengths_to_equal"),
    *("expect_column_values_to_be_json_parseable", "expect_column_values_to_match_json_schema"),
}
"""They judge how Spark writes a value; nested ones it does not write."""
COMPARING = {"expect_column_pair_values_a_to_be_greater_than_b", "expect_column_pair_values_to_be_equal"}
SURE_FAULTS = ("unterminated character set", "missing )", "unbalanced parenthesis")
"""What Python refuses in a pattern and Java, whose patterns Spark takes, refuses too; of the rest Java knows more than Python."""


def kind_of(column_type: str) -> str:
    """number, text, date, flag or other: what the values of a column of this type are compared with."""
    kinds = {"string": "text", "boolean": "flag", "date": "date", "timestamp": "date", "int": "number", "bigint": "number", "double": "number"}
    return "number" if column_type.startswith("decimal(") else kinds.get(column_type, "other")


def fault_of_values(rule: Rule, arguments: Mapping[str, Argument]) -> str | None:
    """What is wrong with a rule's values as such, in one sentence, or None."""
    for name, value in rule.arguments.items():
        fault = None if value is None and not arguments[name]["required"] else _fault_of_value(name, value, arguments[name])
        if fault:
            return f"{rule.expect}: {fault}"
    return _fault_of_bounds(rule)


def fault_of_kinds(rule: Rule, types: Mapping[str, str]) -> str | None:
    """What is wrong with a rule's values on columns of these types, in one sentence, or None."""
    kinds = {name: kind_of(types[name]) for name in rule.columns}
    for name, kind in kinds.items():
        is_no_text = (rule.expect in TEXTS_ONLY and kind != "text") or (rule.expect in AS_TEXT and "<" in types[name])
        if is_no_text or (rule.expect in NUMBERS_ONLY and kind != "number"):
            return f"{rule.expect} judges {'texts' if is_no_text else 'numbers'}, but {name} is {types[name]}; name another column."
    for key, value, column in _values_of_columns(rule):
        is_bound = key in BOUNDS
        if not _fits(value, kinds[column], is_bound=is_bound):
            remedy = _remedy(value, kinds[column], is_bound=is_bound)
            return f"{rule.expect}: {key} has {_shown(value)}, but {column} is {types[column]}; {remedy}."
    if rule.expect in COMPARING and _are_apart(kinds, types):
        return f"{rule.expect} compares {' and '.join(f'{name} ({types[name]})' for name in rule.columns)}, which are of different kinds; name columns of one."
    return None


def _values_of_columns(rule: Rule) -> Iterator[tuple[str, Any, str]]:
    """Argument, value, and the column that the value is compared with."""
    given = rule.arguments
    column = str(given.get("column"))
    if rule.expect in OF_THE_COLUMN:
        yield from ((key, given.get(key), column) for key in BOUNDS)
    yield from (("value_set", value, column) for value in given.get("value_set") or ())
    for pair in given.get("value_pairs_set") or ():
        yield from (("value_pairs_set", value, str(given[key])) for value, key in zip(pair, ("column_A", "column_B"), strict=True))


def _are_apart(kinds: Mapping[str, str], types: Mapping[str, str]) -> bool:
    """Whether Spark does not compare columns of these kinds, or only where every text of the one happens to be of the other's type."""
    told = {"nested" if "<" in types[name] else kind for name, kind in kinds.items()} - {"other"}
    return len(told) > 1


def moment(value: Any) -> datetime | None:
    """The point in time that a date, a time or an ISO text stands for, in UTC where it names a zone, else without one; None for anything else."""
    if isinstance(value, str) and ISO_DAY.match(value):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value
    return datetime(value.year, value.month, value.day) if isinstance(value, date) else None


def are_comparable(left: Any, right: Any) -> bool:
    """Whether both are numbers, or both are moments with a zone, or both without: the zone of the others is known when a job runs."""
    if isinstance(left, datetime) and isinstance(right, datetime):
        return (left.tzinfo is None) == (right.tzinfo is None)
    return is_number(left) and is_number(right)


def is_number(value: Any) -> TypeGuard[float]:
    """Whether it is a number that can be compared: no flag, not NaN."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value  # noqa: PLR0124 - NaN is not itself


def _fault_of_value(name: str, value: Any, argument: Argument) -> str | None:
    if name == "mostly":
        fits = is_number(value) and 0 <= value <= 1
        return None if fits else f"mostly is a share from 0 to 1, found {value!r:.80}; write 0.95 for 95 percent."
    if not any(_is_of(kind, value) for kind in argument["takes"]):
        wanted = " or ".join(SPOKEN[kind] for kind in argument["takes"])
        return f"{name} must be {wanted}, found {value!r:.80}; {_hint(value, argument['takes'])}."
    if argument["one_of"] and value not in argument["one_of"]:
        return f"{name} is one of {', '.join(argument['one_of'])}, found {value!r:.80}.{did_you_mean(str(value), argument['one_of'])}"
    return _fault_of_pattern(name, value)


def _is_of(kind: str, value: Any) -> bool:
    checks = {
        "text": isinstance(value, str),
        "number": is_number(value),
        "whole number": is_number(value) and float(value).is_integer(),
        "flag": isinstance(value, bool),
        "date": moment(value) is not None,
        "list": isinstance(value, list),
        "list of texts": isinstance(value, list) and all(isinstance(part, str) for part in value),
        "list of pairs": isinstance(value, list) and all(isinstance(part, list) and len(part) == PAIR for part in value),
        "mapping": isinstance(value, dict),
    }
    return checks[kind]


def _hint(value: Any, takes: list[str]) -> str:
    if takes[0].startswith("list"):
        inside = "write [[a, b], [c, d]]" if takes == ["list of pairs"] else "put each into quotes"
        return inside if isinstance(value, list) else "write it in brackets"
    if isinstance(value, str) and (value.lower() in {"true", "false"} if "flag" in takes else "text" not in takes and NUMERAL.fullmatch(value)):
        return "write it without quotes"
    if isinstance(value, str) and "text" not in takes and POWER.fullmatch(value):
        return f"write {_spelt_out(value)}"
    return "put it into quotes" if takes == ["text"] and not isinstance(value, (list, dict)) else "mend it"


def _spelt_out(power: str) -> str:
    """1e3 as YAML 1.1 reads it: 1000.0, or 1.0e+30."""
    mantissa, e, exponent = repr(float(power)).partition("e")
    return f"{mantissa if '.' in mantissa or not e else mantissa + '.0'}{e}{exponent}"


def _fault_of_pattern(name: str, value: Any) -> str | None:
    patterns = {"regex": [value], "regex_list": value}.get(name, [])
    for pattern in patterns:
        if NESTED_SET.search(pattern):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # of what Python may take for sets within sets one day
                re.compile(re.sub(r"\\Q.*?\\E", "", pattern))
        except re.error as error:
            if error.msg.startswith(SURE_FAULTS):
                return f"{name} {pattern!r:.80} is no pattern: {error.msg}; mend it."
    return None


def _fault_of_bounds(rule: Rule) -> str | None:
    given = rule.arguments
    least, most = given.get("min_value"), given.get("max_value")
    if rule.expect.endswith("_to_be_between") and least is None and most is None and "quantile_ranges" not in given:
        return f"{rule.expect} needs min_value or max_value, or both; add one."
    for left, right in ((least, most), (moment(least), moment(most))):
        if are_comparable(left, right):
            if left > right:  # type: ignore[operator] # both of one kind
                return f"{rule.expect}: min_value {least} is more than max_value {most}, so nothing could pass; swap them."
            if left == right and (given.get("strict_min") or given.get("strict_max")):
                return f"{rule.expect}: nothing lies strictly between {least} and {most}, so nothing could pass; widen the bounds, or take strict away."
    return None


def _fits(value: Any, kind: str, *, is_bound: bool) -> bool:
    """Whether Great Expectations can compare a column of this kind with the value; bounds are for numbers, dates and times only."""
    if value is None or (kind == "other" and not is_bound):
        return True
    if kind == "number":
        return is_number(value)
    if kind == "date" or is_bound:
        return kind == "date" and moment(value) is not None
    return isinstance(value, bool) if kind == "flag" else isinstance(value, (str, date))


def _shown(value: Any) -> str:
    words = {bool: "the flag", int: "the number", float: "the number", str: "the text"}
    return f"{words.get(type(value), 'the date')} {repr(value) if isinstance(value, str) else value!s:.80}"


def _remedy(value: Any, kind: str, *, is_bound: bool) -> str:
    if kind == "number" and isinstance(value, str) and NUMERAL.fullmatch(value):
        return "write it without quotes"
    if kind == "number" and isinstance(value, str) and POWER.fullmatch(value):
        return f"write {_spelt_out(value)}"
    if kind == "text":
        return "judge its length or a pattern" if is_bound else "put it into quotes"
    if kind == "flag" and not is_bound:
        return "write true or false"
    return {"number": "write a number", "date": "write a date like 2024-05-01"}.get(kind, "take another expectation")
