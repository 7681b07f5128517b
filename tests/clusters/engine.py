"""A Docker engine of the tests' own, and the images that docker-compose.yaml names, made of Debian's packages where none can be pulled."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from launcher.layout import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IMAGES = Path(__file__).with_name("images")
NEEDED = ("dockerd", "docker", "docker-compose", "debootstrap", "iptables")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
DEBIAN = "medallion-debian:bookworm"
START_SECONDS = 60.0
COMPOSE = yaml.safe_load((REPOSITORY / "docker-compose.yaml").read_text())


def why_not() -> str:
    """Why no container can be started here; empty where one can."""
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        return f"{', '.join(missing)} not found: apt-get install docker.io docker-compose debootstrap iptables; .ci/run does so"
    return "" if os.geteuid() == 0 else "only root can start a Docker engine of the tests' own"


@contextmanager
def started_engine(folder: Path) -> Iterator[str]:
    """The address of an engine that keeps all it has in `folder`, until the end. Raises RuntimeError where it does not start."""
    address, log = f"unix://{folder}/docker.sock", folder / "dockerd.log"
    places = ["--data-root", str(folder / "data"), "--exec-root", str(folder / "exec"), "--pidfile", str(folder / "docker.pid")]
    with log.open("w") as lines:
        engine = subprocess.Popen(["dockerd", "-H", address, *places], stdout=lines, stderr=lines)
    try:
        _wait(engine, address, log)
        yield address
    finally:
        engine.terminate()
        engine.wait(60)
        # the engine leaves the network of the host mounted, and then nobody can delete the folder
        subprocess.run(["umount", str(folder / "exec" / "netns" / "default")], check=False, capture_output=True)
        shutil.rmtree(folder / "data", ignore_errors=True)


def make_images(address: str, folder: Path) -> None:
    """The images that docker-compose.yaml would pull, under the same tags; the S3 server's only where there is a Go to build it."""
    root, trusted, gateway = folder / "debian", folder / "trusted", folder / "gateway"
    _run(["debootstrap", "--variant=minbase", "bookworm", str(root)])
    packed = subprocess.run(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE, check=True)
    _run(["docker", "-H", address, "import", "-", DEBIAN], packed.stdout)
    shutil.rmtree(root)
    shutil.copytree(IMAGES / "python", trusted)
    shutil.copy(CERTIFICATES, trusted)
    for context, image in (
        (trusted, _default(COMPOSE["x-lake"]["build"]["args"]["BASE_IMAGE"])),
        (IMAGES / "postgres", _default(COMPOSE["services"]["postgres"]["image"])),
        *([(gateway, _s3_server(gateway))] if has_go() else []),
    ):
        _run(["docker", "-H", address, "build", "--network", "host", "-t", image, str(context)])


def has_go() -> bool:
    """Whether there is a Go, which fetches a newer one by itself where a module asks for it: since 1.21."""
    found = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, check=False) if shutil.which("go") else None
    return found is not None and [int(part) for part in found.stdout.strip().removeprefix("go").split(".")[:2]] >= [1, 21]


def _s3_server(folder: Path) -> str:
    """The tag of the image that is built in `folder`: of the version that docker-compose.yaml names, from the Go module of that name."""
    image = _default(COMPOSE["services"]["s3"]["image"])
    name, version = image.split(":")
    shutil.copytree(IMAGES / "s3", folder)
    settings = {"GOBIN": str(folder), "CGO_ENABLED": "0", "GOFLAGS": "-ldflags=-s"}
    _run(["go", "install", f"github.com/{name}/cmd/versitygw@{version}"], environment={**os.environ, **settings})
    return image


def _default(text: str) -> str:
    """`${NAME:-value}` is `value`."""
    return text.partition(":-")[2].removesuffix("}")


def _wait(engine: subprocess.Popen[bytes], address: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while subprocess.run(["docker", "-H", address, "version"], capture_output=True, check=False).returncode:
        if engine.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the Docker engine does not start: {log.read_text()[-1500:]}")
        time.sleep(0.5)


def _run(command: list[str], given: bytes | None = None, environment: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(command, input=given, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} failed: {done.stdout.decode(errors='replace')[-2000:]}")
