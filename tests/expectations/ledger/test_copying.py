"""A ledger that moves to another database is the same one there, and goes on."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from expectations.errors import LedgerError, TerminalError
from expectations.ledger import Ledger
from expectations.ledger import schema as s
from expectations.ledger.copying import copy_ledger
from expectations.ledger.database import open_database
from tests.expectations.ledger.test_book import ARRIVED, FIRST, JUDGED, MADE, MODEL, SECOND

if TYPE_CHECKING:
    from pathlib import Path

DECIDED = datetime(2024, 5, 4, 1, 2, 3, tzinfo=UTC)


@pytest.fixture
def source(tmp_path: Path, ledger_file: Path) -> str:
    """The URL of a ledger of one machine, with a day, two verdicts, a model and a discarded row."""
    shutil.copy(ledger_file, tmp_path / "old.db")
    url = f"sqlite:///{tmp_path}/old.db"
    ledger = Ledger(url)
    ledger.record([MADE], [JUDGED, replace(JUDGED, rule="z")], [ARRIVED])
    ledger.record_model(MODEL)
    with open_database(url).begin() as connection:
        connection.execute(s.discards.insert().values(table_name="silver.sales", row_id="1", reason="twice", who="ada", decided_at=DECIDED))
    return url


def test_a_copied_ledger_says_the_same_and_goes_on(source: str, fresh_url: str) -> None:
    assert copy_ledger(source, fresh_url) == 6
    ledger = Ledger(fresh_url)
    assert ledger.days("silver.sales") == {FIRST: MADE}
    assert ledger.arrivals("silver.sales") == [ARRIVED]
    assert ledger.champion("dear") == MODEL
    assert [verdict.rule for verdict in ledger.verdicts("run-1", "silver.sales")] == ["fair_price", "z"]
    ledger.record([replace(MADE, day=SECOND, run_id="run-2")], [replace(JUDGED, day=SECOND)])
    assert [verdict.day for verdict in ledger.history("silver.sales", "fair_price")] == [SECOND, FIRST]


def test_a_moment_is_the_same_in_a_database_with_another_time_zone(source: str, url: str) -> None:
    copy_ledger(source, url)
    with open_database(url).connect() as connection:
        found = connection.scalar(select(s.discards.c.decided_at))
    assert (found if found.tzinfo else found.replace(tzinfo=UTC)) == DECIDED


def test_a_copy_and_a_copy_back_are_the_same_ledger(source: str, url: str, tmp_path: Path) -> None:
    copy_ledger(source, url)
    copy_ledger(url, f"sqlite:///{tmp_path}/back.db")
    with open_database(source).connect() as before, open_database(f"sqlite:///{tmp_path}/back.db").connect() as after:
        assert before.execute(select(s.discards)).all() == after.execute(select(s.discards)).all()
        assert before.execute(select(s.table_days)).all() == after.execute(select(s.table_days)).all()


def test_a_ledger_that_has_lines_is_left_as_it_is(source: str, url: str) -> None:
    Ledger(url).record([replace(MADE, version=9)], [])
    with pytest.raises(TerminalError, match=r"has lines already \(table_days\): copy into one that is empty\.$"):
        copy_ledger(source, url)
    assert Ledger(url).days("silver.sales") == {FIRST: replace(MADE, version=9)}
    assert Ledger(url).champion("dear") is None


def test_a_ledger_is_not_copied_into_itself(source: str) -> None:
    with pytest.raises(TerminalError, match=r"^LAKE_LEDGER_URL names the ledger that is to be copied: set it to the new one"):
        copy_ledger(source, source.replace("/old.db", "/./old.db"))
    with pytest.raises(TerminalError, match=r"^LAKE_LEDGER_URL is no database URL"):
        copy_ledger(source, "ledger")


def test_a_ledger_that_a_job_writes_to_is_not_copied(source: str, url: str) -> None:
    with Ledger(source).lease("silver.sales", "daily/run-7"), pytest.raises(LedgerError, match=r"old\.db is in use \(daily/run-7\): stop its DAGs"):
        copy_ledger(source, url)
    assert copy_ledger(source, url) == 6


def test_a_ledger_that_is_not_there_is_not_made(tmp_path: Path, url: str) -> None:
    with pytest.raises(TerminalError, match=r"^there is no ledger \S+/none\.db to copy: let LAKE_LEDGER_FROM name the one that the lake has\.$"):
        copy_ledger(f"sqlite:///{tmp_path}/none.db", url)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(TerminalError, match="LAKE_LEDGER_FROM is no database URL"):
        copy_ledger("ledger", url)
