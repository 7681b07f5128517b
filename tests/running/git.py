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


def require_commit(name: str) -> None:
    """Raises SystemExit for what is no commit."""
    asked = ["git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"]
    if subprocess.run(asked, cwd=REPOSITORY, capture_output=True, check=False).returncode:
        raise SystemExit(f"{name} is no commit of this repository; `git log --oneline` lists them.")


def newest_commit() -> str:
    """Its hash, hexadecimal."""
    return git("rev-parse", "HEAD")[0]
