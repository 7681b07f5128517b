"""A table's code is its file and the modules of the lake that this imports; other packages are not the lake's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expectations.errors import ContractError
from expectations.ledger import Arrival, DayEntry, Ledger
from expectations.loader import load_lake
from expectations.logic_checks import require_importable
from expectations.logic_files import code_hash, file_hash, lake_modules
from tests.expectations.conftest import SALES_LOGIC, write_lake

if TYPE_CHECKING:
    from pathlib import Path

LIB = {
    "lib/__init__.py": "",
    "lib/prices.py": "from lib.taxes import rate\n\ndef net(cents):\n    return cents / rate()\n",
    "lib/taxes.py": "def rate():\n    return 1.2\n",
    "lib/other.py": "NOT = 'imported'\n",
    "sums/deep/__init__.py": "from .more import total\n",
    "sums/deep/more.py": "from ..round import half\n",
    "sums/round.py": "half = 0.5\n",
    "single.py": "x = 1\n",
}


def modules(folder: Path, logic: str) -> list[str]:
    for name, text in LIB.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    file = folder / "spark_jobs/silver/sales.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(logic)
    return [str(found.relative_to(folder)) for found in lake_modules(folder, file)]


@pytest.mark.parametrize(
    ("logic", "found"),
    [
        ("from pyspark.sql import functions as F\nimport datetime\n", []),
        ("from lib.prices import net\n", ["lib/__init__.py", "lib/prices.py", "lib/taxes.py"]),
        ("from lib import taxes\n", ["lib/__init__.py", "lib/taxes.py"]),
        ("import lib.taxes as t\n", ["lib/__init__.py", "lib/taxes.py"]),
        ("import single\n", ["single.py"]),
        ("def transform():\n    from single import x\n", ["single.py"]),
        ("from sums.deep import total\n", ["sums/deep/__init__.py", "sums/deep/more.py", "sums/round.py"]),
        ("from spark_jobs.lake import logic\nimport expectations.days\n", []),
        ("this is no Python", []),
    ],
)
def test_the_modules_of_the_lake_that_a_file_imports_are_its_code(tmp_path: Path, logic: str, found: list[str]) -> None:
    assert modules(tmp_path, logic) == found


def test_modules_that_import_each_other_are_each_found_once(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import b\n")
    (tmp_path / "b.py").write_text("import a\n")
    assert [file.name for file in lake_modules(tmp_path, tmp_path / "a.py")] == ["b.py"]


def test_a_module_that_changes_makes_other_code_and_one_that_is_not_imported_does_not(tmp_path: Path) -> None:
    modules(tmp_path, "from lib.prices import net\n")
    file = tmp_path / "spark_jobs/silver/sales.py"
    before = code_hash(tmp_path, file)
    (tmp_path / "lib/other.py").write_text("NOT = 'imported either'\n")
    assert code_hash(tmp_path, file) == before
    (tmp_path / "lib/taxes.py").write_text("def rate():\n    return 1.19\n")
    assert code_hash(tmp_path, file) != before


def test_the_code_of_a_file_that_imports_nothing_of_the_lake_is_the_file(tmp_path: Path) -> None:
    modules(tmp_path, "import datetime\n")
    file = tmp_path / "spark_jobs/silver/sales.py"
    assert code_hash(tmp_path, file) == file_hash(file)


def test_days_that_were_made_when_the_file_alone_counted_are_not_stale(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.db")
    days = [DayEntry("silver.sales", f"2024-05-0{day}", "published", 3, "run-1", "contract", code, {}) for day, code in ((1, "alone"), (2, "older"))]
    other = DayEntry("silver.other", "2024-05-01", "published", 3, "run-1", "contract", "alone", {})
    read = [Arrival("silver.sales", "bronze.sales", f"2024-05-0{day}", 2, code, []) for day, code in ((1, "contract.alone"), (2, "contract.older"))]
    ledger.record([*days, other], [], read)
    ledger.restamp("silver.sales", "alone", "whole")
    assert {day: entry.code for day, entry in ledger.days("silver.sales").items()} == {"2024-05-01": "contract.whole", "2024-05-02": "contract.older"}
    assert sorted(arrival.code for arrival in ledger.arrivals("silver.sales")) == ["contract.older", "contract.whole"]
    assert ledger.days("silver.other")["2024-05-01"].logic_hash == "alone"


@pytest.mark.parametrize(
    ("logic", "says"),
    [
        (
            "from _beside import factor\n\ndef transform(bronze_sales, silver_shops):\n    return bronze_sales\n",
            "spark_jobs/silver/sales.py: No module named '_beside', so no job can run it; import a module of the lake by its whole name from LAKE, like ",
        ),
        (
            "RATE = 1 / 0\n\ndef transform(bronze_sales, silver_shops):\n    return bronze_sales\n",
            "spark_jobs/silver/sales.py: it cannot be imported, so no job can run it: ZeroDivisionError: division by zero.",
        ),
    ],
)
def test_logic_that_no_job_could_import_is_refused_by_the_check(tmp_path: Path, logic: str, says: str) -> None:
    write_lake(tmp_path, {SALES_LOGIC: logic, "spark_jobs/silver/_beside.py": "factor = 2\n"})
    with pytest.raises(ContractError) as refused:
        require_importable(load_lake(tmp_path))
    assert str(refused.value).replace(f"{tmp_path}/", "").replace(str(tmp_path), "LAKE").startswith(says)
