import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from expectations.ledger import Ledger
from launcher.databases import main, prepare
from launcher.errors import LauncherError
from tests.postgres_server import running_postgres

pytestmark = pytest.mark.end_to_end


@pytest.fixture(scope="module")
def server():
    """The superuser's URL of a new Postgres server on a free port."""
    with running_postgres("the superuser's") as made:
        yield made


def ask(server, login, password, database):
    engine = create_engine(server.set(username=login, password=password, database=database))
    try:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS mine (a int)"))
            return connection.execute(text("SELECT current_user")).scalar()
    finally:
        engine.dispose()


def test_each_program_gets_a_database_that_no_other_can_open(server):
    passwords = {"one": "o'ne %s \"\\", "two": "two"}
    assert prepare(server, passwords) == ["one", "two"]
    assert ask(server, "one", passwords["one"], "one") == "one"
    with pytest.raises(OperationalError, match="permission denied"):
        ask(server, "two", "two", "one")


def test_a_second_time_makes_nothing_and_takes_a_new_password(server):
    prepare(server, {"three": "old"})
    assert prepare(server, {"three": "new"}) == []
    assert ask(server, "three", "new", "three") == "three"
    with pytest.raises(OperationalError, match="password authentication failed"):
        ask(server, "three", "old", "three")


def test_the_ledger_is_at_home_in_its_database(server):
    word = "the ledger's"
    prepare(server, {"ledger": word})
    ledger = Ledger(server.set(username="ledger", password=word, database="ledger").render_as_string(hide_password=False))
    with ledger.lease("silver.flights", "a test"):
        assert ledger.days("silver.flights") == {}


def test_a_wrong_password_is_one_sentence_without_the_password(server):
    with pytest.raises(LauncherError, match="password authentication failed") as refused:
        prepare(server.set(**{"password": "guessed"}), {"four": "f"})
    assert "guessed" not in str(refused.value)


def test_a_missing_password_says_where_it_comes_from(monkeypatch, capsys):
    monkeypatch.delenv("POSTGRES_PASSWORD", raising=False)
    assert main() == 1
    assert capsys.readouterr().err == "POSTGRES_PASSWORD is not set: `make secrets` writes it into .env, and docker-compose passes it on.\n"
