"""A queue of YARN that has no room: there an application waits without end, and only the ResourceManager says why."""

from __future__ import annotations

import getpass
import logging
import os
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from expectations.errors import RequestError, TransientError
from medallion.yarn_application import PAGES, latest_application

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from airflow.sdk import Connection

log = logging.getLogger(__name__)

LIMIT = "lake-queue-seconds"
"""In the connection's extra: after so long without room the task gives up. A short wait is what queues are for."""
DEFAULT_LIMIT = 1800
ASK_SECONDS, TOLD_SECONDS = 5.0, 30.0
WAITING = ("NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED")


@contextmanager
def watched_queue(connection: Connection, tag: str, end_submission: Callable[[], None]) -> Iterator[None]:
    """While the block submits a job: the log says that its application waits for room, and after the limit it is ended.

    `tag`: the application's. `end_submission` is called where YARN does not let us end it. Nothing is known, and nothing done, where the connection
    does not say where the ResourceManager's pages are. Raises TransientError, naming the queue, where there was no room; RequestError for a limit that is none.
    """
    if not connection.extra_dejson.get(PAGES):
        yield
        return
    watch = _Watch(connection, tag, end_submission)
    watch.start()
    try:
        yield
    except Exception:
        if not watch.refused:
            raise
    finally:
        watch.over.set()
        watch.join()
    if watch.refused:
        raise TransientError(watch.refused)


def limit_of(connection: Connection) -> int:
    """How many seconds an application may wait. Raises RequestError for what is no such number."""
    text = str(connection.extra_dejson.get(LIMIT, DEFAULT_LIMIT))
    if not text.isdigit() or not int(text):
        raise RequestError(f"the Airflow connection {connection.conn_id!r}: {LIMIT} must be a whole number of seconds, found {text!r}.")
    return int(text)


class _Watch(threading.Thread):
    """Asks the ResourceManager until `over`; `refused` is the sentence with which it gave up."""

    def __init__(self, connection: Connection, tag: str, end_submission: Callable[[], None]) -> None:
        super().__init__(daemon=True)
        self.connection, self.tag, self.end_submission = connection, tag, end_submission
        self.limit, self.over, self.refused = limit_of(connection), threading.Event(), ""

    def run(self) -> None:
        since, is_told = 0.0, False
        while not self.refused and not self.over.wait(ASK_SECONDS):
            application = latest_application(self.connection, self.tag)
            if application.get("state") not in WAITING:
                since = 0.0
                continue
            since = since or time.monotonic()
            waited = time.monotonic() - since
            words = f"{application['id']} got no room in YARN's queue {application.get('queue')!r} for {waited:.0f} s ({_why(application)})"
            if waited >= self.limit:
                self.refused = f"{words}; free it, give it more, or let the Airflow connection {self.connection.conn_id!r} name another queue."
                if not _end(self.connection, str(application["id"])):
                    self.end_submission()
            elif waited >= min(TOLD_SECONDS, self.limit / 2) and not is_told:
                is_told = True
                log.warning("%s: it waits on, for %s s at most.", words, self.limit)


def _why(application: dict[str, Any]) -> str:
    """YARN's own words, without their time and their figures."""
    words = str(application.get("diagnostics") or application["state"]).rpartition("] ")[2].partition(" Details")[0]
    return " ".join(words.split()).rstrip(".")[:300]


def _end(connection: Connection, application: str) -> bool:
    """End a waiting application, by whose end its spark-submit ends too; whether YARN does so. It wants to know who asks."""
    import requests

    pages = str(connection.extra_dejson[PAGES]).rstrip("/")
    user = {"user.name": os.environ.get("HADOOP_USER_NAME") or getpass.getuser()}
    try:
        answer = requests.put(f"{pages}/ws/v1/cluster/apps/{application}/state", json={"state": "KILLED"}, params=user, timeout=ASK_SECONDS)
    except requests.RequestException:
        return False
    return answer.ok
