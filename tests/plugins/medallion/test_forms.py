"""A form that cannot be is refused before there is a run, by the check of its fields that Airflow makes of the page and of its REST API."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from airflow.sdk.exceptions import ParamValidationError

from expectations.loader import load_lake
from medallion.model_dags import inference_dag
from medallion.operations_dags import restore_dag
from medallion.pipeline_dag import pipeline_dag
from medallion.quarantine_dag import quarantine_dag

if TYPE_CHECKING:
    from pathlib import Path

    from airflow.sdk import DAG


def form_of(dag: DAG, **filled: Any) -> dict[str, Any]:
    """The fields as a run of the DAG gets them. Raises ParamValidationError where Airflow refuses the form."""
    fields = deepcopy(dag.params)
    fields.update(filled)
    return fields.validate()


RESTORE = {"table": "gold.days", "version": 0, "reason": "it looked wrong"}


def test_a_form_whose_fields_can_be_meant_is_taken() -> None:
    assert form_of(pipeline_dag("shop")) == {"first_day": None, "last_day": None, "force": False}
    assert form_of(pipeline_dag("shop"), first_day="2013-01-30", last_day="2013-02-01")["first_day"] == "2013-01-30"
    assert form_of(restore_dag(), **RESTORE) == RESTORE


@pytest.mark.parametrize("day", ["2013-02-30", "2013-02-29", "2013-13-01", "20130131", "31.01.2013", " ", "yesterday"])
def test_a_date_that_does_not_exist_is_refused(day: str) -> None:
    for dag in (pipeline_dag("shop"), inference_dag("spender"), quarantine_dag()):
        for field in ("first_day", "last_day"):
            with pytest.raises(ParamValidationError, match=f"'{day}' is not a 'date'"):
                form_of(dag, **{field: day})


def test_the_page_has_no_picker_that_makes_an_empty_field_of_a_date_that_does_not_exist() -> None:
    for dag in (pipeline_dag("shop"), inference_dag("spender"), quarantine_dag()):
        for field in ("first_day", "last_day"):
            assert "format" not in dag.params.get_param(field).schema, "beside the type, the page makes a picker of it"


def test_a_form_says_which_days_are_valid_by_the_contracts_and_not_by_what_landed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LAKE_LANDING", str(tmp_path))
    said = [pipeline_dag("shop").params.get_param(field).description for field in ("first_day", "last_day")]
    assert said == [
        "The first day of the range: YYYY-MM-DD, from 2013-01-01 to 2013-12-31. Empty: the run's own day, which for a run by hand is yesterday.",
        "The last day of the range: YYYY-MM-DD, from 2013-01-01 to 2013-12-31. Empty: the first day alone.",
    ]
    assert inference_dag("spender").params.get_param("first_day").description == (
        "The first day of the range: YYYY-MM-DD, a published day of silver.visits, which is built for the days from 2013-01-01 to 2013-12-31. "
        "Empty: all days that have no prediction yet."
    )
    before = pipeline_dag("shop").params.dump()
    (tmp_path / "visits").mkdir()
    (tmp_path / "visits/2013-01-31.csv").touch()
    assert pipeline_dag("shop").params.dump() == before


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"table": "gold.dasy"}, "'gold.dasy' is not one of"),
        ({"version": -1}, "-1 is less than the minimum of 0"),
        ({"reason": "no"}, "'no' is too short"),
    ],
)
def test_a_table_a_version_or_a_reason_that_is_none_is_refused(changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(ParamValidationError, match=reason):
        form_of(restore_dag(), **{**RESTORE, **changed})


@pytest.mark.parametrize("missing", list(RESTORE))
def test_a_field_that_has_to_be_filled_in_is_asked_for(missing: str) -> None:
    filled = {name: value for name, value in RESTORE.items() if name != missing}
    with pytest.raises(ParamValidationError, match=f"{missing}: No value passed"):
        form_of(restore_dag(), **filled)


def test_a_restore_is_offered_for_every_table() -> None:
    assert restore_dag().params.get_param("table").schema["enum"] == sorted(load_lake().tables)
