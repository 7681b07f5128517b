"""Pairs of rules that no value, or no day, can keep both of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from expectations.rule_values import are_comparable, is_number, kind_of, moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from expectations.rule import Rule

Clash = Literal["the same", "no value", "no day"]
"""Two rules are one and the same; no value, or no day, can keep both."""
VALUES = "values"
FIGURES = {
    "expect_column_values_to_be_between": VALUES,
    "expect_column_min_to_be_between": "min",
    "expect_column_mean_to_be_between": "mean",
    "expect_column_median_to_be_between": "median",
    "expect_column_max_to_be_between": "max",
    "expect_column_sum_to_be_between": "sum",
    "expect_column_stdev_to_be_between": "stdev",
    "expect_column_value_lengths_to_be_between": "lengths",
    "expect_column_value_lengths_to_equal": "lengths",
    "expect_column_unique_value_count_to_be_between": "distinct values",
    "expect_column_proportion_of_unique_values_to_be_between": "share of distinct values",
    "expect_column_proportion_of_non_null_values_to_be_between": "share of values",
    "expect_table_row_count_to_be_between": "rows",
    "expect_table_row_count_to_equal": "rows",
    "expect_table_column_count_to_be_between": "columns",
    "expect_table_column_count_to_equal": "columns",
}
"""What an expectation puts bounds on."""
SPREAD = ("min", "mean", "median", "max")
"""Figures that lie among the values; the first of them is never more than the others, the last never less."""
MEMBERS = ("expect_column_values_to_be_in_set", "expect_column_distinct_values_to_be_in_set", "expect_column_distinct_values_to_equal_set")
PRESENT = ("expect_column_distinct_values_to_contain_set", "expect_column_distinct_values_to_equal_set")
BANNED = "expect_column_values_to_not_be_in_set"
NULL, NOT_NULL = "expect_column_values_to_be_null", "expect_column_values_to_not_be_null"


@dataclass(frozen=True)
class Bounds:
    """Numbers or points in time; None: no bound."""

    least: Any = None
    most: Any = None
    is_open: tuple[bool, bool] = (False, False)

    def allows(self, value: Any) -> bool:
        """Whether the value lies within; also where it cannot be compared."""
        return not _is_less(value, self.least, self.is_open[0]) and not _is_less(self.most, value, self.is_open[1])

    def is_below(self, other: Bounds) -> bool:
        """Whether all of this is less than all of the other."""
        return _is_less(self.most, other.least, self.is_open[1] or other.is_open[0])


@dataclass(frozen=True)
class Demand:
    """What one rule asks of a column (or, without one, of the table). None and empty: nothing."""

    of: str
    bounds: Bounds | None
    members: tuple[Any, ...] | None
    present: tuple[Any, ...]
    banned: tuple[Any, ...]

    def allows(self, value: Any) -> bool:
        """Whether a value of the column may be this one."""
        among = self.members is None or value in self.members
        return among and value not in self.banned and (self.bounds is None or self.of != VALUES or self.bounds.allows(value))


def contradiction(first: Rule, second: Rule, types: Mapping[str, str]) -> Clash | None:
    """How two rules do not go together on columns of these types; None where they do. Nulls keep most rules, and are not looked at."""
    column = first.arguments.get("column")
    if column != second.arguments.get("column") or _condition(first) != _condition(second):
        return None
    if (first.expect, first.arguments, first.at_most) == (second.expect, second.arguments, second.at_most):
        return "the same"
    if not _leave_no_room(first, second):
        return None
    if {first.expect, second.expect} == {NULL, NOT_NULL}:
        return "no value"
    kind = kind_of(types.get(str(column), ""))
    one, other = _demand(first, kind), _demand(second, kind)
    if one is None or other is None or _are_in_doubt([*_given(first), *_given(second)], kind) or not _clash(one, other):
        return None
    return "no value" if _judge_rows(first, second) else "no day"


def _leave_no_room(first: Rule, second: Rule) -> bool:
    """Whether it cannot be that some rows keep the one and the rest keeps the other."""
    shares = [rule.arguments.get("mostly", 1) for rule in (first, second)]
    is_strict = not first.at_most and not second.at_most
    return is_strict and (sum(shares) > 1 if _judge_rows(first, second) else min(shares) == 1)


def _judge_rows(*rules: Rule) -> bool:
    return all(rule.expect.startswith("expect_column_value") for rule in rules)


def _condition(rule: Rule) -> str:
    return str(rule.arguments.get("row_condition") or "").strip()


def _given(rule: Rule) -> Iterator[Any]:
    """The bounds and the values of a rule, without nulls, which are not looked at."""
    given = rule.arguments
    yield from (value for value in (given.get("min_value"), given.get("max_value"), *(given.get("value_set") or ())) if value is not None)


def _are_in_doubt(values: Iterable[Any], kind: str) -> bool:
    """Whether it is for Spark to say how they compare: dates among texts, moments with and without a zone."""
    values = list(values)
    if kind == "text" and any(isinstance(value, date) for value in values):
        return True
    return len({found.tzinfo is None for value in values if (found := moment(value))}) > 1


def _demand(rule: Rule, kind: str) -> Demand | None:
    given = rule.arguments
    bounds, of = None, FIGURES.get(rule.expect, VALUES)
    if rule.expect in FIGURES:
        least, most = (given.get(key, given.get("value")) for key in ("min_value", "max_value"))
        bounds = Bounds(_comparable(least), _comparable(most), (bool(given.get("strict_min")), bool(given.get("strict_max"))))
    elif rule.expect not in {*MEMBERS, *PRESENT, BANNED}:
        return None
    values = tuple(_plain(value, kind) for value in given.get("value_set") or () if value is not None)
    return Demand(
        of=of,
        bounds=bounds,
        members=values if rule.expect in MEMBERS else None,
        present=values if rule.expect in PRESENT else (),
        banned=values if rule.expect == BANNED else (),
    )


def _clash(one: Demand, other: Demand) -> bool:
    if one.bounds and other.bounds:
        return _cross(one.of, one.bounds, other.of, other.bounds)
    if one.of != other.of:
        return False
    if any(not other.allows(value) for value in one.present) or any(not one.allows(value) for value in other.present):
        return True
    members = one.members if one.members is not None else other.members
    return bool(members) and not any(one.allows(value) and other.allows(value) for value in members or ())


def _cross(of: str, bounds: Bounds, of_other: str, others: Bounds) -> bool:
    among = {of, of_other} <= {VALUES, *SPREAD}
    if of == of_other or (among and VALUES in {of, of_other}):
        return bounds.is_below(others) or others.is_below(bounds)
    if among and {of, of_other} != {"mean", "median"}:
        (_, lower), (_, upper) = sorted([(SPREAD.index(of), bounds), (SPREAD.index(of_other), others)], key=lambda pair: pair[0])
        return upper.is_below(lower)
    return False


def _is_less(left: Any, right: Any, or_equal: bool) -> bool:
    """Whether both can be compared, and the left one is less."""
    return are_comparable(left, right) and bool(left < right or (or_equal and left == right))


def _comparable(value: Any) -> Any:
    return value if is_number(value) else moment(value)


def _plain(value: Any, kind: str) -> Any:
    """A value of a set in one form, however it was written; a flag is no number."""
    if kind == "date":
        return moment(value) or value
    return str(value) if isinstance(value, bool) else value
