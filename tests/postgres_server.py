"""A Postgres server of a test's own, on a free port of the loopback interface."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL

from tests.debian_packages import require_package
from tests.free_ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"


@contextmanager
def running_postgres(password: str = "", *settings: str) -> Iterator[URL]:
    """The superuser's URL of a new server until the block ends; without a password everybody is let in. `settings`: `timezone=UTC`."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    require_package("postgresql", is_here=bool(found))
    # Not under pytest's own folder, which only its owner may enter.
    folder, port = Path(tempfile.mkdtemp(prefix="postgres-")), free_port()
    (folder / "password").write_text(f"{password}\n")
    user = _hand_over(folder)

    def run(program: str, *arguments: str) -> None:
        # Into a file: the server keeps what it inherits, and a pipe would never end.
        with (folder / "output").open("a") as output:
            subprocess.run([found[-1].parent / program, "-D", folder / "data", *arguments], user=user, cwd="/", check=True, stdout=output, stderr=output)

    login = ["-A", "scram-sha-256", f"--pwfile={folder}/password"] if password else ["-A", "trust"]
    options = " ".join(f"-c {setting}" for setting in (f"listen_addresses={HOST}", "fsync=off", *settings))
    try:
        run("initdb", "--no-sync", "-U", "postgres", *login)
        run("pg_ctl", "-o", f"-p {port} {options} -k {folder}", "-w", "start")
        try:
            yield URL.create("postgresql+psycopg2", "postgres", password or None, HOST, port, "postgres")
        finally:
            run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


def _hand_over(folder: Path) -> int | None:
    """Postgres refuses to run as root: who runs it, and owns its folder."""
    if os.getuid() != 0:
        return None
    user = pwd.getpwnam("postgres")
    for path in (folder, *folder.iterdir()):
        shutil.chown(path, user.pw_uid, user.pw_gid)
    return user.pw_uid
