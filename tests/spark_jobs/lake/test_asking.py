"""Days that are put to a person, and days held for too many bad rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from expectations.days import ALL
from expectations.ledger import DayEntry
from expectations.loader import load_lake
from spark_jobs.lake.batch import Batch
from spark_jobs.lake.gate import Asked, DayCounts, Judgement
from spark_jobs.lake.rulings import Ruling, Rulings, fingerprints
from tests.spark_jobs.lake.conftest import SOLD
from tests.spark_jobs.lake.parts import job_of
from tests.spark_jobs.lake.reviewing import change_contract

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from tests.spark_jobs.lake.conftest import LittleLake

pytestmark = pytest.mark.spark
HEADER = "sold_on,item,cents"
DAY, NEXT, THIRD = "2024-05-01", "2024-05-02", "2024-05-03"


def asking(shop: LittleLake, rules: str) -> None:
    """Silver's rules, and nothing else changed."""
    kept, _ = SOLD.split("    rules:")
    shop.write("expectations/silver/sales.yaml", kept + "    rules:\n" + rules)


def answer(shop: LittleLake, answer: str, who: str, reason: str, run_id: str = "run-1") -> None:
    """A person answers all that a run has asked."""
    for question in shop.ledger.decisions.questions("silver.sales", run_id):
        shop.ledger.decisions.answer(question, answer, who, reason)  # type: ignore[arg-type]


CHEAP = "      - {expect: expect_column_mean_to_be_between, column: cents, min_value: 100, on_fail: ask, name: not_too_cheap}\n"
EACH = "      - {expect: expect_column_values_to_be_between, column: cents, min_value: 3, on_fail: ask, name: not_cheap}\n"
ENOUGH = "      - {expect: expect_table_row_count_to_be_between, min_value: 2, on_fail: stop, name: enough}\n"


@pytest.fixture
def cheap(shop: LittleLake) -> LittleLake:
    """A good day and one that a person has to decide."""
    asking(shop, CHEAP)
    shop.land(f"sales/{DAY}.csv", HEADER, f"{DAY},tea,300")
    shop.land(f"sales/{NEXT}.csv", HEADER, f"{NEXT},tea,2", f"{NEXT},cake,4")
    shop.build("bronze.sales", f"{DAY}..{NEXT}")
    return shop


def test_a_day_that_breaks_an_ask_rule_waits_for_an_answer_which_is_obeyed(cheap: LittleLake) -> None:
    result = cheap.run("build", "silver.sales", f"{DAY}..{NEXT}")
    assert (result.status, result.facts["days"], list(result.facts["asks"])) == ("asks", [DAY], [NEXT])
    assert cheap.rows("silver.sales", "item") == [("tea",)]
    assert cheap.ledger.days("silver.sales")[NEXT].state == "held"
    (question,) = cheap.ledger.decisions.questions("silver.sales", "run-1")
    assert (question.day, question.rule, question.answer) == (NEXT, "not_too_cheap", None)
    assert question.evidence["sentence"] == "not_too_cheap: found 3.0, expected expect_column_mean_to_be_between (column cents, min_value 100)."
    assert (question.evidence["observed"], question.evidence["judged"]) == ("3.0", 2)
    answer(cheap, "hold", "ann", "ask the shop first")
    result = cheap.run("build", "silver.sales", NEXT)
    assert result.status == "held"
    assert "Held by ann: ask the shop first." in result.facts["held"][NEXT][0]
    assert cheap.run("build", "silver.sales", NEXT, "run-2", force=True).status == "asks"
    (again,) = cheap.ledger.decisions.open_questions("silver.sales", "run-2")
    assert again.evidence["earlier_answers"] == ["hold by ann: ask the shop first"]
    answer(cheap, "hold", "bob", "still not", "run-2")
    assert cheap.run("build", "silver.sales", NEXT, "run-2", force=True).status == "held"
    answer(cheap, "publish", "ann", "a sale of leftovers", "run-2")
    result = cheap.build("silver.sales", f"{DAY}..{NEXT}", "run-2")
    assert result.facts["let_through"] == {NEXT: ["not_too_cheap, let through by ann: a sale of leftovers"]}
    assert cheap.rows("silver.sales", "item", "cents") == [("cake", 4), ("tea", 2), ("tea", 300)]
    days = cheap.ledger.days("silver.sales")
    assert (days[NEXT].state, days[NEXT].clean, days[DAY].clean) == ("published", False, True)
    assert cheap.build("silver.sales", f"{DAY}..{NEXT}", "run-2").status == "unchanged"


def test_an_answer_holds_for_the_same_rows_in_any_order_and_not_for_others_nor_for_another_rule(cheap: LittleLake) -> None:
    asking(cheap, CHEAP + EACH)
    cheap.build("silver.sales", DAY)
    assert cheap.run("build", "silver.sales", NEXT).status == "asks"
    each, mean = sorted(cheap.ledger.decisions.questions("silver.sales"), key=lambda question: question.rule)
    assert (each.evidence["broken"], each.evidence["judged"], each.evidence["examples"]) == (1, 2, ["cents = 2"])
    assert (each.evidence["trend"], mean.evidence["trend"]) == ([f"{DAY}: 0 of 1 rows"], [f"{DAY}: 300.0"])
    answer(cheap, "publish", "ann", "a sale of leftovers")
    land(cheap, "cake,4", "tea,2", run_id="run-2")
    cheap.build("silver.sales", NEXT, "run-2")
    assert len(cheap.ledger.decisions.questions("silver.sales")) == 2
    land(cheap, "tea,2", "cake,5", run_id="run-3")
    assert cheap.run("build", "silver.sales", NEXT, "run-3").status == "asks"
    anew = sorted(cheap.ledger.decisions.questions("silver.sales", "run-3"), key=lambda question: question.rule)
    assert [(question.rule, question.answer) for question in anew] == [("not_cheap", None), ("not_too_cheap", None)]
    assert {question.candidate for question in anew} & {each.candidate, mean.candidate} == set()
    answer(cheap, "publish", "ann", "a sale of leftovers", "run-3")
    asking(cheap, CHEAP.replace("100", "120") + EACH)
    assert cheap.run("build", "silver.sales", NEXT, "run-4").status == "asks"
    assert [question.rule for question in cheap.ledger.decisions.open_questions("silver.sales", "run-4")] == ["not_too_cheap"]
    asking(cheap, CHEAP + ENOUGH)
    before, version = files_of(Path(cheap.path("silver.sales"))), cheap.version("silver.sales")
    land(cheap, "tea,2", "cake,6", run_id="run-5")
    result = cheap.run("build", "silver.sales", f"{DAY}..{NEXT}", "run-5")
    assert (result.status, list(result.facts["held"]), list(result.facts["asks"])) == ("asks", [DAY], [NEXT])
    assert files_of(Path(cheap.path("silver.sales"))) == before
    assert cheap.version("silver.sales") == version


def land(shop: LittleLake, *sales: str, run_id: str) -> None:
    """Land another file of NEXT and read it in."""
    shop.land(f"sales/{NEXT}.csv", HEADER, *(f"{NEXT},{sale}" for sale in sales))
    shop.build("bronze.sales", NEXT, run_id)


def files_of(table: Path) -> dict[str, bytes]:
    """Every file below a Delta folder with its bytes."""
    return {str(file.relative_to(table)): file.read_bytes() for file in sorted(table.rglob("*")) if file.is_file()}


def test_a_day_s_fingerprint_is_that_of_its_rows_in_any_order(spark: SparkSession) -> None:
    rows = {
        "2024-05-01": [("tea", 2), ("cake", 4)],
        "2024-05-02": [("cake", 4), ("tea", 2)],
        "2024-05-03": [("tea", 2), ("cake", 5)],
        "2024-05-04": [("tea", 2)],
        "2024-05-05": [("tea", 2), ("tea", 2)],
        "2024-05-06": [("tea", 2), ("tea", 2), ("tea", 2)],
        "2024-05-07": [("tea", None)],
        "2024-05-08": [(None, 2)],
        "2024-05-09": [("not asked for", 2)],
    }
    frame = spark.createDataFrame([(day, *row) for day, found in rows.items() for row in found], "day string, item string, cents int")
    days = [*list(rows)[:-1], "2024-05-10"]
    found = fingerprints(frame, ["item", "cents"], "day", days)
    assert list(found) == days
    assert found["2024-05-01"] == found["2024-05-02"]
    assert len(set(found.values())) == len(days) - 1
    assert found["2024-05-10"] == "no rows"
    whole = [fingerprints(frame.filter(f"day = '{day}'"), ["item", "cents"], None, [ALL]) for day in days[:3]]
    assert whole == [{ALL: found[day]} for day in days[:3]], "a batch without days of its own is told by all its rows"


def test_a_question_about_a_batch_without_days_of_its_own_is_open_until_it_is_answered(shop: LittleLake) -> None:
    change_contract(shop, "day: sold_on\n", "write: merge\norder_by: cents\n", "gold/totals")
    job, table = job_of(shop, "gold.totals"), load_lake().table("gold.totals")
    asked = Asked("enough", '{"min_value": 2}', "enough: found 1, expected 2.", 1, 0, "1", ())
    judgement = Judgement({ALL: DayCounts(1, 1, 0, 0)}, [], {}, {ALL: [asked]})

    def ruled(cents: int) -> Rulings:
        batch = shop.spark.createDataFrame([(date(2024, 5, 1), cents)], "sold_on date, cents bigint")
        return Ruling(job, table, Batch({DAY: {}}), None).rule_on(batch, judgement)

    (question,) = ruled(300).questions
    assert (question.day, question.rule) == (ALL, "enough")
    held = DayEntry(table.name, DAY, "held", None, "run-1", table.contract_hash, table.logic_hash, {})
    shop.ledger.record([held], [], questions=[question])
    assert shop.ledger.decisions.open_questions(table.name, "run-1") == [question]
    shop.ledger.decisions.answer(question, "publish", "ann", "it is a small shop")
    assert ruled(300) == Rulings({}, [], {ALL: ["enough, let through by ann: it is a small shop"]})
    assert ruled(310).open == {ALL}, "other rows are asked about anew"


# limits


def test_a_day_with_too_many_bad_rows_is_held_and_rows_that_do_not_parse_are_among_them(shop: LittleLake) -> None:
    asking(shop, "      - {expect: expect_column_values_to_be_between, column: cents, min_value: 100, mostly: 0.5, on_fail: quarantine, name: not_cheap}\n")
    contract = shop.project / "expectations/silver/sales.yaml"
    shop.write("expectations/silver/sales.yaml", contract.read_text() + "quarantine_limit: {rows: 1}\n")
    shop.land(f"sales/{DAY}.csv", HEADER, f"{DAY},tea,300", f"{DAY},cake,4")
    shop.land(f"sales/{NEXT}.csv", HEADER, f"{NEXT},tea,300", f"{NEXT},cake,4", f"{NEXT},pie,5")
    shop.land(f"sales/{THIRD}.csv", HEADER, f"{THIRD},tea,300", f"{THIRD},cake,4", f"{THIRD},pie,free")
    shop.build("bronze.sales", f"{DAY}..{THIRD}")
    result = shop.run("build", "silver.sales", f"{DAY}..{THIRD}")
    assert (result.status, result.facts["days"]) == ("held", [DAY])
    too_many = "quarantine_limit: 2 of 3 rows would go to quarantine, at most 1 may."
    share = "not_cheap: 2 of 3 rows break expect_column_values_to_be_between (column cents, min_value 100, mostly 0.5), for example cents = 4; cents = 5."
    assert result.facts["held"] == {NEXT: [share, too_many], THIRD: [too_many]}
    assert shop.rows("silver.sales", "item") == [("tea",)]
    assert shop.quarantine("silver.sales", "_key", "_rules") == [(DAY, ["not_cheap"]), (f"bronze.sales/{THIRD}", ["type(cents)"])]
    again = shop.run("build", "silver.sales", THIRD, "run-2")
    assert (again.status, again.facts["held"]) == ("held", {THIRD: [too_many]})
