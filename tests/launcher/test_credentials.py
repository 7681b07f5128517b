import json

import pytest

from launcher import credentials
from launcher.credentials import ensure_airflow_secrets, ensure_compose_secrets
from launcher.layout import load_state


def mode(file):
    return oct(file.stat().st_mode & 0o777)


def test_secrets_are_made_once_and_are_the_owners_alone():
    state = load_state()
    ensure_airflow_secrets(state)
    before = (state.airflow / "airflow.cfg").read_text(), state.passwords.read_text()
    assert mode(state.airflow / "airflow.cfg") == mode(state.passwords) == "0o600"
    ensure_airflow_secrets(state)
    assert ((state.airflow / "airflow.cfg").read_text(), state.passwords.read_text()) == before


def test_two_installations_share_no_secret(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    texts = []
    for folder in folders:
        state = type(load_state())(folder)
        ensure_airflow_secrets(state)
        texts.append(set((state.airflow / "airflow.cfg").read_text().splitlines()))
    assert texts[0] & texts[1] == {"[core]", "[api]", "[api_auth]"}


def test_the_page_has_one_user_with_a_password_that_nobody_guesses():
    ensure_airflow_secrets(load_state())
    passwords = json.loads(load_state().passwords.read_text())
    assert list(passwords) == ["admin"]
    assert len(passwords["admin"]) == 16


NAMES = [
    "POSTGRES_PASSWORD",
    "AIRFLOW_DB_PASSWORD",
    "LEDGER_DB_PASSWORD",
    "METASTORE_DB_PASSWORD",
    "MLFLOW_DB_PASSWORD",
    "AIRFLOW_FERNET_KEY",
    "AIRFLOW_API_SECRET_KEY",
    "AIRFLOW_JWT_SECRET",
    "AIRFLOW_ADMIN_PASSWORD",
    "SPARK_AUTH_SECRET",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
    "AIRFLOW_UID",
]


@pytest.fixture
def compose_secrets(tmp_path, monkeypatch):
    file = tmp_path / ".env"
    monkeypatch.setattr(credentials, "COMPOSE_SECRETS", file)
    return file


def values(file):
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


def test_the_compose_secrets_are_written_once(compose_secrets):
    assert ensure_compose_secrets() is True
    before = compose_secrets.read_text()
    assert mode(compose_secrets) == "0o600"
    assert ensure_compose_secrets() is False
    assert compose_secrets.read_text() == before
    assert list(values(compose_secrets)) == NAMES
    assert len(set(values(compose_secrets).values())) == len(NAMES)


def test_a_missing_compose_secret_is_added_and_the_others_stay(compose_secrets):
    compose_secrets.write_text("POSTGRES_PASSWORD=mine\nLAKE_AIRFLOW_PORT=8090\nAIRFLOW_DB_PASSWORD=")
    compose_secrets.chmod(0o644)
    assert ensure_compose_secrets() is True
    found = values(compose_secrets)
    assert (found["POSTGRES_PASSWORD"], found["LAKE_AIRFLOW_PORT"]) == ("mine", "8090")
    assert set(found) == {*NAMES, "LAKE_AIRFLOW_PORT"}
    assert all(found.values())
    assert mode(compose_secrets) == "0o600"


def test_nobody_is_root_in_a_container(compose_secrets, monkeypatch):
    monkeypatch.setattr(credentials.os, "getuid", lambda: 0)
    ensure_compose_secrets()
    assert values(compose_secrets)["AIRFLOW_UID"] == "50000"
