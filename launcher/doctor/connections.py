"""Parts that are reached by an Airflow connection: looked at in a process that has Airflow loaded, as a task does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from launcher.errors import LauncherError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Airflow's own switch: connections come from the environment, then from its database. A task asks its supervisor, who looks there too.
AS_SERVER = {"_AIRFLOW_PROCESS_CONTEXT": "server"}


def as_airflow(part: str, environment: Mapping[str, str], seconds: float) -> str:
    """What medallion.reachability says of a part; after so many seconds it is ended. Raises LauncherError with what is wrong."""
    looking = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "medallion.reachability", part],
        env={**environment, **AS_SERVER},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # what else it writes may hold a secret
        text=True,
        start_new_session=True,
    )
    try:
        said = looking.communicate(timeout=seconds)[0].strip().rpartition("\n")[2]
    except subprocess.TimeoutExpired:
        os.killpg(looking.pid, signal.SIGKILL)
        looking.wait()
        raise LauncherError(f"no answer within {seconds:.0f} s: see whether its host is reached from here, and whether it is busy.") from None
    if looking.returncode or not said:
        raise LauncherError(said or f"cannot be looked at: `python -m launcher exec python -m medallion.reachability {part}` says why.")
    return said
