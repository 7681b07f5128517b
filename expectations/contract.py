"""What the contract of a table, and of a pipeline, may say. Facts only; every class refuses what it does not know."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from expectations.errors import Misfit, did_you_mean
from expectations.facts import IDENTIFIER, TABLE, ColumnName, ColumnType, Facts, Needs, TableName, matching
from expectations.over_time import OverTimeCheck
from expectations.rule import Rule

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

WriteMode = Literal["replace_days", "merge", "append", "replace_all", "scd2"]
SAYS_DAYS = 2
"""The version of a table's contract from which on it says which days of its inputs a day needs."""
OF_SNAPSHOTS = "it would keep a new version of every row each time, and never end a row that is gone"
"""What a history would make of full snapshots, for people."""


def _no_number(found: Any) -> Any:
    """Pydantic takes a number for seconds since 1970: the day 86400 would be the second of January."""
    if isinstance(found, int | float) or (isinstance(found, str) and found.strip().lstrip("+-").isdigit()):
        raise ValueError("it is no date; write it as YYYY-MM-DD, for example 2013-01-31")
    return found


Day = Annotated[date, BeforeValidator(_no_number)]


class Column(Facts):
    """One column: its Spark SQL type, and whether it may be null (a null breaks the rule `not_null`)."""

    type: ColumnType
    nullable: bool = True
    description: str = ""


def _null_as_text(found: Any) -> Any:
    return "null" if found is None else found  # `missing: null` is how YAML writes nothing


class Drift(Facts):
    """What becomes of a landed file whose columns are not the contract's."""

    added: Literal["aside", "fail"] = "aside"
    """A column that the contract does not know: kept in `_extra` and reported, or an error."""
    missing: Annotated[Literal["null", "fail"], BeforeValidator(_null_as_text), WithJsonSchema({"enum": ["null", "fail", None]})] = "fail"
    """A column that the file does not have: nulls, reported, or an error. A JSON record may leave keys out in any case."""
    changed: Literal["cast", "fail"] = "fail"
    """Parquet and ORC, a column of another type: cast, and what does not cast is refused by its row; or an error."""


class Source(Facts):
    """Where a bronze table's files land: `<landing>/<folder>/<YYYY-MM-DD>.<format>`, one file a day or a snapshot a day.

    Where it is `external`, `<landing>/<folder>/day=<YYYY-MM-DD>/`, with one file of any name in it.
    """

    folder: Annotated[str, matching(IDENTIFIER, "folder name (small letters, digits and _)")]
    format: Literal["csv", "jsonl", "parquet", "orc"]
    arrives: Literal["daily", "snapshot"] = "daily"
    """`snapshot`: every file holds the whole, the newest one counts. `daily`: a file holds a day's rows."""
    missing: Literal["skip", "fail"] = "skip"
    """What a day without a file means: nothing to do, or an error."""
    nulls: tuple[str, ...] = ("",)
    """Texts that mean null (CSV and JSON lines)."""
    external: bool = False
    """Parquet and ORC: the folders of the days are the partitions of an external table `landing.<table>` in the Hive metastore."""
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] = ","
    drift: Drift = Drift()

    @property
    def has_types(self) -> bool:
        """Whether the files say what type each column has; all columns of the others are texts."""
        return self.format in {"parquet", "orc"}


class QuarantineLimit(Facts):
    """How many rows of a day may wait in quarantine before the day is held: a share of its rows, a number, or both."""

    share: Annotated[float, Field(ge=0, le=1)] | None = None
    rows: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> QuarantineLimit:
        if self.share is None and self.rows is None:
            raise ValueError("quarantine_limit limits nothing; add share or rows")
        return self


class Input(Facts):
    """A table that is read, and which of its days: `days: [-30, -1]` is from thirty days before a day to the day before it."""

    table: TableName
    days: tuple[int, int] = (0, 0)
    needs: Needs = "published"
    """Days that are not good enough are as if they had never been published."""
    otherwise: Literal["hold", "last_good_day"] = "hold"
    """What a day without a good enough input day means: it is held, or made from the newest good day before it."""

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
        own = {key: schema["properties"][key] for key in schema["properties"] if key != "table"}
        facts = {"type": "object", "additionalProperties": False, "properties": own}
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

    contract: Literal[1, 2]
    description: Annotated[str, Field(min_length=10)]
    owner: str = ""
    source: Source | None = None
    inputs: tuple[Input, ...] = ()
    grain: tuple[ColumnName, ...] = ()
    day: ColumnName | None = None
    write: WriteMode = "replace_days"
    order_by: ColumnName | None = None
    """`merge` and `scd2`: the column that says which of two versions of a row is the later one."""
    feed: Literal["changes", "snapshots"] | None = None
    """`scd2`: what its inputs bring. Only changes are kept right; snapshots are refused."""
    deletes: Literal["kept"] | None = None
    """`merge` and `scd2`: a row that is deleted at its source stays, and that is meant."""
    late: Annotated[int, Field(ge=0, le=3650)] = 30
    """Rows that arrive more than this many days after their day go to quarantine under the rule `late`."""
    keep_history: Annotated[int, Field(ge=1, le=3650)] = 30
    """Days for which older versions of the table can be read."""
    predict_at: str = ""
    """A features table: the moment of a row after which nothing known may enter."""
    columns: dict[ColumnName, Column]
    rules: tuple[Rule, ...] = ()
    over_time: tuple[OverTimeCheck, ...] = ()
    """What a day promises beside the days before it."""
    quarantine_limit: QuarantineLimit | None = None

    @property
    def asks(self) -> bool:
        """Whether a rule puts days to a person."""
        return any(rule.on_fail == "ask" for rule in (*self.rules, *self.over_time))

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

    @model_validator(mode="after")
    def _says_what_it_is_fed_with(self) -> TableContract:
        if self.feed and self.write != "scd2":
            raise Misfit(f"feed is for scd2, and this table is written by {self.write}; take it away", "feed")
        if self.deletes and self.write not in {"merge", "scd2"}:
            found = f"and this table is written by {self.write}"
            raise Misfit(f"deletes is for merge and scd2, {found}; take it away", "deletes")
        if self.write == "scd2" and self.feed is None:
            needs = "scd2 needs `feed: changes`, which says that its inputs bring changes, not full snapshots"
            raise Misfit(f"{needs}: of those {OF_SNAPSHOTS}", "write")
        if self.feed == "snapshots":
            raise Misfit(
                f"scd2 cannot be fed with snapshots: {OF_SNAPSHOTS}; "
                "read changes and write feed: changes, or keep the newest snapshot alone with write: replace_all",
                "feed",
            )
        return self


class Pipeline(Facts):
    """One daily DAG: its tables and its clock."""

    description: str = ""
    owner: str = ""
    tables: Annotated[tuple[TableName, ...], Field(min_length=1)]
    schedule: Annotated[str, Field(min_length=9)] = "0 6 * * *"
    """A cron expression in `time_zone` that fires at most once a day; a run is for the day before."""
    time_zone: str = "UTC"
    first_day: Day
    last_day: Day | None = None
