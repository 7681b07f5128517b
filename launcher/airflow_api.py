"""Airflow's REST API, as far as the demo and the tests need it."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from launcher.errors import LauncherError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

POLL_SECONDS = 1.0
ANSWER_SECONDS = 60.0
BUSY = (HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
BUSY_TRIES = 10
ENDED = ("success", "failed")


class AirflowApi:
    """Airflow under `address`, as the user whose password the file holds."""

    def __init__(self, address: str, passwords: Path, user: str = "admin") -> None:
        self._address = address
        password = json.loads(passwords.read_text())[user]
        self._token = ""
        self._token = self._call("POST", "/auth/token", {"username": user, "password": password})["access_token"]

    def get(self, path: str, **query: Any) -> Any:
        """The answer to GET /api/v2<path>."""
        return self._call("GET", f"/api/v2{path}" + (f"?{urlencode(query, doseq=True)}" if query else ""))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The answer to POST /api/v2<path>."""
        return self._call("POST", f"/api/v2{path}", body)

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        """The answer to PATCH /api/v2<path>."""
        return self._call("PATCH", f"/api/v2{path}", body)

    def has_dag(self, dag_id: str) -> bool:
        """Whether the DAG's file was read already."""
        return bool(self.get("/dags", dag_id_pattern=dag_id, limit=100)["total_entries"])

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """The DAG's runs, the latest first."""
        found: list[dict[str, Any]] = self.get(f"/dags/{dag_id}/dagRuns", limit=100, order_by="-id")["dag_runs"]
        return found

    def run(self, dag_id: str, run_id: str) -> dict[str, Any] | None:
        """One run, or None where it does not exist."""
        return next((run for run in self.runs(dag_id) if run["dag_run_id"] == run_id), None)

    def trigger(self, dag_id: str, run_id: str, conf: dict[str, Any]) -> None:
        """Start a run as the form of the page does. Raises LauncherError where Airflow refuses the form."""
        self.post(f"/dags/{dag_id}/dagRuns", {"dag_run_id": run_id, "logical_date": None, "conf": conf})

    def run_again(self, dag_id: str, run_id: str) -> None:
        """Clear a run, so that all its tasks run again."""
        self.post(f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/clear", {"dry_run": False})

    def backfill(self, dag_id: str, first_day: str, last_day: str) -> None:
        """Start one run a day, one after the other; days that have a run already are left alone."""
        self.post(
            "/backfills",
            {
                "dag_id": dag_id,
                "from_date": f"{first_day}T00:00:00Z",
                "to_date": f"{last_day}T00:00:00Z",
                "reprocess_behavior": "none",
                "max_active_runs": 1,
            },
        )

    def task_states(self, dag_id: str, run_id: str) -> dict[str, str | None]:
        """Task id to its state in a run."""
        tasks = self.get(f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances", limit=200)["task_instances"]
        return {task["task_id"]: task["state"] for task in tasks}

    def follow(self, dag_id: str, run_id: str, patience_seconds: float) -> Iterator[tuple[str, str]]:
        """Each task with its state as it ends, then `("", state)` of the run. Raises LauncherError when patience runs out."""
        until = time.monotonic() + patience_seconds
        told: set[str] = set()
        while True:
            run = self.run(dag_id, run_id)
            for task, state in self.task_states(dag_id, run_id).items() if run else ():
                if state in {*ENDED, "skipped", "upstream_failed"} and task not in told:
                    told.add(task)
                    yield task, str(state)
            if run and run["state"] in ENDED:
                yield "", run["state"]
                return
            if time.monotonic() > until:
                raise LauncherError(f"{dag_id} {run_id} has not ended after {patience_seconds:.0f} seconds; look at {self._address}/dags/{dag_id}.")
            time.sleep(POLL_SECONDS)

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Asks again where Airflow's database was busy: SQLite lets one writer in, and Airflow answers 500 to the other, having done nothing."""
        for attempt in range(1, BUSY_TRIES + 1):
            try:
                return self._ask(method, path, body)
            except HTTPError as error:
                reason = error.read().decode(errors="replace")[:500]
                if attempt < BUSY_TRIES and error.code in BUSY and "atabase" in reason:
                    time.sleep(POLL_SECONDS)
                    continue
                if error.code == HTTPStatus.UNAUTHORIZED:
                    reason = "the password in the password file is not this Airflow's"
                raise LauncherError(f"Airflow refused {method} {path} ({error.code}): {reason}") from None
            except (URLError, TimeoutError) as error:  # the second where it is there and too slow
                reason = str(error.reason if isinstance(error, URLError) else error)
                raise LauncherError(f"Airflow at {self._address} does not answer ({reason}): `make up` starts it.") from None
        return None

    def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self._token}"} if self._token else {})
        data = json.dumps(body).encode() if body is not None else None
        request = Request(f"{self._address}{path}", data=data, headers=headers, method=method)  # noqa: S310 - our own http address
        with urlopen(request, timeout=ANSWER_SECONDS) as answer:  # noqa: S310
            return json.load(answer)
