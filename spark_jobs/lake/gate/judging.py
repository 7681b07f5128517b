"""Rules to verdicts: by one pass where they fit, by stock Great Expectations where not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pyspark.errors import PySparkException
from pyspark.sql import functions as F

from expectations.ledger import Verdict
from spark_jobs.lake.gate.agreement import pass_is_trusted
from spark_jobs.lake.gate.examples import examples_of
from spark_jobs.lake.gate.great_expectations_rules import judge_of
from spark_jobs.lake.gate.judgement import Asked, DayCounts, Judgement
from spark_jobs.lake.gate.lanes import DAY, NO_DAY, STAYS, WHOLE, lay_out
from spark_jobs.lake.gate.one_pass import aggregate
from spark_jobs.lake.gate.plan import judge_plan
from spark_jobs.lake.gate.stock import judge_stock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame

    from expectations.rule import Rule
    from spark_jobs.lake.gate.lanes import Lane, Lanes
    from spark_jobs.lake.gate.one_pass import DayValues
    from spark_jobs.lake.gate.plan import Finding

Findings = dict[tuple[str, str], "Finding"]
"""Day and rule to what was found."""


def judge_rules(staged: DataFrame, table: str, rules: Sequence[Rule], day_column: str | None, expected: Sequence[str]) -> Judgement:
    """See `judge`."""
    trusted = pass_is_trusted(staged.sparkSession)
    rules_by_label = {rule.label: rule for rule in rules}
    asking = {rule.label for rule in rules if rule.on_fail == "ask"}
    lanes = lay_out(staged, day_column, [judge_of(table, rule) for rule in rules], trusted)
    days = _aggregated(lanes, staged, expected if day_column else (WHOLE,))
    findings = _findings(lanes, days)
    findings.update(_slow_findings(lanes, staged, days))
    if not trusted:
        _confirm_parting(lanes, staged, findings)
    findings = {(day, label): tolerated(rules_by_label[label], finding) for (day, label), finding in findings.items()}
    broken = _refusing(lanes, staged, findings)
    verdicts = [_verdict(table, day, lane.judge.rule, findings[day, lane.judge.rule.label]) for day in days for lane in _judging(lanes, day)]
    return Judgement(
        counts={day: DayCounts(v.rows, v.good, v.refused, v.rows - v.good - v.refused) for day, v in days.items()},
        verdicts=verdicts,
        held={day: [one.sentence for one in found] for day in broken if (found := [one for one in broken[day] if one.rule not in asking])},
        asked={day: found for day in broken if (found := [one for one in broken[day] if one.rule in asking])},
        lanes=lanes,
    )


def _aggregated(lanes: Lanes, staged: DataFrame, expected: Sequence[str]) -> dict[str, DayValues]:
    """The pass. Raises ContractError naming the first rule that Spark cannot compute on its own, where it fails because of one."""
    try:
        return aggregate(lanes, staged, expected)
    except PySparkException as error:
        for lane in (*lanes.parting, *lanes.watching):
            _try_alone(lanes, staged, lane, error)
        raise


def _try_alone(lanes: Lanes, staged: DataFrame, lane: Lane, whole: PySparkException) -> None:
    parts = lane.judge.parts_rows
    alone = type(lanes)(lanes.day_column, lanes.engine, [lane] if parts else [], [] if parts else [lane])
    try:
        aggregate(alone, staged)
    except PySparkException as error:
        if type(error) is type(whole):  # another kind of error is the server's, not the rule's
            raise lane.judge.fault(error, "mend the rule or the column's type.") from error


def _findings(lanes: Lanes, days: dict[str, DayValues]) -> Findings:
    findings: Findings = {}
    for day, values in days.items():
        for lane in _judging(lanes, day):
            if lane.plan is not None:
                seen = values.whole if lane.judge.parts_rows else values.staying
                findings[day, lane.judge.rule.label] = judge_plan(lanes.engine, lane.plan, seen)
    return findings


def _judging(lanes: Lanes, day: str) -> list[Lane]:
    """Rows without a day only part: they are no day that could be published."""
    return list(lanes.parting) if day == NO_DAY else [*lanes.parting, *lanes.watching]


def _slow_findings(lanes: Lanes, staged: DataFrame, days: dict[str, DayValues]) -> Findings:
    judges = [lane.judge for lane in lanes.watching if lane.plan is None]
    findings: Findings = {}
    for day in [day for day in days if day != NO_DAY] if judges else ():
        rows = lanes.parted(staged).filter(F.col(STAYS) & (F.col(DAY) == day)).select(*staged.columns)
        for judge, finding in zip(judges, judge_stock(rows, judges), strict=True):
            # an aggregate does not say how many rows it looked at
            findings[day, judge.rule.label] = finding if judge.judges_rows else replace(finding, judged=days[day].good)
    return findings


def _confirm_parting(lanes: Lanes, staged: DataFrame, findings: Findings) -> None:
    """Let stock Great Expectations judge the parting rules too, and refuse to part rows that it would not."""
    judges = [lane.judge for lane in lanes.parting]
    for day in sorted({day for day, _ in findings}) if judges else ():
        rows = lanes.parted(staged).filter(F.col(DAY) == day).select(*staged.columns)
        for judge, stock in zip(judges, judge_stock(rows, judges), strict=True):
            found = findings[day, judge.rule.label]
            if (found.broken, found.success) != (stock.broken, stock.success):
                counted = f"Great Expectations finds {stock.broken} broken rows on {day}, the gate {found.broken}"
                raise judge.fault(counted, "install the version of great-expectations that requirements.lock names.")


def _verdict(table: str, day: str, rule: Rule, finding: Finding) -> Verdict:
    observed = "" if finding.observed is None else _short(finding.observed)
    return Verdict(table, day, rule.label, rule.on_fail, finding.success, finding.judged, finding.broken, observed)


def tolerated(rule: Rule, finding: Finding) -> Finding:
    """The finding by what the rule tolerates: `mostly` is Great Expectations' own, `at_most` is ours."""
    if rule.at_most is None:
        return finding
    within_share = finding.success or "mostly" not in rule.arguments
    return replace(finding, success=within_share and finding.broken <= rule.at_most)


def _refusing(lanes: Lanes, staged: DataFrame, findings: Findings) -> dict[str, list[Asked]]:
    """Day to the broken rules that keep it from being published."""
    able = {lane.judge.rule.label: lane for lane in (*lanes.parting, *lanes.watching) if can_refuse_a_day(lane.judge.rule)}
    failed = [key for key, finding in findings.items() if key[1] in able and not finding.success]
    shown = examples_of(lanes, staged, [(day, able[label]) for day, label in failed])
    refusing: dict[str, list[Asked]] = {}
    for day, label in failed:
        lane, finding, examples = able[label], findings[day, label], shown.get((day, label), [])
        observed = "" if finding.observed is None else _short(finding.observed)
        asked = Asked(label, lane.judge.rule.model_dump_json(), _sentence(lane, finding, examples), finding.judged, finding.broken, observed, tuple(examples))
        refusing.setdefault(day, []).append(asked)
    return refusing


def can_refuse_a_day(rule: Rule) -> bool:
    """Whether a day that breaks the rule is held or put to a person."""
    return rule.on_fail in {"stop", "ask"} or (rule.parts_rows and rule.is_limited)


def _sentence(lane: Lane, finding: Finding, examples: list[str]) -> str:
    rule = lane.judge.rule
    limits = {} if rule.at_most is None else {"at_most": rule.at_most}
    wanted = ", ".join(f"{key} {_short(value)}" for key, value in {**rule.arguments, **limits}.items())
    asked = f"{rule.expect} ({wanted})" if wanted else rule.expect
    if lane.judge.judges_rows:
        text = f"{rule.label}: {finding.broken} of {finding.judged} rows break {asked}"
        return f"{text}, for example {'; '.join(examples)}." if examples else f"{text}."
    observed = "nothing" if finding.observed is None else _short(finding.observed)
    return f"{rule.label}: found {observed}, expected {asked}."


def _short(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False) if isinstance(value, (list, tuple, dict)) else str(value)
    return text if len(text) <= 200 else f"{text[:197]}..."  # noqa: PLR2004 - a line of a log
