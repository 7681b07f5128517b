"""The supervisor that owns the programs: its configuration, its start and its end."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from launcher.credentials import write_private
from launcher.environment import MARK, process_environment
from launcher.errors import LauncherError
from launcher.layout import REPOSITORY
from launcher.programs import PROGRAMS

if TYPE_CHECKING:
    from launcher.layout import State
    from launcher.programs import Program

SHUTDOWN_SECONDS = 40
GROUP = "lake"
# A little under the default limit of a terminal's scroll-back; five of them are kept.
LOG_BYTES = "10MB"


def configuration(state: State) -> str:
    """The text of supervisord.conf. Everything a program needs it inherits from the supervisor's own environment."""
    sections: dict[str, dict[str, object]] = {
        "unix_http_server": {"file": state.socket, "chmod": "0700"},
        "supervisord": {
            "logfile": state.logs / "supervisor.log",
            "logfile_maxbytes": LOG_BYTES,
            "pidfile": state.run / "supervisord.pid",
            "childlogdir": state.logs,
            "directory": REPOSITORY,
            "umask": "077",
        },
        "rpcinterface:supervisor": {"supervisor.rpcinterface_factory": "supervisor.rpcinterface:make_main_rpcinterface"},
        "supervisorctl": {"serverurl": f"unix://{state.socket}"},
        **{f"program:{program.name}": _program_section(state, program) for program in PROGRAMS},
        # One group, because the supervisor ends its groups one after the other.
        f"group:{GROUP}": {"programs": ",".join(program.name for program in PROGRAMS)},
    }
    return "\n".join(_section(title, options) for title, options in sections.items())


def _program_section(state: State, program: Program) -> dict[str, object]:
    return {
        "command": f'"{sys.executable}" -m launcher run {program.name}',
        "autostart": "false" if program.needs_database else "true",
        "autorestart": "true",
        "startsecs": 3,
        "startretries": 20,
        "stopasgroup": "true",
        "killasgroup": "true",
        "stopwaitsecs": program.stop_seconds,
        "redirect_stderr": "true",
        "stdout_logfile": state.logs / f"{program.name}.log",
        "stdout_logfile_maxbytes": LOG_BYTES,
        "stdout_logfile_backups": 4,
    }


def _section(title: str, options: dict[str, object]) -> str:
    # supervisor expands %(name)s in every value.
    lines = [f"{key} = {str(value).replace('%', '%%')}" for key, value in options.items()]
    return "\n".join([f"[{title}]", *lines, ""])


class Supervisor:
    """The supervisor of one lake, spoken to over its unix socket."""

    def __init__(self, state: State) -> None:
        self._state = state

    @property
    def _calls(self) -> Any:
        # A connection of its own for every call: one that failed once cannot be used again. The address is not used, the transport
        # goes through the socket.
        transport = SupervisorTransport(None, None, f"unix://{self._state.socket}")
        return ServerProxy("http://127.0.0.1", transport=transport).supervisor

    def is_running(self) -> bool:
        """Whether a supervisor answers."""
        try:
            return bool(self._calls.getState()["statename"] == "RUNNING")
        except (OSError, Fault):
            return False

    def start(self) -> None:
        """Writes the configuration and starts the supervisor in the background, with Spark and MLflow."""
        file = self._state.run / "supervisord.conf"
        write_private(file, configuration(self._state))
        environment = {**process_environment(), MARK: str(self._state.folder)}
        command = [sys.executable, "-m", "supervisor.supervisord", "-c", str(file)]
        done = subprocess.run(command, env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise LauncherError(f"The supervisor did not start ({(done.stderr or done.stdout).strip()}): see {self._state.logs}/supervisor.log.")

    def states(self) -> dict[str, str]:
        """Program name to supervisor's word for its state (RUNNING, STARTING, BACKOFF, FATAL, STOPPED)."""
        return {info["name"]: info["statename"] for info in self._calls.getAllProcessInfo()}

    def describe(self) -> list[tuple[str, str, str]]:
        """Name, state and `pid 123, uptime 0:01:02` of each program."""
        return [(info["name"], info["statename"], info["description"]) for info in self._calls.getAllProcessInfo()]

    def pid(self, name: str) -> int:
        """The pid of a running program, 0 where it does not run."""
        return int(self._calls.getProcessInfo(f"{GROUP}:{name}")["pid"])

    def start_missing(self) -> None:
        """Starts every program that was not started or was given up."""
        for name, found in self.states().items():
            if found in {"STOPPED", "EXITED", "FATAL"}:
                self._calls.startProcess(f"{GROUP}:{name}", False)

    def restart(self, name: str) -> None:
        """Ends a program, by force where it does not listen, and starts it again."""
        # A fault: it ended meanwhile.
        with suppress(Fault):
            self._calls.stopProcess(f"{GROUP}:{name}")
        self._calls.startProcess(f"{GROUP}:{name}", False)

    def stop(self) -> None:
        """Ends all programs and the supervisor, and waits for it."""
        pid = int(self._calls.getPID())
        self._calls.shutdown()
        until = time.monotonic() + SHUTDOWN_SECONDS
        while time.monotonic() < until and _lives(pid):
            time.sleep(0.1)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
