"""Whether each server answers, asked over its own protocol."""

from __future__ import annotations

import json
import socket
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

from launcher.layout import LOOPBACK, load_ports

TIMEOUT_SECONDS = 5.0
AIRFLOW_PARTS = ("metadatabase", "scheduler", "triggerer", "dag_processor")
# RFC 9113: the connection preface, an empty SETTINGS frame, and a PING frame (type 6, 8 bytes) whose answer carries the flag ACK.
HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
HTTP2_PING = b"\x00\x00\x08\x06\x00\x00\x00\x00\x00lakelake"
HTTP2_PONG = b"\x00\x00\x08\x06\x01\x00\x00\x00\x00lakelake"


def airflow_ills(address: str = "") -> dict[str, str]:
    """What is not healthy at an address (default: the launcher's): part to status, `api-server` where nothing answers. Empty = all well."""
    answer = answer_of(f"{address or _here('airflow')}/api/v2/monitor/health")
    if answer is None:
        return {"api-server": "no answer"}
    try:
        parts = json.loads(answer)
        found = {part: str(parts.get(part, {}).get("status")) for part in AIRFLOW_PARTS}
    except (ValueError, AttributeError):
        return {"api-server": "an answer that is not Airflow's"}
    return {part: status for part, status in found.items() if status != "healthy"}


def mlflow_answers(address: str = "") -> bool:
    """Whether the MLflow server at an address (default: the launcher's) says that it is well."""
    return answer_of(f"{address or _here('mlflow')}/health") is not None


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


def answer_of(url: str) -> bytes | None:
    """What is read at an address of this deployment; None where nothing answers, or something that does not want to."""
    try:
        # No proxy: it would be asked for names that only this network knows.
        with build_opener(ProxyHandler({})).open(url, timeout=TIMEOUT_SECONDS) as answer:
            return bytes(answer.read())
    except (OSError, HTTPException, ValueError):
        return None


def _here(server: str) -> str:
    return f"http://{LOOPBACK}:{load_ports()[server].number}"
