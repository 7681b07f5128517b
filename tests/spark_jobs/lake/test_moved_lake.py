"""A lake that moves to another root and another ledger is the same one there."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from expectations.ledger.copying import copy_ledger
from expectations.settings import load_settings

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEADER = "sold_on,item,cents"


def test_a_copied_root_and_a_copied_ledger_have_nothing_to_build_and_go_on(shop: LittleLake, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.land("sales/2024-05-01.csv", HEADER, "2024-05-01,tea,300", "2024-05-01,cake,5000")
    for table in ("bronze.sales", "silver.sales"):
        shop.build(table, "2024-05-01")
    before, waiting, old = shop.rows("silver.sales"), shop.quarantine("silver.sales"), load_settings()

    shutil.move(old.root, shop.project / "moved")
    monkeypatch.setenv("LAKE_ROOT", str(shop.project / "moved"))
    monkeypatch.setenv("LAKE_LEDGER_URL", f"sqlite:///{shop.project}/new/ledger.db")
    copy_ledger(old.ledger_url, load_settings().ledger_url)

    assert [shop.build(table, "2024-05-01", "run-2").status for table in ("bronze.sales", "silver.sales")] == ["unchanged", "unchanged"]
    assert (shop.rows("silver.sales"), shop.quarantine("silver.sales")) == (before, waiting)
    shop.land("sales/2024-05-02.csv", HEADER, "2024-05-02,pie,200")
    for table in ("bronze.sales", "silver.sales"):
        shop.build(table, "2024-05-02", "run-3")
    assert shop.rows("silver.sales", "item", "cents") == [("pie", 200), ("tea", 300)]
