"""Ledgers of the tests' own: a SQLite file, and a database of a real Postgres server where there is one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from expectations.ledger import Ledger
from tests.free_ports import free_port

HOST = "127.0.0.1"


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a new Postgres server on a free port, without the name of a database."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("Postgres is not installed: apt-get install postgresql; .ci/run does so")
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    # Postgres refuses to run as root
    user = pwd.getpwnam("postgres").pw_uid if os.getuid() == 0 else None
    if user is not None:
        os.chown(folder, user, -1)
    port = free_port()

    def run(program: str, *arguments: str) -> None:
        # Into a file: the server keeps what it inherits, and a pipe would never end.
        with (folder / "output").open("a") as output:
            subprocess.run([found[-1].parent / program, "-D", folder / "data", *arguments], user=user, cwd="/", check=True, stdout=output, stderr=output)

    run("initdb", "-A", "trust", "-U", "postgres")
    # another time zone than UTC, so that a moment read back is only right by its zone
    run("pg_ctl", "-o", f"-p {port} -c listen_addresses={HOST} -c fsync=off -c timezone=America/New_York -k {folder}", "-w", "start")
    yield f"postgresql+psycopg2://postgres@{HOST}:{port}"
    run("pg_ctl", "-m", "immediate", "stop")
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.end_to_end)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh ledger: nothing was ever written there."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/folder/ledger.db"
    server = request.getfixturevalue("postgres")
    name = f"ledger_{os.urandom(4).hex()}"
    engine = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return f"{server}/{name}"


@pytest.fixture
def ledger(url: str) -> Ledger:
    """A fresh ledger."""
    return Ledger(url)
