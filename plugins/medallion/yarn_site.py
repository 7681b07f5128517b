"""Where Hadoop's configuration says that YARN is: spark-submit reads it there, and would try for a quarter of an hour where nobody listens."""

from __future__ import annotations

import os
import re
from pathlib import Path
from xml.etree import ElementTree

from expectations.errors import RequestError

PORT = 8032


def resource_managers() -> list[tuple[str, int]]:
    """Host and port of each ResourceManager that yarn-site.xml names. Raises RequestError where there is no such file, or it names none."""
    folder = os.environ.get("HADOOP_CONF_DIR") or os.environ.get("YARN_CONF_DIR")
    file = Path(folder or "", "yarn-site.xml")
    if not folder or not file.is_file():
        found = f"there is no yarn-site.xml in {folder}" if folder else "HADOOP_CONF_DIR is not set"
        raise RequestError(f"{found}: spark-submit finds YARN by the yarn-site.xml in the folder that HADOOP_CONF_DIR names; set it for the scheduler.")
    site = _properties(file)
    ids = [f".{one.strip()}" for one in site.get("yarn.resourcemanager.ha.rm-ids", "").split(",") if one.strip()] or [""]
    named = [site.get(f"yarn.resourcemanager.address{one}") or site.get(f"yarn.resourcemanager.hostname{one}") for one in ids]
    places = [(host, int(port or PORT)) for host, _, port in (name.partition(":") for name in named if name)]
    if not places:
        raise RequestError(f"{file} names no ResourceManager; write yarn.resourcemanager.hostname or yarn.resourcemanager.address there.")
    return places


def _properties(file: Path) -> dict[str, str]:
    """Names and values; `${name}` in a value is the value of that name."""
    root = ElementTree.parse(file).getroot()  # noqa: S314 - the cluster's own configuration, which spark-submit reads too
    found = {str(one.findtext("name")).strip(): str(one.findtext("value") or "").strip() for one in root.iter("property")}
    return {name: re.sub(r"\$\{([^}]+)\}", lambda other: found.get(other[1], other[0]), value) for name, value in found.items()}
