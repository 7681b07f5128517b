"""The one family of errors: every message names the thing, what was expected, what was found and what to do."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class LakeError(Exception):
    """Anything this package raises on purpose."""


class TerminalError(LakeError):
    """A fault that a retry cannot mend: the data, a contract or a request has to change first."""


class TransientError(LakeError):
    """A fault of the surroundings (a server, a lease, a disk): the same request may succeed later."""


class ContractError(TerminalError):
    """A contract, a pipeline or a table's logic says something that cannot be."""


class RequestError(TerminalError):
    """What a person or a trigger asked for is not possible: an unknown name, a day that is no date, a range back to front."""


class SourceError(TerminalError):
    """A landed file is missing although the contract demands it, or does not look as the contract says."""


class LogError(TerminalError):
    """A table's Delta log is not as the ledger has it: rows are missing, cannot be read, or came from no job of the lake."""


class ForeignCommitError(LogError):
    """A version of a table was written by no job of the lake."""


class DataError(TerminalError):
    """The gate held one or more days: their published rows stay as they were."""


class LayerError(TerminalError):
    """Tables of a layer are not as a run asked for them; their own tasks say why."""


class LeaseError(TransientError):
    """Another run holds the table's lease, or ours was lost before the commit."""


class LedgerError(TransientError):
    """The ledger's database did not answer."""


class ModelError(TerminalError):
    """A model cannot be trained, loaded or trusted."""


class Misfit(ValueError):
    """A fault that a contract finds in itself. `path` leads on to the key that is to blame, `hint` is the end of the sentence."""

    def __init__(self, message: str, *path: str, hint: str = "") -> None:
        super().__init__(message)
        self.path, self.hint = path, hint


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean "x"?` for the nearest known word, or nothing."""
    matches = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f' Did you mean "{matches[0]}"?' if matches else ""
