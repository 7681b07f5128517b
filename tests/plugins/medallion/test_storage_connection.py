"""The key of the lake's storage: from an Airflow connection into the environment of the job, and out of it again."""

from __future__ import annotations

import json
import os
import secrets
from typing import Any

import pytest

from expectations.errors import RequestError
from medallion.process_environment import exported
from medallion.storage_connection import s3_environment, storage_access

SECRET = secrets.token_hex()


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LAKE_STORAGE_CONNECTION", "lake_s3")


def connection(monkeypatch: pytest.MonkeyPatch, **facts: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_S3", json.dumps({"conn_type": "aws", **facts}))


def test_the_connection_is_in_the_environment_while_the_job_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"region_name": "eu-central-1", "endpoint_url": "http://127.0.0.1:9000", "aws_session_token": "token"}
    connection(monkeypatch, login="key", password=SECRET, extra=extra)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of the machine")
    with storage_access():
        found = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    assert found == {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": "token",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9000",
    }
    assert {name: value for name, value in os.environ.items() if name.startswith("AWS_")} == {"AWS_ACCESS_KEY_ID": "of the machine"}


def test_a_token_of_the_machine_does_not_mix_with_a_key_of_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    connection(monkeypatch, login="key", password=SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of the machine")
    with storage_access():
        assert "AWS_SESSION_TOKEN" not in os.environ
    assert os.environ["AWS_SESSION_TOKEN"] == "of the machine"  # noqa: S105


def test_without_a_connection_the_machine_has_what_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAKE_STORAGE_CONNECTION")
    monkeypatch.setenv("AWS_PROFILE", "lake")
    with storage_access():
        assert os.environ["AWS_PROFILE"] == "lake"


def test_the_environment_is_restored_where_the_job_fails() -> None:
    with pytest.raises(ValueError, match="broken"), exported({"AWS_REGION": "x"}):
        raise ValueError("broken")
    assert "AWS_REGION" not in os.environ


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"conn_type": "http"}, "the Airflow connection 'lake_s3' has the type 'http'; expected aws: change its type."),
        ({"login": "key"}, "the Airflow connection 'lake_s3' lacks its password, the secret; add it."),
        ({"password": SECRET}, "the Airflow connection 'lake_s3' lacks its login, the access key; add it."),
        (
            {"login": "key", "password": SECRET, "extra": {"role_arn": "arn:x"}},
            "the Airflow connection 'lake_s3' has role_arn in its extra; known for the storage are aws_session_token, region_name, endpoint_url: "
            "where a role gives the rights, leave LAKE_STORAGE_CONNECTION empty and give it to the machines.",
        ),
    ],
)
def test_a_connection_that_cannot_be_meant_is_one_sentence(monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any], sentence: str) -> None:
    connection(monkeypatch, **facts)
    with pytest.raises(RequestError) as caught:
        s3_environment("lake_s3")
    assert str(caught.value) == sentence


def test_a_connection_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(RequestError, match="there is no Airflow connection 'nowhere'; add it with the type aws"):
        s3_environment("nowhere")
