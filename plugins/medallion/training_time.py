"""Whether it is time to train a model, by the days of its data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from expectations.days import ALL
from expectations.learnable_days import learnable_days

if TYPE_CHECKING:
    from expectations.lake import Lake, Model
    from expectations.ledger import Ledger


@dataclass(frozen=True)
class Decision:
    """Whether to train, and why."""

    train: bool
    reason: str


def training_time(lake: Lake, ledger: Ledger, model: Model, *, forced: bool = False, alarmed: bool = False) -> Decision:
    """Train where there is no champion, where it is forced, or where the newest day of data is `train.every` past the newest version's last.

    The newest version may be one that does not serve: a challenger that was refused is not followed by one more every day.
    """
    every = int(model.contract.train.every.split()[0])
    days = learnable_days(lake, ledger, model)
    champion = ledger.champion(model.name)
    if not days:
        return Decision(train=False, reason=f"{model.contract.training} has no published day that its pipeline does not hold, there is nothing to learn from")
    if forced:
        return Decision(train=True, reason="trained because the form says so")
    if champion is None:
        return Decision(train=True, reason="trained because there is no champion yet")
    if alarmed:
        return Decision(train=True, reason="trained because an alarm rang")
    newest, last = max(days), max(ledger.model_versions(model.name), key=lambda entry: entry.last_day)
    if ALL in (newest, last.last_day):
        changed = last.inputs.get(model.contract.training, {}).get(ALL) != days.get(ALL)
        return Decision(train=changed, reason=f"{model.contract.training} {'changed' if changed else 'is unchanged'} since version {last.version}")
    age = (date.fromisoformat(newest) - date.fromisoformat(last.last_day)).days
    old = age >= every
    verb = "trained" if old else "not trained"
    return Decision(
        train=old,
        reason=f"{verb}: the data reach to {newest}, version {last.version} saw days to {last.last_day}, {age} of {every} days ago",
    )
