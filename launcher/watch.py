"""Restarts a Spark server that runs but does not answer, for the supervisor itself sees only death; and ends what the server keeps for nobody."""

from __future__ import annotations

import time
from dataclasses import dataclass

from launcher.health import spark_answers
from launcher.layout import load_state
from launcher.python_workers import end_idle_daemons
from launcher.supervision import Supervisor

PAUSE_SECONDS = 5
# Three pings of 5 s and their pauses: half a minute. A JVM that collects garbage for that long does no work either.
PATIENCE = 3


@dataclass(frozen=True)
class Watched:
    """What the watch has seen of the server. `answered`: the pid that last answered; `silent`: how often in a row it has not answered since."""

    answered: int = 0
    silent: int = 0

    def after(self, pid: int, *, answers: bool) -> Watched:
        """The same after one more look; `pid`: the server's, 0 where it does not run."""
        if answers:
            return Watched(answered=pid)
        # One that has never answered is still starting: that is left to it.
        is_silent = bool(pid) and pid == self.answered
        return Watched(self.answered, self.silent + is_silent)

    @property
    def is_hung(self) -> bool:
        """Whether the server is to be started again."""
        return self.silent >= PATIENCE


def watch() -> None:
    """Never returns."""
    supervisor, seen = Supervisor(load_state()), Watched()
    while True:
        time.sleep(PAUSE_SECONDS)
        pid, answers = supervisor.pid("spark"), spark_answers()
        if pid and answers:
            end_idle_daemons(pid)
        seen = seen.after(pid, answers=answers)
        if seen.is_hung:
            print(f"The Spark server (pid {pid}) did not answer {PATIENCE} times: starting it again.", flush=True)
            supervisor.restart("spark")
            seen = Watched(seen.answered)
