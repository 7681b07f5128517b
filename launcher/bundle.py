"""`make bundle`: the lake's code in one archive, for a driver that runs elsewhere than Airflow. Packages and Java are the cluster's own."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from expectations.settings import REPOSITORY, load_settings
from launcher.layout import load_state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROOMS = ("expectations", "spark_jobs")
PROJECT = "project"
"""The folder of a lake that has one of its own; the engine's own lake is at the top."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The oldest time of a ZIP file: the same code gives the same archive."""


def write_bundle(file: Path | None = None) -> Path:
    """Writes engine, contracts and table files to `file` (default: bundle.zip in the state folder), whole or not at all, and returns it."""
    target = file or load_state().folder / "bundle.zip"
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, source in contents():
            archive.writestr(zipfile.ZipInfo(name, EPOCH), source.read_bytes(), zipfile.ZIP_DEFLATED)
    draft.replace(target)
    return target


def contents() -> Iterator[tuple[str, Path]]:
    """The archive's names and the files behind them, sorted."""
    project = load_settings().project
    places = {"": REPOSITORY} | ({f"{PROJECT}/": project} if project != REPOSITORY else {})
    for prefix, place in places.items():
        for room in ROOMS:
            for source in sorted((place / room).rglob("*")):
                if source.is_file() and "__pycache__" not in source.parts:
                    yield f"{prefix}{source.relative_to(place)}", source
