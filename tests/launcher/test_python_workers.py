"""What a warm Spark server keeps of sessions that are over: real daemons of Spark's, started as a server starts them."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psutil

from launcher.python_workers import end_idle_daemons

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def daemon() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A daemon of this process, and the port on which it takes orders for workers."""
    environment = {**os.environ, "PYTHON_WORKER_FACTORY_SECRET": "test"}
    process = subprocess.Popen([sys.executable, "-m", "pyspark.daemon", "pyspark.worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    try:
        assert process.stdout
        yield process, struct.unpack("!i", process.stdout.read(4))[0]
    finally:
        process.kill()
        process.wait()


def test_a_daemon_without_workers_is_ended_once_it_is_old() -> None:
    with daemon() as (process, _):
        assert end_idle_daemons(os.getpid(), idle_seconds=3600) == 0
        assert process.poll() is None
        assert end_idle_daemons(os.getpid(), idle_seconds=0) == 1
        process.wait(10)


def test_a_daemon_with_a_worker_is_left_alone() -> None:
    with daemon() as (process, port), socket.create_connection(("127.0.0.1", port)):
        until = time.monotonic() + 10
        while not psutil.Process(process.pid).children() and time.monotonic() < until:
            time.sleep(0.05)
        assert end_idle_daemons(os.getpid(), idle_seconds=0) == 0
        assert process.poll() is None


def test_a_server_that_is_gone_has_no_daemons() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert end_idle_daemons(gone.pid, idle_seconds=0) == 0
