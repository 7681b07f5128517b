"""Refuses to start while a port is taken, before anything is started."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from launcher.errors import LauncherError
from launcher.layout import LOOPBACK
from launcher.processes import holder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from launcher.layout import Port


def require_free(ports: Iterable[Port]) -> None:
    """Raises LauncherError with one sentence for each port that is taken."""
    taken = [port for port in ports if not is_free(port)]
    if taken:
        raise LauncherError("\n".join(_sentence(port) for port in taken))


def is_free(port: Port) -> bool:
    """Whether a server of ours could listen there."""
    with socket.socket() as attempt:
        # As servers do: a connection that has just been closed does not hold the port.
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((LOOPBACK, port.number))
            attempt.listen()
        except OSError:
            return False
    return True


def _sentence(port: Port) -> str:
    return f"Port {port.number}, which {port.title} needs, is taken by {holder(port)}: end that process, or choose another port with {port.variable}=<number>."
