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

if TYPE_CHECKING:
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


@pytest.mark.parametrize("day", ["2013-02-30", "yesterday"])
def test_a_date_that_does_not_exist_is_refused(day: str) -> None:
    for dag in (pipeline_dag("shop"), inference_dag("spender")):
        for field in ("first_day", "last_day"):
            with pytest.raises(ParamValidationError, match=f"'{day}' is not a 'date'"):
                form_of(dag, **{field: day})


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
