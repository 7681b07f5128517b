"""The jars of a lock file: resolved once, by Spark's own resolver, into a folder of the project, and checked. jars.lock names Delta's."""

from __future__ import annotations

import hashlib
import os
import shutil
import ssl
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies

from launcher.errors import LauncherError
from launcher.layout import REPOSITORY, jars_folder
from launcher.spark_server import JAVA_OPTIONS, SUBMIT_CLASS, java, spark_class_path

if TYPE_CHECKING:
    from collections.abc import Sequence

LOCK = REPOSITORY / "jars.lock"
S3_LOCK = REPOSITORY / "jars-s3.lock"
# The rest of what these jars ask for is on Spark's class path already, in newer versions.
NOT_FETCHED = ("org.apache.*:*", "com.*:*", "org.antlr:*", "org.slf4j:*", "org.openapitools:*", "org.roaringbitmap:*")
# hadoop-aws asks for the whole SDK in one jar of 686 MB; jars-s3.lock has the parts that it calls.
NOT_FETCHED_FOR_S3 = ("software.amazon.awssdk:bundle", "org.wildfly.openssl:*", "io.netty:*", "commons-codec:*", "commons-logging:*")
# Some class with a main() that ends at once: SparkSubmit resolves, then runs it.
HARMLESS_CLASS = "org.apache.hadoop.util.VersionInfo"
TRUST_PASSWORD = "changeit"  # noqa: S105  # of a file with public certificates; Java's own default


@dataclass(frozen=True)
class Jar:
    """One line of jars.lock: Maven coordinates (`group:artifact:version`) and the file's sha256."""

    coordinates: str
    sha256: str

    @property
    def file(self) -> str:
        """The name in the jars folder: `artifact-version.jar`."""
        _, artifact, version = self.coordinates.split(":")
        return f"{artifact}-{version}.jar"

    @property
    def resolved_file(self) -> str:
        """The name that the resolver gives it: `group_artifact-version.jar`."""
        return f"{self.coordinates.split(':')[0]}_{self.file}"


def read_lock(file: Path = LOCK) -> list[Jar]:
    """The jars of a lock file. Raises LauncherError for a line that is none."""
    jars = []
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        coordinates, _, digest = line.partition(" sha256:")
        if coordinates.count(":") != 2 or len(digest) != 64:  # noqa: PLR2004
            raise LauncherError(f"{file.name}:{number}: expected `group:artifact:version sha256:<64 digits>`, found {line!r}.")
        jars.append(Jar(coordinates, digest))
    return jars


def faults(jars: list[Jar], folder: Path) -> list[str]:
    """What is missing or differs, one phrase a jar; empty = all there."""
    found = []
    for jar in jars:
        file = folder / jar.file
        if not file.is_file():
            found.append(f"{jar.file} is missing")
        elif (digest := sha256(file)) != jar.sha256:
            found.append(f"{jar.file} has sha256 {digest}, expected {jar.sha256}")
    return found


def require_jars() -> None:
    """Raises LauncherError where the server would start without what it needs."""
    if problems := faults(read_lock(), jars_folder()):
        raise LauncherError(f"The jars in {jars_folder()} are not those of jars.lock ({problems[0]}): run `make setup`.")
    # here, not above: an image gets its jars before its contracts
    from expectations.s3 import is_s3
    from expectations.settings import load_settings

    settings = load_settings()
    on_s3 = next((place for place in (settings.root, settings.landing) if is_s3(place)), None)
    if on_s3 and (problems := faults(read_lock(S3_LOCK), jars_folder())):
        raise LauncherError(f"{on_s3} needs the jars of jars-s3.lock in {jars_folder()} ({problems[0]}): run `make setup S3=1`.")


def install(lock: Path = LOCK, folder: Path | None = None, not_fetched: Sequence[str] = NOT_FETCHED) -> bool:
    """Fills the folder (default: the jars folder) and removes what no lock file names. Returns whether anything was fetched.

    `not_fetched`: what the jars ask for and is there already, as `group:artifact`; none of the lock's own.
    """
    jars, folder = read_lock(lock), folder or jars_folder()
    folder.mkdir(parents=True, exist_ok=True)
    fetch = bool(faults(jars, folder))
    if fetch:
        draft = folder.with_name(f"{folder.name}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        try:
            _resolve(jars, draft, lock.name, not_fetched)
            _take(jars, draft, folder, lock.name)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    named = {jar.file for known in {lock, LOCK, S3_LOCK} for jar in read_lock(known)}
    for stranger in folder.iterdir():
        if stranger.name not in named:
            stranger.unlink()
    return fetch


def sha256(file: Path) -> str:
    """The file's sha256 in hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _take(jars: list[Jar], draft: Path, folder: Path, lock: str) -> None:
    for jar in jars:
        file = draft / "ivy" / "jars" / jar.resolved_file
        if not file.is_file():
            raise LauncherError(f"The resolver did not bring {jar.coordinates}: check that the repository has it, or set LAKE_MAVEN_REPOSITORY.")
        if (digest := sha256(file)) != jar.sha256:
            raise LauncherError(
                f"{jar.coordinates} has sha256 {digest}, expected {jar.sha256} as in {lock}: the repository gave another file, do not use it; "
                "try another repository with LAKE_MAVEN_REPOSITORY."
            )
    for jar in jars:
        (draft / "ivy" / "jars" / jar.resolved_file).replace(folder / jar.file)


def _resolve(jars: list[Jar], draft: Path, lock: str, not_fetched: Sequence[str]) -> None:
    # The resolver asks `~/.m2` first, and a .pom there without its .jar breaks it: it gets a home folder of its own.
    command = [str(java()), f"-Duser.home={draft / 'home'}", *JAVA_OPTIONS, *_trust(draft), *_proxies(), "-cp", spark_class_path(), SUBMIT_CLASS]
    command += ["--master", "local[1]", "--conf", f"spark.jars.ivy={draft / 'ivy'}", "--packages", ",".join(jar.coordinates for jar in jars)]
    command += ["--exclude-packages", ",".join(not_fetched), "--class", HARMLESS_CLASS, "spark-internal"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("SPARK_", "HADOOP_"))}
    environment["SPARK_LOCAL_IP"] = "127.0.0.1"
    if repository := os.environ.get("LAKE_MAVEN_REPOSITORY"):
        # Spark's own name for it; it stands in for Maven Central.
        environment["DEFAULT_ARTIFACT_REPOSITORY"] = repository.rstrip("/") + "/"
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        log = draft.with_suffix(".log")
        log.write_text(done.stdout + done.stderr)
        raise LauncherError(f"The jars of {lock} could not be fetched: {_reason(done.stdout + done.stderr)}. The resolver's words are in {log}.")


def _reason(output: str) -> str:
    known = {
        "PKIX path building failed": "the repository's certificate is not trusted here; name your certificates with SSL_CERT_FILE=<file.pem>",
        "No space left on device": "there is no room on the disk",
        "not well configured": "no connection to the repository; check the network or HTTPS_PROXY, or set LAKE_MAVEN_REPOSITORY to one that is reached",
        "UnknownHostException": "no connection to the repository; check the network or set LAKE_MAVEN_REPOSITORY to one that is reached",
        "not found": "the repository does not have them; set LAKE_MAVEN_REPOSITORY to one that has",
    }
    return next((meaning for sign, meaning in known.items() if sign in output), "the resolver failed")


def _trust(draft: Path) -> list[str]:
    """Java options that trust what this machine trusts (SSL_CERT_FILE, else the system's file): Java knows only its own list."""
    bundle = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if not bundle or not Path(bundle).is_file():
        return []
    # Here, so that `require_jars` at every `up` does not load it.
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
    from cryptography.hazmat.primitives.serialization.pkcs12 import PKCS12Certificate, serialize_java_truststore

    with warnings.catch_warnings():
        # Some public authorities' certificates break small rules; that is not the reader's business.
        warnings.simplefilter("ignore")
        certificates = x509.load_pem_x509_certificates(Path(bundle).read_bytes())
        named = [PKCS12Certificate(certificate, str(number).encode()) for number, certificate in enumerate(certificates)]
    store = draft / "trust.p12"
    store.write_bytes(serialize_java_truststore(named, BestAvailableEncryption(TRUST_PASSWORD.encode())))
    return [f"-Djavax.net.ssl.trustStore={store}", f"-Djavax.net.ssl.trustStorePassword={TRUST_PASSWORD}"]


def _proxies() -> list[str]:
    """HTTP_PROXY, HTTPS_PROXY and NO_PROXY as Java options: Java does not read them."""
    options, found = [], getproxies()
    for scheme in ("http", "https"):
        address = urlsplit(found.get(scheme, ""))
        if address.hostname:
            options += [f"-D{scheme}.proxyHost={address.hostname}", f"-D{scheme}.proxyPort={address.port or 80}"]
    # `.example.com` there is `*.example.com` here.
    exempt = [host.strip() for host in found.get("no", "").split(",") if host.strip()]
    if options and exempt:
        options.append("-Dhttp.nonProxyHosts=" + "|".join(f"*{host}" if host.startswith(".") else host for host in exempt))
    return options
