"""What each Hive metastore was told."""

from __future__ import annotations

from expectations.ledger import Ledger, Registration

TABLE, DAY = Registration("bronze.logs", "all", "a"), Registration("bronze.logs", "2024-05-01", "a")


def test_each_metastore_knows_what_it_was_told(ledger: Ledger) -> None:
    ledger.registrations.note("embedded/1", "run-1", [TABLE, DAY])
    ledger.registrations.note("embedded/2", "run-1", [TABLE])
    assert ledger.registrations.of("embedded/1", ["bronze.logs"]) == {TABLE, DAY}
    assert ledger.registrations.of("embedded/2", ["bronze.logs"]) == {TABLE}
    assert ledger.registrations.of("embedded/1", ["silver.logs"]) == set()


def test_what_is_told_anew_takes_the_place_of_what_was_told_before(ledger: Ledger) -> None:
    ledger.registrations.note("embedded/1", "run-1", [TABLE])
    changed = Registration("bronze.logs", "all", "b")
    ledger.registrations.note("embedded/1", "run-2", [changed])
    assert ledger.registrations.of("embedded/1", ["bronze.logs"]) == {changed}
