"""A ledger is opened: from nothing, from an older schema, by many at once, and not by a wrong URL."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from expectations.errors import LedgerError, TerminalError
from expectations.ledger import Arrival, Attempt, Ledger
from expectations.ledger.database import HEAD, MIGRATIONS, look_at_database
from expectations.ledger.schema import metadata
from expectations.settings import REPOSITORY


def test_the_migrations_lead_to_the_schema_of_today(fresh_url: str) -> None:
    Ledger(fresh_url)
    with create_engine(fresh_url).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD


def test_a_url_need_not_name_its_driver(url: str) -> None:
    Ledger(url).note(Attempt("run-1", "silver.sales", "done", "", []))
    assert len(Ledger(url.replace("+psycopg2", "")).attempts()) == 1


def make_first(url: str) -> None:
    """A ledger as the first version of this program made it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with create_engine(url).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO arrivals VALUES ('silver.sales', 'bronze.sales', '2024-05-01', 2, 'c.l', '[\"2024-05-01\"]')"))


def test_an_older_ledger_is_brought_up_with_what_it_holds(fresh_url: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    make_first(fresh_url)
    assert Ledger(fresh_url).arrivals("silver.sales") == [Arrival("silver.sales", "bronze.sales", "2024-05-01", 2, "c.l", ["2024-05-01"], 0)]
    with create_engine(fresh_url).connect() as connection:
        assert {index["name"] for index in inspect(connection).get_indexes("verdicts")} == {"verdicts_by_run", "verdicts_by_rule"}


NOTING = """
import sys
from expectations.ledger import Attempt, Ledger

ledger = Ledger(sys.argv[1])
for number in range(20):
    ledger.note(Attempt(sys.argv[2], "silver.sales", "done", str(number), []))
"""
"""One process: opens the ledger and writes twenty attempts. It imports no more than that takes."""


def test_four_processes_may_open_a_fresh_ledger_at_once(fresh_url: str) -> None:
    command = [sys.executable, "-c", NOTING, fresh_url]
    processes = [subprocess.Popen([*command, f"run-{number}"], cwd=REPOSITORY) for number in range(4)]
    assert [process.wait(120) for process in processes] == [0, 0, 0, 0]
    assert len(Ledger(fresh_url).attempts()) == 80


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("ledger.db", "LAKE_LEDGER_URL is no database URL; write one like sqlite:////data/ledger.db or postgresql+psycopg2://user@host/db."),
        ("oracel://a/b", "LAKE_LEDGER_URL is no database URL; write one like sqlite:////data/ledger.db or postgresql+psycopg2://user@host/db."),
        ("mysql+pymysql://a@b/c", "LAKE_LEDGER_URL needs the package pymysql, which is not installed; write postgresql+psycopg2://user@host/db."),
        ("sqlite://", "LAKE_LEDGER_URL names no file; write one like sqlite:////data/ledger.db."),
        ("sqlite:///:memory:", "LAKE_LEDGER_URL names no file; write one like sqlite:////data/ledger.db."),
        ("sqlite:////dev/null/ledger.db", "the ledger's folder /dev/null cannot be made (File exists); check LAKE_LEDGER_URL."),
    ],
)
def test_a_wrong_url_is_told_in_one_sentence(wrong: str, sentence: str) -> None:
    with pytest.raises(TerminalError) as caught:
        Ledger(wrong)
    assert str(caught.value) == sentence


def test_a_file_that_is_no_database_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_text("contract: 1\n" * 100)
    with pytest.raises(TerminalError) as caught:
        Ledger(f"sqlite:///{tmp_path}/ledger.db")
    expected = f"the ledger sqlite:///{tmp_path}/ledger.db is no database of this program (file is not a database); check LAKE_LEDGER_URL."
    assert str(caught.value) == expected


def test_a_server_that_does_not_answer_may_answer_later_and_its_password_is_not_told() -> None:
    with pytest.raises(LedgerError) as caught:
        Ledger("postgresql+psycopg2://ada:secret@127.0.0.1:1/ledger")
    assert "postgresql+psycopg2://ada:***@127.0.0.1:1/ledger does not answer" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_ledger_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    with pytest.raises(TerminalError, match=rf"is of a newer version of this program \(schema 9999, known is {HEAD}\); update the program"):
        Ledger(f"sqlite:///{tmp_path}/ledger.db")


def test_a_look_says_how_the_schema_stands_and_changes_nothing(fresh_url: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    shown = fresh_url.partition("?")[0]
    is_file = fresh_url.startswith("sqlite")
    assert look_at_database(fresh_url) == shown + (
        ": nothing there yet, the first job makes it" if is_file else f": schema not made yet, the next job brings it to {HEAD}"
    )
    assert list((tmp_path / "folder").iterdir()) == []
    make_first(fresh_url)
    assert look_at_database(fresh_url) == f"{shown}: schema 0001, the next job brings it to {HEAD}"
    assert look_at_database(fresh_url) == f"{shown}: schema 0001, the next job brings it to {HEAD}"
    Ledger(fresh_url)
    assert look_at_database(fresh_url) == f"{shown}: schema {HEAD}"
    with create_engine(fresh_url).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(TerminalError, match="is of a newer version of this program"):
        look_at_database(fresh_url)


def test_no_look_shows_a_password() -> None:
    with pytest.raises(LedgerError) as caught:
        look_at_database("postgresql+psycopg2://ada:s3cret@127.0.0.1:1/ledger?password=s3cret")
    assert str(caught.value).startswith("the ledger postgresql+psycopg2://ada:***@127.0.0.1:1/ledger does not answer (")
    assert "s3cret" not in str(caught.value)
