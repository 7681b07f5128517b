"""The ledger's verdicts as Great Expectations' own validation results."""

from __future__ import annotations

import json
import os
import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at import: nothing about a lake leaves the machine

import great_expectations.expectations.core  # noqa: F401 - registers the expectations, and with them their sentences
from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.render.renderer.inline_renderer import InlineRenderer

from spark_jobs.lake.gate.rules import gate_rules
from spark_jobs.lake.publishing import PARSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expectations.contract import TableContract
    from expectations.ledger import Verdict
    from expectations.rule import Rule
    from spark_jobs.lake.reports.run_facts import DayFacts

GONE = "the contract no longer has this rule"
NEIGHBOURS = re.compile(r"(\$\w+?_\d+) (?=\$)")
PLACE = re.compile(r"\$(\w+)")
PASSED_THROUGH = re.compile(r"PassThrough\((?P<quote>['\"])(?P<text>.*)(?P=quote)\)", re.DOTALL)


def rules_by_label(contract: TableContract) -> dict[str, Rule]:
    """The rules that a verdict on the table may name: the contract's, and those that the engine adds."""
    return {rule.label: rule for rule in (PARSES, *gate_rules(contract, keeps_rows=True))}


def suite_result(table: str, run_id: str, facts: DayFacts, rules: Mapping[str, Rule]) -> dict[str, Any]:
    """The verdicts on one day as the JSON of an ExpectationSuiteValidationResult.

    The suite is called as the table is; what a rule does where it is broken is in its `meta`.
    """
    examples = {question.rule: list(question.evidence.get("examples") or []) for question in facts.questions}
    results = [_result(verdict, rules.get(verdict.rule), examples.get(verdict.rule, [])) for verdict in facts.verdicts]
    kept = sum(verdict.success for verdict in facts.verdicts)
    whole: Any = ExpectationSuiteValidationResult(
        success=kept == len(results),
        results=results,
        suite_name=table,
        statistics={
            "evaluated_expectations": len(results),
            "successful_expectations": kept,
            "unsuccessful_expectations": len(results) - kept,
            "success_percent": 100 * kept / len(results) if results else None,
        },
        meta={
            "great_expectations_version": version("great-expectations"),
            "run_id": {"run_name": run_id, "run_time": None},
            "active_batch_definition": {
                "datasource_name": "lake",
                "data_connector_name": "gate",
                "data_asset_name": table,
                "batch_identifiers": {"day": facts.day},
            },
        },
        batch_id=f"{table}/{facts.day}",
    )
    return dict(whole.to_json_dict())


def _result(verdict: Verdict, rule: Rule | None, examples: list[Any]) -> ExpectationValidationResult:
    meta = {"rule": verdict.rule, "on_fail": verdict.on_fail} | ({"at_most": rule.at_most} if rule and rule.at_most is not None else {})
    found: dict[str, Any] = {"element_count": verdict.rows_judged, "unexpected_count": verdict.rows_broken}
    if verdict.rows_judged:
        found["unexpected_percent"] = 100 * verdict.rows_broken / verdict.rows_judged
    if verdict.observed:
        found["observed_value"] = _value(verdict.observed)
    if examples:
        found["partial_unexpected_list"] = examples
    return ExpectationValidationResult(
        success=verdict.success,
        expectation_config=ExpectationConfiguration(
            type=rule.expect if rule else verdict.rule, kwargs=json.loads(json.dumps(rule.arguments if rule else {}, default=str)), meta=meta
        ),
        result=found,
        meta={},
        exception_info={"raised_exception": False, "exception_message": None, "exception_traceback": None},
    )


def in_words(rule: Rule | None) -> str:
    """What a rule says, as Great Expectations puts it; by name and arguments where it has no sentence for it."""
    if rule is None:
        return GONE
    try:
        configuration = ExpectationConfiguration(type=rule.expect, kwargs=_taken(rule))
        (content,) = InlineRenderer(render_object=configuration).get_rendered_content()
        shown: Any = content.to_json_dict()["value"]
        sentence = _filled(shown["template"], shown.get("params") or {})
    except Exception:  # its renderers raise whatever they like, and a report without them is still one
        named = ", ".join(f"{key} {value}" for key, value in rule.arguments.items())
        sentence = f"{rule.expect} ({named})" if named else rule.expect
    return sentence if rule.at_most is None else f"{sentence.rstrip('.')}; at most {rule.at_most:,} rows may break it."


def _taken(rule: Rule) -> dict[str, Any]:
    taken: dict[str, Any] = json.loads(json.dumps(rule.arguments, default=str))
    if taken.get("row_condition"):
        taken.setdefault("condition_parser", "spark")
    return taken


def _filled(template: str, params: dict[str, Any]) -> str:
    listed = NEIGHBOURS.sub(r"\1, ", template)
    return PLACE.sub(lambda place: _text(params.get(place[1], {}).get("value")), listed)


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    passed = PASSED_THROUGH.fullmatch(value) if isinstance(value, str) else None
    return passed["text"] if passed else str(value)


def _value(observed: str) -> Any:
    """The ledger keeps texts; numbers and lists become what they were."""
    try:
        return json.loads(observed, parse_constant=str)
    except ValueError:
        return observed
