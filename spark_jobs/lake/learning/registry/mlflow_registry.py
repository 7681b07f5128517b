"""The MLflow registry: where it is, whether it answers, and the client that asks it."""

from __future__ import annotations

import os
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import urlopen

from expectations.errors import ModelError, TransientError

if TYPE_CHECKING:
    from mlflow import MlflowClient

KNOCK_SECONDS = 5.0


def tracking_address(ledger_url: str) -> str:
    """MLFLOW_TRACKING_URI, else a database beside the ledger. Raises ModelError where neither is there."""
    address = os.environ.get("MLFLOW_TRACKING_URI")
    if address:
        return address
    if not ledger_url.startswith("sqlite:///"):
        raise ModelError("MLFLOW_TRACKING_URI is not set, so there is no registry for models; set it to your MLflow server's address.")
    return f"sqlite:///{Path(ledger_url.removeprefix('sqlite:///')).with_name('mlflow.db')}"


def artifact_folder(address: str) -> str | None:
    """Where the files of runs go: an MLflow server decides for itself, a SQLite file has its files beside it."""
    if not address.startswith("sqlite:///"):
        return None
    return Path(address.removeprefix("sqlite:///")).with_name("mlflow-artifacts").absolute().as_uri()


def require_answer(model: str, address: str) -> None:
    """Raises TransientError where the server at `address` does not answer; a file needs no server."""
    if not address.startswith(("http://", "https://")):
        return
    try:
        urlopen(f"{address.rstrip('/')}/health", timeout=KNOCK_SECONDS).close()  # noqa: S310 - the scheme is checked
    except HTTPError:
        return  # it is somebody's own server, but it answers
    except (OSError, HTTPException) as error:
        raise TransientError(
            f"{model}: the MLflow server at {address} does not answer ({error}), so no model can be registered and the champion stays; "
            "start it, or set MLFLOW_TRACKING_URI."
        ) from None


def open_client(address: str) -> MlflowClient:
    """The client, in a process where MLflow may not unpickle. It reads its switches when it is first imported."""
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "30")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    from mlflow import MlflowClient

    return MlflowClient(address)
