"""Answers as FAKE_ANSWERS says (`{"silver.visits": "held"}`), else `done`, and writes the ledger as the engine does."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from expectations.jobs import JobRequest, JobResult
from expectations.ledger import Attempt, DayEntry, Ledger
from expectations.settings import load_settings


def run(request: JobRequest, spark_remote: str | None) -> JobResult:
    """The result that the test asked for."""
    status = json.loads(os.environ.get("FAKE_ANSWERS", "{}")).get(request.name, "done")
    if status == "lost":
        raise ConnectionError("the server went away")
    days = request.day_range.keys if request.day_range else []
    ledger = Ledger(load_settings().ledger_url)
    message = f"{request.verb} {request.name} {status} for {request.days or 'no days'} at {spark_remote}"
    facts = {"rows_out": len(days)}
    state = "held" if status == "held" else "published"
    if request.verb == "build" and status in {"done", "held"}:
        ledger.record([DayEntry(request.name, day, state, 1, request.run_id, "c", "l", {}, rows_out=10) for day in days], [])
    ledger.note(Attempt(request.run_id, request.name, status, message, days, facts))
    result = JobResult.model_validate({"request": request, "status": status, "message": message, "facts": facts})
    record = Path(load_settings().runs_path) / request.record_name
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(result.model_dump_json())
    return result


if __name__ == "__main__":
    verb, name, *options = sys.argv[1:]
    found = dict(zip(options[::2], options[1::2], strict=True))
    asked = JobRequest.model_validate({"verb": verb, "name": name, "run_id": found["--run"], "days": found.get("--days")})
    answer = run(asked, os.environ.get("LAKE_SPARK_REMOTE"))
    sys.stdout.write(f"the child says {answer.message}\n")
    sys.exit(0 if answer.status in {"done", "unchanged"} else 1)
