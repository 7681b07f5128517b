"""A Spark Connect server for tests, started as the launcher would start it."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.free_ports import free_port
from tests.server_process import is_open, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_SECONDS = 90
HEAP = "2g"


@dataclass(frozen=True)
class RunningSpark:
    """The address of a Spark Connect server, and its log."""

    remote: str
    log: Path


@contextlib.contextmanager
def running_spark(folder: Path, metastore: str = "off") -> Iterator[RunningSpark]:
    """A Spark Connect server with Delta, as the launcher would start it, until the block ends."""
    port, log = free_port(), folder / "server.log"
    places = {"LAKE_STATE": str(folder / "state"), "LAKE_SPARK_PORT": str(port), "LAKE_SPARK_MEMORY": HEAP}
    # its lakes are many, and each has its silver.sales
    environment = {**os.environ, **places, "LAKE_METASTORE": metastore}
    with running([sys.executable, "-m", "launcher", "run", "spark"], log, lambda: is_open(port), START_SECONDS, env=environment):
        yield RunningSpark(f"sc://127.0.0.1:{port}", log)
