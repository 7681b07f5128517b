"""One writer a table: a lease that its holder renews, and that others may take only when it has run out."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from expectations.errors import LeaseError
from expectations.ledger.schema import leases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import Engine

LEASE_SECONDS = 60.0
"""How long a dead holder blocks a table. A live one renews three times in that time."""


class Lease:
    """The right to commit to one table, as long as `check` does not raise."""

    def __init__(self, engine: Engine, table: str, owner: str) -> None:
        self._engine, self.table, self.owner = engine, table, owner
        self.token = uuid.uuid4().hex

    def try_take(self) -> str | None:
        """None when taken, else who holds it."""
        now = time.time()
        values = {"owner": self.owner, "token": self.token, "expires_at": now + LEASE_SECONDS}
        with self._engine.begin() as connection:
            taken = connection.execute(update(leases).where(leases.c.table_name == self.table, leases.c.expires_at < now).values(**values)).rowcount
            if taken:
                return None
            holder = connection.execute(select(leases.c.owner).where(leases.c.table_name == self.table)).scalar()
            if holder is None:
                connection.execute(insert(leases).values(table_name=self.table, **values))
            return holder

    def check(self) -> None:
        """Renew it. Raises LeaseError where somebody else has it: then nothing may be committed."""
        with self._engine.begin() as connection:
            kept = connection.execute(
                update(leases).where(leases.c.table_name == self.table, leases.c.token == self.token).values(expires_at=time.time() + LEASE_SECONDS)
            ).rowcount
        if not kept:
            raise LeaseError(f"{self.table}: {self.owner} lost its lease to another run before the commit; nothing was written, run it again.")

    def give_back(self) -> None:
        """Let the next one in."""
        with self._engine.begin() as connection:
            connection.execute(delete(leases).where(leases.c.table_name == self.table, leases.c.token == self.token))


@contextmanager
def hold(engine: Engine, table: str, owner: str, patience_seconds: float = 600.0) -> Iterator[Lease]:
    """Hold the lease of `table` for the length of the block, renewed in the background.

    Waits up to `patience_seconds` for another holder. Raises LeaseError after that.
    """
    lease = Lease(engine, table, owner)
    deadline = time.monotonic() + patience_seconds
    while (holder := _take(lease)) is not None:
        if time.monotonic() > deadline:
            raise LeaseError(f"{table} is being written by {holder}; wait until it has ended, or {LEASE_SECONDS:.0f} seconds if it died.")
        time.sleep(0.2)
    ended = threading.Event()
    renewer = threading.Thread(target=_renew, args=(lease, ended), daemon=True)
    renewer.start()
    try:
        yield lease
    finally:
        ended.set()
        renewer.join()
        with suppress(SQLAlchemyError):  # what was written stays written; a lease that cannot be given back runs out
            lease.give_back()


def _take(lease: Lease) -> str | None:
    try:
        return lease.try_take()
    except IntegrityError:
        return "another run"  # two inserted at once; the other one won


def _renew(lease: Lease, ended: threading.Event) -> None:
    while not ended.wait(LEASE_SECONDS / 3):
        try:
            lease.check()
        except LeaseError:
            return
        except SQLAlchemyError:  # the database may answer again before the lease runs out
            continue
