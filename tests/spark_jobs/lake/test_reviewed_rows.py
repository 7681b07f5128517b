"""Which rows a request means, and what is shown and said of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import Row
from pyspark.sql import functions as F

from expectations.days import parse_range
from expectations.errors import RequestError
from spark_jobs.lake.quarantine.review import facts_of, in_words, is_meant, line, no_such_rule, refuse_missing, refuse_too_many

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FIRST, SECOND = date(2024, 5, 1), date(2024, 5, 2)

# which rows

ROWS = [
    ("broke a rule", ["fair_price"], FIRST, FIRST),
    ("broke two", ["fair_price", "not_null(item)"], SECOND, SECOND),
    ("does not parse", ["type(cents)"], None, FIRST),
    ("came later", ["fair_price"], FIRST, SECOND),
    ("no day, no file", ["not_null(sold_on)"], None, None),
    ("no rule", None, FIRST, FIRST),
]
MEANT: list[tuple[dict[str, Any], list[str]]] = [
    ({}, [name for name, *_ in ROWS]),
    ({"ids": ["does not parse", "came later", "never there"]}, ["does not parse", "came later"]),
    ({"rule": "fair_price"}, ["broke a rule", "broke two", "came later"]),
    ({"rule": "fair"}, []),
    ({"rule": "not_null(item)"}, ["broke two"]),
    ({"days": "2024-05-01"}, ["broke a rule", "does not parse", "came later", "no rule"]),
    ({"days": "2024-05-02"}, ["broke two", "came later"]),
    ({"days": "2024-04-30..2024-05-02"}, ["broke a rule", "broke two", "does not parse", "came later", "no rule"]),
    ({"days": "2024-05-03..2024-05-09"}, []),
    ({"rule": "fair_price", "days": "2024-05-02"}, ["broke two", "came later"]),
    ({"ids": ["broke two", "does not parse"], "rule": "fair_price", "days": "2024-05-02"}, ["broke two"]),
]


def test_a_request_means_the_rows_with_its_ids_that_broke_its_rule_and_belong_to_its_days_or_arrived_on_them(spark: SparkSession) -> None:
    rows = spark.createDataFrame(ROWS, "_id string, _rules array<string>, _day date, _arrival_day date")
    conditions = [is_meant(**{**wanted, "days": parse_range(wanted["days"]) if "days" in wanted else None}) for wanted, _ in MEANT]
    found = rows.select(F.col("_id"), *(condition.alias(f"c{number}") for number, condition in enumerate(conditions))).collect()
    told = [[row["_id"] for row in found if row[f"c{number}"]] for number in range(len(MEANT))]
    assert told == [ids for _, ids in MEANT]
    assert all(value is not None for row in found for value in row)


# what is refused


def test_ids_that_no_row_has_are_refused_and_five_of_them_are_named() -> None:
    refuse_missing("silver.sales", ["a", "b"], {"a", "b", "c"})
    with pytest.raises(RequestError) as two:
        refuse_missing("silver.sales", ["a", "b"], set())
    assert str(two.value) == "silver.sales: 2 of 2 rows are not in its quarantine: a, b; `look` shows the ids of those that are."
    with pytest.raises(RequestError) as many:
        refuse_missing("silver.sales", list("abcdefgh"), {"a"})
    assert str(many.value).startswith("silver.sales: 7 of 8 rows are not in its quarantine: b, c, d, e, f; ")


def test_a_rule_that_refused_no_row_is_told_beside_those_that_did() -> None:
    known = ["fair_price", "type(cents)"]
    assert no_such_rule("fair_prize", known) == "no row is in quarantine for 'fair_prize', but for fair_price, type(cents). Did you mean \"fair_price\"?"
    assert no_such_rule("late", []) == "no row is in quarantine for 'late', but for nothing."


def test_more_than_ten_thousand_rows_are_not_discarded_at_once() -> None:
    refuse_too_many("silver.sales", 10_000)
    with pytest.raises(RequestError) as caught:
        refuse_too_many("silver.sales", 10_001)
    assert str(caught.value) == ("silver.sales: more than 10,000 rows would be discarded; choose fewer days, or write `on_fail: drop` for the rule.")


# what is shown


@pytest.mark.parametrize(
    ("waiting", "discarded", "shown", "words"),
    [
        (2, 0, 2, "2 rows wait in quarantine, 0 discarded"),
        (1, 0, 1, "1 row waits in quarantine, 0 discarded"),
        (0, 0, 0, "0 rows wait in quarantine, 0 discarded"),
        (1200, 34, 20, "1,200 rows wait in quarantine, 34 discarded; 1,214 more than shown"),
    ],
)
def test_how_many_rows_wait_is_told_with_how_many_are_not_shown(waiting: int, discarded: int, shown: int, words: str) -> None:
    assert in_words(waiting, discarded, shown) == words


def row(**facts: Any) -> Row:
    known = {
        "_id": "2024-05-01/ab/0/3",
        "_rules": ["type(cents)"],
        "_source_file": "sales/2024-05-01.csv",
        "_source_line": 3,
        "_day": None,
        "_arrival_day": FIRST,
        "_first_seen": datetime(2024, 5, 2, 6, 30, 1, 5),
        "_values": '{"cents":"much"}',
        "_state": "waiting",
        "_reason": None,
        "_who": None,
    }
    return Row(**{**known, **facts})


def test_a_row_is_shown_with_its_rules_its_place_its_days_and_its_values() -> None:
    shown = facts_of(row())
    assert shown == {
        "id": "2024-05-01/ab/0/3",
        "rules": ["type(cents)"],
        "file": "sales/2024-05-01.csv",
        "line": 3,
        "day": None,
        "arrival_day": "2024-05-01",
        "first_seen": "2024-05-02T06:30:01",
        "values": '{"cents":"much"}',
        "state": "waiting",
    }
    assert line(shown) == '2024-05-01/ab/0/3 | type(cents) | sales/2024-05-01.csv:3 | {"cents":"much"} | since 2024-05-02T06:30:01 | waiting'


def test_a_discarded_row_is_shown_with_who_gave_it_up_and_why() -> None:
    shown = facts_of(row(_state="discarded", _reason="a test sale", _who="mia", _source_file=None, _source_line=None))
    assert (shown["reason"], shown["who"]) == ("a test sale", "mia")
    assert line(shown).endswith(' | no file | {"cents":"much"} | since 2024-05-02T06:30:01 | discarded by mia: a test sale')


def test_what_is_shown_of_a_row_is_one_short_line_whatever_it_holds() -> None:
    shown = facts_of(row(_values="a\nb\x00" + "x" * 600, _rules=None))
    assert (len(shown["values"]), shown["rules"]) == (500, [])
    assert " | a b xxx" in line(shown)
    assert facts_of(row(_values=None))["values"] == ""
