"""The pages of the reports inside the app that Airflow's api-server serves, with Airflow's own users."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from expectations.jobs import REPORTS, JobRequest
from expectations.ledger import Attempt, Ledger
from expectations.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = "manual__2024-05-02T06:00:00+00:00"
PAGE = f"/lake/reports/shop_daily/{quote(RUN, safe='')}/silver.visits.html"
BROWSER = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture(scope="module")
def airflow(airflow_database: None) -> Iterator[TestClient]:
    """Airflow's api-server with an empty database; the plugin is mounted by Airflow itself."""
    from airflow import plugins_manager
    from airflow.api_fastapi.app import create_app

    assert [app["name"] for app in plugins_manager.get_fastapi_plugins()[0]] == ["quality reports"]
    yield TestClient(create_app(apps="core"), base_url="http://127.0.0.1:8080", follow_redirects=False)


def token(role: str | None, *teams: str) -> str:
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    return get_auth_manager().generate_jwt(SimpleAuthManagerUser(username="ada", role=role, teams=list(teams)))


@pytest.fixture
def ada(airflow: TestClient) -> Iterator[TestClient]:
    """A browser in which someone is logged in who may look at everything and change nothing."""
    airflow.cookies.set("_token", token("VIEWER"))
    yield airflow
    airflow.cookies.clear()


@pytest.fixture
def stranger(airflow: TestClient) -> TestClient:
    """Nobody is logged in."""
    airflow.cookies.clear()
    return airflow


@pytest.fixture
def written() -> Path:
    """The folder of a report, as the engine writes it."""
    run_id = f"shop_daily/{RUN}"
    folder = Path(load_settings().reports_path) / JobRequest(verb="report", name="shop", run_id=run_id).run_key
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("<h1>Quality report</h1>")
    (folder / "silver.visits.html").write_text("<h1>silver.visits: done</h1>")
    (folder / "silver.visits.json").write_text("{}")
    (folder / "secret.txt").write_text("not a report")
    facts = {"report": f"{folder}/index.html", "written": "2024-05-02 06:01 UTC", "tables": {"silver.visits": "done"}, "judged": 7, "broken": 2}
    Ledger(load_settings().ledger_url).note(Attempt(run_id, REPORTS, "done", "report of 1 tables", [], facts))
    return folder


def add_dag(dag_id: str, team: str = "") -> None:
    """Tells Airflow of a DAG; that of a team is for its members only."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.team import Team
    from airflow.utils.session import create_session

    with create_session() as session:
        bundle = DagBundleModel(name=dag_id)
        bundle.teams = [Team(name=team)] if team else []
        session.add(bundle)
        session.flush()
        session.add(DagModel(dag_id=dag_id, bundle_name=dag_id, fileloc="daily.py"))


def note_report(run_id: str) -> None:
    """A report in the ledger only."""
    facts = {"report": "index.html", "written": "2024-05-02 06:01 UTC", "tables": {"silver.visits": "done"}, "judged": 1, "broken": 0}
    Ledger(load_settings().ledger_url).note(Attempt(run_id, REPORTS, "done", "report of 1 tables", [], facts))


@pytest.mark.usefixtures("written")
def test_who_is_logged_in_reads_a_tables_page(ada: TestClient) -> None:
    answer = ada.get(PAGE, headers=BROWSER)
    assert (answer.status_code, answer.text) == (200, "<h1>silver.visits: done</h1>")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ada.get(PAGE.replace(".html", ".json")).headers["content-type"] == "application/json"


@pytest.mark.usefixtures("written")
def test_a_program_reads_it_with_a_token_in_the_header(stranger: TestClient) -> None:
    assert stranger.get(PAGE, headers={"authorization": f"Bearer {token('VIEWER')}"}).status_code == 200


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("address", ["/lake/reports/", PAGE, PAGE.replace("silver.visits.html", "index.html")])
def test_a_browser_without_a_user_is_sent_to_the_login_and_a_program_is_refused(stranger: TestClient, address: str) -> None:
    sent = stranger.get(address, headers=BROWSER)
    assert (sent.status_code, sent.headers["location"].split("?")[0]) == (307, "/api/v2/auth/login")
    assert stranger.get(sent.headers["location"]).headers["location"].startswith("/auth/login")
    assert stranger.get(address).status_code == 401


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("address", ["/lake/reports/", PAGE])
def test_a_forged_token_opens_nothing(stranger: TestClient, address: str) -> None:
    assert stranger.get(address, headers={"authorization": f"Bearer {token('VIEWER')}x"}).status_code == 403


@pytest.mark.usefixtures("written")
def test_a_user_without_rights_reads_nothing(airflow: TestClient) -> None:
    airflow.cookies.set("_token", token(None))
    assert airflow.get(PAGE, headers=BROWSER).status_code == 403
    airflow.cookies.clear()


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize(
    "address",
    [
        PAGE.replace("silver.visits.html", "secret.txt"),
        PAGE.replace("silver.visits.html", "..%2F..%2Fledger.db"),
        PAGE.replace("silver.visits.html", "%2e%2e%2findex.html"),
        PAGE.replace("silver.visits.html", "silver.visits.html%00.json"),
        PAGE.replace("silver.visits.html", "silver.visits.html%0a"),
        PAGE.replace("silver.visits.html", "silver.other.html"),
        f"/lake/reports/..%2F_runs/{RUN}/index.html",
        f"/lake/reports/~/{quote(RUN, safe='')}/index.html",
        f"/lake/reports/shop_daily/{'x' * 300}/index.html",
        f"/lake/reports/{'d' * 250}/{'r' * 250}/index.html",
        "/lake/reports/shop_daily/another_run/index.html",
        "/lake/reports/nothing",
        "/lake/reports/openapi.json",
        "/lake/reports/docs",
    ],
)
def test_an_address_leads_to_a_report_or_nowhere(ada: TestClient, address: str) -> None:
    answer = ada.get(address, headers=BROWSER)
    assert answer.status_code == 404, answer.text
    assert "The task quality_reports writes it at the end of a run" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.usefixtures("written")
def test_the_list_shows_the_reports_of_the_dags_that_the_user_may_read(ada: TestClient) -> None:
    assert "No run has left a report yet, or none that you may read." in ada.get("/lake/reports/", headers=BROWSER).text
    add_dag("shop_daily")
    text = ada.get("/lake/reports/", headers=BROWSER).text
    assert f'<a href="{PAGE.replace("silver.visits.html", "index.html")}">{RUN}</a>' in text
    assert "<td>1 done</td>" in text
    assert '<td class="broken">2 of 7</td><td>2024-05-02 06:01 UTC</td>' in text


def test_the_list_is_of_a_hundred_runs_that_the_user_may_read_however_many_others_there_are(airflow: TestClient) -> None:
    add_dag("bakery_weekly", team="bakers")
    add_dag("brewery_daily", team="brewers")
    for number in range(101):
        note_report(f"bakery_weekly/run-{number}.")
    for number in range(101):
        note_report(f"brewery_daily/run-{number}.")
    note_report("bakery_weekly/run-7.")
    airflow.cookies.set("_token", token("VIEWER", "bakers"))
    text = airflow.get("/lake/reports/", headers=BROWSER).text
    airflow.cookies.clear()
    shown = [int(number) for number in re.findall(r">run-(\d+)\.</a>", text)]
    assert shown == [7, *(number for number in range(100, 0, -1) if number != 7)]
    assert "brewery" not in text


def test_who_may_read_one_dag_does_not_read_the_reports_of_another(airflow: TestClient) -> None:
    add_dag("cellar_daily", team="cellarers")
    add_dag("garden_daily", team="gardeners")
    airflow.cookies.set("_token", token("VIEWER", "cellarers"))
    statuses = [airflow.get(f"/lake/reports/{dag}/run/index.html", headers=BROWSER).status_code for dag in ("cellar_daily", "garden_daily")]
    airflow.cookies.clear()
    assert statuses == [404, 403]  # the first may be read and is not there
