"""Whether what a rule asks for can be at all: shares from 0 to 1, lengths and counts from 0, quantiles, Spark's types, the table's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expectations.errors import did_you_mean
from expectations.rule_values import OF_THE_COLUMN, is_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expectations.rule import Rule

BOUNDS = ("min_value", "max_value", "value")
SHARES = {"expect_column_proportion_of_unique_values_to_be_between", "expect_column_proportion_of_non_null_values_to_be_between"}
NEVER_NEGATIVE = {
    "expect_column_value_lengths_to_be_between": "a length",
    "expect_column_value_lengths_to_equal": "a length",
    "expect_column_unique_value_count_to_be_between": "a number of values",
    "expect_column_stdev_to_be_between": "a standard deviation",
    "expect_table_row_count_to_be_between": "a number of rows",
    "expect_table_row_count_to_equal": "a number of rows",
    "expect_table_column_count_to_be_between": "a number of columns",
    "expect_table_column_count_to_equal": "a number of columns",
}
NEEDED = {
    "expect_column_values_to_match_regex": "regex",
    "expect_column_values_to_be_in_type_list": "type_list",
    "expect_table_columns_to_match_set": "column_set",
    "expect_table_columns_to_match_ordered_list": "column_list",
}
"""Arguments for which Great Expectations has a default that asks nothing."""
COLUMN_COUNTS = ("expect_table_column_count_to_equal", "expect_table_column_count_to_be_between")
QUANTILE_KEYS = {"quantiles", "value_ranges"}
PAIR = 2
SPARK_TYPES = {
    *("ArrayType", "BinaryType", "BooleanType", "ByteType", "CharType", "DateType", "DecimalType", "DoubleType", "FloatType", "IntegerType", "LongType"),
    *("MapType", "NullType", "ShortType", "StringType", "StructType", "TimestampType", "TimestampNTZType", "TimeType", "VarcharType", "VariantType"),
    *("DataType", "AtomicType", "NumericType", "IntegralType", "FractionalType", "DatetimeType", "AnyTimeType", "AnsiIntervalType", "UserDefinedType"),
    *("CalendarIntervalType", "DayTimeIntervalType", "YearMonthIntervalType", "GeographyType", "GeometryType", "SpatialType"),
}
"""Classes of pyspark.sql.types by name, as Great Expectations looks them up."""
CLASS_OF = {"string": "StringType", "int": "IntegerType", "bigint": "LongType", "decimal": "DecimalType", "date": "DateType", "timestamp": "TimestampType"}


def fault_of_figures(rule: Rule, types: Mapping[str, str]) -> str | None:
    """Why nothing could keep the rule, or nothing break it, in one sentence, or None. `types`: of all columns of the table."""
    needed = NEEDED.get(rule.expect)
    if needed and rule.arguments.get(needed) is None:
        return f"{rule.expect} needs {needed!r}; without it Great Expectations lets everything pass; add it."
    empty = next((name for name, value in rule.arguments.items() if value == []), None)
    fault = f"{empty} is empty; name at least one, or take the rule away." if empty else None
    fault = fault or _fault_of_bounds(rule) or _fault_of_types(rule) or _fault_of_places(rule, types)
    if rule.expect == "expect_column_quantile_values_to_be_between":
        fault = fault or _fault_of_quantiles(rule.arguments["quantile_ranges"])
    return f"{rule.expect}: {fault}" if fault else None


def _fault_of_bounds(rule: Rule) -> str | None:
    is_figure = rule.expect.endswith(("_to_be_between", "_to_equal")) and rule.expect not in OF_THE_COLUMN
    for name, value in rule.arguments.items():
        if not is_figure or name not in BOUNDS or value is None:
            continue
        if not is_number(value):
            return f"{name} has the date {value!s:.80}, but it bounds a figure; write a number."
        if rule.expect in SHARES and not 0 <= value <= 1:
            return f"{name} is a share from 0 to 1, found {value!r}; write 0.95 for 95 percent."
        if rule.expect in NEVER_NEGATIVE and value < 0:
            return f"{name} is {value!r}, but {NEVER_NEGATIVE[rule.expect]} is never negative; write 0 or more."
        if rule.expect == "expect_column_value_lengths_to_equal" and not float(value).is_integer():
            return f"{name} is {value!r}, but a length is a whole number; write one."
    return None


def _fault_of_types(rule: Rule) -> str | None:
    given = rule.arguments
    for key, names in (("type_", [given.get("type_")]), ("type_list", given.get("type_list") or ())):
        for name in names:
            if name is not None and name not in SPARK_TYPES:
                meant = did_you_mean(CLASS_OF.get(name.lower(), name), SPARK_TYPES)
                return f"{key} names Spark's types, like IntegerType or StringType, found {name!r:.80}.{meant}"
    return None


def _fault_of_places(rule: Rule, types: Mapping[str, str]) -> str | None:
    """The gate sees the contract's columns first, and may see columns of the engine behind them."""
    index = rule.arguments.get("column_index")
    if index is not None and index >= len(types):
        return f"column_index is {index}, but the table has {len(types)} columns, counted from 0; write {list(types).index(rule.columns[0])}."
    most = rule.arguments.get("value", rule.arguments.get("max_value"))
    if rule.expect in COLUMN_COUNTS and most is not None and most < len(types):
        return f"the table has {len(types)} columns, so it never has {most} or fewer; mend the number, or the columns."
    return None


def _fault_of_quantiles(given: Mapping[str, Any]) -> str | None:
    quantiles, ranges = given.get("quantiles"), given.get("value_ranges")
    if {*given} != QUANTILE_KEYS or not isinstance(quantiles, list) or not isinstance(ranges, list) or not quantiles:
        return "quantile_ranges takes two lists; write {quantiles: [0.5], value_ranges: [[1, 9]]}."
    if len(quantiles) != len(ranges):
        return f"quantile_ranges has {len(quantiles)} quantiles and {len(ranges)} value_ranges; give each quantile one range."
    for quantile in quantiles:
        if not is_number(quantile) or not 0 <= quantile <= 1:
            return f"a quantile is a share from 0 to 1, found {quantile!r:.80}; write 0.95 for 95 percent."
    for bounds in ranges:
        if not isinstance(bounds, list) or len(bounds) != PAIR or not all(bound is None or is_number(bound) for bound in bounds):
            return f"a range of values is two numbers, or null for no bound, found {bounds!r:.80}; write [1, 9]."
        if None not in bounds and bounds[0] > bounds[1]:
            return f"the range {bounds!r:.80} begins above its end, so nothing could pass; swap them."
    return None
