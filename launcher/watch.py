"""Restarts a Spark server that runs but does not answer, for the supervisor itself sees only death; and ends what the server keeps for nobody."""

from __future__ import annotations

import time

from launcher.health import spark_answers
from launcher.layout import load_state
from launcher.python_workers import end_idle_daemons
from launcher.supervision import Supervisor

PAUSE_SECONDS = 5
# Three pings of 5 s and their pauses: half a minute. A JVM that collects garbage for that long does no work either.
PATIENCE = 3


def watch() -> None:
    """Never returns."""
    supervisor = Supervisor(load_state())
    answered, silent = 0, 0
    while True:
        time.sleep(PAUSE_SECONDS)
        pid = supervisor.pid("spark")
        if spark_answers():
            answered, silent = pid, 0
            if pid:
                end_idle_daemons(pid)
        elif pid and pid == answered:
            # One that has never answered is still starting: that is left to it.
            silent += 1
        if silent >= PATIENCE:
            print(f"The Spark server (pid {pid}) did not answer {PATIENCE} times: starting it again.", flush=True)
            supervisor.restart("spark")
            silent = 0
