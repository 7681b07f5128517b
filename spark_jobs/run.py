"""The one entry of every Spark job: `run.py VERB NAME --days A..B --run ID`.

Knows nothing of Airflow. Leaves one result record under `<root>/_runs/`, and ends with 0 (done, unchanged), 1 (a retry cannot help)
or 2 (a retry may help).
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from pydantic import ValidationError

if __package__ in {None, ""}:  # started as a file, by spark-submit or by hand
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from expectations.errors import LakeError, RequestError, TerminalError
from expectations.jobs import MODEL_VERBS, REPORTS, WITHOUT_SPARK, JobRequest, JobResult, Verb
from expectations.ledger import Attempt, Ledger
from expectations.loader import load_lake
from expectations.model_versions import comparisons_of, version_of
from expectations.review import Review
from expectations.settings import PRIVATE_FILE, load_settings
from expectations.storage import Place, require_storage
from expectations.surroundings import in_short, sentence
from spark_jobs.lake import verbs
from spark_jobs.lake.job import Job
from spark_jobs.lake.naming import register
from spark_jobs.lake.session import open_session

if TYPE_CHECKING:
    from expectations.lake import Lake
    from expectations.settings import Settings

EXIT_CODES = {"done": 0, "unchanged": 0, "held": 1, "asks": 1, "failed_terminal": 1, "failed_transient": 2}


def run(request: JobRequest, spark_remote: str | None) -> JobResult:
    """Do the job and say how it ended. Never raises for a fault of the data, the contracts or the surroundings."""
    started = time.monotonic()
    try:
        settings = load_settings()
    except LakeError as error:
        return _failure(request, error)  # there is no place for a record
    ledger: Ledger | None = None
    if spark_remote is None:
        for inherited in ("SPARK_REMOTE", "SPARK_CONNECT_MODE_ENABLED"):  # under spark-submit they would lead PySpark elsewhere
            os.environ.pop(inherited, None)
    try:
        lake = load_lake(settings.project)
        _check(request, lake)
        require_storage(settings.root, settings.landing)
        ledger = Ledger(settings.ledger_url)
        _check_version(request, lake, ledger)
        if request.verb in WITHOUT_SPARK:
            result = verbs.do_without_spark(settings, lake, ledger, request)
        else:
            with open_session(spark_remote, request.run_key) as spark:
                job = Job(spark, settings, lake, ledger, request)
                result = register(job, verbs.do(job))
    except Exception as error:
        result = _failure(request, error)
    result = result.model_copy(update={"seconds": round(time.monotonic() - started, 3)})
    if ledger is not None and not _only_looks(request):
        note(ledger, result)
    with suppress(OSError):  # where even that finds no room, the answer is still handed back
        _write_record(settings, result)
    return result


def _check(request: JobRequest, lake: Lake) -> None:
    """What can be said without Spark is said without Spark. Raises RequestError for an unknown name and for days that are none."""
    if request.verb in MODEL_VERBS:
        lake.model(request.name)
    elif request.verb == "reconcile":
        lake.tables_called(request.name)
    elif request.verb != "report" or request.name not in lake.pipelines:
        lake.table(request.name)
    _ = request.day_range
    if request.review:
        request.review.require_complete(request.days)


def _check_version(request: JobRequest, lake: Lake, ledger: Ledger) -> None:
    """Raises RequestError for a model's version that is none, and where there is no table for what it says."""
    if request.verb in {"score", "rebuild", "examine"} and request.version is not None:
        model = lake.model(request.name)
        version_of(ledger, model, request.version)
        if request.verb == "score":
            comparisons_of(model)


def _only_looks(request: JobRequest) -> bool:
    """A look changes nothing, so it is no part of the history."""
    return request.verb in {"examine", "reconcile"} or (request.verb == "quarantine" and (request.review is None or request.review.action == "look"))


def note(ledger: Ledger, result: JobResult) -> None:
    """Add the job to the ledger's history; the gates and the page read it."""
    days = [*result.facts.get("days", []), *result.facts.get("held", {}), *result.facts.get("asks", {})]
    name = REPORTS if result.request.verb == "report" else result.request.name
    ledger.note(Attempt(result.request.run_id, name, result.status, result.message, days, result.facts, result.seconds))


def _failure(request: JobRequest, error: Exception) -> JobResult:
    message, is_terminal = str(error), isinstance(error, TerminalError) or verbs.is_terminal(error)
    if not isinstance(error, LakeError):
        known = sentence(message)
        if known and (known[1] or not verbs.is_of_the_data(error)):
            message, is_terminal = known
        else:
            traceback.print_exc()
            message = f"{type(error).__name__}: {in_short(message)}"
        message = f"{request.verb} {request.name}: {message}"
    return JobResult(request=request, status="failed_terminal" if is_terminal else "failed_transient", message=message)


def _write_record(settings: Settings, result: JobResult) -> None:
    Place.of(f"{settings.runs_path}/{result.request.record_name}").write_text(result.model_dump_json(indent=1))


def parse(arguments: list[str]) -> tuple[JobRequest, str | None, bool]:
    """The request of a command line, the Spark Connect server, if one is named, and whether the answer is wanted as JSON. Raises RequestError."""
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("verb", choices=get_args(Verb))
    parser.add_argument("name", help="a table like silver.flights, a model for the verbs of models, a pipeline for report; reconcile: any, or `all`")
    parser.add_argument("--days", help="2013-01-01..2013-01-31, both included")
    parser.add_argument("--run", dest="run_id", required=True, help="the id of the run; the same id again is the same run")
    parser.add_argument("--version", type=int, help="restore and adopt: the Delta version; score: the model's to ask, for comparison; else the model's")
    parser.add_argument("--force", action="store_true", help="also where nothing changed")
    parser.add_argument("--action", help="quarantine: look (default), edit, discard, reopen, replay")
    parser.add_argument("--rule", default="", help="quarantine: only rows that broke this rule")
    parser.add_argument("--rows", default="", help="quarantine: only rows with these ids, with commas between")
    parser.add_argument("--values", default="", help="""edit: the right texts, like '{"distance": "100"}'""")
    parser.add_argument("--reason", default="", help="edit, discard: why")
    parser.add_argument("--who", default="", help="edit, discard: who decides (default: the user of this process)")
    parser.add_argument("--json", action="store_true", help="print what came out as one JSON object")
    parser.add_argument("--remote", help="a Spark Connect server like sc://127.0.0.1:15002; without it the session of spark-submit")
    asked = vars(parser.parse_args(arguments))
    as_json = asked.pop("json")
    remote = asked.pop("remote") or os.environ.get("LAKE_SPARK_REMOTE")  # a variable, where a token should not stand in the list of processes
    texts = {name: asked.pop(name) for name in ("action", "rule", "rows", "values", "reason", "who")}
    if asked["verb"] == "quarantine":
        asked["review"] = Review.of(**{**texts, "action": texts["action"] or "look", "who": texts["who"] or _user()})
    elif any(texts.values()):
        raise RequestError(f"{asked['verb']}: --{next(name for name in texts if texts[name])} is for the verb quarantine; leave it out.")
    try:
        return JobRequest(**asked), remote, as_json
    except ValidationError as error:
        fault = error.errors()[0]
        field = {"run_id": "--run", "name": "name"}.get(str(fault["loc"][0]), f"--{fault['loc'][0]}")
        raise RequestError(f"{field} cannot be {str(fault['input'])[:60]!r}: {fault['msg']}.") from None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return ""


def main(arguments: list[str]) -> int:
    """The command line."""
    if private := os.environ.pop(PRIVATE_FILE, ""):
        for name, value in json.loads(Path(private).read_text()).items():
            os.environ.setdefault(name, value)  # what the connection itself tells a driver counts
    try:
        request, remote, as_json = parse(arguments)
    except RequestError as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_CODES["failed_terminal"]
    result = run(request, remote)
    if as_json:
        facts = {name: fact for name, fact in result.facts.items() if name != "shown"}
        sys.stdout.write(result.model_copy(update={"facts": facts}).model_dump_json() + "\n")
        return EXIT_CODES[result.status]
    for line in result.facts.get("shown", ()):
        sys.stdout.write(f"{line}\n")
    print(result.message, file=sys.stdout if EXIT_CODES[result.status] == 0 else sys.stderr)
    return EXIT_CODES[result.status]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
