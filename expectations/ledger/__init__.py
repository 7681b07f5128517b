"""The ledger: how every day of every table was kept. Outside the tables, behind one database URL."""

from expectations.ledger.book import Ledger
from expectations.ledger.entries import (
    Arrival,
    Attempt,
    Correction,
    DayEntry,
    Discard,
    FileEntry,
    Head,
    ModelEntry,
    Profile,
    Quarantine,
    Question,
    Registration,
    Verdict,
)

__all__ = [
    "Arrival",
    "Attempt",
    "Correction",
    "DayEntry",
    "Discard",
    "FileEntry",
    "Head",
    "Ledger",
    "ModelEntry",
    "Profile",
    "Quarantine",
    "Question",
    "Registration",
    "Verdict",
]
