"""From the ledger to the files of a report: literal verdicts in, literal text out."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from great_expectations.core.expectation_validation_result import expectationSuiteValidationResultSchema

from expectations.jobs import REPORTS
from expectations.ledger import Question, Verdict
from expectations.loader import _load, load_lake
from spark_jobs.lake.reports.run_facts import tables_of_run
from tests.spark_jobs.lake.reports.conftest import RUN

if TYPE_CHECKING:
    from tests.spark_jobs.lake.reports.conftest import Reported

FIRST, SECOND = "2024-05-01", "2024-05-02"
SOLD = "silver.sales"
FAIR = Verdict(SOLD, FIRST, "fair_price", "quarantine", success=False, rows_judged=7, rows_broken=1)
FEW = Verdict(SOLD, FIRST, "not_too_many", "stop", success=True, rows_judged=6, rows_broken=0, observed="6")


def text_of(page: str) -> str:
    """A page without its tags, as it is read."""
    body = re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL)
    words = " ".join(re.sub(r"<[^>]+>", " ", body).split())
    return re.sub(r" ([,:])", r"\1", html.unescape(words))


def test_a_tables_page_says_how_each_rule_judged_each_day(shop: Reported) -> None:
    shop.judged(FAIR, FEW)
    shop.attempt(SOLD, "done", [FIRST], rows_out=6, rows_quarantined=1)
    assert shop.report().status == "done"
    text = text_of(shop.page(f"{SOLD}.html"))
    assert f"{SOLD}: done" in text
    assert "fair_price cents values must be greater than or equal to 0 and less than or equal to 1000. quarantine 1 of 1" in text
    assert "not_too_many Must have less than or equal to 3 rows. stop 0 of 1" in text
    assert f"{FIRST}: published, 7 rows judged, 6 good, 1 quarantined, 0 dropped, 1 of 2 rules broken" in text
    assert "fair_price broken: quarantine 7 1" in text
    assert "not_too_many kept 6 0 6" in text


def test_the_runs_page_lists_its_tables_with_their_verdicts(shop: Reported) -> None:
    shop.judged(FAIR, FEW)
    shop.attempt(SOLD, "held", [FIRST], rows_out=6, rows_quarantined=1, held={SECOND: ["not_too_many: found 9."]})
    shop.report()
    text = text_of(shop.page("index.html"))
    assert f"{SOLD} held {FIRST} {SECOND} 6 1 1 of 2 held" in text
    assert f"gold.totals not run 0 0 0 of 0 {SOLD} is held" in text
    assert "bronze.sales not run 0 0 0 of 0 no job of it is in the ledger; the log of its task says why" in text


def test_a_second_task_that_found_nothing_to_do_does_not_hide_what_the_first_one_did(shop: Reported) -> None:
    shop.judged(FEW)
    shop.attempt(SOLD, "done", [FIRST], rows_out=6)
    shop.attempt(SOLD, "unchanged", [])
    shop.report()
    assert f"{SOLD} done {FIRST} 6 0 0 of 1" in text_of(shop.page("index.html"))


def test_files_that_no_run_took_are_named_whatever_the_table_did(shop: Reported) -> None:
    names = ["sales/<b>notes.txt", "sales/2024-04-30.csv.gz"]
    shop.attempt("bronze.sales", "done", [FIRST], rows_out=6, not_taken=["sales/gone.txt"])
    shop.attempt("bronze.sales", "unchanged", [], not_taken=names)
    shop.attempt(SOLD, "done", [FIRST], rows_out=6, not_taken=[])
    result = shop.report()
    assert (result.status, result.is_warning, result.facts["not_taken"]) == ("done", True, names)
    assert "0 of 0 verdicts say broken; 2 landed files were not taken: " in result.message
    run = text_of(shop.page("index.html"))
    assert f"bronze.sales done, files not taken {FIRST} 6" in run
    assert f"{SOLD} done {FIRST} 6" in run
    assert "Files that were not taken sales/<b>notes.txt sales/2024-04-30.csv.gz" in text_of(shop.page("bronze.sales.html"))
    assert "not taken" not in text_of(shop.page(f"{SOLD}.html"))


def test_predictions_are_reported_though_the_ledger_notes_the_job_under_its_model(shop: Reported) -> None:
    shop.judged(replace(FEW, table="gold.totals"))
    shop.attempt("spender", "done", [FIRST], table="gold.totals", rows_out=6)
    assert shop.report("gold.totals").facts["tables"] == {"gold.totals": "done"}
    assert f"gold.totals done {FIRST} 6 0 0 of 1" in text_of(shop.page("index.html"))


def test_a_held_day_says_why(shop: Reported) -> None:
    shop.judged(FEW, state="held")
    shop.attempt(SOLD, "held", [], held={FIRST: ["fair_price: 4 of 7 rows break it, for example cents = -1."]})
    shop.report()
    text = text_of(shop.page(f"{SOLD}.html"))
    assert f"{FIRST}: held," in text
    assert "fair_price: 4 of 7 rows break it, for example cents = -1." in text


def test_a_question_is_shown_with_its_evidence_and_its_answer(shop: Reported) -> None:
    asked = Question(SOLD, FIRST, "fair_price", "hash", "", {"sentence": "1 of 7 rows break it.", "examples": ["cents = 2000"]})
    shop.judged(FAIR, state="held", questions=(asked,))
    shop.attempt(SOLD, "asks", [])
    shop.report()
    assert f"{SOLD} {FIRST} fair_price 1 of 7 rows break it. cents = 2000 nobody has answered yet" in text_of(shop.page("index.html"))
    shop.ledger.decisions.answer(asked, "publish", "ada", "a jubilee price")
    shop.report()
    assert "cents = 2000 publish, says ada: a jubilee price" in text_of(shop.page(f"{SOLD}.html"))


def test_the_json_is_great_expectations_own(shop: Reported) -> None:
    asked = Question(SOLD, FIRST, "fair_price", "hash", "", {"examples": ["cents = 2000"]})
    shop.judged(FAIR, FEW, questions=(asked,))
    shop.attempt(SOLD, "done", [FIRST])
    shop.report()
    (day,) = (written := json.loads(shop.page(f"{SOLD}.json")))
    loaded = expectationSuiteValidationResultSchema.load(written[day])
    assert loaded.to_json_dict() == written[day]
    assert (day, loaded.suite_name, loaded.success, loaded.asset_name) == (FIRST, SOLD, False, SOLD)
    assert loaded.statistics == {"evaluated_expectations": 2, "successful_expectations": 1, "unsuccessful_expectations": 1, "success_percent": 50.0}
    assert datetime.fromisoformat(written[day]["meta"]["run_id"]["run_time"]).date() == datetime.now(UTC).date()
    fair, few = loaded.results
    assert (fair.expectation_config.type, fair.expectation_config.kwargs) == (
        "expect_column_values_to_be_between",
        {"column": "cents", "min_value": 0, "max_value": 1000},
    )
    assert fair.result["unexpected_count"] == 1
    assert fair.result["partial_unexpected_list"] == ["cents = 2000"]
    assert (few.success, few.result["observed_value"]) == (True, 6)
    assert loaded.get_max_severity_failure() == "critical"


def test_a_rules_last_verdicts_are_drawn_the_latest_on_the_right(shop: Reported) -> None:
    for day in range(1, 26):
        shop.judged(Verdict(SOLD, f"2024-04-{day:02}", "fair_price", "quarantine", success=day < 25, rows_judged=10, rows_broken=5 * (day == 25)), run_id="r")
    shop.judged(FAIR)
    shop.attempt(SOLD, "done", [FIRST])
    shop.report()
    drawn = re.findall(r'<rect class="(\w+)" x="(\d+)" .*?height="(\d+)"><title>(.*?)</title>', shop.page(f"{SOLD}.html"))
    assert len(drawn) == 20
    assert drawn[0] == ("kept", "0", "3", "2024-04-07: kept, 0 of 10 rows broken")
    assert drawn[-2:] == [("broken", "162", "13", "2024-04-25: broken, 5 of 10 rows broken"), ("broken", "171", "4", "2024-05-01: broken, 1 of 7 rows broken")]


def test_what_comes_from_data_is_text_and_never_markup(shop: Reported) -> None:
    evil = '<script>alert("x")</script><img src=http://evil.example/>'
    asked = Question(SOLD, FIRST, "fair_price", "hash", "", {"sentence": evil, "examples": [evil]})
    shop.judged(Verdict(SOLD, FIRST, evil, "warn", success=False, rows_judged=1, rows_broken=1, observed=evil), questions=(asked,))
    shop.attempt(SOLD, "held", [], held={FIRST: [evil]})
    shop.report()
    for name in ("index.html", f"{SOLD}.html"):
        page = shop.page(name)
        assert "<script" not in page
        assert "<img" not in page
        assert "&lt;script&gt;" in page


def test_a_report_can_be_read_without_a_network_and_moved_anywhere(shop: Reported) -> None:
    shop.judged(FAIR, FEW)
    shop.attempt(SOLD, "done", [FIRST])
    shop.report()
    files = sorted(file.name for file in shop.folder().iterdir())
    tables = ["bronze.sales", "gold.totals", SOLD]
    assert files == sorted(["index.html", *(f"{table}.{end}" for table in tables for end in ("html", "json"))])
    for file in shop.folder().glob("*.html"):
        page = file.read_text()
        assert not re.search(r"https?:|//|url\(|@import|<script|<link|<iframe|javascript:", page), file.name
        addresses = re.findall(r"""(?:href|src|srcset|action|data)\s*=\s*["']?([^"'\s>]+)""", page)
        assert set(addresses) <= set(files), file.name


def test_a_report_is_of_its_own_run_and_written_again_replaces_itself(shop: Reported) -> None:
    shop.judged(FAIR)
    shop.attempt(SOLD, "done", [FIRST])
    shop.judged(FEW, run_id="shop_daily/later")
    shop.attempt(SOLD, "done", [FIRST], run_id="shop_daily/later")
    shop.report()
    shop.report()
    shop.report(run_id="shop_daily/later")
    earlier, later = text_of(shop.page(f"{SOLD}.html")), text_of(shop.page(f"{SOLD}.html", "shop_daily/later"))
    assert "fair_price broken: quarantine 7 1" in earlier
    assert "not_too_many" not in earlier
    assert f"{FIRST}: published, 1 of 1 rules broken" in earlier  # a later run made the day anew, so its counts are no longer this run's
    assert "fair_price" not in later


def test_the_ledger_knows_the_reports_apart_from_the_tables(shop: Reported) -> None:
    shop.judged(FAIR)
    shop.attempt(SOLD, "done", [FIRST])
    shop.report("silver.sales")
    (written,) = shop.ledger.attempts(table=REPORTS)
    assert (written.run_id, written.facts["report"]) == ("shop_daily/manual__2024-05-02", f"{shop.folder()}/index.html")
    assert written.message == f"report of 1 tables: 1 done; 1 of 1 verdicts say broken: {shop.folder()}/index.html"
    assert len(shop.ledger.attempts(table=SOLD)) == 1


def test_a_run_that_did_nothing_has_no_report(shop: Reported) -> None:
    found = shop.report(run_id="shop_daily/never")
    assert (found.status, found.message) == ("unchanged", "the ledger knows of no table of the run shop_daily/never; no report")
    assert not shop.folder("shop_daily/never").exists()


def test_a_rule_that_the_contract_no_longer_has_is_still_reported(shop: Reported) -> None:
    shop.judged(Verdict(SOLD, FIRST, "gone", "stop", success=True, rows_judged=1, rows_broken=0))
    shop.attempt(SOLD, "done", [FIRST])
    shop.report()
    assert "gone the contract no longer has this rule stop 0 of 1" in text_of(shop.page(f"{SOLD}.html"))


def test_a_day_that_a_person_let_through_says_who_and_why(shop: Reported) -> None:
    shop.judged(FAIR)
    shop.attempt(SOLD, "asks", [], asks={FIRST: ["fair_price: 1 of 7 rows break it."]})
    shop.report()
    assert f"{SOLD} asks {FIRST} 0 0 1 of 1" in text_of(shop.page("index.html"))
    shop.attempt(SOLD, "done", [FIRST], let_through={FIRST: ["fair_price, let through by ada: a jubilee price"]})
    shop.report()
    assert f"{SOLD} done {FIRST} 0 0 1 of 1" in text_of(shop.page("index.html"))
    assert "fair_price, let through by ada: a jubilee price" in text_of(shop.page(f"{SOLD}.html"))


def test_what_the_engine_judges_without_great_expectations_is_in_the_report_too(shop: Reported) -> None:
    contract = shop.project / "expectations" / "silver" / "sales.yaml"
    contract.write_text(contract.read_text() + "over_time:\n  - {check: row_count, at_most_off: 0.3}\n")
    _load.cache_clear()
    shop.judged(
        Verdict(SOLD, FIRST, "row_count over time", "warn", success=False, rows_judged=6, rows_broken=0, observed="6 rows, 3 were expected"),
        Verdict(SOLD, FIRST, "not_null(item)", "quarantine", success=True, rows_judged=6, rows_broken=0),
        Verdict("bronze.sales", FIRST, "schema", "warn", success=False, rows_judged=0, rows_broken=0, observed="added: colour"),
        Verdict("bronze.sales", FIRST, "type", "warn", success=True, rows_judged=6, rows_broken=0),
    )
    shop.attempt("bronze.sales", "done", [FIRST])
    shop.attempt(SOLD, "done", [FIRST])
    shop.report()
    silver, bronze = text_of(shop.page(f"{SOLD}.html")), text_of(shop.page("bronze.sales.html"))
    assert "row_count over time The day has at most 30% more or fewer rows than the median of the same weekdays in the 28 days before. warn" in silver
    assert "not_null(item) item values must never be null. quarantine 0 of 1" in silver
    assert "schema A landed file has the contract's columns, and no others. warn 1 of 1" in bronze
    assert "schema broken: warn 0 0 added: colour" in bronze
    assert "type Each text is of its column's type. warn 0 of 1" in bronze


def built(table: str, status: str, days: list[str], **facts: object) -> dict[str, object]:
    """What a replay notes of a table that it has built."""
    return {"table": table, "status": status, "message": f"{table}: {status}", "facts": {"table": table, "days": days, **facts}}


def test_a_replay_is_reported_with_every_table_that_it_has_judged(shop: Reported) -> None:
    kept = replace(FEW, rows_judged=2)
    shop.judged(kept, replace(kept, table="bronze.sales", rule="type"))
    tables = [built("bronze.sales", "done", [FIRST], rows_out=2), built(SOLD, "done", [FIRST], rows_out=2)]
    shop.attempt(SOLD, "done", [FIRST], table=SOLD, rows_out=2, built=tables, waited=1, waiting=0)
    assert shop.report(SOLD).facts["tables"] == {"bronze.sales": "done", SOLD: "done"}
    run = text_of(shop.page("index.html"))
    assert f"bronze.sales done {FIRST} 2 0 0 of 1 done" in run
    assert f"{SOLD} done {FIRST} 2 0 0 of 1 done" in run
    assert f"{FIRST}: published, 7 rows judged, 6 good, 1 quarantined, 0 dropped" in text_of(shop.page(f"{SOLD}.html"))


def test_a_replay_that_ends_before_its_table_says_so_of_the_right_one(shop: Reported) -> None:
    held = {FIRST: ["one_sale: found 2, expected at most 1."]}
    tables = [built("bronze.sales", "held", [], held=held, rows_out=0)]
    shop.attempt(SOLD, "held", [], table=SOLD, held=held, rows_out=0, built=tables, waited=1, waiting=1)
    found = {table.name: table for table in tables_of_run(load_lake(), shop.ledger, RUN, SOLD)}
    assert (found["bronze.sales"].status, found["bronze.sales"].in_state["held"]) == ("held", [FIRST])
    assert (found[SOLD].status, found[SOLD].in_state["held"]) == ("held", [])
    shop.report(SOLD)
    run = text_of(shop.page("index.html"))
    assert f"bronze.sales held {FIRST} 0 0 0 of 0 held" in run
    assert f"{SOLD} held 0 0 0 of 0 held" in run


def test_the_state_of_a_day_is_the_one_in_which_the_last_task_of_the_run_left_it(shop: Reported) -> None:
    def left() -> dict[str, list[str]]:
        (table,) = tables_of_run(load_lake(), shop.ledger, RUN, SOLD)
        return table.in_state

    shop.attempt(SOLD, "asks", [], asks={FIRST: ["fair_price: 1 of 7 rows break it."]})
    assert left() == {"published": [], "held": [], "asks": [FIRST]}
    shop.attempt(SOLD, "held", [SECOND], held={FIRST: ["held by ada"]})
    assert left() == {"published": [SECOND], "held": [FIRST], "asks": []}
    shop.attempt(SOLD, "done", [FIRST])
    assert left() == {"published": [FIRST, SECOND], "held": [], "asks": []}
    (table,) = tables_of_run(load_lake(), shop.ledger, RUN, SOLD)
    assert [day.held for day in table.days] == [(), ()]


def test_an_unknown_name_is_one_sentence(shop: Reported) -> None:
    found = shop.report("silver.sale")
    assert (found.status, found.message[:50]) == ("failed_terminal", "there is no table 'silver.sale' in this lake; it h")


def test_a_table_whose_log_is_not_the_ledgers_is_told_on_the_page_and_in_the_message(shop: Reported) -> None:
    shop.judged(FAIR)
    shop.attempt(SOLD, "done", [FIRST])
    (shop.project / "data_lake/silver/sales/_delta_log/00000000000000000003.json").unlink()
    said = shop.report("silver.sales")
    fault = "silver.sales: the ledger names version 3, and the log ends at version 2: commits are missing"
    assert fault in said.message
    assert [one[: len(fault)] for one in said.facts["log_faults"]] == [fault]
    assert fault in shop.page("index.html")
