"""`make doctor`: versions and reachability of every part that this environment is set up to use, one line each, within a minute."""

from __future__ import annotations

import os
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expectations.errors import LakeError
from launcher.doctor.connections import as_airflow
from launcher.doctor.installed import jars, java, packages, python
from launcher.doctor.servers import airflow, airflow_address, ledger, mlflow, mlflow_address
from launcher.environment import process_environment
from launcher.layout import REPOSITORY, load_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True)
class Probe:
    """One part of the lake. `look` says what was found, and raises LakeError with what to do; it is given up after so many seconds."""

    part: str
    look: Callable[[], str]
    seconds: float


def doctor() -> bool:
    """Prints a line for each part; returns whether all is well."""
    faults = 0
    for part, words, is_well in examine(probes(environment())):
        print(f"{'ok' if is_well else 'fault':6} {part:9} {words}", flush=True)
        faults += not is_well
    return faults == 0


def environment() -> dict[str, str]:
    """What the lake's processes have: the launcher's, or this process's own where AIRFLOW_HOME says that another Airflow is meant, as in a container."""
    if is_launchers(os.environ):
        return process_environment()
    search = [str(REPOSITORY), str(REPOSITORY / "plugins"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(filter(None, search)))}


def is_launchers(known: Mapping[str, str]) -> bool:
    """Whether Airflow, Spark and MLflow are those that `make up` starts."""
    return known.get("AIRFLOW_HOME") in {None, "", str(load_state().airflow)}


def probes(known: Mapping[str, str]) -> list[Probe]:
    """What is looked at in this environment. A server's own Java is its machine's business."""
    found = [
        Probe("Python", lambda: python(known), 10),
        Probe("packages", packages, 10),
        *([Probe("Java", java, 10)] if is_launchers(known) else []),
        Probe("jars", jars, 20),
        Probe("ledger", ledger, 20),
        Probe("root", lambda: as_airflow("root", known, 45), 50),
        Probe("landing", lambda: as_airflow("landing", known, 45), 50),
        Probe("tables", lambda: as_airflow("tables", known, 45), 50),
        Probe("Spark", lambda: as_airflow("spark", known, 45), 50),
        Probe("Airflow", lambda: airflow(airflow_address(known)), 10),
    ]
    address = mlflow_address(known, is_local=is_launchers(known))
    return [*found, Probe("MLflow", lambda: mlflow(address), 10)] if address else found


def examine(asked: list[Probe]) -> Iterator[tuple[str, str, bool]]:
    """Part, what is to be said of it, and whether it is well, in their order. All are asked at once; one that does not answer in its time is told as such."""
    answers: list[queue.SimpleQueue[tuple[str, bool]]] = [queue.SimpleQueue() for _ in asked]
    started = time.monotonic()
    for probe, answer in zip(asked, answers, strict=True):
        # A daemon: one that hangs must not keep the process.
        threading.Thread(target=_answer, args=(probe, answer), daemon=True).start()
    for probe, answer in zip(asked, answers, strict=True):
        try:
            yield probe.part, *answer.get(timeout=max(0.0, started + probe.seconds - time.monotonic()))
        except queue.Empty:
            yield probe.part, f"no answer within {probe.seconds:.0f} s: see whether its host is reached from here, and whether it is busy.", False


def _answer(probe: Probe, answer: queue.SimpleQueue[tuple[str, bool]]) -> None:
    try:
        answer.put((probe.look(), True))
    except LakeError as error:
        answer.put((" ".join(str(error).split()), False))
    except Exception as error:  # what it says may hold a secret
        answer.put((f"cannot be looked at ({type(error).__name__}): a fault of this machine, or of the doctor's own.", False))
