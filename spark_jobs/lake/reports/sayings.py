"""What a table's rules say, in words: Great Expectations' own sentences where it has them."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read at import: nothing about a lake leaves the machine

import great_expectations.expectations.core  # noqa: F401 - registers the expectations, and with them their sentences
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.render.renderer.inline_renderer import InlineRenderer

from expectations.over_time_checks import RULE_OF_LANDING
from spark_jobs.lake.gate.rules import PARSES, gate_rules

if TYPE_CHECKING:
    from expectations.contract import TableContract
    from expectations.over_time import OverTimeCheck
    from expectations.rule import Rule

NEIGHBOURS = re.compile(r"(\$\w+?_\d+) (?=\$)")
PLACE = re.compile(r"\$(\w+)")
PASSED_THROUGH = re.compile(r"PassThrough\((?P<quote>['\"])(?P<text>.*)(?P=quote)\)", re.DOTALL)


@dataclass(frozen=True)
class Saying:
    """What one rule says: by `type` and `arguments`, as a validation result names it, and in words."""

    type: str
    arguments: dict[str, Any]
    words: str


def sayings(contract: TableContract) -> dict[str, Saying]:
    """Label to saying, for all that a verdict on the table may name: its rules, its checks over time, and what the engine adds."""
    found = {rule.label: _of_rule(rule) for rule in gate_rules(contract, keeps_rows=True)}
    found |= {check.label: _of_check(check) for check in contract.over_time}
    landed = {
        RULE_OF_LANDING: Saying("schema_of_landed_file", {}, "A landed file has the contract's columns, and no others."),
        PARSES.label: Saying(PARSES.expect, PARSES.arguments, "Each text is of its column's type."),
    }
    return {**landed, **found}


def gone(label: str) -> Saying:
    """What stands for a rule that the contract no longer has."""
    return Saying(label, {}, "the contract no longer has this rule")


def _of_rule(rule: Rule) -> Saying:
    arguments: dict[str, Any] = json.loads(json.dumps(rule.arguments, default=str))
    try:
        taken = {"condition_parser": "spark", **arguments} if arguments.get("row_condition") else arguments
        (content,) = InlineRenderer(render_object=ExpectationConfiguration(type=rule.expect, kwargs=taken)).get_rendered_content()
        shown: Any = content.to_json_dict()["value"]
        words = _filled(shown["template"], shown.get("params") or {})
    except Exception:  # its renderers raise whatever they like, and a report without them is still one
        words = _listed(rule.expect, arguments)
    if rule.at_most is not None:
        arguments["at_most"] = rule.at_most
        words = f"{words.rstrip('.')}; at most {rule.at_most:,} rows may break it."
    return Saying(rule.expect, arguments, words)


def _of_check(check: OverTimeCheck) -> Saying:
    arguments = {key: value for key, value in check.model_dump(mode="json").items() if key not in {"check", "on_fail", "name"} and value is not None}
    return Saying(f"{check.check}_over_time", arguments, check.words)


def _listed(name: str, arguments: dict[str, Any]) -> str:
    named = ", ".join(f"{key} {value}" for key, value in arguments.items())
    return f"{name} ({named})" if named else name


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
