"""Ends what a warm Spark server keeps of sessions that are over.

Spark starts a Python daemon for each session that runs Python code, and ends it with the server only: a server that is up for months would
collect hundreds. The workers themselves Spark ends after a minute without work; so a daemon without workers has had none for a minute, and
where it is needed once more Spark starts another.
"""

from __future__ import annotations

import contextlib
import time

import psutil

DAEMON = "pyspark.daemon"
IDLE_SECONDS = 300.0


def end_idle_daemons(server: int, idle_seconds: float = IDLE_SECONDS) -> int:
    """End the Python daemons of the process `server` that are older than this and have no worker; returns how many."""
    ended = 0
    with contextlib.suppress(psutil.NoSuchProcess):  # the server, or a daemon, has ended by itself meanwhile
        for process in psutil.Process(server).children():
            is_old = time.time() - process.create_time() > idle_seconds
            if is_old and DAEMON in process.cmdline() and not process.children():
                process.terminate()
                ended += 1
    return ended
