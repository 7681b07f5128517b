"""Writes the report of a run: Great Expectations' results as JSON, and pages of them."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from expectations.jobs import JobResult
from expectations.storage import Place
from spark_jobs.lake import heads
from spark_jobs.lake.reports.pages import page
from spark_jobs.lake.reports.run_facts import tables_of_run
from spark_jobs.lake.reports.sayings import gone, sayings
from spark_jobs.lake.reports.validation_results import suite_result

if TYPE_CHECKING:
    from expectations.jobs import JobRequest
    from expectations.lake import Lake
    from expectations.ledger import Ledger
    from expectations.settings import Settings
    from spark_jobs.lake.reports.run_facts import TableFacts
    from spark_jobs.lake.reports.sayings import Saying

HISTORY = 20
"""Verdicts of a rule that a page shows."""


def report(settings: Settings, lake: Lake, ledger: Ledger, request: JobRequest) -> JobResult:
    """Write the report of the request's own run, from the ledger alone; written again it replaces itself."""
    tables = tables_of_run(lake, ledger, request.run_id, request.name)
    if not tables:
        return JobResult(request=request, status="unchanged", message=f"the ledger knows of no table of the run {request.run_id}; no report")
    folder = f"{settings.reports_path}/{request.run_key}"
    about = {"run_id": request.run_id, "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")}
    for table in tables:
        _write_table(folder, lake, ledger, table, about)
    faults = heads.faults(settings, ledger, [table.name for table in tables])
    # Last, so that whoever finds the run's page finds all that it leads to.
    Place.of(f"{folder}/index.html").write_text(page("run.html", tables=tables, faults=faults, **about))
    facts = {
        "report": f"{folder}/index.html",
        "written": about["written"],
        "tables": {table.name: table.status for table in tables},
        "judged": sum(table.judged for table in tables),
        "broken": sum(table.broken for table in tables),
        "log_faults": faults,
        "not_taken": [name for table in tables for name in table.not_taken],
    }
    return JobResult(request=request, status="done", message=_message(tables, facts), facts=facts)


def _write_table(folder: str, lake: Lake, ledger: Ledger, table: TableFacts, about: dict[str, str]) -> None:
    said = sayings(lake.table(table.name).contract)
    results = {day.day: suite_result(table.name, about["run_id"], day, said) for day in table.days}
    Place.of(f"{folder}/{table.name}.json").write_text(json.dumps(results, indent=1))
    text = page("table.html", table=table, results=results, rules=_rules(ledger, table, said), **about)
    Place.of(f"{folder}/{table.name}.html").write_text(text)


def _rules(ledger: Ledger, table: TableFacts, said: dict[str, Saying]) -> list[dict[str, Any]]:
    """Each judged rule: its name, what it says, what happens where it is broken, and its last verdicts, the oldest first."""
    verdicts = {verdict.rule: verdict for day in table.days for verdict in day.verdicts}
    broken = Counter(verdict.rule for day in table.days for verdict in day.verdicts if not verdict.success)
    days = Counter(verdict.rule for day in table.days for verdict in day.verdicts)
    return [
        {
            "label": label,
            "words": (said.get(label) or gone(label)).words,
            "on_fail": verdict.on_fail,
            "judged": days[label],
            "broken": broken[label],
            "history": ledger.history(table.name, label, HISTORY)[::-1],
        }
        for label, verdict in verdicts.items()
    ]


def _message(tables: list[TableFacts], facts: dict[str, Any]) -> str:
    statuses = ", ".join(f"{count} {status}" for status, count in Counter(table.status for table in tables).items())
    count = len(facts["not_taken"])
    left = f"; {count:,} landed {'file was' if count == 1 else 'files were'} not taken" if count else ""
    faults = f"; {' '.join(facts['log_faults'])}" if facts["log_faults"] else ""
    return f"report of {len(tables)} tables: {statuses}; {facts['broken']:,} of {facts['judged']:,} verdicts say broken{left}{faults}: {facts['report']}"
