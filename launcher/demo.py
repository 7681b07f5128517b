"""The demo: a month of real flights as one run, a model, and three daily runs with predictions. A second time it changes nothing."""

from __future__ import annotations

import time
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from expectations.ledger import Ledger
from expectations.loader import load_lake
from launcher.airflow_api import AirflowApi
from launcher.environment import lake_environment
from launcher.errors import LauncherError
from launcher.landing import land
from launcher.layout import load_state
from launcher.lifecycle import addresses, up

if TYPE_CHECKING:
    from expectations.lake import Lake

DAILY = "nyc_flights_daily"
MONTH = ("2013-01-01", "2013-01-31")
DAYS = ("2013-02-01", "2013-02-02", "2013-02-03")
PATIENCE_SECONDS = 1200.0
BY_PEOPLE = ("ui", "rest_api", "cli")
"""Who may start a run of a model while the demo waits: how it ends is not the demo's business."""
Step = Literal["nothing", "wait", "again", "start"]
"""About a run: it has ended well, it is under way, it failed and is cleared, or it is still to come."""


def demo() -> None:
    """Run it, and end with what was published. Raises LauncherError, naming the run, where one of the runs failed."""
    started = time.monotonic()
    environment = lake_environment()
    files = land(environment["LAKE_LANDING"], date.fromisoformat(MONTH[0]), date.fromisoformat(DAYS[-1]))
    _say(f"landed {len(files)} new files under {environment['LAKE_LANDING']}")
    up()
    api = AirflowApi(environment["LAKE_AIRFLOW_URL"], load_state().passwords)
    _wait_for_dags(api)
    earlier = {run["dag_run_id"] for _, run in _model_runs(api) if _is_failed(run)}
    _run_month(api)
    _wait_for_models(api, earlier)
    _run_days(api)
    _wait_for_models(api, earlier)
    lake, ledger = load_lake(), Ledger(environment["LAKE_LEDGER_URL"])
    print(f"\n{published_table(lake, ledger)}\n\n{model_figures(lake, ledger)}\n\n{addresses(load_state())}")
    _say(f"the demo took {time.monotonic() - started:.0f} seconds; everything keeps running until `make down`")


def published_table(lake: Lake, ledger: Ledger) -> str:
    """One line a table: its rows, those in quarantine, and its Delta version."""
    lines = [f"{'table':26}{'rows':>10}{'quarantined':>13}{'version':>9}"]
    for name in lake.in_order(lake.tables):
        days = [entry for entry in ledger.days(name).values() if entry.version is not None]
        if days:
            refused = sum(entry.rows_quarantined for entry in days) + sum(arrival.refused for arrival in ledger.arrivals(name))
            rows = sum(entry.rows_out for entry in days)
            lines.append(f"{name:26}{rows:>10,}{refused:>13,}{max(entry.version or 0 for entry in days):>9}")
    return "\n".join(lines)


def model_figures(lake: Lake, ledger: Ledger) -> str:
    """The champions on the days they never saw, each by what it is compared by, beside always giving the majority class or the mean."""
    lines = [f"{'model':26}{'metric':>10}{'value':>10}{'baseline':>10}  held-out days"]
    for name, model in lake.models.items():
        champion = ledger.champion(name)
        if champion is None:
            lines.append(f"{name:26} has no champion")
            continue
        score, figures = model.contract.score, champion.figures
        baseline = figures["baseline"][score]
        lines.append(f"{f'{name} v{champion.version}':26}{score:>10}{figures['metrics'][score]:>10.4f}{baseline:>10.4f}  {figures['test_days']}")
    return "\n".join(lines)


def _model_dags() -> list[str]:
    return [f"{model}_{does}" for does in ("training", "inference") for model in load_lake().models]


def _wait_for_dags(api: AirflowApi) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while missing := [dag for dag in (DAILY, *_model_dags()) if not api.has_dag(dag)]:
        errors = api.get("/importErrors")["import_errors"]
        if errors:
            raise LauncherError(f"Airflow cannot read {errors[0]['filename']}: {errors[0]['stack_trace'].strip().splitlines()[-1]}")
        if time.monotonic() > until:
            raise LauncherError(f"Airflow has not found {', '.join(missing)}; `make logs` shows its dag-processor.")
        time.sleep(0.5)


def next_step(run: dict[str, Any] | None) -> Step:
    """What the demo does about a run that it needs (None: there is none yet)."""
    if run is None:
        return "start"
    if run["state"] == "success":
        return "nothing"
    return "again" if _is_failed(run) else "wait"


def _run_month(api: AirflowApi) -> None:
    first, last = MONTH
    run_id = f"demo_{first}_to_{last}"
    step = next_step(api.run(DAILY, run_id))
    if step == "nothing":
        _say(f"{DAILY} ran for {first}..{last} already")
        return
    if step == "again":
        _say(f"{DAILY} failed for {first}..{last} before; running it again")
        api.run_again(DAILY, run_id)
    if step == "start":
        _say(f"triggering {DAILY} for {first} to {last}")
        api.trigger(DAILY, run_id, {"first_day": first, "last_day": last})
    _follow(api, DAILY, run_id)


def _run_days(api: AirflowApi) -> None:
    if any(run is None for run in _day_runs(api)):
        _say(f"backfilling {DAILY} for {DAYS[0]} to {DAYS[-1]}, one run a day")
        api.backfill(DAILY, DAYS[0], DAYS[-1])
    for run in _day_runs(api):
        if run is None:
            raise LauncherError(f"Airflow made no run for each of {', '.join(DAYS)}; look at the backfills of {DAILY}.")
        step = next_step(run)
        if step == "nothing":
            _say(f"{DAILY} ran for {run['partition_key']} already")
            continue
        if step == "again":
            api.run_again(DAILY, run["dag_run_id"])
        _follow(api, DAILY, run["dag_run_id"])


def _day_runs(api: AirflowApi) -> list[dict[str, Any] | None]:
    runs = {run.get("partition_key"): run for run in api.runs(DAILY)}
    return [runs.get(day) for day in DAYS]


def _is_failed(run: dict[str, Any] | None) -> bool:
    return run is not None and run["state"] == "failed"


def _model_runs(api: AirflowApi) -> list[tuple[str, dict[str, Any]]]:
    return [(dag, run) for dag in _model_dags() for run in api.runs(dag)]


def awaited(runs: list[tuple[str, dict[str, Any]]], earlier: set[str]) -> list[tuple[str, dict[str, Any]]]:
    """Of a DAG's name and run each, those that have to end well: not those of `earlier`, which failed before the demo, and not what people started."""
    return [(dag, run) for dag, run in runs if run["dag_run_id"] not in earlier and run.get("triggered_by") not in BY_PEOPLE]


def _wait_for_models(api: AirflowApi, earlier: set[str]) -> None:
    """Until no training and no inference that was woken is under way; each is named, `earlier` failures and what people started are left aside."""
    told: set[str] = set()
    asking = {f"{name}_training" for name, model in load_lake().models.items() if model.contract.when_better == "ask"}
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        runs = awaited(_model_runs(api), earlier)
        for dag, run in runs:
            if run["state"] == "failed":
                raise LauncherError(f"{dag} {run['dag_run_id']} failed; its log is on Airflow's page, and in the logs folder.")
            if run["state"] not in {"success", "failed"} and run["dag_run_id"] not in told:
                told.add(run["dag_run_id"])
                _say(f"{dag} was woken{' and may wait for your answer, under Required Actions' if dag in asking else ''}")
        if all(run["state"] == "success" for _, run in runs):
            return
        if time.monotonic() > until:
            raise LauncherError("a training or an inference has not ended; look at Airflow's page.")
        time.sleep(1)


def _follow(api: AirflowApi, dag_id: str, run_id: str) -> None:
    started = time.monotonic()
    failed: list[str] = []
    for task, state in api.follow(dag_id, run_id, PATIENCE_SECONDS):
        if task:
            print(f"  {time.monotonic() - started:5.0f} s  {task} {state}", flush=True)
        if task and state == "failed":
            failed.append(task)
        if not task and state == "failed":
            raise LauncherError(f"{dag_id} {run_id} failed in {', '.join(failed) or 'no task'}; the task's log says why.")


def _say(line: str) -> None:
    print(f"== {line}", flush=True)
