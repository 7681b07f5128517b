"""`python -m spark_jobs.lake.heads`: the Delta log of each table, held against the version that the ledger names. Nothing is built where they differ.

A commit of a run that died before it recorded is put back by the table's next job. Commits that change no row, as an OPTIMIZE by somebody else,
are taken over. Anything else stops with one sentence, until a person puts the log right, goes back (`restore`) or says that it is right (`adopt`).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expectations.errors import ForeignCommitError, LakeError, LogError, RequestError
from expectations.ledger import Ledger
from expectations.loader import load_lake
from expectations.settings import load_settings
from spark_jobs.lake import delta_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from expectations.ledger import Head
    from expectations.settings import Settings
    from spark_jobs.lake.delta_log import Log, Logged

BACK = "Put the file back from a copy of the lake"


@dataclass(frozen=True)
class Standing:
    """What a table's log is beside the ledger.

    `counts`: the version to read; None where nothing was ever recorded. `newest`: the log's, None where there is none. `abandoned`: the runs
    whose commits come after what counts, and which did not record them: each died, or holds the lease and is about to.
    """

    head: Head | None
    counts: int | None
    newest: int | None
    abandoned: tuple[str, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether the ledger names the log's newest version, or has nothing to name."""
        return self.head is None or self.counts is None or (self.head.version == self.counts == self.newest)


def judge(table: str, head: Head | None, log: Log, commits: Mapping[int, Logged | None], broken: Iterable[str] = ()) -> Standing:
    """The table's standing. Raises LogError where its rows cannot be trusted.

    `commits`: those of the head and after it, of a table without a recorded head all; None is one that is not whole. `broken`: the newest
    checkpoint's files that are not whole.
    """
    if head is None:
        if log.newest is None:
            return Standing(None, None, None)
        raise LogError(
            f"{table}: there is a Delta table at version {log.newest}, and the ledger knows nothing of it. Is LAKE_LEDGER_URL the ledger of this lake? "
            f"Else move the folder away, or {_adopt(table, log.newest)}."
        )
    if head.version is not None:
        _require_whole(table, head.version, log, broken)
    for version, logged in sorted(commits.items()):
        if logged is None:
            raise LogError(
                f"{table}: the file of commit {version} is empty or cut off, so nobody knows what it changed; nothing was built on it. {BACK}; "
                f"or, where its rows are to be made again, delete it and {_adopt(table, version - 1)}."
            )
    if head.version is None:
        later = [logged for _, logged in sorted(commits.items()) if logged]
        _require_ours(table, later, head)
        return Standing(head, None, log.newest, tuple(dict.fromkeys(one.run_id for one in later if one.run_id)))
    _require_same_run(table, head, commits.get(head.version))
    later = [logged for version, logged in sorted(commits.items()) if logged and version > head.version]
    _require_ours(table, later, head)
    counts, abandoned = head.version, tuple(dict.fromkeys(one.run_id for one in later if one.run_id and one.changes_rows))
    for logged in later:
        if logged.run_id and logged.changes_rows:
            break
        counts = logged.version
    return Standing(head, counts, log.newest, abandoned)


def _require_whole(table: str, head: int, log: Log, broken: Iterable[str]) -> None:
    """Whether the commits are there from the newest checkpoint on, and the checkpoint itself."""
    if log.newest is None:
        raise LogError(
            f"{table}: the ledger names version {head}, and there is no Delta table. Put the folder back from a copy of the lake; or, where its days "
            f"are to be made again, {_adopt(table, None)}."
        )
    if log.newest < head:
        raise LogError(
            f"{table}: the ledger names version {head}, and the log ends at version {log.newest}: commits are missing, and rows with them; nothing was "
            f"built. Put their files back from a copy of the lake; or, where what is there is right, {_adopt(table, log.newest)}."
        )
    first = 0 if log.checkpoint is None else log.checkpoint + 1
    for version in (*range(first, log.newest), log.newest):
        if not log.commits.get(version):
            is_missing = version not in log.commits
            raise LogError(
                f"{table}: the file of commit {version} is {'missing' if is_missing else 'empty'}, so nobody knows what it changed; nothing was built. "
                f"{BACK}" + (f"; or, where its rows are to be made again, delete it and {_adopt(table, version - 1)}." if version == log.newest else ".")
            )
    for part in broken:
        raise LogError(
            f"{table}: the checkpoint {part} is not whole; nothing was built. {BACK}; or, where all commits from 0 on are there, delete it: Delta "
            "writes the next one."
        )


def _require_same_run(table: str, head: Head, logged: Logged | None) -> None:
    if logged is not None and head.run_id is not None and logged.run_id != head.run_id:
        raise LogError(
            f"{table}: the ledger has version {head.version} of {head.run_id or 'no run'}, and its commit is of {logged.run_id or 'no run'}: two writers made "
            f"the same version, or the log is another lake's; nothing was built. Put the right log back, or {_adopt(table, head.version)}."
        )


def _require_ours(table: str, later: Iterable[Logged], head: Head) -> None:
    for logged in later:
        is_of_old_restore = head.run_id is None and logged.operation == "RESTORE"  # restores named no run once
        if logged.changes_rows and not logged.run_id and not is_of_old_restore:
            back = f"; else go back: {_job('restore', table, head.version)}, or the DAG table_restore" if head.version is not None else ""
            raise ForeignCommitError(
                f"{table}: version {logged.version} ({logged.operation or 'of no known kind'}) was written by no job of this lake, and nobody judged its "
                f"rows; nothing was built on it. If they are right, {_adopt(table, logged.version)}{back}."
            )


def _adopt(table: str, version: int | None) -> str:
    return f"say so: {_job('adopt', table, version)}"


def _job(verb: str, table: str, version: int | None) -> str:
    return f'make job DO="{verb} {table}' + (f' --version {version}"' if version is not None else '"')


def standing(settings: Settings, ledger: Ledger, table: str) -> Standing:
    """The table's standing now. Raises LogError where its rows cannot be trusted."""
    path, head = settings.table_path(table), ledger.heads.of(table)
    log = delta_log.look(path)
    known = head is not None and head.version is not None
    wanted = [] if head is None else [version for version in log.commits if not known or version >= (head.version or 0)]
    broken = [part for part in log.parts if not delta_log.is_whole(path, part)]
    return judge(table, head, log, {version: _whole(path, version) for version in wanted}, broken)


def _whole(path: str, version: int) -> Logged | None:
    try:
        return delta_log.read(path, version)
    except (ValueError, KeyError, AttributeError):  # no JSON, or none of Delta's
        return None


def version_to_read(settings: Settings, ledger: Ledger, table: str) -> int:
    """The version that counts. Raises RequestError where none does, and LogError where the rows cannot be trusted."""
    version = standing(settings, ledger, table).counts
    if version is None:
        raise RequestError(f"{table}: nothing was ever published; build it first.")
    return version


def faults(settings: Settings, ledger: Ledger, tables: Iterable[str]) -> list[str]:
    """One sentence for each table whose rows cannot be trusted."""
    found = []
    for table in tables:
        try:
            standing(settings, ledger, table)
        except LogError as error:
            found.append(str(error))
    return found


def main() -> int:
    """All tables of the lake: a line for each fault, or one that says that there is none. 0 = none."""
    try:
        settings = load_settings()
        tables = sorted(load_lake(settings.project).tables)
        found = faults(settings, Ledger(settings.ledger_url), tables)
    except LakeError as error:
        found = [str(error)]
    said = " ".join(found) if found else f"the logs of {len(tables)} tables are as the ledger has them"
    sys.stdout.write(f"{said}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
