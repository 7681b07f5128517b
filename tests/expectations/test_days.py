"""How a request becomes days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from expectations.days import ALL, DayRange, in_words, nearest_landed, parse_day, parse_range, require_within, resolve_days
from expectations.errors import RequestError


def days(first: str | None = None, last: str | None = None, key: str | None = None, at: str = "2013-06-15T12:00", zone: str = "America/New_York") -> str:
    asked_at = datetime.fromisoformat(at).replace(tzinfo=UTC)
    return str(resolve_days(first_day=first, last_day=last, partition_key=key, asked_at=asked_at, time_zone=zone))


@pytest.mark.parametrize(
    ("first", "last", "key", "expected"),
    [
        ("2013-01-01", "2013-01-31", None, "2013-01-01..2013-01-31"),
        ("2013-01-01", "2013-01-31", "2013-05-05", "2013-01-01..2013-01-31"),
        ("2013-01-05", None, None, "2013-01-05..2013-01-05"),
        ("2013-01-05", "", "2013-05-05", "2013-01-05..2013-01-05"),
        (None, None, "2013-05-05", "2013-05-05..2013-05-05"),
        ("", "", "2013-05-05", "2013-05-05..2013-05-05"),
        (None, None, "2013-05-05T00:00:00-04:00", "2013-05-05..2013-05-05"),
        (None, None, "2013-05-05 00:00:00", "2013-05-05..2013-05-05"),
        (None, None, None, "2013-06-14..2013-06-14"),
        (None, None, "", "2013-06-14..2013-06-14"),
    ],
)
def test_the_form_goes_before_the_partition_and_the_partition_before_yesterday(first: str | None, last: str | None, key: str | None, expected: str) -> None:
    assert days(first, last, key) == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2013-02-01T04:59", "2013-01-30"),  # 23:59 in New York
        ("2013-02-01T05:00", "2013-01-31"),  # midnight
        ("2013-03-10T04:59", "2013-03-08"),  # the clock goes forward at 07:00 UTC
        ("2013-03-10T05:00", "2013-03-09"),
        ("2013-03-11T03:59", "2013-03-09"),  # a day of 23 hours ends
        ("2013-03-11T04:00", "2013-03-10"),
        ("2013-11-03T03:59", "2013-11-01"),  # the clock goes back at 06:00 UTC
        ("2013-11-03T04:00", "2013-11-02"),
        ("2013-11-03T05:30", "2013-11-02"),  # 01:30 for the first time
        ("2013-11-03T06:30", "2013-11-02"),  # 01:30 for the second time
        ("2013-11-04T04:59", "2013-11-02"),  # a day of 25 hours ends
        ("2013-11-04T05:00", "2013-11-03"),
        ("2013-01-01T05:00", "2012-12-31"),
    ],
)
def test_a_click_means_the_day_before_in_new_york_over_midnights_and_clock_changes(at: str, expected: str) -> None:
    assert days(at=at) == f"{expected}..{expected}"


def test_the_same_click_is_another_day_in_another_time_zone() -> None:
    assert [days(at="2013-06-15T12:00", zone=zone) for zone in ("UTC", "Pacific/Auckland")] == ["2013-06-14..2013-06-14", "2013-06-15..2013-06-15"]


@pytest.mark.parametrize("first", [None, ""])
@pytest.mark.parametrize("key", [None, "2013-05-05"])
def test_a_last_day_alone_is_refused_and_means_neither_that_day_nor_yesterday(first: str | None, key: str | None) -> None:
    with pytest.raises(RequestError) as caught:
        days(first, "2013-01-05", key)
    assert str(caught.value) == "last_day is '2013-01-05' and first_day is empty; fill in first_day too, or for one day first_day alone."


BAD = [
    " 2013-1-1",
    "2013-1-1",
    "2013-02-30",
    "20130101",
    "2013-W01-1",
    "2013-01-01\n",
    "2013-01-0\n",
    "\uff12013-01-01",
    "2013-01-01T00:00",
    "",
    "today",
    "9" * 1000,
]


@pytest.mark.parametrize("text", [*BAD, None, 20130101])
def test_what_is_no_date_is_refused_in_one_short_sentence(text: Any) -> None:
    with pytest.raises(RequestError) as caught:
        parse_day(text, "first_day")
    assert str(caught.value) == f"first_day is {str(text)[:40]!r}, not a date; write it as YYYY-MM-DD, for example 2013-01-31."


@pytest.mark.parametrize(
    "text", ["2013-01-01..", "..2013-01-01", "..", "2013-01-01...2013-01-02", "2013-01-01..2013-01-02..2013-01-03", "2013-01-01 2013-01-02"]
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="not a date; write it as YYYY-MM-DD"):
        parse_range(text)


def test_a_bad_partition_key_is_named_as_such() -> None:
    with pytest.raises(RequestError, match="the run's partition key is '2013-05-051', not a date"):
        days(key="2013-05-051")


def test_a_range_is_both_its_ends_and_what_lies_between() -> None:
    assert parse_range("2013-02-27..2013-03-01").keys == ["2013-02-27", "2013-02-28", "2013-03-01"]
    assert parse_range("2013-02-27").keys == ["2013-02-27"]
    assert parse_range("9999-12-30..9999-12-31").keys == ["9999-12-30", "9999-12-31"]


def test_a_range_back_to_front_says_to_swap_its_ends() -> None:
    with pytest.raises(RequestError) as caught:
        parse_range("2013-01-03..2013-01-01")
    assert str(caught.value) == "the range of days is back to front: first_day 2013-01-03 is after last_day 2013-01-01; swap them."


def test_a_mistyped_century_is_no_range_of_three_hundred_thousand_days() -> None:
    with pytest.raises(RequestError, match=r"1013-01-01..2013-01-31 has 365274 days; one run takes at most 3660. Is a year mistyped"):
        DayRange(date(1013, 1, 1), date(2013, 1, 31))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([], ""),
        (["2013-01-01"], "2013-01-01"),
        (["2013-01-02", "2013-01-01", "2013-01-02"], "2013-01-01..2013-01-02"),
        (["2013-02-28", "2013-03-01", "2013-03-03"], "2013-02-28..2013-03-01, 2013-03-03"),
        ([f"2013-01-{day:02}" for day in range(1, 15, 2)], "2013-01-01, 2013-01-03, 2013-01-05, 2013-01-07, 2013-01-09 and 2 more"),
        ([ALL], "all"),
        ([ALL, "2013-01-01"], "2013-01-01, all"),
        (["9999-12-31", ALL], "9999-12-31, all"),
    ],
)
def test_days_in_words_join_what_follows_and_name_at_most_five(keys: list[str], expected: str) -> None:
    assert in_words(keys) == expected


FEW = " The nearest days that landed: 2013-01-07..2013-01-08, 2013-01-12, 2013-01-14, 2013-01-16."
JANUARY = [f"2013-01-{day:02}" for day in range(1, 32)]


@pytest.mark.parametrize(
    ("asked", "landed", "sentence"),
    [
        ("2013-02-02", JANUARY, " The nearest days that landed: 2013-01-27..2013-01-31."),
        ("2012-12-25..2012-12-31", JANUARY, " The nearest days that landed: 2013-01-01..2013-01-05."),
        ("2013-01-10", ["2013-01-02", "2013-01-12", "2013-01-09"], " The nearest days that landed: 2013-01-02, 2013-01-09, 2013-01-12."),
        ("2013-01-10", ["2013-01-10"], " The nearest day that landed: 2013-01-10."),
        ("2013-01-10", [*JANUARY[:1], *JANUARY[6:8], *JANUARY[11::2]], FEW),
        ("2013-01-10", [], " None of its days has landed yet."),
        ("2013-01-10", None, ""),
    ],
)  # fmt: skip
def test_the_nearest_days_that_landed_are_named(asked: str, landed: list[str] | None, sentence: str) -> None:
    assert nearest_landed(parse_range(asked), landed) == sentence


@pytest.mark.parametrize(
    ("asked", "last", "sentence"),
    [
        ("2013-01-01", None, "shop has days from 2013-01-02 on, asked were 2013-01-01..2013-01-01"),
        ("2013-01-30..2013-01-31", date(2013, 1, 30), "shop has days from 2013-01-02 to 2013-01-30, asked were 2013-01-30..2013-01-31"),
    ],
)
def test_days_that_nobody_has_are_refused_with_the_days_to_ask_for_instead(asked: str, last: date | None, sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        require_within(parse_range(asked), date(2013, 1, 2), last, "shop", lambda: ["2013-01-01", "2013-01-05", "2013-02-01"])
    remedy = "fill in first_day and last_day, or change expectations/pipelines.yaml."
    nearest = "days that landed: 2013-01-05, 2013-02-01" if last is None else "day that landed: 2013-01-05"
    assert str(caught.value) == f"{sentence}; {remedy} The nearest {nearest}.", "a landed day that could not be asked for is not named"


def test_what_has_landed_is_looked_for_only_where_days_are_refused() -> None:
    def never() -> list[str]:
        raise AssertionError

    require_within(parse_range("2013-01-02..2013-01-30"), date(2013, 1, 2), date(2013, 1, 30), "shop", never)
