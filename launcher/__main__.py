"""`python -m launcher COMMAND`: what the Makefile calls."""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import shutil
import sys
import time
from typing import TYPE_CHECKING

from expectations.errors import LakeError

if TYPE_CHECKING:
    from collections.abc import Callable


def _up(_: argparse.Namespace) -> int:
    from launcher.lifecycle import up

    up()
    return 0


def _down(_: argparse.Namespace) -> int:
    from launcher.lifecycle import down

    down()
    return 0


def _status(_: argparse.Namespace) -> int:
    from launcher.lifecycle import status

    return 0 if status() else 1


def _doctor(_: argparse.Namespace) -> int:
    from launcher.doctor import doctor

    return 0 if doctor() else 1


def _clean(_: argparse.Namespace) -> int:
    from launcher.lifecycle import clean

    clean()
    return 0


def _logs(chosen: argparse.Namespace) -> int:
    from launcher.errors import LauncherError
    from launcher.layout import load_state
    from launcher.programs import PROGRAMS, program

    folder = load_state().logs
    names = [program(name).name for name in chosen.rest] or [known.name for known in PROGRAMS]
    files = [str(folder / f"{name}.log") for name in names if (folder / f"{name}.log").exists()]
    if not files:
        raise LauncherError(f"There are no logs in {folder} yet: `make up` starts the programs.")
    os.execvp("tail", ["tail", "-n", "20", "-F", *files])  # noqa: S606, S607


def _jars(chosen: argparse.Namespace) -> int:
    from launcher.jars import LOCK, NOT_FETCHED_FOR_S3, S3_LOCK, install
    from launcher.layout import jars_folder

    if install():
        print(f"jars of {LOCK.name} fetched into {jars_folder()}")
    if chosen.rest == ["s3"] and install(S3_LOCK, not_fetched=NOT_FETCHED_FOR_S3):
        print(f"jars of {S3_LOCK.name} fetched into {jars_folder()}")
    return 0


def _run(chosen: argparse.Namespace) -> int:
    from launcher.programs import run

    run(" ".join(chosen.rest))
    return 0


def _watch(_: argparse.Namespace) -> int:
    from launcher.watch import watch

    watch()
    return 0


def _env(_: argparse.Namespace) -> int:
    from launcher.environment import airflow_environment, lake_environment

    for name, value in {**lake_environment(), **airflow_environment()}.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def _exec(chosen: argparse.Namespace) -> int:
    from launcher.environment import process_environment
    from launcher.errors import LauncherError

    environment = process_environment()
    found = shutil.which(chosen.rest[0], path=environment["PATH"]) if chosen.rest else None
    if found is None:
        raise LauncherError(f"No command {' '.join(chosen.rest[:1])!r} to run: write `python -m launcher exec COMMAND ARGUMENTS`.")
    os.execve(found, chosen.rest, environment)  # noqa: S606


def _job(chosen: argparse.Namespace) -> int:
    from launcher.environment import process_environment
    from launcher.layout import REPOSITORY

    environment = process_environment()
    words = list(chosen.rest)
    if "--run" not in words:
        words += ["--run", f"by-hand-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"]
    command = [sys.executable, str(REPOSITORY / "spark_jobs" / "run.py"), *words, "--remote", environment["LAKE_SPARK_URL"]]
    os.execve(sys.executable, command, environment)  # noqa: S606


def _bundle(_: argparse.Namespace) -> int:
    from launcher.bundle import write_bundle

    print(f"wrote {write_bundle()}")
    return 0


def _copy_ledger(_: argparse.Namespace) -> int:
    from expectations.ledger.copying import copy_ledger
    from expectations.settings import load_settings
    from launcher.layout import load_state

    # by variables, as an address may hold a password, and everybody sees a command line
    source = os.environ.get("LAKE_LEDGER_FROM") or f"sqlite:///{load_state().folder}/ledger.db"
    print(f"copied {copy_ledger(source, load_settings().ledger_url)} lines into the ledger that LAKE_LEDGER_URL names; it is in use from the next `make up` on")
    return 0


def _secrets(_: argparse.Namespace) -> int:
    from launcher.credentials import COMPOSE_SECRETS, ensure_compose_secrets

    print(f"secrets {'written to' if ensure_compose_secrets() else 'already in'} {COMPOSE_SECRETS}")
    return 0


def _land(chosen: argparse.Namespace) -> int:
    from expectations.days import parse_range
    from launcher.environment import lake_environment

    days = parse_range(" ".join(chosen.rest))
    landing = lake_environment()["LAKE_LANDING"]
    # By name: the sample data may be deleted with the sample lake.
    files = importlib.import_module("launcher.landing").land(landing, days.first, days.last)
    print(f"landed {len(files)} new files under {landing}")
    return 0


def _demo(_: argparse.Namespace) -> int:
    # By name: the sample lake's demo may be deleted with the sample lake.
    importlib.import_module("launcher.demo").demo()
    return 0


COMMANDS: dict[str, tuple[Callable[[argparse.Namespace], int], str]] = {
    "up": (_up, "start everything and wait until it is healthy"),
    "down": (_down, "end everything"),
    "status": (_status, "what runs, and whether it is healthy"),
    "doctor": (_doctor, "versions and reachability of every part, and what to do where one is wrong"),
    "logs": (_logs, "follow the logs of all programs, or of those named"),
    "demo": (_demo, "run the sample lake"),
    "land": (_land, "land the sample's files of some days of 2013: 2013-03-08, or 2013-03-01..2013-03-31"),
    "clean": (_clean, "forget the lake: its tables and its state"),
    "jars": (_jars, "fetch the jars of jars.lock; jars s3: those of jars-s3.lock too"),
    "bundle": (_bundle, "write the lake's code into one archive, for drivers on a cluster"),
    "copy-ledger": (_copy_ledger, "copy the ledger, or the one that LAKE_LEDGER_FROM names, into the empty one that LAKE_LEDGER_URL names"),
    "secrets": (_secrets, "write the secrets that docker-compose needs"),
    "env": (_env, "print the environment of the lake as shell lines"),
    "job": (_job, "run one Spark job on the local server: build silver.flights --days 2013-01-01"),
    "exec": (_exec, "run a command in the environment of the lake"),
    "run": (_run, "for the supervisor: become one program"),
    "watch": (_watch, "for the supervisor: restart a Spark server that hangs"),
}


def main(arguments: list[str]) -> int:
    """Exit code 0 where all is well, 1 with one sentence where not."""
    listed = "\n".join(f"  {name:11} {words}" for name, (_, words) in COMMANDS.items())
    parser = argparse.ArgumentParser(prog="python -m launcher", epilog=listed, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="what the command takes")
    chosen = parser.parse_args(arguments)
    try:
        return COMMANDS[chosen.command][0](chosen)
    except LakeError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
