"""Ends what a job's session does on a Spark Connect server once the job is gone: else a killed job's query goes on, on all cores, beside its retry.

A guard is a process of its own, so that it outlives the job however that ends. It waits on a pipe, whose other end the kernel closes when the job is
gone, and imports nothing until then: Python in isolation starts in a hundredth of a second.
"""

import os
import sys

VARIABLE = "LAKE_GUARDED_SESSION"
"""The session's address on its server, which may hold a token and so stands on no command line."""
ENDED = b"."
"""What a job says that ends its session itself."""
RELEASE = "release"


def wait_for_the_end() -> None:
    """Wait until the job has ended its session, or is gone; then become the process that ends it."""
    if os.read(0, 1) == ENDED:
        return
    os.execv(sys.executable, [sys.executable, __file__, RELEASE])  # noqa: S606 - with the packages, which isolation leaves out


def release(address: str) -> None:
    """Interrupt what runs in the session at this address, and forget it."""
    from pyspark.sql.connect.client import SparkConnectClient

    client = SparkConnectClient(address)
    client.interrupt_all()
    client.release_session()


def address_of(remote: str, session: str) -> str:
    """The address of one session: `sc://host:port/;session_id=…`, with what else the server's address says."""
    server, _, parameters = remote.removeprefix("sc://").partition("/")
    return f"sc://{server}/{parameters.rstrip(';')};session_id={session}"


if __name__ == "__main__":
    release(os.environ[VARIABLE]) if sys.argv[1:] == [RELEASE] else wait_for_the_end()
