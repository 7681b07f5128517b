"""What a model learns from: which days, at which versions, with which columns, made by which code."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expectations.days import in_words
from expectations.errors import ModelError
from expectations.learnable_days import learnable_days
from spark_jobs.lake.learning.splitting import DaySplit, split_days

if TYPE_CHECKING:
    from collections.abc import Collection

    from expectations.lake import Model
    from expectations.ledger import ModelEntry
    from expectations.ledger.entries import Inputs
    from spark_jobs.lake.job import Job


@dataclass(frozen=True)
class Lesson:
    """What a model learns from: days, and the version at which each last changed. `champion` is the version that it is compared with.

    `columns` are the contract's inputs, and those of the champion that the training table still has: it is judged on the same days.
    `left_out`: days from the first one on of which rows have no label yet.
    """

    model: Model
    days: DaySplit
    inputs: Inputs
    champion: ModelEntry | None
    columns: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def versions(self) -> dict[str, int]:
        """Day of the training table to its version."""
        return self.inputs[self.model.contract.training]


def lesson_of(job: Job, model: Model, unlabelled: Collection[str] = ()) -> Lesson:
    """The days that can be learned from now, of the request where it names days, and the champion now.

    `unlabelled`: days of which rows have no label yet; they are left out. Raises ModelError where there are too few days.
    """
    contract, wanted = model.contract, job.request.day_range
    learnable = [day for day in learnable_days(job.lake, job.ledger, model) if wanted is None or day in set(wanted.keys)]
    left_out = sorted(set(learnable) & set(unlabelled))
    try:
        days = split_days(contract.training, set(learnable) - set(unlabelled), contract.split, contract.folds)
    except ModelError as error:
        said = f" Left out, as rows of them have no {contract.target!r} yet: {in_words(left_out)}." if left_out else ""
        raise ModelError(f"{error}{said}") from None
    # asked once: another version may become champion while this one is trained
    champion, known = job.ledger.champion(model.name), job.lake.table(contract.training).contract.columns
    others = [name for name in champion.figures["inputs"] if name in known] if champion else []
    inputs = {contract.training: job.ledger.versions(contract.training, days.days)}
    return Lesson(model, days, inputs, champion, tuple(dict.fromkeys([*contract.inputs, *others])), tuple(day for day in left_out if day >= days.days[0]))


def learning_facts(model: Model) -> bytes:
    """What its contract says of learning: all but words, schedule and what follows a training."""
    return model.contract.model_dump_json(exclude={"description", "owner", "train", "comparisons", "health"}).encode()


def learning_code(model: Model) -> str:
    """sha256 of what a model is made by: what its contract says of learning, and its code."""
    return hashlib.sha256(learning_facts(model) + model.code).hexdigest()[:16]


def columns_told(model: Model) -> list[str]:
    """The columns by which figures are told or the history is taken, beside the inputs; no estimator sees them."""
    contract = model.contract
    gates = [gate.slice for gate in contract.gates if gate.slice is not None]
    return list(dict.fromkeys([*contract.slices, *gates, *(contract.history.keys if contract.history else ())]))
