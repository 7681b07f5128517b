"""Serves quality reports as they lie under the lake's root. Loaded in Airflow's api-server only, when it is first asked.

Airflow mounts a plugin's app without any login, so each route asks for Airflow's own user here: the one that its API would see, by
the header or by the cookie of the browser that is logged in. Whoever may read a DAG's task logs may read its reports, which show no
more than they do: counts, and a few values of broken rows.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from jinja2 import Environment

from expectations.errors import LakeError
from expectations.jobs import REPORTS, JobRequest
from expectations.ledger import Ledger
from expectations.settings import load_settings
from medallion.report_links import base_path, report_address
from medallion.storage_connection import stored

if TYPE_CHECKING:
    from expectations.ledger import Attempt

FILE = re.compile(r"(index|(bronze|silver|gold)\.[a-z][a-z0-9_]{0,62})\.(html|json)")
DAG = re.compile(r"[A-Za-z0-9_.-]{1,250}")
RUN_LENGTH = 250
LISTED = 100
KINDS = {"html": "text/html; charset=utf-8", "json": "application/json"}
HEADERS = {
    # The pages need nothing but their own style; whatever data smuggled into one would load or run nothing.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
NO_REPORT = "There is no such report. The task quality_reports writes it at the end of a run, or spark_jobs/run.py at any time after: see docs/reports.md."
TEMPLATE = Path(__file__).with_name("report_index.html")

may_read = Depends(requires_access_dag("GET", DagAccessEntity.TASK_LOGS))


@cache
def report_app() -> FastAPI:
    """The app that Airflow mounts under /lake/reports."""
    app = FastAPI(title="Quality reports", openapi_url=None)
    app.add_api_route("/", latest_reports, methods=["GET"], response_class=Response)
    app.add_api_route("/{dag_id}/{run_id}/{file}", report_file, methods=["GET"], response_class=Response, dependencies=[may_read])
    app.add_exception_handler(HTTPException, _refusal)
    app.add_exception_handler(RequestValidationError, _not_found)
    app.add_exception_handler(404, _not_found)
    return app


def latest_reports(user: GetUserDep) -> Response:
    """The latest reports of the DAGs that the user may read, one a run, the newest first."""
    readable = get_auth_manager().get_authorized_dag_ids(user=user)
    try:
        written = Ledger(load_settings().ledger_url).latest_of_runs(REPORTS, "done", LISTED, lambda run: run.partition("/")[0] in readable)
    except LakeError as error:
        return _page("The ledger did not answer.", status=503, text=str(error))
    return _page("Quality reports", reports=[_entry(attempt) for attempt in written])


def report_file(dag_id: str, run_id: str, file: str) -> Response:
    """One file of the report of a run. Its folder is a hash of the run's name, so that nothing of the address becomes part of a path unchecked."""
    if not DAG.fullmatch(dag_id) or len(run_id) > RUN_LENGTH or not FILE.fullmatch(file):
        raise HTTPException(404)
    key = JobRequest(verb="report", name=dag_id[:100], run_id=f"{dag_id}/{run_id}").run_key
    try:
        content = stored(f"{load_settings().reports_path}/{key}/{file}").read_bytes()
    except FileNotFoundError:
        raise HTTPException(404) from None
    except (OSError, LakeError) as error:
        return _page("The lake's files did not answer.", status=503, text=str(error))
    return Response(content, media_type=KINDS[file.rpartition(".")[2]], headers=HEADERS)


def _entry(attempt: Attempt) -> dict[str, Any]:
    dag_id, _, run_id = attempt.run_id.partition("/")
    statuses = list(attempt.facts["tables"].values())
    return {
        "dag": dag_id,
        "run": run_id,
        "address": report_address(dag_id, run_id),
        "written": attempt.facts["written"],
        "judged": attempt.facts["judged"],
        "broken": attempt.facts["broken"],
        "statuses": {status: statuses.count(status) for status in dict.fromkeys(statuses)},
    }


def _refusal(request: Request, error: Exception) -> Response:
    """Who is not logged in and reads with a browser is sent to Airflow's login, and comes back from there."""
    status = getattr(error, "status_code", 500)
    if status == 401 and "text/html" in request.headers.get("accept", ""):  # noqa: PLR2004 - not logged in
        login = f"{base_path()}/api/v2/auth/login?{urlencode({'next': request.url.path})}"
        return Response(status_code=307, headers={**HEADERS, "Location": login})
    return _page("No report" if status == 404 else "No access", status=status, text=NO_REPORT if status == 404 else str(getattr(error, "detail", "")))  # noqa: PLR2004


def _not_found(request: Request, _: Exception) -> Response:
    return _refusal(request, HTTPException(404))


def _page(title: str, *, status: int = 200, text: str = "", reports: list[dict[str, Any]] | None = None) -> Response:
    page = Environment(autoescape=True).from_string(TEMPLATE.read_text()).render(title=title, text=text, reports=reports)
    return Response(page, status_code=status, media_type=KINDS["html"], headers=HEADERS)
