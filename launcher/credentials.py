"""Secrets of this installation: made once, readable by the owner only, never printed."""

from __future__ import annotations

import base64
import json
import os
import secrets
from typing import TYPE_CHECKING

from launcher.layout import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from launcher.layout import State

COMPOSE_SECRETS = REPOSITORY / ".env"
# Airflow's own choice for its containers, where the machine's user is root.
COMPOSE_UID = 50000


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner can read, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def ensure_airflow_secrets(state: State) -> None:
    """Airflow's keys (airflow.cfg) and the page's password. What is there already stays: a new fernet key would make old secrets unreadable."""
    configuration = state.airflow / "airflow.cfg"
    if not configuration.exists():
        lines = ("[core]", f"fernet_key = {fernet_key()}", "[api]", f"secret_key = {_key()}", "[api_auth]", f"jwt_secret = {_key()}", "")
        write_private(configuration, "\n".join(lines))
    if not state.passwords.exists():
        # Airflow would make one itself, and print it into its log.
        write_private(state.passwords, json.dumps({"admin": secrets.token_urlsafe(12)}) + "\n")


def ensure_compose_secrets() -> bool:
    """`.env` for docker-compose, which has no default password. What is there stays, what is missing is added; returns whether anything was."""
    text = COMPOSE_SECRETS.read_text() if COMPOSE_SECRETS.exists() else ""
    known = {name.strip() for name, _, value in (line.partition("=") for line in text.splitlines()) if value.strip()}
    added = "".join(f"{name}={make()}\n" for name, make in _compose_secrets().items() if name not in known)
    if added:
        write_private(COMPOSE_SECRETS, text + ("\n" if text and not text.endswith("\n") else "") + added)
    COMPOSE_SECRETS.chmod(0o600)
    return bool(added)


def _compose_secrets() -> dict[str, Callable[[], str]]:
    return {
        # the superuser's, then one for each database, so that MLflow cannot read Airflow's
        "POSTGRES_PASSWORD": _key,
        "AIRFLOW_DB_PASSWORD": _key,
        "LEDGER_DB_PASSWORD": _key,
        "METASTORE_DB_PASSWORD": _key,
        "MLFLOW_DB_PASSWORD": _key,
        "AIRFLOW_FERNET_KEY": fernet_key,
        "AIRFLOW_API_SECRET_KEY": _key,
        "AIRFLOW_JWT_SECRET": _key,
        "AIRFLOW_ADMIN_PASSWORD": lambda: secrets.token_urlsafe(12),
        "SPARK_AUTH_SECRET": _key,
        # of the S3 server of the profile s3
        "S3_ACCESS_KEY": lambda: secrets.token_hex(10),
        "S3_SECRET_KEY": _key,
        # No secret: who owns the files. Nothing in a container runs as root.
        "AIRFLOW_UID": lambda: str(os.getuid() or COMPOSE_UID),
    }


def fernet_key() -> str:
    """32 random bytes, base64: what the Fernet specification asks for."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _key() -> str:
    return secrets.token_urlsafe(32)
