"""Airflow's pages as a user sees them, in a real browser: the password, the form with its dates, the run. One browser, and one login, for all of them."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.debian_packages import require_package
from tests.end_to_end.running_lake import BACK_TO_FRONT, DAILY, PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page, Request, Response

    from tests.end_to_end.running_lake import RunningLake

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
MOMENT_MILLISECONDS = 60_000
LOG = logging.getLogger(__name__)
MONTH_RUN = "demo_2013-01-01_to_2013-01-31"

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1800)]


@pytest.fixture(scope="session", autouse=True)
def chromium() -> None:
    """Asked for before the lake is started, which is of no use without it."""
    require_package("chromium", is_here=CHROMIUM.exists())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all pages."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


def new_page(browser: Browser, lake: RunningLake) -> Page:
    """A page of a browser's fresh profile, where nobody is logged in."""
    opened = browser.new_page(base_url=lake.airflow_address, viewport={"width": 1400, "height": 1000})
    opened.set_default_timeout(MOMENT_MILLISECONDS)
    return opened


@pytest.fixture
def stranger(browser: Browser, lake: RunningLake, tmp_path: Path) -> Iterator[Page]:
    """Nobody is logged in. What was shown last is kept for whoever asks why a test failed."""
    opened = new_page(browser, lake)
    yield opened
    opened.screenshot(path=tmp_path / "last.png")
    opened.context.close()


@pytest.fixture(scope="module")
def entered(browser: Browser, lake: RunningLake) -> Iterator[Page]:
    """The user admin is logged in."""
    opened = new_page(browser, lake)
    opened.goto("/")
    log_in(opened, lake.password)
    opened.get_by_role("link", name="Dags", exact=True).first.wait_for()
    yield opened
    opened.context.close()


@pytest.fixture
def page(entered: Page, tmp_path: Path) -> Iterator[Page]:
    """The page of who is logged in. What it showed last, and what went wrong for it, is kept for whoever asks why a test failed."""
    entered.on("response", _print_error)
    entered.on("requestfailed", _print_failure)
    yield entered
    entered.remove_listener("response", _print_error)
    entered.remove_listener("requestfailed", _print_failure)
    entered.screenshot(path=tmp_path / "last.png", full_page=True)


def _print_error(response: Response) -> None:
    if not response.ok and not 300 <= response.status < 400:
        LOG.warning("%s %s", response.status, response.url)


def _print_failure(request: Request) -> None:
    LOG.warning("%s %s", request.failure, request.url)


def appears(locator: Locator) -> bool:
    """Whether it is on the page within a moment."""
    from playwright.sync_api import TimeoutError as TooLateError

    try:
        locator.wait_for()
    except TooLateError:
        return False
    return True


def log_in(page: Page, password: str) -> None:
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_wrong_password_opens_nothing(stranger: Page) -> None:
    stranger.goto("/")
    log_in(stranger, "admin")
    stranger.get_by_text("Invalid credentials").wait_for()
    assert "/auth/login" in stranger.url


def test_the_form_refuses_a_date_that_does_not_exist_and_its_run_ends_well(published: RunningLake, page: Page, tmp_path: Path) -> None:
    before, runs = published.versions(), len(published.api.runs(DAILY))
    page.goto(f"/dags/{DAILY}")
    page.get_by_role("button", name="Trigger Dag").click()
    form = page.get_by_role("dialog").filter(has_text=f"Trigger Dag - {DAILY}")
    days = {name: form.locator(f"input[name=element_{name}]") for name in ("first_day", "last_day")}
    for day in days.values():
        day.wait_for()
        assert (day.get_attribute("type") or "text", day.input_value()) == ("text", ""), "a picker would make an empty field of 2013-02-31"
    assert form.get_by_text("Empty: the run's own day, which for a run by hand is yesterday").is_visible()
    assert form.get_by_text("YYYY-MM-DD, from 2013-01-01 to 2013-12-31").first.is_visible()

    days["first_day"].fill("2013-02-31")
    form.get_by_role("button", name="Trigger", exact=True).click()
    form.get_by_text("'2013-02-31' is not a 'date'").first.wait_for()
    assert len(published.api.runs(DAILY)) == runs

    days["first_day"].fill("2013-01-15")
    days["last_day"].fill("2013-01-16")
    page.screenshot(path=tmp_path / "filled.png")
    form.get_by_role("button", name="Trigger", exact=True).click()
    page.wait_for_url(re.compile(f"/dags/{DAILY}/runs/manual__"))

    (run,) = [run for run in published.api.runs(DAILY) if run["dag_run_id"].startswith("manual__")]
    assert (run["conf"]["first_day"], run["conf"]["last_day"]) == ("2013-01-15", "2013-01-16")
    assert dict(published.api.follow(DAILY, run["dag_run_id"], PATIENCE_SECONDS))[""] == "success"
    page.reload()
    page.get_by_text("Success", exact=True).first.wait_for()
    assert published.versions() == before


@pytest.mark.usefixtures("published")
def test_a_run_is_a_graph_of_the_tables(page: Page) -> None:
    page.goto(f"/dags/{DAILY}/runs/{MONTH_RUN}")
    expand = page.get_by_role("button", name="Expand all task groups")
    if not appears(expand):
        page.reload()  # Airflow's page asks once for the groups, and has no button where that fails
    expand.click()
    page.get_by_role("button", name="Show Graph").click()
    for task in ("resolve_days", "bronze.flights", "silver.flights", "gold.daily_flights", "gold_gate", "trigger_flight_delay_training"):
        assert "success" in page.get_by_test_id(f"rf__node-{task}").inner_text()


@pytest.mark.usefixtures("published")
def test_a_tasks_button_leads_to_its_quality_report(page: Page, tmp_path: Path) -> None:
    page.goto(f"/dags/{DAILY}/runs/{MONTH_RUN}/tasks/silver.flights")
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


@pytest.mark.usefixtures("published")
def test_the_navigation_leads_to_the_list_of_quality_reports(page: Page, tmp_path: Path) -> None:
    page.goto("/plugin/quality-reports")
    listed = page.frame_locator("iframe").get_by_role("link", name=MONTH_RUN, exact=True)
    listed.wait_for()
    page.screenshot(path=tmp_path / "list.png")
    listed.click()
    page.frame_locator("iframe").get_by_role("link", name="silver.flights").wait_for()


def test_a_report_asks_for_the_password_and_then_is_shown(published: RunningLake, stranger: Page) -> None:
    address = f"/lake/reports/{DAILY}/{MONTH_RUN}/index.html"
    stranger.goto(address)
    log_in(stranger, published.password)
    stranger.wait_for_url(f"**{address}")
    assert stranger.get_by_role("heading", level=1).inner_text() == "Quality report"


@pytest.mark.usefixtures("refused")
def test_a_failed_tasks_page_says_that_the_data_or_the_request_is_to_blame_and_that_it_is_not_tried_again(page: Page) -> None:
    page.goto(f"/dags/{DAILY}/runs/{BACK_TO_FRONT}/tasks/resolve_days")
    page.get_by_text("data failure: not tried again; the data, a contract or the request has to change first").wait_for()


@pytest.mark.usefixtures("published")
def test_a_tasks_page_shows_what_it_did(page: Page) -> None:
    page.goto(f"/dags/{DAILY}/runs/{MONTH_RUN}/tasks/gold.daily_flights")
    page.get_by_text("31 rows of 2013-01-01..2013-01-31 published as version 0").first.wait_for()
