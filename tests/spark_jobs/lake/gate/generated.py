"""Frames and rules drawn by hypothesis: every expectation of the pass, with arguments that it takes, on values that are hard to judge."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from expectations.expectation_catalogue import usable
from expectations.rule import Rule

NAN, INF = float("nan"), float("inf")
DAYS = (date(2024, 2, 29), date(2024, 3, 1))
TEXTS = [
    "",
    " ",
    "a",
    "A",
    "ab",
    " b ",
    "été",
    "e\u0301te\u0301",
    "ß",
    "𝄞",
    "a\nb",
    "0",
    "12",
    "-1.5",
    "null",
    "NaN",
    "2024-02-29",
    "2024-13-01",
    "[1]",
    '{"a": 1}',
]
DOCUMENTS = ["[1]", "[]", '{"a": 1}', '{"a": "x"}', "1", '"x"', "null"]
WHOLE = [0, 1, 2, 3, -1, 7, 2**31 - 1, -(2**31)]
BIG = [0, 1, 2, -1, 2**40, -(2**40)]
REAL = [0.0, -0.0, 0.25, 1.0, 2.0, -3.5, 1000.0, NAN, INF, -INF]
PRICES = [Decimal(text) for text in ("0.00", "0.01", "1.00", "2.50", "-3.50", "99999999.99")]
DATES = [date(2024, 2, 29), date(2024, 3, 1), date(1969, 12, 31), date(2100, 1, 1)]
TIMES = [datetime(2024, 2, 29), datetime(2024, 2, 29, 12, 30), datetime(2024, 3, 10, 2, 30), datetime(1969, 12, 31, 23, 59, 59)]
VALUES: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "word": ("string", st.sampled_from(TEXTS) | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3)),
    "other": ("string", st.sampled_from(TEXTS[:6])),
    "document": ("string", st.sampled_from(DOCUMENTS)),
    "n": ("int", st.sampled_from(WHOLE)),
    "m": ("int", st.integers(-3, 3)),
    "big": ("bigint", st.sampled_from(BIG)),
    "x": ("double", st.sampled_from(REAL)),
    "y": ("double", st.integers(-8, 8).map(lambda quarters: quarters / 4)),
    "price": ("decimal(10,2)", st.sampled_from(PRICES)),
    "at": ("timestamp", st.sampled_from(TIMES)),
    "on_day": ("date", st.sampled_from(DATES)),
    "yes": ("boolean", st.booleans()),
}
"""Column to its type and its values. Fractions are quarters, so that a sum is the same in whatever order it is added up."""
SCHEMA = ", ".join(["id int", "day date", *(f"{name} {kind}" for name, (kind, _) in VALUES.items())])
NUMBERS, MOMENTS, WORDS = ("n", "m", "big", "x", "y", "price"), ("at", "on_day"), ("word", "other")
PAIRS = [("n", "m"), ("x", "y"), ("big", "n"), ("word", "other"), ("at", "on_day"), ("price", "y")]
CONDITIONS = ["n > 0", "word IS NOT NULL", "yes", "x < 1 OR n IS NULL", "false", "word = 'a' AND yes", "on_day >= DATE'2024-03-01'"]
PATTERNS = ["^a", "[A-Z]", r"^\s*$", r"\d+", "", "^.$", r"\p{L}{2}", "(?i)A"]


def frames() -> st.SearchStrategy[list[tuple[Any, ...]]]:
    """Rows of SCHEMA, `id` counting them; a third of the values are null, a day may have no rows, and rows are often doubled."""
    values = [st.none() | values | values for _, values in VALUES.values()]
    row = st.tuples(st.sampled_from([*DAYS, None]), *values)
    rows = st.lists(row, max_size=8).flatmap(lambda few: st.just(few) | st.lists(st.sampled_from(few), max_size=16) if few else st.just(few))
    return rows.map(lambda found: [(number, *row) for number, row in enumerate(found)])


@st.composite
def _bounds(draw: st.DrawFn, values: st.SearchStrategy[Any]) -> dict[str, Any]:
    least, most = sorted([draw(values), draw(values)])
    only = draw(st.sampled_from(["both", "min_value", "max_value"]))
    bounds = {key: value for key, value in {"min_value": least, "max_value": most}.items() if only in {key, "both"}}
    if least < most:
        bounds |= {f"strict_{key[:3]}": draw(st.booleans()) for key in bounds}
    return bounds


def _bounds_of(columns: tuple[str, ...], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda column, bounds: {"column": column, **bounds}, st.sampled_from(columns), _bounds(values))


def _number_bounds(*columns: str) -> st.SearchStrategy[dict[str, Any]]:
    return _bounds_of(columns, st.sampled_from([-3.5, -1, 0, 0.25, 1, 2, 2.5, 7, 1000, 2**31 - 1]))


def _day_bounds(*columns: str) -> st.SearchStrategy[dict[str, Any]]:
    return _bounds_of(columns, st.sampled_from([day.isoformat() for day in DATES]))


def _share_bounds(*columns: str) -> st.SearchStrategy[dict[str, Any]]:
    return _bounds_of(columns, st.sampled_from([0, 0.25, 0.5, 1]))


def _count_bounds(most: int, *columns: str) -> st.SearchStrategy[dict[str, Any]]:
    return _bounds_of(columns, st.integers(0, most)) if columns else _bounds(st.integers(0, most))


@st.composite
def _value_set(draw: st.DrawFn) -> dict[str, Any]:
    column = draw(st.sampled_from([name for name in VALUES if name not in {"x", "price"}]))
    values = draw(st.lists(VALUES[column][1], min_size=1, max_size=4))
    if column in MOMENTS and draw(st.booleans()):
        values = [value.isoformat() for value in values]
    return {"column": column, "value_set": values}


@st.composite
def _value_pairs(draw: st.DrawFn) -> dict[str, Any]:
    left, right = draw(st.sampled_from([("n", "m"), ("word", "other"), ("big", "yes")]))
    pairs = draw(st.lists(st.tuples(st.none() | VALUES[left][1], VALUES[right][1]), min_size=1, max_size=4))
    return {"column_A": left, "column_B": right, "value_pairs_set": [list(pair) for pair in pairs]}


def _columns(*lists: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"column_list": st.sampled_from(lists)})


def _given(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(values)


ANY = st.sampled_from(list(VALUES))
TYPES = st.sampled_from(["IntegerType", "StringType", "DoubleType", "DateType"])
PAIR = st.sampled_from(PAIRS).map(lambda pair: dict(zip(("column_A", "column_B"), pair, strict=True)))
OWN: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "column_values_to_be_between": _number_bounds(*NUMBERS) | _day_bounds(*MOMENTS),
    "column_min_to_be_between column_max_to_be_between": _number_bounds(*NUMBERS) | _day_bounds(*MOMENTS),
    "column_mean_to_be_between column_sum_to_be_between column_stdev_to_be_between": _number_bounds(*NUMBERS),
    "column_value_lengths_to_be_between": _count_bounds(4, *WORDS),
    "column_value_lengths_to_equal": _given(column=st.sampled_from(WORDS), value=st.integers(0, 3)),
    "column_unique_value_count_to_be_between": _count_bounds(6, *VALUES),
    "column_proportion_of_unique_values_to_be_between column_proportion_of_non_null_values_to_be_between": _share_bounds(*VALUES),
    "table_row_count_to_be_between": _count_bounds(9),
    "table_row_count_to_equal": _given(value=st.integers(0, 9)),
    "table_column_count_to_be_between": _count_bounds(20),
    "table_column_count_to_equal": _given(value=st.integers(13, 15)),
    "column_pair_values_to_be_in_set": _value_pairs(),
    "column_pair_values_a_to_be_greater_than_b": st.builds(lambda pair, or_equal: {**pair, "or_equal": or_equal}, PAIR, st.booleans()),
    "column_pair_values_to_be_equal": PAIR,
    "column_values_to_be_in_set column_values_to_not_be_in_set": _value_set(),
    "column_values_to_match_regex column_values_to_not_match_regex": _given(column=st.sampled_from(WORDS), regex=st.sampled_from(PATTERNS)),
    "column_values_to_match_regex_list": _given(
        column=st.sampled_from(WORDS), regex_list=st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3), match_on=st.sampled_from(["any", "all"])
    ),
    "column_values_to_not_match_regex_list": _given(column=st.sampled_from(WORDS), regex_list=st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=3)),
    "column_values_to_match_strftime_format": _given(column=st.sampled_from(WORDS), strftime_format=st.sampled_from(["%Y-%m-%d", "%H"])),
    "column_values_to_match_json_schema": _given(
        column=st.just("document"), json_schema=st.sampled_from([{"type": "array"}, {"type": "object", "required": ["a"]}])
    ),
    "column_values_to_be_json_parseable": _given(column=st.sampled_from(["document", "word"])),
    "multicolumn_sum_to_equal": st.builds(lambda lists, total: {**lists, "sum_total": total}, _columns(["m", "y"], ["n", "m"], ["y", "x"]), st.integers(-2, 4)),
    "multicolumn_values_to_be_equal select_column_values_to_be_unique_within_record": _columns(["n", "m"], ["word", "other"], ["m", "big", "n"], ["x", "y"]),
    "compound_columns_to_be_unique": _columns(["word", "n"], ["x", "yes"], ["at", "on_day", "word"], ["m", "price"]),
    "table_columns_to_match_set": _given(column_set=st.sampled_from([["n", "m"], ["id", "day", *VALUES]]), exact_match=st.booleans()),
    "table_columns_to_match_ordered_list": _columns(["id", "day", *VALUES], ["n"]),
    "column_values_to_be_in_type_list": _given(column=ANY, type_list=st.lists(TYPES, min_size=1, max_size=2)),
    "column_values_to_be_of_type column_type_to_be": _given(column=ANY, type_=TYPES),
    "column_values_to_be_null column_values_to_not_be_null column_values_to_be_unique column_to_exist": _given(column=ANY),
}
"""Expectations, without `expect_`, to the arguments that are their own."""


def rules(*, parts_rows: bool = False) -> st.SearchStrategy[list[Rule]]:
    """A rule for each expectation that is judged in the pass (only those whose broken rows may leave), called by its place and name; it warns."""
    names = [name for name, facts in usable().items() if facts["judged"] == "in the pass" and (facts["parts_rows"] or not parts_rows)]
    return st.tuples(*(_rule(name, f"{number} {name}") for number, name in enumerate(names))).map(list)


@st.composite
def _rule(draw: st.DrawFn, name: str, label: str) -> Rule:
    arguments = usable()[name]["arguments"]
    own = draw(next(own for names, own in OWN.items() if name.removeprefix("expect_") in names.split()))
    given = {key: value for key, value in own.items() if key in arguments}  # some bounds cannot be strict
    if "row_condition" in arguments and draw(st.booleans()):
        given["row_condition"] = draw(st.sampled_from(CONDITIONS))
    if "mostly" in arguments and draw(st.booleans()):
        given["mostly"] = draw(st.sampled_from([0, 0.01, 0.3, 0.5, 0.75, 0.99, 1]))
    if "ignore_row_if" in arguments and draw(st.booleans()):
        given["ignore_row_if"] = draw(st.sampled_from(arguments["ignore_row_if"]["one_of"] or ["all_values_are_missing", "any_value_is_missing", "never"]))
    return Rule.model_validate({"expect": name, "name": label, "on_fail": "warn", **given})
