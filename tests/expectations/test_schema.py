"""The JSON Schemas, by which editors complete and check contracts, say what the loader says."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from expectations.__main__ import SCHEMAS, main, schemas
from expectations.yaml_lines import read_yaml

REPOSITORY = Path(__file__).parents[2]
LAKES = [REPOSITORY, REPOSITORY / "tests/lakes/shop", REPOSITORY / "tests/plugins/lake"]
CONTRACTS = [
    (kind, file)
    for lake in LAKES
    for kind, pattern in (("table", "[bsg]*/*.yaml"), ("model", "models/*.yaml"), ("pipelines", "pipelines.yaml"))
    for file in sorted((lake / "expectations").glob(pattern))
]
TABLE: dict[str, Any] = {"contract": 1, "description": "Takings. One row per day.", "columns": {"sold_on": {"type": "date"}}}


def faults(kind: str, value: Any) -> list[str]:
    schema = json.loads((SCHEMAS / f"{kind}.json").read_text())
    Draft202012Validator.check_schema(schema)
    return [error.json_path for error in Draft202012Validator(schema).iter_errors(value)]


def as_json(value: Any) -> Any:
    """YAML's own dates as texts, as an editor sees them."""
    return json.loads(json.dumps(value, default=lambda found: found.isoformat() if isinstance(found, date) else found))


@pytest.mark.parametrize("name", sorted(schemas()))
def test_the_files_are_what_the_program_makes(name: str) -> None:
    assert (SCHEMAS / name).read_text() == schemas()[name], "run python -m expectations schema"


def test_no_other_file_stands_beside_them() -> None:
    assert sorted(file.name for file in SCHEMAS.iterdir()) == sorted(schemas())


@pytest.mark.parametrize(("kind", "file"), CONTRACTS, ids=lambda part: part.stem if isinstance(part, Path) else part)
def test_every_contract_is_well_to_an_editor(kind: str, file: Path) -> None:
    assert faults(kind, as_json(read_yaml(file))) == []


@pytest.mark.parametrize(
    "entry",
    ["silver.sales", {"silver.sales": {"days": [-30, -1]}}, {"silver.sales": {}}, {"table": "silver.sales"}, {"table": "silver.sales", "days": [-1, 0]}],
)
def test_every_form_of_an_input_is_well_to_an_editor(entry: Any) -> None:
    assert faults("table", {**TABLE, "inputs": [entry]}) == []


@pytest.mark.parametrize(
    "entry",
    [
        "sales",
        "silver.Sales",
        7,
        {},
        {"silver.sales": [-1, 0]},
        {"silver.sales": {"day": [-1, 0]}},
        {"silver.sales": {"days": [-1]}},
        {"silver.a": {}, "silver.b": {}},
    ],
)
def test_what_is_no_input_is_a_fault_to_an_editor_too(entry: Any) -> None:
    assert faults("table", {**TABLE, "inputs": [entry]}) == ["$.inputs[0]"]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"grian": ["sold_on"]}, "$"),
        ({"contract": 3}, "$.contract"),
        ({"write": "replace_day"}, "$.write"),
        ({"columns": {"sold_on": {"type": "date", "nulable": False}}}, "$.columns.sold_on"),
        ({"rules": [{"expect": "expect_nothing"}]}, "$.rules[0].expect"),
    ],
)
def test_an_editor_underlines_what_the_loader_refuses(change: dict[str, Any], place: str) -> None:
    assert faults("table", {**TABLE, **change}) == [place]


def test_check_says_all_is_well_or_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert capsys.readouterr().out.endswith("pipelines: all well.\n")
    monkeypatch.setenv("LAKE_PROJECT", str(tmp_path))
    assert main(["check"]) == 1
    assert capsys.readouterr().err == f"LAKE_PROJECT={tmp_path} has no folder expectations/: point it at the folder that holds your contracts.\n"
