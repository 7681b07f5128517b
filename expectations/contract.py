"""What a contract may say. Facts only; every class refuses what it does not know."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from expectations.column_types import COLUMN, checked_type
from expectations.errors import Misfit, did_you_mean

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

Layer = Literal["bronze", "silver", "gold"]
LAYERS: tuple[Layer, ...] = ("bronze", "silver", "gold")
WriteMode = Literal["replace_days", "merge", "append", "replace_all", "scd2"]
OnFail = Literal["quarantine", "drop", "stop", "warn"]
Metric = Literal["accuracy", "roc_auc", "average_precision", "log_loss", "brier", "precision", "recall"]
"""Figures of a model on its test days; of log_loss and brier the smaller is the better."""

IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
TABLE = re.compile(rf"(bronze|silver|gold)\.{IDENTIFIER.pattern}")


def _matching(pattern: re.Pattern[str], what: str) -> AfterValidator:
    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"it is no {what}")
        return text

    return AfterValidator(check)


ColumnName = Annotated[str, _matching(COLUMN, "column name (letters, digits and _)")]
TableName = Annotated[str, _matching(TABLE, "table name like silver.flights")]
ColumnType = Annotated[str, AfterValidator(checked_type)]


class Facts(BaseModel):
    """Frozen, and closed: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(Facts):
    """One column: its Spark SQL type, and whether it may be null (a null breaks the rule `not_null`)."""

    type: ColumnType
    nullable: bool = True
    description: str = ""


class Source(Facts):
    """Where a bronze table's files land: `<landing>/<folder>/<YYYY-MM-DD>.<format>`, one file a day or a snapshot a day."""

    folder: Annotated[str, _matching(IDENTIFIER, "folder name (small letters, digits and _)")]
    format: Literal["csv", "jsonl", "parquet"]
    arrives: Literal["daily", "snapshot"] = "daily"
    """`snapshot`: every file holds the whole, the newest one counts. `daily`: a file holds a day's rows."""
    missing: Literal["skip", "fail"] = "skip"
    """What a day without a file means: nothing to do, or an error."""
    nulls: tuple[str, ...] = ("",)
    """Texts that mean null (CSV and JSON lines)."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","


class Rule(BaseModel):
    """One Great Expectations expectation, by its own name and arguments, and what happens to a day or row that breaks it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    expect: str
    on_fail: OnFail = "stop"
    name: str = ""
    """How the rule is called in the ledger and the quarantine; made from the expectation and its columns where left out."""

    @property
    def arguments(self) -> dict[str, Any]:
        """The expectation's own arguments."""
        return dict(self.model_extra or {})

    @property
    def label(self) -> str:
        """A short name that tells the rule from the table's other rules."""
        if self.name:
            return self.name
        columns = self.columns
        return f"{self.expect.removeprefix('expect_')}" + (f"({', '.join(columns)})" if columns else "")

    @property
    def columns(self) -> list[str]:
        """The columns that the arguments name."""
        found: list[str] = []
        for key in ("column", "column_A", "column_B"):
            if key in self.arguments:
                found.append(str(self.arguments[key]))
        for key in ("column_list", "column_set"):
            named = self.arguments.get(key)
            found.extend(map(str, named if isinstance(named, list) else []))
        return found


class Input(Facts):
    """A table that is read, and which of its days: `days: [-30, -1]` is from thirty days before a day to the day before it."""

    table: TableName
    days: tuple[int, int] = (0, 0)

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, raw: Any) -> Any:
        """Allow `bronze.flights` and `{silver.flights: {days: [-30, -1]}}`."""
        if isinstance(raw, str):
            return {"table": raw}
        if isinstance(raw, dict) and "table" not in raw and len(raw) == 1:
            ((table, facts),) = raw.items()
            if isinstance(facts, dict) and "table" not in facts:
                return {"table": table, **facts}
        if not isinstance(raw, Input) and not (isinstance(raw, dict) and "table" in raw):
            raise ValueError("an input is written silver.flights, or {silver.flights: {days: [-30, -1]}}")
        return raw

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The long form and the short ones, so that editors accept what the loader accepts."""
        reference = handler(core_schema)
        schema = handler.resolve_ref_schema(reference)
        name = {"type": "string", "pattern": f"^{TABLE.pattern}$"}
        long = {**schema, "properties": {**schema["properties"], "table": name}}
        facts = {"type": "object", "additionalProperties": False, "properties": {"days": schema["properties"]["days"]}}
        short = {"type": "object", "minProperties": 1, "maxProperties": 1, "propertyNames": name, "additionalProperties": facts}
        about = {key: schema[key] for key in ("title", "description")}
        schema.clear()
        schema.update({**about, "anyOf": [name, short, long]})
        return reference

    @property
    def argument(self) -> str:
        """How `transform` calls it: silver.flights is silver_flights."""
        return self.table.replace(".", "_")


class TableContract(Facts):
    """What one table promises."""

    contract: Literal[1]
    description: Annotated[str, Field(min_length=10)]
    owner: str = ""
    source: Source | None = None
    inputs: tuple[Input, ...] = ()
    grain: tuple[ColumnName, ...] = ()
    day: ColumnName | None = None
    write: WriteMode = "replace_days"
    order_by: ColumnName | None = None
    """`merge` and `scd2`: the column that says which of two versions of a row is the later one."""
    late: Annotated[int, Field(ge=0, le=3650)] = 30
    """Rows that arrive more than this many days after their day go to quarantine under the rule `late`."""
    keep_history: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days for which older versions of the table can be read."""
    predict_at: str = ""
    """A features table: the moment of a row after which nothing known may enter."""
    columns: dict[ColumnName, Column]
    rules: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> TableContract:
        named = [("grain", name) for name in self.grain] + [("day", self.day), ("order_by", self.order_by), ("predict_at", self.predict_at)]
        for key, name in named:
            if name and name not in self.columns:
                raise Misfit(f"there is no column {name!r}", key, hint=did_you_mean(name, self.columns))
        if self.write == "replace_days" and not self.source and not self.day:
            raise Misfit("replace_days needs `day`, the column that says which day a row belongs to", "write")
        if self.write in {"merge", "append", "scd2"} and not self.grain:
            raise Misfit(f"{self.write} needs a grain, the columns that tell one row from another", "write")
        if self.write in {"merge", "scd2"} and not self.order_by:
            raise Misfit(f"{self.write} needs order_by, the column that says which version of a row is the later one", "write")
        if self.day and self.columns[self.day].type != "date":
            raise Misfit(f"{self.day} must be a date column, not {self.columns[self.day].type}", "day")
        return self


class Split(Facts):
    """Days of the training table, by time: training is all before validation, which is all before test.

    Candidates are judged on folds of the training days and, as the last fold, on the validation days; the best one learns from both.
    """

    validation_days: Annotated[int, Field(ge=1)]
    test_days: Annotated[int, Field(ge=1)]
    training_days: Annotated[int, Field(ge=1)] = 365
    """At most this many days before the validation days."""


class MetricGate(Facts):
    """A threshold that a model must reach on the test days before it may serve."""

    metric: Metric
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _has_a_threshold(self) -> MetricGate:
        if self.at_least is None and self.at_most is None:
            raise ValueError(f"the gate on {self.metric} has no threshold; add at_least or at_most")
        return self


class Train(Facts):
    """When a model is trained without anybody asking."""

    every: Annotated[str, _matching(re.compile(r"\d{1,4} days"), "period like '28 days'")] = "28 days"


class ModelContract(Facts):
    """What one model promises."""

    contract: Literal[1]
    description: Annotated[str, Field(min_length=10)]
    owner: str = ""
    engine: Literal["sklearn"] = "sklearn"
    training: TableName
    """Features joined to labels, one row an example."""
    features: TableName
    """What is scored: the same features, without labels, one row a thing to predict."""
    predictions: TableName
    """The table that inference publishes to; its contract stands with the tables."""
    probability: ColumnName = "probability"
    """The column of `predictions` for the probability that `target` is true."""
    predicted: ColumnName = "predicted"
    """The column of `predictions` for the answer: the probability is at least `threshold`."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    target: ColumnName
    """A boolean, or a number that is 0 or 1."""
    inputs: Annotated[tuple[ColumnName, ...], Field(min_length=1)]
    """The columns that the estimator sees, in order."""
    split: Split
    search: dict[str, list[Any]] = {}
    """Parameter name of the estimator to the values tried; every combination is fitted."""
    folds: Annotated[int, Field(ge=2, le=10)] = 3
    """Time-ordered folds within the training days."""
    score: Metric = "roc_auc"
    """What candidates are compared by, and a challenger with the champion."""
    gates: tuple[MetricGate, ...] = ()
    train: Train = Train()
    seed: int = 7
    trusted_types: tuple[str, ...] = ()
    """Types that skops may load beside its own defaults."""

    def prediction_columns(self, features: TableContract) -> dict[str, str]:
        """The columns of `predictions` and their types: the features' grain and day, the answer, and what it was made with."""
        keys = [*features.grain, *([features.day] if features.day and features.day not in features.grain else [])]
        made_with = {"model_name": "string", "model_version": "int", "features_version": "bigint", "scored_at": "timestamp"}
        return {**{key: features.columns[key].type for key in keys}, self.probability: "double", self.predicted: "boolean", **made_with}


class Pipeline(Facts):
    """One daily DAG: its tables and its clock."""

    description: str = ""
    owner: str = ""
    tables: Annotated[tuple[TableName, ...], Field(min_length=1)]
    schedule: Annotated[str, Field(min_length=9)] = "0 6 * * *"
    """A cron expression in `time_zone`; a run is for the day before."""
    time_zone: str = "UTC"
    first_day: date
    last_day: date | None = None
