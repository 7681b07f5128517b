"""The ledger: how every day of every table was kept. Outside the tables, behind one database URL."""

from expectations.ledger.book import Ledger
from expectations.ledger.entries import Arrival, Attempt, DayEntry, FileEntry, ModelEntry, Verdict

__all__ = ["Arrival", "Attempt", "DayEntry", "FileEntry", "Ledger", "ModelEntry", "Verdict"]
