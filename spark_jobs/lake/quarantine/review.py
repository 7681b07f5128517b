"""What people do with quarantined rows: look at them, correct them, discard them or take them back, and have them judged again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from expectations.errors import RequestError, did_you_mean
from expectations.jobs import JobResult
from expectations.ledger import Discard
from expectations.review import Review
from spark_jobs.lake.quarantine import store
from spark_jobs.lake.quarantine.store import DISCARDED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyspark.sql import Column, DataFrame, Row

    from expectations.days import DayRange
    from expectations.lake import Table
    from spark_jobs.lake.job import Job

SHOWN_ROWS = 20
SHOWN_VALUES = 500
"""Characters of a row's values; the quarantine has them whole."""
MOST_DISCARDED = 10_000
NAMED = 5


def wish(job: Job) -> Review:
    """What the request asks for; a bare one is a look."""
    return job.request.review or Review()


def chosen(job: Job, table: Table, *, must_be_there: bool = True) -> DataFrame | None:
    """The rows that the request means, waiting or discarded; None where nothing was ever refused.

    Raises RequestError for a row id or a rule that no row has, where they `must_be_there`.
    """
    rows, wanted, days = store.counted(job, table), wish(job), job.request.day_range
    if wanted.rows and must_be_there:
        require_rows(table, wanted.rows, rows)
    if rows is None:
        return None
    if wanted.rule and must_be_there:
        _require_rule(table, wanted.rule, rows.filter(is_meant(wanted.rows)))
    return rows.filter(is_meant(wanted.rows, wanted.rule, days))


def is_meant(ids: Iterable[str] = (), rule: str = "", days: DayRange | None = None) -> Column:
    """Whether a quarantine row has one of the ids, broke the rule, and belongs to one of the days or arrived on one; what is not given is not asked."""
    meant = F.lit(True)
    if ids:
        meant &= F.col("_id").isin(list(ids))
    if rule:
        meant &= F.coalesce(F.array_contains("_rules", rule), F.lit(False))
    if days:
        first, last = (F.coalesce(F.col(name).between(F.lit(days.first), F.lit(days.last)), F.lit(False)) for name in ("_day", "_arrival_day"))
        meant &= first | last
    return meant


def require_rows(table: Table, ids: Iterable[str], rows: DataFrame | None) -> None:
    """Raises RequestError where some ids are those of no row."""
    ids = list(ids)
    if not ids:
        return
    refuse_missing(table.name, ids, {row["_id"] for row in rows.filter(is_meant(ids)).select("_id").distinct().collect()} if rows is not None else set())


def refuse_missing(table: str, ids: list[str], found: set[str]) -> None:
    """Raises RequestError where some of the ids are not among those that were `found`."""
    missing = [row_id for row_id in ids if row_id not in found]
    if missing:
        named = ", ".join(missing[:NAMED])
        raise RequestError(f"{table}: {len(missing)} of {len(ids)} rows are not in its quarantine: {named}; `look` shows the ids of those that are.")


def _require_rule(table: Table, rule: str, rows: DataFrame) -> None:
    known = _rules(rows)
    if rule not in known:
        raise RequestError(f"{table.name}: {no_such_rule(rule, known)}")


def _rules(rows: DataFrame) -> list[str]:
    return sorted(row["rule"] for row in rows.select(F.explode("_rules").alias("rule")).distinct().collect())


def no_such_rule(rule: str, known: list[str]) -> str:
    """What is said of a rule that refused no row; `known` are those that did."""
    return f"no row is in quarantine for {rule!r}, but for {', '.join(known) or 'nothing'}.{did_you_mean(rule, known)}"


# look


def look(job: Job, table: Table) -> JobResult:
    """What waits: how many rows, by rule and day, and the first of them. Rows that are not there are not shown."""
    rows = chosen(job, table, must_be_there=False)
    found = _counts(rows) if rows is not None else []
    totals = _totals(rows) if rows is not None else {}
    shown = [facts_of(row) for row in _first(rows)] if rows is not None and totals else []
    discarded = totals.pop(DISCARDED, 0)
    waiting = sum(totals.values())
    facts = {"table": table.name, "waiting": waiting, "discarded": discarded, "counts": found, "rows": shown}
    lines = [f"{one['rows']:>7,} {one['state']:<9} {one['day'] or 'no day':<10} {one['rule']}" for one in found]
    facts["shown"] = [*lines, *map(line, shown)]
    message = f"{table.name}: {in_words(waiting, discarded, len(shown))}"
    return _done(job, message if waiting or discarded else message + _mistyped(job, table), facts)


def in_words(waiting: int, discarded: int, shown: int) -> str:
    """How many rows are in quarantine, and how many of them are not among those that are `shown`."""
    rest = waiting + discarded - shown
    words = f"{_rows(waiting)} {'waits' if waiting == 1 else 'wait'} in quarantine, {discarded:,} discarded"
    return words + (f"; {rest:,} more than shown" if rest else "")


def _mistyped(job: Job, table: Table) -> str:
    """A hint where the rule that was asked for is none that refused a row; it may also be one whose rows have all come back."""
    rows, rule = store.counted(job, table), wish(job).rule
    known = _rules(rows) if rule and rows is not None else [rule]
    return "" if rule in known else f"; {no_such_rule(rule, known)}"


def _totals(rows: DataFrame) -> dict[str, int]:
    return {row["_state"]: row["count"] for row in rows.groupBy("_state").count().collect()}


def _counts(rows: DataFrame) -> list[dict[str, Any]]:
    """Rows by rule, day and state; a row counts with each rule that it broke."""
    keys = (F.explode_outer("_rules").alias("rule"), F.coalesce("_day", "_arrival_day").cast("string").alias("day"), F.col("_state").alias("state"))
    groups = rows.select(*keys).groupBy("rule", "day", "state").count().orderBy("day", "rule", "state").limit(1000)
    return [{"rule": g.rule or "", "day": g.day, "state": g.state, "rows": g["count"]} for g in groups.collect()]


def _first(rows: DataFrame) -> list[Row]:
    is_discarded = F.col("_state") == DISCARDED
    return rows.orderBy(is_discarded, "_first_seen", "_source_file", "_source_line", "_id").limit(SHOWN_ROWS).collect()


def facts_of(row: Row) -> dict[str, Any]:
    """What is shown of a quarantine row."""
    days = {"day": row["_day"], "arrival_day": row["_arrival_day"], "first_seen": row["_first_seen"]}
    texts = {name: value.isoformat(timespec="seconds") if name == "first_seen" else value.isoformat() if value else None for name, value in days.items()}
    facts = {"id": row["_id"], "rules": list(row["_rules"] or ()), "file": row["_source_file"], "line": row["_source_line"], **texts}
    facts |= {"values": (row["_values"] or "")[:SHOWN_VALUES], "state": row["_state"]}
    return facts | ({"reason": row["_reason"], "who": row["_who"]} if row["_reason"] else {})


def line(row: dict[str, Any]) -> str:
    """A row's facts in one line of a log."""
    place = f"{row['file']}:{row['line']}" if row["file"] and row["line"] else row["file"] or "no file"
    why = f" by {row['who']}: {row['reason']}" if row.get("reason") else ""
    text = f"{row['id']} | {', '.join(row['rules'])} | {place} | {row['values']} | since {row['first_seen']} | {row['state']}{why}"
    return "".join(char if char.isprintable() else " " for char in text)  # a broken record may hold anything


# discard and reopen


def discard(job: Job, table: Table) -> JobResult:
    """Give rows up: they stay in quarantine and out of the table, whatever its rules become, until they are reopened."""
    rows = chosen(job, table)
    ids = _ids(rows.filter(F.col("_state") != DISCARDED)) if rows is not None else []
    if not ids:
        return _unchanged(job, table, "no such row waits")
    refuse_too_many(table.name, len(ids))
    wanted = wish(job)
    with job.ledger.lease(table.name, job.request.run_id):
        job.ledger.decisions.discard([Discard(table.name, row_id, wanted.reason, wanted.who) for row_id in ids])
        store.note_decisions(job, table, ids)
    return _done(job, f"{table.name}: {_rows(len(ids))} discarded by {wanted.who}: {wanted.reason}", {"table": table.name, "rows": ids[:SHOWN_ROWS]})


def refuse_too_many(table: str, rows: int) -> None:
    """Raises RequestError where more rows would be discarded than a ledger should name."""
    if rows > MOST_DISCARDED:
        raise RequestError(f"{table}: more than {MOST_DISCARDED:,} rows would be discarded; choose fewer days, or write `on_fail: drop` for the rule.")


def reopen(job: Job, table: Table) -> JobResult:
    """Let discarded rows wait again; `replay` has them judged."""
    rows = chosen(job, table)
    ids = _ids(rows.filter(F.col("_state") == DISCARDED)) if rows is not None else []
    if not ids:
        return _unchanged(job, table, "no such row is discarded")
    with job.ledger.lease(table.name, job.request.run_id):
        job.ledger.decisions.reopen(table.name, ids)
        store.note_decisions(job, table, ids)
    return _done(job, f"{table.name}: {_rows(len(ids))} reopened by {wish(job).who}", {"table": table.name, "rows": ids[:SHOWN_ROWS]})


def _ids(rows: DataFrame) -> list[str]:
    return [row["_id"] for row in rows.select("_id").distinct().orderBy("_id").limit(MOST_DISCARDED + 1).collect()]


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _done(job: Job, message: str, facts: dict[str, Any]) -> JobResult:
    return JobResult(request=job.request, status="done", message=message, facts=facts)


def _unchanged(job: Job, table: Table, reason: str) -> JobResult:
    return JobResult(request=job.request, status="unchanged", message=f"{table.name}: {reason}; nothing to do", facts={"table": table.name})
