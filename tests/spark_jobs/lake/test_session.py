"""The session of a job, where there is no server to open one on."""

from __future__ import annotations

import socket

import pytest

from expectations.errors import TransientError
from spark_jobs.lake.session import open_session


def test_a_server_that_is_not_there_is_told_at_once() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    sentence = rf"the Spark Connect server 127.0.0.1:{port} does not answer \(ConnectionRefusedError\); start it"
    with pytest.raises(TransientError, match=sentence), open_session(f"sc://127.0.0.1:{port}/;token=secret", "tag"):
        pass
