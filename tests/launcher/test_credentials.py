import json

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


def test_the_compose_secrets_are_written_once(tmp_path, monkeypatch):
    monkeypatch.setattr(credentials, "COMPOSE_SECRETS", tmp_path / ".env")
    assert ensure_compose_secrets() is True
    before = (tmp_path / ".env").read_text()
    assert mode(tmp_path / ".env") == "0o600"
    assert ensure_compose_secrets() is False
    assert (tmp_path / ".env").read_text() == before
    assert [line.split("=")[0] for line in before.splitlines()] == [
        "POSTGRES_PASSWORD",
        "AIRFLOW_FERNET_KEY",
        "AIRFLOW_API_SECRET_KEY",
        "AIRFLOW_JWT_SECRET",
        "AIRFLOW_ADMIN_PASSWORD",
        "AIRFLOW_UID",
    ]
