"""The staged candidate with what the gate adds to each row: its day, which rules it breaks, whether it stays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from great_expectations.exceptions.exceptions import GreatExpectationsError, MetricProviderError
from pyspark.errors import PySparkException
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from spark_jobs.lake.gate.great_expectations_rules import Judge, expectation_of
from spark_jobs.lake.gate.plan import GUARDED, ColumnEngine, DoesNotFit, Plan, plan_of
from spark_jobs.lake.gate.rules import COMPOUND_UNIQUE, UNIQUE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import Column, DataFrame

DAY, STAYS, REFUSED = "__gate_day", "__gate_stays", "__gate_refused"
KEY, FLAG = "__gate_key_", "__gate_flag_"
NO_DAY = "null"
WHOLE = "all"
ORDERED = {"expect_column_values_to_be_increasing", "expect_column_values_to_be_decreasing"}
"""They compare neighbours by the order of the rows over the whole frame; Great Expectations' window knows no days."""


@dataclass
class Lane:
    """One rule in the pass. `helpers`: columns it is judged on instead of its own. `plan`: None where stock GX has to judge it."""

    judge: Judge
    plan: Plan | None = None
    helpers: dict[str, Column] = field(default_factory=dict)
    flag: str | None = None
    """The column that is true where a row breaks it; of row rules only."""

    @property
    def compares(self) -> bool:
        """Whether it compares rows, which Spark has to bring together for it."""
        return self.judge.rule.expect in {UNIQUE, COMPOUND_UNIQUE}

    @property
    def key(self) -> list[str]:
        """The columns that it wants to be unique together; the first is null in rows that it passes over. For rules that compare rows."""
        return [*self.helpers, *(self.judge.rule.arguments["column_list"] if self.judge.rule.expect == COMPOUND_UNIQUE else ())]


@dataclass(frozen=True)
class Lanes:
    """All rules of a table, laid over a candidate of one schema."""

    day_column: str | None
    engine: ColumnEngine
    parting: Sequence[Lane]
    """Rules whose broken rows leave (quarantine, drop); they are judged over all rows."""
    watching: Sequence[Lane]
    """The other rules; they are judged over the rows that stay."""

    def parted(self, staged: DataFrame) -> DataFrame:
        """The rows with their day, a flag for each parting rule, whether they stay and whether they go to quarantine."""
        frame = staged.select("*", _day(self.day_column).alias(DAY))
        frame = _with(frame, {name: column for lane in self.parting for name, column in lane.helpers.items()})
        frame = _with(frame, {lane.flag: lane.plan.broken for lane in self.parting if lane.flag and lane.plan})
        refused = _any(lane.flag for lane in self.parting if lane.judge.rule.on_fail == "quarantine")
        leaves = _any(lane.flag for lane in self.parting)
        return frame.select("*", (~leaves).alias(STAYS), refused.alias(REFUSED))

    def watched(self, staged: DataFrame, watching: Sequence[Lane], flagged: Sequence[Lane] | None = None) -> DataFrame:
        """`parted`, the columns that rules which only watch are judged on, and a flag of those that judge rows: of all, or of `flagged`.

        A flag counts among the rows that stay.
        """
        frame = _with(self.parted(staged), {name: column for lane in watching for name, column in lane.helpers.items()})
        return _with(frame, {lane.flag: lane.plan.broken for lane in (watching if flagged is None else flagged) if lane.flag and lane.plan})


def lay_out(staged: DataFrame, day_column: str | None, judges: Sequence[Judge], trusted: bool = True) -> Lanes:
    """Plan every rule on the staged schema; where the pass is not `trusted`, only those that part rows.

    Raises ContractError where a rule cannot be judged on these columns.
    """
    schema = staged.schema
    probe = ColumnEngine(staged.sparkSession, schema)
    planned = [judge for judge in judges if trusted or judge.parts_rows]
    prepared = [_prepare(probe, schema, judge, number) for number, judge in enumerate(planned)]
    extra = [column for _, _, columns in prepared for column in columns]
    engine = ColumnEngine(staged.sparkSession, StructType([*schema.fields, *extra]))
    # A rule about the table's columns must not see the helpers.
    lanes = [_lane(engine if lane.helpers else probe, lane, arguments, number) for number, (lane, arguments, _) in enumerate(prepared)]
    return Lanes(
        day_column=day_column,
        engine=engine,
        parting=[lane for lane in lanes if lane.judge.parts_rows],
        watching=[lane for lane in lanes if not lane.judge.parts_rows] + [Lane(judge) for judge in judges if judge not in planned],
    )


def _lane(engine: ColumnEngine, lane: Lane, arguments: dict[str, Any], number: int) -> Lane:
    judge = lane.judge
    expectation = expectation_of(judge.rule.expect, arguments) if lane.helpers else judge.expectation
    try:
        if judge.rule.expect in ORDERED:
            raise DoesNotFit("it compares a row with the row before it, and the rows of a table have no order")
        lane.plan = plan_of(engine, expectation)
    except DoesNotFit as error:
        if judge.parts_rows:
            raise judge.fault(f"it cannot tell single rows: {error}", "write on_fail: stop or warn.") from None
        lane.helpers = {}
        return lane
    except MetricProviderError:
        raise judge.fault("Great Expectations has no way to compute it on Spark", "take another expectation.") from None
    except (GreatExpectationsError, PySparkException, TypeError, ValueError, KeyError) as error:
        raise judge.fault(error, "mend the rule or the column's type.") from error
    if judge.parts_rows and lane.plan.broken is None:
        raise judge.fault("it judges a column's type, not its rows", "write on_fail: stop or warn.")
    if lane.plan.broken is not None and lane.plan.broken_id is not None:
        lane.flag = f"{FLAG}{number}"
        lane.plan.counts[lane.plan.broken_id] = F.col(lane.flag)
    return lane


def _prepare(probe: ColumnEngine, schema: StructType, judge: Judge, number: int) -> tuple[Lane, dict[str, Any], list[StructField]]:
    """A rule's helper columns, its arguments with them in place, and their fields.

    Great Expectations' windows span the whole frame: a value is unique in all days and all rows. Its own condition on a key
    that holds the day (and whether the row stays) beside the value is unique within them.
    """
    rule = judge.rule
    name = f"{KEY}{number}"
    if rule.expect == UNIQUE:
        key = F.when(F.col(rule.arguments["column"]).isNotNull(), F.struct(*_scope(probe, judge), F.col(rule.arguments["column"])))
        return Lane(judge, helpers={name: key}), {**rule.arguments, "column": name}, [StructField(name, StringType())]
    if rule.expect == COMPOUND_UNIQUE:
        columns = list(rule.arguments["column_list"])
        key = F.struct(*_scope(probe, judge))
        if rule.arguments.get("ignore_row_if", "all_values_are_missing") != "never":
            key = F.when(~_all_null(columns), key)  # so that a row without any value still has none
        return Lane(judge, helpers={name: key}), {**rule.arguments, "column_list": [name, *columns]}, [StructField(name, StringType())]
    if rule.arguments.get("row_condition") and "column" in rule.arguments and not judge.judges_rows:
        name, column = f"{GUARDED}{number}", rule.arguments["column"]
        inside = probe.domain(_row_condition(judge))
        guarded = F.when(inside if inside is not None else F.lit(True), F.col(column))
        if column in schema.names:
            return Lane(judge, helpers={name: guarded}), {**rule.arguments, "column": name}, [StructField(name, schema[column].dataType)]
    return Lane(judge), rule.arguments, []


def _scope(probe: ColumnEngine, judge: Judge) -> list[Column]:
    inside = probe.domain(_row_condition(judge))
    scope = [F.col(DAY)] if judge.parts_rows else [F.col(DAY), F.col(STAYS)]
    return scope if inside is None else [*scope, inside.alias("inside")]


def _row_condition(judge: Judge) -> dict[str, Any]:
    expectation: Any = judge.expectation
    return {"row_condition": expectation.row_condition, "condition_parser": expectation.condition_parser}


def _day(day_column: str | None) -> Column:
    return F.lit(WHOLE) if day_column is None else F.coalesce(F.col(day_column).cast("string"), F.lit(NO_DAY))


def _with(frame: DataFrame, columns: dict[str, Column | None]) -> DataFrame:
    return frame.select("*", *(column.alias(name) for name, column in columns.items() if column is not None)) if columns else frame


def _any(flags: Any) -> Column:
    found = F.lit(False)
    for flag in flags:
        found = found | F.col(flag)
    return found


def _all_null(columns: Sequence[str]) -> Column:
    joined = F.lit(True)
    for column in columns:
        joined = joined & F.col(column).isNull()
    return joined
