"""Ledgers of the tests' own: a SQLite file, and a database of a real Postgres server where there is one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from expectations.ledger import Ledger
from expectations.ledger.database import open_database
from tests.postgres_server import running_postgres

TEMPLATE = "ledger_template"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a new Postgres server on a free port, without the name of a database."""
    # another time zone than UTC, so that a moment read back is only right by its zone
    with running_postgres("", "timezone=America/New_York") as server:
        yield server.render_as_string().removesuffix("/postgres")


def make_database(server: str, name: str, template: str = "template1") -> str:
    """The URL of a new database on the server, a copy of another one."""
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    engine.dispose()
    return f"{server}/{name}"


def make_empty_ledger(url: str) -> None:
    """All migrations, and nobody connected afterwards: what copies it takes it whole."""
    open_database(url).dispose()


@pytest.fixture(scope="session")
def ledger_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger in a SQLite file, to be copied: the migrations take longer than most tests."""
    file = tmp_path_factory.mktemp("template") / "ledger.db"
    make_empty_ledger(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def ledger_database(postgres: str) -> str:
    """The name of an empty ledger on the Postgres server, to be copied."""
    make_empty_ledger(make_database(postgres, TEMPLATE))
    return TEMPLATE


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.end_to_end)])
def database(request: pytest.FixtureRequest) -> str:
    """Which database the test is for."""
    kind: str = request.param
    return kind


@pytest.fixture
def fresh_url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh ledger: nothing was ever written there."""
    if database == "sqlite":
        return f"sqlite:///{tmp_path}/folder/ledger.db"
    return make_database(request.getfixturevalue("postgres"), f"ledger_{os.urandom(4).hex()}")


@pytest.fixture
def url(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty ledger with the schema of today."""
    if database == "sqlite":
        (tmp_path / "folder").mkdir()
        shutil.copy(request.getfixturevalue("ledger_file"), tmp_path / "folder" / "ledger.db")
        return f"sqlite:///{tmp_path}/folder/ledger.db"
    template = request.getfixturevalue("ledger_database")
    return make_database(request.getfixturevalue("postgres"), f"ledger_{os.urandom(4).hex()}", template)


@pytest.fixture
def ledger(url: str) -> Ledger:
    """An empty ledger."""
    return Ledger(url)
