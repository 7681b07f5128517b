"""Secrets of this installation: made once, readable by the owner only, never printed."""

from __future__ import annotations

import base64
import json
import os
import secrets
from typing import TYPE_CHECKING

from launcher.layout import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

    from launcher.layout import State

COMPOSE_SECRETS = REPOSITORY / ".env"


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
    """`.env` for docker-compose, which has no default password. Returns whether it was made now."""
    if COMPOSE_SECRETS.exists():
        return False
    values = {
        "POSTGRES_PASSWORD": _key(),
        "AIRFLOW_FERNET_KEY": fernet_key(),
        "AIRFLOW_API_SECRET_KEY": _key(),
        "AIRFLOW_JWT_SECRET": _key(),
        "AIRFLOW_ADMIN_PASSWORD": secrets.token_urlsafe(12),
        "AIRFLOW_UID": str(os.getuid()),
    }
    write_private(COMPOSE_SECRETS, "".join(f"{name}={value}\n" for name, value in values.items()))
    return True


def fernet_key() -> str:
    """32 random bytes, base64: what the Fernet specification asks for."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _key() -> str:
    return secrets.token_urlsafe(32)
