"""Processes that this lake started: found by the mark in their environment, so also those whose parent was killed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psutil

from launcher.environment import MARK, PROGRAM

if TYPE_CHECKING:
    from launcher.layout import Port, State

GRACE_SECONDS = 5


def ours(state: State, program: str | None = None) -> list[psutil.Process]:
    """The living processes of this lake, or only those of one program. Never this process or one that it runs under."""
    me = psutil.Process()
    spared = {me.pid, *(parent.pid for parent in me.parents())}
    return [process for process in psutil.process_iter() if process.pid not in spared and _is_ours(process, state, program)]


def _is_ours(process: psutil.Process, state: State, program: str | None) -> bool:
    try:
        environment = process.environ()
        if process.status() == psutil.STATUS_ZOMBIE or environment.get(MARK) != str(state.folder):
            return False
    except psutil.Error:
        return False
    return program is None or environment.get(PROGRAM) == program


def end(processes: list[psutil.Process]) -> int:
    """Asks every process to end, kills what did not after a grace time, and returns how many there were.

    psutil compares the start time before it sends a signal: a pid that was given to a stranger meanwhile is left alone.
    """
    for process in processes:
        _send(process, kill=False)
    _, stubborn = psutil.wait_procs(processes, timeout=GRACE_SECONDS)
    for process in stubborn:
        _send(process, kill=True)
    psutil.wait_procs(stubborn, timeout=GRACE_SECONDS)
    return len(processes)


def end_all(state: State) -> int:
    """Ends every process of this lake, again until none is left: a dying parent may have forked meanwhile."""
    count = 0
    while left := ours(state):
        count += end(left)
    return count


def _send(process: psutil.Process, *, kill: bool) -> None:
    try:
        if kill:
            process.kill()
        else:
            process.terminate()
    except psutil.Error:
        # It ended by itself, which is what was wanted.
        return


def holder(port: Port) -> str:
    """Who listens on a port: `process 4711 (python -m http.server 8080)`, or what can be said without the right to look."""
    for process in psutil.process_iter():
        try:
            listening = [connection.laddr.port for connection in process.net_connections("tcp") if connection.status == psutil.CONN_LISTEN]
            if port.number in listening:
                return f"process {process.pid} ({' '.join(process.cmdline())[:200] or process.name()})"
        except psutil.Error:
            continue
    return "a process of another user (`sudo ss -ltnp` names it)" if os.geteuid() else "a process that cannot be seen from here"
