"""A person decides whether a new version of a model serves: the two tasks behind a training whose contract says `when_better: ask`."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

from expectations.model_contract import SMALLER_IS_BETTER
from medallion.asking import PATIENCE, DecisionOperator, plain, reason_field
from medallion.lake_job import LakeJobOperator
from medallion.lake_ledger import open_ledger
from medallion.retrying import LIGHT_TIMEOUT

if TYPE_CHECKING:
    from expectations.ledger import Question
    from expectations.ledger.entries import Answer

log = logging.getLogger(__name__)
SMALLER = (*SMALLER_IS_BETTER, "calibration_error")
PROMOTE, KEEP = "Promote", "Keep the old one"
WHAT_FOLLOWS = (
    f"*{PROMOTE}*: it serves from the next scoring on. *{KEEP}*: it stays registered, and what serves now serves on, if anything does; so too where nobody "
    f"answers within {int(PATIENCE.total_seconds() // 3600)} hours, but then the run fails."
)


class PromotionOperator(DecisionOperator):
    """Shows how good the new version is beside the champion and the baselines, waits for a person, and writes the answer into the ledger.

    Skipped where nothing is asked. The first answer stays. Raises DataError where nobody has answered: the champion serves on.
    """

    answers: ClassVar[dict[str, Answer]] = {PROMOTE: "promote", KEEP: "keep"}

    def open_questions(self, run: str) -> list[Question]:
        """What this run has asked about the model, unless it is answered."""
        return [question for question in open_ledger().decisions.questions(self.about, run) if question.answer is None]

    def shown(self, questions: list[Question]) -> tuple[str, str]:
        """Headline, and evidence as Markdown."""
        versions = ", ".join(f"v{question.evidence['version']}" for question in questions)
        return f"Promote {self.about} {versions}?", "\n\n".join([*map(comparison_text, questions), WHAT_FOLLOWS])

    def note(self, question: Question, answer: str, who: str, reason: str) -> None:
        """Write the first answer down."""
        if question.answer is None:
            super().note(question, answer, who, reason)
        else:
            log.info("%s: answered before, %s by %s; that stays", self.about, question.answer, question.answered_by)

    def unanswered(self) -> str:
        """The end of the sentence that nobody has answered."""
        return f'so its champion serves on; to let the new version serve: make job DO="promote {self.about} --version N".'


def promotion_tasks(model: str, doc: str) -> tuple[PromotionOperator, LakeJobOperator]:
    """`train.decision`, where a person decides, and `train.decided`, which obeys; both skipped where nothing is asked."""
    decision = PromotionOperator(
        task_id="train.decision",
        about=model,
        params=reason_field(),
        doc_md=f"Skipped, unless a version of {model} has passed: then a person says whether it serves.",
    )
    decided = LakeJobOperator(
        task_id="train.decided",
        trigger_rule="none_failed_min_one_success",
        verb="promote",
        name=model,
        execution_timeout=LIGHT_TIMEOUT,
        doc_md=doc,
    )
    return decision, decided


def comparison_text(question: Question) -> str:
    """What a person has to know, as Markdown: the figures of the new version beside its rivals', and for which rows it became worse."""
    evidence = question.evidence
    rivals = {"new": "metrics", "champion": "champion", "majority or mean": "baseline", "history": "history"}
    shown = {title: evidence[key] for title, key in rivals.items() if evidence.get(key)}
    lines = [
        f"**{plain(question.table)}**: {plain(evidence['sentence'])}",
        "",
        f"| figure | {' | '.join(shown)} |",
        f"|---|{'---|' * len(shown)}",
        *(
            f"| {name}{', the smaller the better' if name in SMALLER else ''} | {' | '.join(_number(figures, name) for figures in shown.values())} |"
            for name in sorted(evidence["metrics"])
        ),
        "",
        f"- learned from {evidence['learned_days']}, judged on {evidence['test_days']}, {evidence['rows']:,} rows together",
        *([f"- passed its gates: {plain('; '.join(evidence['gates']))}"] if evidence.get("gates") else []),
        *([f"- weakest for {plain('; '.join(evidence['weakest']))}"] if evidence.get("weakest") else []),
        _worse(evidence),
        f"- version and file asked about: `{question.candidate}`",
    ]
    return "\n".join(lines)


def _number(figures: dict[str, float], name: str) -> str:
    return f"{figures[name]:.3f}" if name in figures else ""


def _worse(evidence: dict[str, Any]) -> str:
    worse, most = evidence.get("worse") or [], 10
    if not worse:
        return "- worse than the champion: for no slice that is told" if evidence.get("champion") else "- there is no champion to compare with"
    more = f"; and {len(worse) - most} more" if len(worse) > most else ""
    return f"- worse than the champion: {'; '.join(plain(sentence) for sentence in worse[:most])}{more}"
