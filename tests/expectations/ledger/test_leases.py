"""One writer a table: leases are waited for, run out, are noticed when lost, and are renewed. Waits here are for events, not for times."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from expectations.errors import LeaseError
from expectations.ledger import Ledger, leases
from expectations.ledger.database import open_database
from expectations.ledger.schema import leases as rows

TABLE = "silver.sales"


def expiry(url: str) -> float | None:
    with open_database(url).connect() as connection:
        return connection.execute(select(rows.c.expires_at).where(rows.c.table_name == TABLE)).scalar()


def expire(url: str) -> None:
    with open_database(url).begin() as connection:
        connection.execute(update(rows).values(expires_at=time.time() - 1))


def test_a_lease_is_given_back_even_after_an_error(ledger: Ledger, url: str) -> None:
    with pytest.raises(ZeroDivisionError), ledger.lease(TABLE, "run-1"):
        assert expiry(url) is not None
        raise ZeroDivisionError
    assert expiry(url) is None


def test_a_second_writer_waits_until_the_first_has_ended(ledger: Ledger) -> None:
    order: list[str] = []
    taken, go_on = threading.Event(), threading.Event()

    def first() -> None:
        with ledger.lease(TABLE, "run-1"):
            taken.set()
            go_on.wait(30)
            order.append("first")

    def second() -> None:
        with ledger.lease(TABLE, "run-2"):
            order.append("second")

    writers = [threading.Thread(target=first), threading.Thread(target=second)]
    writers[0].start()
    assert taken.wait(30)
    writers[1].start()
    go_on.set()
    for writer in writers:
        writer.join(30)
    assert order == ["first", "second"]


def test_who_has_no_more_patience_is_told_who_writes(ledger: Ledger) -> None:
    with ledger.lease(TABLE, "run-1"), pytest.raises(LeaseError) as caught, ledger.lease(TABLE, "run-2", patience_seconds=0):
        pytest.fail("two writers")
    assert str(caught.value) == "silver.sales is being written by run-1; wait until it has ended, or 60 seconds if it died."


def test_another_table_is_another_lease(ledger: Ledger) -> None:
    with ledger.lease(TABLE, "run-1") as one, ledger.lease("gold.x", "run-2", patience_seconds=0) as other:
        one.check()
        other.check()


def test_the_same_run_twice_is_two_writers(ledger: Ledger) -> None:
    with ledger.lease(TABLE, "run-1"), pytest.raises(LeaseError), ledger.lease(TABLE, "run-1", patience_seconds=0):
        pytest.fail("two writers")


def test_a_lease_that_has_run_out_is_taken_over_and_its_loss_is_noticed_before_the_commit(ledger: Ledger, url: str) -> None:
    with ledger.lease(TABLE, "dead") as lost:
        expire(url)
        with ledger.lease(TABLE, "run-2", patience_seconds=0) as kept:
            with pytest.raises(LeaseError) as caught:
                lost.check()
            kept.check()
        assert str(caught.value) == "silver.sales: dead lost its lease to another run before the commit; nothing was written, run it again."


def test_who_has_lost_a_lease_does_not_give_back_the_others(ledger: Ledger, url: str) -> None:
    with ledger.lease(TABLE, "dead"):
        expire(url)
        others = leases.Lease(open_database(url), TABLE, "run-2")
        assert others.try_take() is None
    others.check()


def test_a_lease_that_ran_out_and_that_nobody_took_is_still_ones_own(ledger: Ledger, url: str) -> None:
    with ledger.lease(TABLE, "run-1") as lease:
        expire(url)
        lease.check()
        with pytest.raises(LeaseError), ledger.lease(TABLE, "run-2", patience_seconds=0):
            pytest.fail("two writers")


def renewed(url: str, since: float | None) -> bool:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if (expiry(url) or 0) > (since or 0):
            return True
        time.sleep(0.01)
    return False


def test_its_holder_renews_it_in_the_background(ledger: Ledger, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.3)
    with ledger.lease(TABLE, "run-1"):
        assert renewed(url, expiry(url))


def test_a_hiccup_of_the_database_does_not_end_the_renewing(ledger: Ledger, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "LEASE_SECONDS", 0.3)
    check, hiccups = leases.Lease.check, iter([True])

    def stumble(lease: leases.Lease) -> None:
        if next(hiccups, False):
            raise OperationalError("UPDATE", {}, Exception("server closed the connection"))
        check(lease)

    monkeypatch.setattr(leases.Lease, "check", stumble)
    with ledger.lease(TABLE, "run-1"):
        assert renewed(url, expiry(url))


def test_a_lease_that_cannot_be_given_back_does_not_undo_what_was_written(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: leases.Lease) -> None:
        raise OperationalError("DELETE", {}, Exception("server closed the connection"))

    monkeypatch.setattr(leases.Lease, "give_back", fail)
    with ledger.lease(TABLE, "run-1"):
        pass
