from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from expectations.ledger import DayEntry, Ledger, ModelEntry
from expectations.loader import load_lake
from medallion.training_time import Decision, training_time

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(f"sqlite:///{tmp_path}/ledger.db")


def published(ledger: Ledger, day: str) -> None:
    ledger.record([DayEntry("silver.visits", day, "published", 1, "r", "c", "l", {})], [])


def champion(ledger: Ledger, last_day: str) -> None:
    version(ledger, 1, last_day, serves=True)


def version(ledger: Ledger, number: int, last_day: str, *, serves: bool) -> None:
    ledger.record_model(ModelEntry("spender", number, f"r{number}", serves, "2013-01-01", last_day, {}, {}, datetime(2013, 2, 1, tzinfo=UTC)))


def decide(ledger: Ledger, *, forced: bool = False, alarmed: bool = False) -> Decision:
    return training_time(load_lake(), ledger, load_lake().model("spender"), forced=forced, alarmed=alarmed)


def test_without_data_nothing_is_trained_even_by_force(ledger: Ledger) -> None:
    assert decide(ledger, forced=True) == Decision(
        train=False, reason="silver.visits has no published day that its pipeline does not hold, there is nothing to learn from"
    )


def test_a_day_that_a_table_of_the_pipeline_holds_is_no_data(ledger: Ledger) -> None:
    published(ledger, "2013-01-31")
    published(ledger, "2013-02-28")
    champion(ledger, "2013-01-31")
    assert decide(ledger).train
    ledger.record([DayEntry("silver.shops", "2013-02-28", "held", None, "r", "c", "l", {})], [])
    assert not decide(ledger).train


def test_the_first_champion_is_trained_as_soon_as_there_are_data(ledger: Ledger) -> None:
    published(ledger, "2013-01-31")
    assert decide(ledger).train


@pytest.mark.parametrize(("newest", "train"), [("2013-02-03", False), ("2013-02-27", False), ("2013-02-28", True)])
def test_a_model_is_old_after_28_days_of_data_not_of_the_calendar(ledger: Ledger, newest: str, train: bool) -> None:
    published(ledger, newest)
    champion(ledger, "2013-01-31")
    assert decide(ledger).train is train


def test_a_young_model_is_left_alone_and_the_reason_says_how_young(ledger: Ledger) -> None:
    published(ledger, "2013-02-03")
    champion(ledger, "2013-01-31")
    assert decide(ledger).reason == "not trained: the data reach to 2013-02-03, version 1 saw days to 2013-01-31, 3 of 28 days ago"


def test_a_challenger_that_was_refused_is_not_followed_by_one_more_every_day(ledger: Ledger) -> None:
    published(ledger, "2013-03-05")
    champion(ledger, "2013-01-31")
    version(ledger, 2, "2013-03-01", serves=False)
    assert decide(ledger).reason == "not trained: the data reach to 2013-03-05, version 2 saw days to 2013-03-01, 4 of 28 days ago"
    assert decide(ledger, alarmed=True) == Decision(train=True, reason="trained because an alarm rang")


def test_the_form_trains_a_young_model(ledger: Ledger) -> None:
    published(ledger, "2013-02-03")
    champion(ledger, "2013-01-31")
    assert decide(ledger, forced=True).train
