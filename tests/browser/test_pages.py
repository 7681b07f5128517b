"""Airflow's pages as a user sees them, in a real browser: the password, the form with its dates, the run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.running_lake import DAILY, PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.end_to_end.running_lake import RunningLake

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
MOMENT_MILLISECONDS = 60_000

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no {CHROMIUM}; `apt install chromium` brings it"),
]


@pytest.fixture
def page(lake: RunningLake, tmp_path: Path) -> Iterator[Page]:
    """A page of a fresh browser, where nobody is logged in. What it showed last is kept for whoever asks why a test failed."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        opened = browser.new_page(base_url=lake.airflow_address, viewport={"width": 1400, "height": 1000})
        opened.set_default_timeout(MOMENT_MILLISECONDS)
        yield opened
        opened.screenshot(path=tmp_path / "last.png")
        browser.close()


def log_in(page: Page, password: str) -> None:
    page.goto("/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def enter(page: Page, password: str) -> None:
    log_in(page, password)
    page.get_by_role("link", name="Dags", exact=True).first.wait_for()


def test_a_wrong_password_opens_nothing(lake: RunningLake, page: Page, tmp_path: Path) -> None:
    log_in(page, "admin")
    page.get_by_text("Invalid credentials").wait_for()
    page.screenshot(path=tmp_path / "refused.png")
    assert "/auth/login" in page.url


def test_the_form_has_date_pickers_and_its_run_ends_well(published: RunningLake, page: Page, tmp_path: Path) -> None:
    before = published.versions()
    enter(page, published.password)
    page.goto(f"/dags/{DAILY}")
    page.get_by_role("button", name="Trigger Dag").click()
    form = page.get_by_role("dialog").filter(has_text=f"Trigger Dag - {DAILY}")
    pickers = {name: form.locator(f"input[name=element_{name}]") for name in ("first_day", "last_day")}
    for picker in pickers.values():
        picker.wait_for()
        assert (picker.get_attribute("type"), picker.input_value()) == ("date", "")
    assert form.get_by_text("Empty: the run's own day, which for a run by hand is yesterday").is_visible()
    page.screenshot(path=tmp_path / "form.png")

    pickers["first_day"].fill("2013-01-15")
    pickers["last_day"].fill("2013-01-16")
    page.screenshot(path=tmp_path / "filled.png")
    form.get_by_role("button", name="Trigger", exact=True).click()
    page.wait_for_url(re.compile(f"/dags/{DAILY}/runs/manual__"))

    (run,) = [run for run in published.api.runs(DAILY) if run["dag_run_id"].startswith("manual__")]
    assert (run["conf"]["first_day"], run["conf"]["last_day"]) == ("2013-01-15", "2013-01-16")
    assert dict(published.api.follow(DAILY, run["dag_run_id"], PATIENCE_SECONDS))[""] == "success"
    page.reload()
    page.get_by_text("Success", exact=True).first.wait_for()
    page.screenshot(path=tmp_path / "run.png")
    assert published.versions() == before


def test_a_run_is_a_graph_of_the_tables(published: RunningLake, page: Page, tmp_path: Path) -> None:
    enter(page, published.password)
    page.goto(f"/dags/{DAILY}/runs/demo_2013-01-01_to_2013-01-31")
    page.get_by_role("button", name="Expand all task groups").click()
    page.get_by_role("button", name="Show Graph").click()
    for task in ("resolve_days", "bronze.flights", "silver.flights", "gold.daily_flights", "gold_gate", "trigger_flight_delay_training"):
        assert "success" in page.get_by_test_id(f"rf__node-{task}").inner_text()
    page.screenshot(path=tmp_path / "graph.png")


def test_a_tasks_button_leads_to_its_quality_report(published: RunningLake, page: Page, tmp_path: Path) -> None:
    address = f"/dags/{DAILY}/runs/demo_2013-01-01_to_2013-01-31/tasks/silver.flights"
    enter(page, published.password)
    page.goto(address)
    page.get_by_role("link", name="Details", exact=True).click()
    button = page.get_by_role("link", name="Quality report", exact=True)
    button.wait_for()
    page.screenshot(path=tmp_path / "button.png")
    page.goto(str(button.get_attribute("href")))
    assert page.get_by_role("heading", level=1).inner_text() == "silver.flights: done"
    rules = page.locator("table").first.locator("tr")
    assert (
        "distance_miles values must be greater than or equal to 1 and less than or equal to 6000."
        in rules.filter(has_text="between(distance_miles)").inner_text()
    )
    assert page.locator("details").count() == 31
    page.screenshot(path=tmp_path / "report.png", full_page=True)
    page.get_by_role("link", name="All tables of the run").click()
    assert page.get_by_role("link", name="gold.daily_flights").count() == 1
    page.screenshot(path=tmp_path / "run.png")


def test_the_navigation_leads_to_the_list_of_quality_reports(published: RunningLake, page: Page, tmp_path: Path) -> None:
    enter(page, published.password)
    page.goto("/plugin/quality-reports")
    listed = page.frame_locator("iframe").get_by_role("link", name="demo_2013-01-01_to_2013-01-31", exact=True)
    listed.wait_for()
    page.screenshot(path=tmp_path / "list.png")
    listed.click()
    page.frame_locator("iframe").get_by_role("link", name="silver.flights").wait_for()


def test_a_report_asks_for_the_password_and_then_is_shown(published: RunningLake, page: Page) -> None:
    address = f"/lake/reports/{DAILY}/demo_2013-01-01_to_2013-01-31/index.html"
    page.goto(address)
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password", exact=True).fill(published.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{address}")
    assert page.get_by_role("heading", level=1).inner_text() == "Quality report"


def test_a_failed_tasks_page_says_that_the_data_or_the_request_is_to_blame_and_that_it_is_not_tried_again(
    lake: RunningLake, page: Page, tmp_path: Path
) -> None:
    assert lake.run(DAILY, "before_the_first_day", first_day="2012-12-31") == "failed"
    enter(page, lake.password)
    page.goto(f"/dags/{DAILY}/runs/before_the_first_day/tasks/resolve_days")
    page.get_by_text("data failure: not tried again; the data, a contract or the request has to change first").wait_for()
    page.screenshot(path=tmp_path / "failure.png")


def test_a_tasks_page_shows_what_it_did(published: RunningLake, page: Page, tmp_path: Path) -> None:
    enter(page, published.password)
    page.goto(f"/dags/{DAILY}/runs/demo_2013-01-01_to_2013-01-31/tasks/gold.daily_flights")
    page.get_by_text("31 rows of 2013-01-01..2013-01-31 published as version 0").first.wait_for()
    page.screenshot(path=tmp_path / "task.png")
