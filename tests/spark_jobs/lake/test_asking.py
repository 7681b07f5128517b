"""Days that are put to a person, and days held for too many bad rows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.spark_jobs.lake.conftest import SOLD

if TYPE_CHECKING:
    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEADER = "sold_on,item,cents"
DAY, NEXT = "2024-05-01", "2024-05-02"


def asking(shop: LittleLake, rules: str) -> None:
    """Silver's rules, and nothing else changed."""
    kept, _ = SOLD.split("    rules:")
    shop.write("expectations/silver/sales.yaml", kept + "    rules:\n" + rules)


CHEAP = "      - {expect: expect_column_mean_to_be_between, column: cents, min_value: 100, on_fail: ask, name: not_too_cheap}\n"


@pytest.fixture
def cheap(shop: LittleLake) -> LittleLake:
    """A good day and one that a person has to decide."""
    asking(shop, CHEAP)
    shop.land(f"sales/{DAY}.csv", HEADER, f"{DAY},tea,300")
    shop.land(f"sales/{NEXT}.csv", HEADER, f"{NEXT},tea,2", f"{NEXT},cake,4")
    shop.build("bronze.sales", f"{DAY}..{NEXT}")
    return shop


def test_a_day_that_breaks_an_ask_rule_waits_and_the_others_are_published(cheap: LittleLake) -> None:
    result = cheap.run("build", "silver.sales", f"{DAY}..{NEXT}")
    assert (result.status, result.facts["days"], list(result.facts["asks"])) == ("asks", [DAY], [NEXT])
    assert cheap.rows("silver.sales", "item") == [("tea",)]
    assert cheap.ledger.days("silver.sales")[NEXT].state == "held"
    (question,) = cheap.ledger.decisions.questions("silver.sales", "run-1")
    assert (question.day, question.rule, question.answer) == (NEXT, "not_too_cheap", None)
    assert question.evidence["sentence"] == "not_too_cheap: found 3.0, expected expect_column_mean_to_be_between (column cents, min_value 100)."
    assert (question.evidence["observed"], question.evidence["judged"]) == ("3.0", 2)


def test_an_answer_to_publish_is_obeyed_and_the_day_is_not_clean(cheap: LittleLake) -> None:
    cheap.run("build", "silver.sales", f"{DAY}..{NEXT}")
    (question,) = cheap.ledger.decisions.questions("silver.sales")
    cheap.ledger.decisions.answer(question, "publish", "ann", "a sale of leftovers")
    result = cheap.build("silver.sales", f"{DAY}..{NEXT}")
    assert result.facts["let_through"] == {NEXT: ["not_too_cheap, let through by ann: a sale of leftovers"]}
    assert cheap.rows("silver.sales", "item", "cents") == [("cake", 4), ("tea", 2), ("tea", 300)]
    days = cheap.ledger.days("silver.sales")
    assert (days[NEXT].state, days[NEXT].clean, days[DAY].clean) == ("published", False, True)
    assert cheap.build("silver.sales", f"{DAY}..{NEXT}").status == "unchanged"


def test_an_answer_to_hold_is_obeyed_until_the_day_is_rebuilt(cheap: LittleLake) -> None:
    cheap.run("build", "silver.sales", NEXT)
    (question,) = cheap.ledger.decisions.questions("silver.sales")
    cheap.ledger.decisions.answer(question, "hold", "ann", "ask the shop first")
    result = cheap.run("build", "silver.sales", NEXT)
    assert result.status == "held"
    assert "Held by ann: ask the shop first." in result.facts["held"][NEXT][0]
    assert cheap.run("build", "silver.sales", NEXT, "run-2", force=True).status == "asks"
    (again,) = cheap.ledger.decisions.open_questions("silver.sales", "run-2")
    assert again.evidence["earlier_answers"] == ["hold by ann: ask the shop first"]
    cheap.ledger.decisions.answer(again, "hold", "bob", "still not")
    assert cheap.run("build", "silver.sales", NEXT, "run-2", force=True).status == "held"


def test_a_changed_candidate_asks_again(cheap: LittleLake) -> None:
    cheap.run("build", "silver.sales", NEXT)
    (first,) = cheap.ledger.decisions.questions("silver.sales")
    cheap.ledger.decisions.answer(first, "publish", "ann", "a sale of leftovers")
    cheap.land(f"sales/{NEXT}.csv", HEADER, f"{NEXT},tea,2", f"{NEXT},cake,5")
    cheap.build("bronze.sales", NEXT, "run-2")
    assert cheap.run("build", "silver.sales", NEXT, "run-2").status == "asks"
    (second,) = cheap.ledger.decisions.questions("silver.sales", "run-2")
    assert (second.answer, second.candidate == first.candidate) == (None, False)


def test_the_same_rows_in_another_order_are_the_same_candidate(cheap: LittleLake) -> None:
    cheap.run("build", "silver.sales", NEXT)
    cheap.land(f"sales/{NEXT}.csv", HEADER, f"{NEXT},cake,4", f"{NEXT},tea,2")
    cheap.build("bronze.sales", NEXT, "run-2")
    cheap.run("build", "silver.sales", NEXT, "run-2")
    assert len(cheap.ledger.decisions.questions("silver.sales")) == 1


def test_a_changed_rule_asks_again(cheap: LittleLake) -> None:
    cheap.run("build", "silver.sales", NEXT)
    (question,) = cheap.ledger.decisions.questions("silver.sales")
    cheap.ledger.decisions.answer(question, "publish", "ann", "a sale of leftovers")
    asking(cheap, CHEAP.replace("100", "120"))
    assert cheap.run("build", "silver.sales", NEXT, "run-2").status == "asks"


def test_a_row_rule_asks_with_examples_and_the_trend(shop: LittleLake) -> None:
    asking(shop, "      - {expect: expect_column_values_to_be_between, column: cents, min_value: 100, on_fail: ask, name: not_cheap}\n")
    shop.land(f"sales/{DAY}.csv", HEADER, f"{DAY},tea,300")
    shop.land(f"sales/{NEXT}.csv", HEADER, f"{NEXT},tea,2", f"{NEXT},cake,400")
    shop.build("bronze.sales", f"{DAY}..{NEXT}")
    shop.build("silver.sales", DAY)
    shop.run("build", "silver.sales", NEXT, "run-2")
    (question,) = shop.ledger.decisions.questions("silver.sales")
    assert (question.evidence["broken"], question.evidence["judged"]) == (1, 2)
    assert question.evidence["examples"] == ["cents = 2"]
    assert question.evidence["trend"] == [f"{DAY}: 0 of 1 rows"]


def files_of(table: Path) -> dict[str, bytes]:
    """Every file below a Delta folder with its bytes."""
    return {str(file.relative_to(table)): file.read_bytes() for file in sorted(table.rglob("*")) if file.is_file()}


def test_a_table_whose_every_day_is_held_or_asked_keeps_every_byte(cheap: LittleLake) -> None:
    cheap.build("silver.sales", DAY)
    asking(cheap, CHEAP + "      - {expect: expect_table_row_count_to_be_between, min_value: 2, on_fail: stop, name: enough}\n")
    before, version = files_of(Path(cheap.path("silver.sales"))), cheap.version("silver.sales")
    result = cheap.run("build", "silver.sales", f"{DAY}..{NEXT}", "run-2")
    assert (result.status, list(result.facts["held"]), list(result.facts["asks"])) == ("asks", [DAY], [NEXT])
    assert files_of(Path(cheap.path("silver.sales"))) == before
    assert cheap.version("silver.sales") == version


# limits


def test_a_quarantine_rule_takes_rows_away_and_holds_the_day_beyond_its_share(shop: LittleLake) -> None:
    asking(shop, "      - {expect: expect_column_values_to_be_between, column: cents, min_value: 100, mostly: 0.5, on_fail: quarantine, name: not_cheap}\n")
    shop.land(f"sales/{DAY}.csv", HEADER, f"{DAY},tea,300", f"{DAY},cake,4")
    shop.land(f"sales/{NEXT}.csv", HEADER, f"{NEXT},tea,300", f"{NEXT},cake,4", f"{NEXT},pie,5")
    shop.build("bronze.sales", f"{DAY}..{NEXT}")
    result = shop.run("build", "silver.sales", f"{DAY}..{NEXT}")
    assert (result.status, result.facts["days"]) == ("held", [DAY])
    assert result.facts["held"][NEXT] == [
        "not_cheap: 2 of 3 rows break expect_column_values_to_be_between (column cents, min_value 100, mostly 0.5), for example cents = 4; cents = 5."
    ]
    assert shop.rows("silver.sales", "item") == [("tea",)]
    assert shop.quarantine("silver.sales", "_key", "_rules") == [(DAY, ["not_cheap"])]


@pytest.mark.parametrize(("at_most", "status"), [(1, "held"), (2, "done")])
def test_at_most_is_a_number_of_rows(shop: LittleLake, at_most: int, status: str) -> None:
    asking(shop, f"      - {{expect: expect_column_values_to_be_between, column: cents, min_value: 100, at_most: {at_most}, on_fail: stop, name: not_cheap}}\n")
    shop.land(f"sales/{DAY}.csv", HEADER, f"{DAY},tea,300", f"{DAY},cake,4", f"{DAY},pie,5")
    shop.build("bronze.sales", DAY)
    assert shop.run("build", "silver.sales", DAY).status == status


def test_a_limit_on_the_quarantine_counts_rows_that_do_not_parse_too(shop: LittleLake) -> None:
    asking(shop, "      - {expect: expect_column_values_to_be_between, column: cents, min_value: 0, on_fail: quarantine, name: fair_price}\n")
    contract = shop.project / "expectations/silver/sales.yaml"
    shop.write("expectations/silver/sales.yaml", contract.read_text() + "quarantine_limit: {rows: 1}\n")
    shop.land(f"sales/{DAY}.csv", HEADER, f"{DAY},tea,300", f"{DAY},cake,-4")
    shop.land(f"sales/{NEXT}.csv", HEADER, f"{NEXT},tea,300", f"{NEXT},cake,-4", f"{NEXT},pie,free")
    shop.build("bronze.sales", f"{DAY}..{NEXT}")
    result = shop.run("build", "silver.sales", f"{DAY}..{NEXT}")
    assert (result.status, result.facts["days"]) == ("held", [DAY])
    assert result.facts["held"] == {NEXT: ["quarantine_limit: 2 of 3 rows would go to quarantine, at most 1 may."]}
