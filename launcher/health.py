"""Whether each server answers, asked over its own protocol."""

from __future__ import annotations

import json
import socket
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from launcher.layout import LOOPBACK, load_ports

TIMEOUT_SECONDS = 5.0
AIRFLOW_PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")
# RFC 9113: the connection preface, an empty SETTINGS frame, and a PING frame (type 6, 8 bytes) whose answer carries the flag ACK.
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
HTTP2_PING = b"\x00\x00\x08\x06\x00\x00\x00\x00\x00lakelake"
HTTP2_PONG = b"\x00\x00\x08\x06\x01\x00\x00\x00\x00lakelake"


def airflow_ills() -> dict[str, str]:
    """What is not healthy: part to status, `api-server` where nothing answers. Empty = all well."""
    answer = _get(load_ports()["airflow"].number, "/api/v2/monitor/health")
    if answer is None:
        return {"api-server": "no answer"}
    try:
        parts = json.loads(answer)
        found = {part: str(parts.get(part, {}).get("status")) for part in AIRFLOW_PARTS}
    except (ValueError, AttributeError):
        return {"api-server": "an answer that is not Airflow's"}
    return {part: status for part, status in found.items() if status != "healthy"}


def mlflow_answers() -> bool:
    """Whether the MLflow server says that it is well."""
    return _get(load_ports()["mlflow"].number, "/health") is not None


def spark_answers(timeout: float = TIMEOUT_SECONDS) -> bool:
    """Whether the Spark Connect server answers an HTTP/2 ping: an open port alone would also be open on a hung server."""
    try:
        with socket.create_connection((LOOPBACK, load_ports()["spark"].number), timeout) as connection:
            connection.settimeout(timeout)
            connection.sendall(HTTP2_PREFACE + HTTP2_PING)
            received = b""
            while HTTP2_PONG not in received:
                part = connection.recv(4096)
                if not part:
                    return False
                received += part
    except OSError:
        return False
    return True


def _get(port: int, path: str) -> bytes | None:
    connection = HTTPConnection(LOOPBACK, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.read() if answer.status == HTTPStatus.OK else None
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
