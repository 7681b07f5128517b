"""`python -m launcher.databases`: one database and one login for each program that shares a Postgres server.

Run by docker-compose before Airflow starts, with the server's own password; harmless when it was done before.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import OperationalError

from expectations.errors import LakeError
from launcher.errors import LauncherError

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

# Database, which is also the login, and the variable with its password.
PASSWORDS = {
    "airflow": "AIRFLOW_DB_PASSWORD",
    "ledger": "LEDGER_DB_PASSWORD",
    "metastore": "METASTORE_DB_PASSWORD",
    "mlflow": "MLFLOW_DB_PASSWORD",
}


def prepare(server: URL, passwords: dict[str, str]) -> list[str]:
    """Makes what is missing and sets each login's password. `server` is the superuser's; `passwords` go by database.

    Returns the databases that were made. Nobody but its login can connect to a database. Raises LauncherError where the server does not answer.
    """
    # CREATE DATABASE refuses to run inside a transaction.
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            return [name for name, password in passwords.items() if _prepare(connection, name, password)]
    except OperationalError as error:
        raise LauncherError(f"Postgres at {server.host} does not do it ({str(error.orig).strip()}): check that it is up and POSTGRES_PASSWORD.") from None
    finally:
        engine.dispose()


def _prepare(connection: Connection, name: str, password: str) -> bool:
    known = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": name}).scalar()
    _execute(connection, f"{'ALTER' if known else 'CREATE'} ROLE %I LOGIN PASSWORD %L", name, password)
    if connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}).scalar():
        return False
    _execute(connection, "CREATE DATABASE %I OWNER %I", name, name)
    _execute(connection, "REVOKE CONNECT ON DATABASE %I FROM PUBLIC", name)
    return True


def _execute(connection: Connection, statement: str, *words: str) -> None:
    """Runs a statement that takes no parameters; the server itself quotes the words."""
    places = ", ".join(f"CAST(:word{number} AS text)" for number in range(len(words)))
    named = {f"word{number}": word for number, word in enumerate(words)}
    quoted = connection.execute(text(f"SELECT format(:statement, {places})"), {"statement": statement, **named}).scalar_one()
    connection.exec_driver_sql(quoted.replace("%", "%%"))


def _wanted(variable: str) -> str:
    if value := os.environ.get(variable):
        return value
    raise LauncherError(f"{variable} is not set: `make secrets` writes it into .env, and docker-compose passes it on.")


def main() -> int:
    """Exit code 0 where all databases are there, 1 with one sentence where not."""
    try:
        host = os.environ.get("POSTGRES_HOST") or "postgres"
        port = int(os.environ.get("POSTGRES_PORT") or "5432")
        server = URL.create("postgresql+psycopg2", "postgres", _wanted("POSTGRES_PASSWORD"), host, port, "postgres")
        made = prepare(server, {name: _wanted(variable) for name, variable in PASSWORDS.items()})
    except LakeError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"databases {', '.join(PASSWORDS)}: {'made ' + ', '.join(made) if made else 'already there'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
