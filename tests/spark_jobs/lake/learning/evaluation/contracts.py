"""Models' contracts for tests that need no lake."""

from __future__ import annotations

from typing import Any

from expectations.model_contract import ModelContract

FACTS = {
    "contract": 1,
    "description": "A model of a test.",
    "training": "gold.training",
    "features": "silver.features",
    "predictions": "gold.predictions",
    "target": "late",
    "inputs": ["hour", "carrier"],
    "split": {"validation_days": 1, "test_days": 1},
}


def contract_of(**facts: Any) -> ModelContract:
    """A contract with these facts beside the needed ones."""
    return ModelContract.model_validate({**FACTS, **facts})
