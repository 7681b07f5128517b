"""A Delta table's newest commit, read from its log: a file of a few hundred bytes, where DESCRIBE HISTORY is a job of 0.1 to 0.4 s on a warm server.

The log's form is Delta's published protocol (PROTOCOL.md of delta-io/delta, "Delta Log Entries" and "Commit Provenance Information"): a commit is
`_delta_log/<version, 20 digits>.json`, one action a line. A log's cleaning never takes the newest one.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from expectations.storage import Place

COMMIT = re.compile(r"(\d{20})\.json")


@dataclass(frozen=True)
class Logged:
    """One commit: its version, what was done (WRITE, MERGE ...), Delta's counts of it, and what its writer said of itself."""

    version: int
    operation: str = ""
    metrics: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)


def newest(table: str) -> Logged | None:
    """The newest commit of the table in this folder; None where there is no table."""
    version = newest_version(table)
    return None if version is None else _read(table, version)


def newest_version(table: str) -> int | None:
    """The table's version; None where there is no table."""
    versions = [int(found[1]) for name in Place.of(f"{table}/_delta_log").file_names() if (found := COMMIT.fullmatch(name))]
    return max(versions, default=None)


def _read(table: str, version: int) -> Logged:
    for line in Place.of(f"{table}/_delta_log/{version:020}.json").read_bytes().splitlines():
        info = json.loads(line).get("commitInfo") if b'"commitInfo"' in line else None
        if info is not None:
            return Logged(version, info.get("operation", ""), info.get("operationMetrics") or {}, _metadata(info))
    return Logged(version)


def _metadata(info: dict[str, Any]) -> dict[str, Any]:
    """Whatever another writer may have put there."""
    try:
        said = json.loads(info.get("userMetadata") or "{}")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
