"""What git knows of this checkout."""

from __future__ import annotations

import subprocess

from launcher.layout import REPOSITORY


def git(*words: str) -> list[str]:
    """The lines that a git command writes. Raises SystemExit with git's own sentence where it fails."""
    done = subprocess.run(["git", *words], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"git {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.splitlines()


def newest_commit() -> str:
    """Its hash, hexadecimal."""
    return git("rev-parse", "HEAD")[0]
