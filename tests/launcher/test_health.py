import socket
import threading

import pytest

from launcher import health
from launcher.health import HTTP2_PING, HTTP2_PONG, airflow_ills, mlflow_answers, spark_answers


@pytest.fixture
def server(monkeypatch):
    """A server on a free port that answers each connection with what it is given; None = it never answers."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    for name in ("AIRFLOW", "SPARK", "MLFLOW"):
        monkeypatch.setenv(f"LAKE_{name}_PORT", str(listener.getsockname()[1]) if name == "SPARK" else str(20001 + len(name)))

    def serve(answer, name="SPARK"):
        monkeypatch.setenv("LAKE_SPARK_PORT", "20001")
        monkeypatch.setenv(f"LAKE_{name}_PORT", str(listener.getsockname()[1]))
        kept = []

        def accept():
            connection, _ = listener.accept()
            kept.append(connection)
            request = connection.recv(4096)
            if answer is not None:
                connection.sendall(answer if isinstance(answer, bytes) else answer(request))
                connection.close()

        threading.Thread(target=accept, daemon=True).start()

    yield serve
    listener.close()


def http(body, status="200 OK"):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def test_a_server_that_answers_the_ping_is_well(server):
    server(lambda request: b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + HTTP2_PONG if HTTP2_PING in request else b"")
    assert spark_answers()


def test_a_server_that_only_accepts_is_not(server):
    server(None)
    assert not spark_answers(timeout=0.2)


def test_a_server_of_another_kind_is_not(server):
    server(http("hello"))
    assert not spark_answers(timeout=0.2)


def test_nobody_listening_is_not(server):
    assert not mlflow_answers()
    assert airflow_ills() == {"api-server": "no answer"}


def test_mlflow_is_well_when_it_says_so(server):
    server(http("OK"), "MLFLOW")
    assert mlflow_answers()


def test_mlflow_is_not_well_when_it_answers_with_an_error(server):
    server(http("", "503 Service Unavailable"), "MLFLOW")
    assert not mlflow_answers()


def test_the_part_of_airflow_that_is_ill_is_named(server):
    parts = '{"metadatabase":{"status":"healthy"},"scheduler":{"status":"unhealthy"},"triggerer":{"status":"healthy"},"dag_processor":{"status":null}}'
    server(http(parts), "AIRFLOW")
    assert airflow_ills() == {"scheduler": "unhealthy", "dag_processor": "None"}


def test_a_stranger_on_airflows_port_is_told(server):
    server(http("<html>"), "AIRFLOW")
    assert health.airflow_ills() == {"api-server": "an answer that is not Airflow's"}
