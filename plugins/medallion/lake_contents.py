"""What DAG files loop over."""

from __future__ import annotations

from expectations.loader import load_lake


def pipelines() -> list[str]:
    """The names of the lake's pipelines. Raises ContractError where a contract is wrong: the DAG's import error."""
    return sorted(load_lake().pipelines)


def models() -> list[str]:
    """The names of the lake's models. Raises ContractError where a contract is wrong: the DAG's import error."""
    return sorted(load_lake().models)
