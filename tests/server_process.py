"""A server of a test's own: a process that is waited for, and ended."""

from __future__ import annotations

import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


def is_open(port: int) -> bool:
    """Whether somebody listens on the port of the loopback interface."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(command: Sequence[str], log: Path, is_up: Callable[[], bool], seconds: float, *, env: dict[str, str], cwd: Path | None = None) -> Iterator[None]:
    """The process, once `is_up`, until the block ends; what it says is in `log`. Raises RuntimeError where it ends or takes longer than `seconds`."""
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=output, stderr=output)
    try:
        until = time.monotonic() + seconds
        while not is_up():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command[0]} did not start: {log.read_text()[-3000:]}")
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(30)
