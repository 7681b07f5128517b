"""`python -m expectations check` checks a lake's contracts; `schema` writes the JSON Schema for editors."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from expectations.contract import Pipeline, TableContract
from expectations.errors import LakeError
from expectations.expectation_catalogue import usable
from expectations.input_days import left_open, write_days
from expectations.loader import load_lake, reload
from expectations.logic_checks import require_importable
from expectations.model_contract import ModelContract
from expectations.pipeline_checks import waits_for_nobody

if TYPE_CHECKING:
    from expectations.facts import Facts

SCHEMAS = Path(__file__).parent / "schema"


def schemas() -> dict[str, str]:
    """File name to JSON Schema text."""
    kinds: dict[str, type[Facts]] = {"table": TableContract, "model": ModelContract, "pipeline": Pipeline}
    made = {kind: model.model_json_schema(by_alias=True) for kind, model in kinds.items()}
    made["table"]["$defs"]["Rule"]["properties"]["expect"]["enum"] = sorted(usable())
    made["pipelines"] = {"type": "object", "additionalProperties": made.pop("pipeline")}
    return {f"{kind}.json": json.dumps(schema, indent=2, sort_keys=True) + "\n" for kind, schema in made.items()}


def main(arguments: list[str]) -> int:
    """Exit code 0 where all is well, 1 with one sentence where not."""
    parser = argparse.ArgumentParser(prog="python -m expectations", description=__doc__)
    parser.add_argument("command", choices=("check", "schema"))
    parser.add_argument("--fix", action="store_true", help="check: write what holds today where a contract leaves it open")
    asked = parser.parse_args(arguments)
    command = asked.command
    if command == "schema":
        SCHEMAS.mkdir(exist_ok=True)
        for name, text in schemas().items():
            (SCHEMAS / name).write_text(text)
        return 0
    try:
        lake = load_lake()
        if asked.fix and (fixed := write_days(lake)):
            print(f"contract: 2, with the days that hold today, written into {', '.join(fixed)}; look at them.")  # noqa: T201
            reload()
            lake = load_lake()
        require_importable(lake)
    except LakeError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    for sentence in (*left_open(lake), *waits_for_nobody(lake)):
        print(f"note: {sentence}")  # noqa: T201
    print(f"{lake.project}: {len(lake.tables)} tables, {len(lake.models)} models, {len(lake.pipelines)} pipelines: all well.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
