"""What becomes of a challenger: it serves, a person decides, or it is only kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from spark_jobs.lake.learning.evaluation.baselines import HISTORY, MAJORITY, NAMES
from spark_jobs.lake.learning.evaluation.figures import Figures, is_worse
from spark_jobs.lake.learning.evaluation.slices import missed_slices

if TYPE_CHECKING:
    import pandas as pd

    from expectations.model_contract import MetricGate, ModelContract

Outcome = Literal["promoted", "asks", "kept"]


@dataclass(frozen=True)
class Verdict:
    """promoted: it serves. asks: a person decides. kept: it is registered only, and `reason` says why."""

    outcome: Outcome
    reason: str = ""

    @property
    def promoted(self) -> bool:
        """Whether it serves without anybody being asked."""
        return self.outcome == "promoted"


def verdict_on(  # noqa: PLR0913, PLR0917 - all that a verdict hangs on
    contract: ModelContract, answers: pd.DataFrame, figures: Figures, baselines: dict[str, Figures], champion: Figures | None, why_not: str = ""
) -> Verdict:
    """A challenger passes if its score is defined, every gate is passed, it beats every baseline, and it is not worse than the champion on the same days.

    `why_not` says why a champion that serves could not be compared: then it serves on, until a person replaces it.
    What follows then is said by the contract's `when_better`.
    """
    reasons = [*missed_gates(contract, figures, answers), *_behind(contract, figures, baselines, champion)]
    if why_not:
        reasons.append(f"the champion could not be asked about the same days ({why_not}); to let this version serve all the same, promote it by hand")
    if reasons:
        return Verdict("kept", "; ".join(reasons))
    if contract.when_better == "keep":
        return Verdict("kept", "its contract says when_better: keep")
    return Verdict("asks" if contract.when_better == "ask" else "promoted")


def missed_gates(contract: ModelContract, figures: Figures, answers: pd.DataFrame) -> list[str]:
    """One sentence for each gate that is missed."""
    missed = [missed_slices(contract, gate, answers) if gate.slice else _missed(gate, figures.get(gate.metric)) for gate in contract.gates]
    return [sentence for sentence in missed if sentence]


def _missed(gate: MetricGate, value: float | None) -> str | None:
    if value is None:
        return f"{gate.metric} is not defined on the test days, so its gate is not passed"
    if gate.at_least is not None and value < gate.at_least:
        return f"{gate.metric} {value:.3f} is below the gate {gate.at_least}"
    if gate.at_most is not None and value > gate.at_most:
        return f"{gate.metric} {value:.3f} is above the gate {gate.at_most}"
    return None


def _behind(contract: ModelContract, figures: Figures, baselines: dict[str, Figures], champion: Figures | None) -> list[str]:
    metric, score = contract.score, figures.get(contract.score)
    if score is None:
        return [f"{metric} is not defined on the test days"]
    names = {MAJORITY: NAMES[contract.kind], HISTORY: "the history of the same keys"}
    found = []
    for name, baseline in baselines.items():
        if metric in baseline and not is_worse(metric, baseline[metric], score):
            found.append(f"{metric} {score:.3f} is no better than {names[name]} ({baseline[metric]:.3f})")
    theirs = champion.get(metric) if champion else None
    if theirs is not None and is_worse(metric, score, theirs, contract.tolerance):
        allowed = f" by more than {contract.tolerance:g}" if contract.tolerance else ""
        found.append(f"{metric} {score:.3f} is worse than the champion's {theirs:.3f} on the same days{allowed}")
    return found
