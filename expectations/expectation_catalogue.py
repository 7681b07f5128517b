"""Which expectations Great Expectations has, without importing it: a generated list, kept true by a test."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Literal, TypedDict

CATALOGUE = Path(__file__).with_name("great_expectations.json")

Judged = Literal["in the pass", "by stock Great Expectations", "not at all"]


class Argument(TypedDict):
    """One argument of an expectation.

    `takes`: the kinds of value that it may have: text, number, whole number, flag, date, list, list of texts, list of pairs, mapping.
    `one_of`: the only texts that it may be; empty where it may be any.
    """

    required: bool
    takes: list[str]
    one_of: list[str]


class Expectation(TypedDict):
    """One expectation: how the gate judges it (`because`: why not), and what it can be used for.

    `judges_rows`: it counts the single rows that break it. `parts_rows`: those rows can be told from the others, and so may leave.
    """

    judged: Judged
    because: str
    judges_rows: bool
    parts_rows: bool
    arguments: dict[str, Argument]


@cache
def catalogue() -> dict[str, Expectation]:
    """Every expectation by name. Made by `python -m spark_jobs.lake.gate.catalogue` from the installed Great Expectations."""
    known: dict[str, Expectation] = json.loads(CATALOGUE.read_text())
    return known


@cache
def usable() -> dict[str, Expectation]:
    """The expectations that a rule may name."""
    return {name: facts for name, facts in catalogue().items() if facts["judged"] != "not at all"}
