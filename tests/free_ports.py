"""Ports of the loopback interface for servers that a test starts."""

from __future__ import annotations

import socket


def free_ports(count: int) -> list[int]:
    """So many ports on which nobody listens, all different."""
    lent = [socket.socket() for _ in range(count)]
    try:
        for one in lent:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in lent]
    finally:
        for one in lent:
            one.close()


def free_port() -> int:
    """A port on which nobody listens."""
    return free_ports(1)[0]
