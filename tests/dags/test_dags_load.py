from __future__ import annotations

from typing import Any

import pytest

from expectations.loader import load_lake
from tests.dags.conftest import REPOSITORY, SHOP


@pytest.fixture(params=["shop_dags", "sample_dags"])
def loaded(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.getfixturevalue(request.param)
    return found


def test_every_dag_file_loads(loaded: dict[str, Any]) -> None:
    assert loaded["errors"] == {}


def test_loading_brings_in_nothing_heavy(loaded: dict[str, Any]) -> None:
    assert loaded["heavy"] == []


def test_every_pipeline_and_model_has_its_dags(shop_dags: dict[str, Any]) -> None:
    assert sorted(shop_dags["dags"]) == ["lake_maintenance", "quarantine_replay", "shop_daily", "spender_inference", "spender_training", "table_restore"]


def test_the_sample_lake_has_the_dags_that_the_design_names(sample_dags: dict[str, Any]) -> None:
    models = {f"{model}_{does}" for model in ("flight_delay", "arrival_delay", "carrier_delay") for does in ("training", "inference")}
    assert set(sample_dags["dags"]) == {"nyc_flights_daily", *models, "lake_maintenance", "table_restore", "quarantine_replay"}


@pytest.mark.parametrize("lake", ["shop_dags", "sample_dags"])
def test_a_table_waits_for_the_inputs_of_its_contract_and_for_nothing_else(lake: str, request: pytest.FixtureRequest) -> None:
    dags = request.getfixturevalue(lake)["dags"]
    contracts = load_lake(SHOP if lake == "shop_dags" else REPOSITORY)
    for pipeline, facts in contracts.pipelines.items():
        tasks = dags[f"{pipeline}_daily"]["tasks"]
        for name in facts.tables:
            table = contracts.table(name)
            if table.contract.source or table.logic:
                inputs = sorted({read.table for read in table.contract.inputs} & set(tasks))
                assert tasks[name]["upstream"] == (inputs or ["resolve_days"]), name
                assert tasks[name]["outlets"] == [name]
                assert tasks[name]["group"] == table.layer
            else:
                assert name not in tasks


def test_the_daily_dag_of_the_sample_has_a_task_for_each_table_and_wakes_every_model(sample_dags: dict[str, Any]) -> None:
    tasks = sample_dags["dags"]["nyc_flights_daily"]["tasks"]
    sources = {f"{layer}.{table}" for layer in ("bronze", "silver") for table in ("flights", "weather", "planes", "airports", "airlines")}
    made = {"silver.flight_features", "silver.flight_labels", "gold.daily_flights", "gold.carrier_days", "gold.route_days", "gold.delay_training"}
    models = {f"trigger_{model}_{does}" for model in ("flight_delay", "arrival_delay", "carrier_delay") for does in ("training", "inference")}
    asking = {"gold.daily_flights.decision", "gold.daily_flights.decided"}
    assert set(tasks) == {*sources, *made, *models, *asking, "resolve_days", "bronze_gate", "silver_gate", "gold_gate", "quality_reports"}
    assert tasks["gold.daily_flights.decision"]["upstream"] == ["gold.daily_flights"]
    assert tasks["gold.daily_flights.decided"]["upstream"] == ["gold.daily_flights.decision"]
    assert tasks["gold.daily_flights.decided"]["trigger_rule"] == "none_failed_min_one_success"


def test_a_gate_sees_every_table_of_its_layer(shop_dags: dict[str, Any]) -> None:
    tasks = shop_dags["dags"]["shop_daily"]["tasks"]
    assert tasks["bronze_gate"]["upstream"] == ["bronze.shops", "bronze.visits"]
    assert tasks["silver_gate"]["upstream"] == ["silver.shops", "silver.visits"]
    assert tasks["gold_gate"]["upstream"] == ["gold.days"]


def test_inference_is_woken_by_its_features_and_a_training_once_every_table_was_judged(shop_dags: dict[str, Any], sample_dags: dict[str, Any]) -> None:
    tasks = shop_dags["dags"]["shop_daily"]["tasks"]
    assert tasks["trigger_spender_inference"]["upstream"] == ["silver.visits"]
    assert tasks["trigger_spender_training"]["upstream"] == ["bronze.shops", "bronze.visits", "gold.days", "silver.shops", "silver.visits"]
    training = sample_dags["dags"]["nyc_flights_daily"]["tasks"]["trigger_flight_delay_training"]
    assert {"gold.daily_flights", "gold.delay_training"} <= set(training["upstream"])
    assert "gold.daily_flights.decided" not in training["upstream"]  # it does not wait for a person, whose day it leaves out
    assert training["trigger_rule"] == "all_done"


def test_airflows_graph_of_assets_has_the_inputs_of_tables_and_models(sample_dags: dict[str, Any]) -> None:
    dags = sample_dags["dags"]
    daily = dags["nyc_flights_daily"]["tasks"]
    assert daily["bronze.flights"]["inlets"] == []
    assert daily["gold.delay_training"]["inlets"] == ["silver.flight_features", "silver.flight_labels"]
    assert daily["gold.daily_flights.decided"]["inlets"] == daily["gold.daily_flights"]["inlets"] == ["silver.flights"]
    assert dags["flight_delay_training"]["tasks"]["train"]["inlets"] == ["gold.delay_training"]
    assert dags["flight_delay_inference"]["tasks"]["score"]["inlets"] == ["silver.flight_features", "models.flight_delay"]
    assert dags["flight_delay_inference"]["tasks"]["watch"]["inlets"] == ["gold.delay_predictions"]


def test_a_report_waits_for_every_table_and_nothing_waits_for_it(shop_dags: dict[str, Any]) -> None:
    tasks = shop_dags["dags"]["shop_daily"]["tasks"]
    assert tasks["quality_reports"]["upstream"] == ["bronze.shops", "bronze.visits", "gold.days", "silver.shops", "silver.visits"]
    assert not [name for name, task in tasks.items() if "quality_reports" in task["upstream"]]
    assert shop_dags["dags"]["spender_inference"]["tasks"]["quality_reports"]["upstream"] == ["score"]


def test_inference_has_a_form_for_a_version_and_compares_only_where_the_contract_names_a_table(shop_dags: dict[str, Any], sample_dags: dict[str, Any]) -> None:
    shop, sample = shop_dags["dags"]["spender_inference"], sample_dags["dags"]["flight_delay_inference"]
    for dag in (shop, sample):
        version = dag["params"]["version"]
        assert (version["type"], version["minimum"]) == (["null", "integer"], 1)
    assert "compare" not in shop["tasks"]
    assert (sample["tasks"]["which_version"]["upstream"], sample["tasks"]["compare"]["upstream"]) == (["resolve_days"], ["which_version"])
    assert sample["tasks"]["compare"]["outlets"] == ["gold.delay_comparisons"]
    assert sample["tasks"]["quality_reports"]["upstream"] == ["compare", "score"]
    # where a version is compared `score` is skipped, and with it all that follows from a new prediction
    following = ("watch", "is_alarmed", "trigger_flight_delay_training")
    assert {sample["tasks"][name]["trigger_rule"] for name in following} == {"all_success"}


def test_the_gates_are_last_tasks_so_that_the_run_fails_with_them(shop_dags: dict[str, Any]) -> None:
    tasks = shop_dags["dags"]["shop_daily"]["tasks"]
    waited_for = {name for task in tasks.values() for name in task["upstream"]}
    assert {"bronze_gate", "silver_gate", "gold_gate"} & waited_for == set()


def test_every_dag_has_docs_and_every_task_an_owner_docs_retries_and_a_time_limit(loaded: dict[str, Any]) -> None:
    for dag_id, dag in loaded["dags"].items():
        assert dag["docs"], dag_id
        assert (dag["runs_at_once"], dag["catchup"]) == (1, False), dag_id
        for task_id, task in dag["tasks"].items():
            assert task["docs"], (dag_id, task_id)
            assert task["owner"] not in {"", "airflow"}, (dag_id, task_id)
            assert task["retries"] == 2, (dag_id, task_id)
            assert task["timeout"], (dag_id, task_id)


def test_a_tables_own_owner_owns_its_task(shop_dags: dict[str, Any]) -> None:
    assert shop_dags["dags"]["shop_daily"]["tasks"]["silver.visits"]["owner"] == "shopkeepers"
    assert shop_dags["dags"]["spender_training"]["tasks"]["train"]["owner"] == "data scientists"


def test_a_tables_docs_are_its_contract(shop_dags: dict[str, Any]) -> None:
    docs = shop_dags["dags"]["shop_daily"]["tasks"]["silver.visits"]["docs"]
    assert "Visits to a shop, typed. One row per visit." in docs
    assert "| visit | string | no | the visit's number \\| unique |" in docs
    assert "- `column_values_to_be_between(spent)` column spent, min_value 0, else quarantine" in docs


def test_the_forms_refuse_what_is_no_date_no_table_and_no_version(shop_dags: dict[str, Any]) -> None:
    dags = shop_dags["dags"]
    for dag_id in ("shop_daily", "spender_inference", "quarantine_replay"):
        for field in ("first_day", "last_day"):
            schema = dags[dag_id]["params"][field]
            assert (schema["type"], schema["allOf"]) == (["null", "string"], [{"format": "date"}])
    restore = dags["table_restore"]["params"]
    assert "silver.visits" in restore["table"]["enum"]
    assert restore["version"] == {"type": "integer", "minimum": 0, "title": "Version"} | {
        key: value for key, value in restore["version"].items() if key == "description"
    }
    assert restore["reason"]["maxLength"] == 500
    assert dags["lake_maintenance"]["params"]["table"]["enum"][0] == "all"


def test_a_replay_looks_decides_replays_and_lets_the_pipeline_follow(shop_dags: dict[str, Any]) -> None:
    tasks = shop_dags["dags"]["quarantine_replay"]["tasks"]
    assert tasks.pop("quality_reports")["upstream"] == ["replay"]
    order = ["look", "decide", "replay", "what_follows", "trigger_pipeline"]
    assert {name: tasks[name]["upstream"] for name in tasks} == {name: order[max(place - 1, 0) : place] for place, name in enumerate(order)}
    form = shop_dags["dags"]["quarantine_replay"]["params"]
    assert list(form) == ["table", "action", "first_day", "last_day", "rule", "rows", "values", "reason"]
    assert form["action"]["enum"] == ["look", "edit", "discard", "reopen", "replay"]
    assert {"bronze.visits", "silver.visits"} < set(form["table"]["enum"])
    assert (form["values"]["type"], form["reason"]["maxLength"]) == (["null", "object"], 2000)


def test_the_daily_and_model_dags_start_unpaused(loaded: dict[str, Any]) -> None:
    assert {dag["paused"] for dag in loaded["dags"].values()} == {False}


def test_a_wrong_contract_is_an_import_error_that_ends_in_its_sentence(lakes: dict[str, Any]) -> None:
    errors = lakes["mistaken"]["errors"]
    assert set(errors) == {file.name for file in (REPOSITORY / "dags").glob("*.py")}
    assert 'there is no table bronze.shop. Did you mean "bronze.shops"?' in errors["daily.py"].splitlines()[-1]


def test_a_dag_file_is_short() -> None:
    for file in (REPOSITORY / "dags").glob("*.py"):
        assert len(file.read_text().splitlines()) <= 40, file.name
