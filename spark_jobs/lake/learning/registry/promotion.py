"""Who serves: a version is crowned by its training, by a person who was asked, or by hand.

The ledger moves first, in one transaction, and only from the champion that the new one was compared with. Scoring asks the ledger, so a swap that it
refuses changes nothing anywhere; the other way round MLflow's alias would have to go back, by a call that can fail too. The alias follows: where that
fails, the job does, and doing it again brings the alias where the ledger is.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from expectations.days import ALL
from expectations.errors import RequestError
from expectations.jobs import JobResult
from expectations.ledger import Question
from expectations.model_versions import version_of
from spark_jobs.lake.learning.evaluation.slices import weakest
from spark_jobs.lake.learning.registry.model_store import ModelStore
from spark_jobs.lake.learning.registry.telling import scores_in_words

if TYPE_CHECKING:
    from expectations.jobs import JobRequest
    from expectations.lake import Lake, Model
    from expectations.ledger import Ledger, ModelEntry
    from expectations.settings import Settings

RULE = "promotion"
"""What the ledger calls the question whether a version shall serve."""
SHOWN = ("score", "metrics", "baseline", "history", "champion", "worse", "learned_days", "test_days", "rows")


def question_on(model: Model, entry: ModelEntry, champion: ModelEntry | None) -> Question:
    """Whether `entry` shall serve in the place of `champion`, with what a person has to know."""
    beside = f"{scores_in_words(model.contract, entry.figures)} on {entry.figures['test_days']}"
    evidence = {name: entry.figures.get(name) for name in SHOWN}
    evidence |= {"gates": [gate.in_words for gate in model.contract.gates], "weakest": weakest(model.contract.score, entry.figures.get("slices") or {})}
    evidence |= {"sentence": f"v{entry.version} passed: {beside}.", "version": entry.version, "instead_of": champion.version if champion else None}
    return Question(model.name, ALL, RULE, candidate_of(entry), entry.run_id, evidence)


def candidate_of(entry: ModelEntry) -> str:
    """What an answer is about: this version, as long as it is this file."""
    return f"v{entry.version} {entry.figures['sha256'][:32]}"


def is_asked(ledger: Ledger, entry: ModelEntry) -> bool:
    """Whether a person was asked about this version, and has not answered."""
    question = ledger.decisions.question(entry.model, ALL, RULE, candidate_of(entry))
    return question is not None and question.answer is None


def ask_again(ledger: Ledger, model: Model, entry: ModelEntry, run_id: str) -> bool:
    """Whether `entry` still waits for an answer, now as a question of this run; not where another champion has come since it was asked about."""
    known, champion = ledger.decisions.question(model.name, ALL, RULE, candidate_of(entry)), ledger.champion(model.name)
    if known is None or known.answer is not None or known.evidence["instead_of"] != (champion.version if champion else None):
        return False
    ledger.record((), (), questions=[replace(known, run_id=run_id)])
    return True


def tell_mlflow(store: ModelStore, ledger: Ledger) -> None:
    """Let MLflow's alias follow the ledger, and look again: of two versions that were crowned at the same time, the one that serves has it."""
    told: int | None = None
    while (champion := ledger.champion(store.model.name)) is not None and champion.version != told:
        told = champion.version
        store.crown(told)


def promote(settings: Settings, lake: Lake, ledger: Ledger, request: JobRequest) -> JobResult:
    """Let the version that is named serve; without one, do what a person has answered to this run's question. Doing it again changes nothing.

    Raises RequestError for a version that is none or that could not serve, ModelError where its file is not the registered one, TransientError
    where another version became champion meanwhile.
    """
    model, champion = lake.model(request.name), ledger.champion(request.name)
    if request.version is not None:
        entry = version_of(ledger, model, request.version)
        return _crown(settings, lake, ledger, request, entry, champion, "by hand")
    asked = next((question for question in ledger.decisions.questions(model.name, request.run_id) if question.rule == RULE), None)
    if asked is None:
        raise RequestError(f"{model.name}: run {request.run_id} has asked nobody; name the version that shall serve with --version.")
    entry = version_of(ledger, model, asked.evidence["version"])
    if asked.answer is None:
        return _result(request, entry, "asks", f"nobody has answered yet whether v{entry.version} shall serve")
    said = f"{asked.answered_by}: {asked.reason}"
    if asked.answer == "keep":
        return _result(request, entry, "unchanged", f"v{entry.version} does not serve, as said by {said}")
    compared_with, now = asked.evidence["instead_of"], champion.version if champion else None
    if not entry.champion and (now != compared_with or candidate_of(entry) != asked.candidate):
        stands = f"v{now} serves" if now else "nothing serves"
        return _result(request, entry, "unchanged", f"{stands} since v{entry.version} was asked about, so the old answer crowns nothing")
    return _crown(settings, lake, ledger, request, entry, champion, f"as said by {said}")


def _crown(  # noqa: PLR0913, PLR0917 - where, who and why
    settings: Settings, lake: Lake, ledger: Ledger, request: JobRequest, entry: ModelEntry, champion: ModelEntry | None, why: str
) -> JobResult:
    model = lake.model(entry.model)
    _require_able(settings, lake, model, entry)
    store = ModelStore(settings, model)
    store.require_registry()
    ledger.crown(entry.model, entry.version, champion.version if champion else None)
    tell_mlflow(store, ledger)
    if entry.champion:
        return _result(request, entry, "unchanged", f"v{entry.version} is champion already")
    before = f"v{champion.version} before" if champion else "the first"
    return _result(request, entry, "done", f"v{entry.version} is champion ({before}), {why}")


def _require_able(settings: Settings, lake: Lake, model: Model, entry: ModelEntry) -> None:
    """An old version is loaded once before it serves again, and what it is asked about has to be there still."""
    known = lake.table(model.contract.features).contract.columns
    gone = [name for name in entry.figures["inputs"] if name not in known]
    if gone:
        raise RequestError(f"{model.name} v{entry.version} cannot serve: {model.contract.features} has no column {', '.join(gone)} any more.")
    ModelStore(settings, model).load(entry.figures["file"], entry.figures["sha256"])


def _result(request: JobRequest, entry: ModelEntry, status: str, words: str) -> JobResult:
    facts: dict[str, Any] = {"model": entry.model, "version": entry.version, "mlflow_run": entry.figures.get("mlflow_run")}
    return JobResult.model_validate({"request": request, "status": status, "message": f"{entry.model}: {words}", "facts": facts})
