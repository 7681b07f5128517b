"""The README as tests read it: its code blocks, and the lake that it shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from launcher.layout import REPOSITORY

if TYPE_CHECKING:
    from pathlib import Path

README = (REPOSITORY / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """The texts of the code blocks in a language, in their order."""
    return [text for found, _, text in BLOCKS if found == language]


def job_lines() -> tuple[list[str], list[str]]:
    """The words behind `make job DO=` in quotes: those that make the first own table, and those that bring the pie back."""
    first, second = (re.findall(r'^make job DO=(".*")$', text, flags=re.MULTILINE) for text in blocks("console"))
    return first, second


def write_lake(home: Path) -> Path:
    """Writes the files that the README names into a folder, and returns the lake's."""
    files = [(place, text) for _, place, text in BLOCKS if place]
    assert len(files) == 7
    for place, text in files:
        (home / place).parent.mkdir(parents=True, exist_ok=True)
        (home / place).write_text(text)
    return home / "my-lake"


def rows(my_lake: Path, table: str) -> list[dict[str, Any]]:
    """The table's rows, sorted, as any Delta reader gives them; days as texts."""
    from deltalake import DeltaTable

    found = DeltaTable(my_lake / "data_lake" / table).to_pyarrow_table().to_pylist()
    texts = [{name: str(value) if name == "sold_on" else value for name, value in row.items()} for row in found]
    return sorted(texts, key=lambda row: str(row.get("item")))
