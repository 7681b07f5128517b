"""The lake's ledger, as tasks ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expectations.settings import load_settings

if TYPE_CHECKING:
    from expectations.ledger import Ledger


def open_ledger() -> Ledger:
    """The ledger of this environment. Imported only when a task runs: it brings SQLAlchemy and Alembic, which parsing does without."""
    from expectations.ledger import Ledger

    return Ledger(load_settings().ledger_url)
