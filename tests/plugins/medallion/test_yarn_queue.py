"""How long an application may wait for room in its queue. tests/clusters/test_yarn.py fills a real one."""

from __future__ import annotations

import json

import pytest
from airflow.sdk import Connection

from expectations.errors import RequestError
from medallion.yarn_queue import DEFAULT_LIMIT, limit_of, watched_queue


def yarn(**extra: object) -> Connection:
    return Connection(conn_id="spark_lake", conn_type="spark", host="yarn", extra=json.dumps(extra))


def test_half_an_hour_is_waited_unless_the_connection_says_otherwise() -> None:
    assert limit_of(yarn()) == DEFAULT_LIMIT == 1800
    assert limit_of(yarn(**{"lake-queue-seconds": 60})) == limit_of(yarn(**{"lake-queue-seconds": "60"})) == 60


@pytest.mark.parametrize("limit", ["an hour", "0", "-1", "1.5"])
def test_a_limit_that_is_none_is_one_sentence_before_anything_is_submitted(limit: str) -> None:
    connection = yarn(**{"lake-queue-seconds": limit, "yarn_resourcemanager_webapp_address": "http://127.0.0.1:9"})
    with pytest.raises(RequestError) as caught, watched_queue(connection, "lake.tag", lambda: None):
        raise AssertionError
    assert str(caught.value) == f"the Airflow connection 'spark_lake': lake-queue-seconds must be a whole number of seconds, found {limit!r}."


def test_an_error_of_the_submission_stays_what_it_is() -> None:
    for connection in (yarn(), yarn(yarn_resourcemanager_webapp_address="http://127.0.0.1:9")):
        with pytest.raises(ValueError, match="broken"), watched_queue(connection, "lake.tag", lambda: None):
            raise ValueError("broken")
