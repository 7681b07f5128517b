"""What a contract may promise about a day beside the days before it. History is what the ledger knows of published days; no older row is read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from expectations.facts import ColumnName, Facts

NUMBERS = ("int", "bigint", "double")
CATEGORIES = ("string", "boolean")


class Check(Facts):
    """What every check over time has: what a broken one does to the day, and how it is called in the ledger."""

    on_fail: Literal["warn", "stop", "ask"] = "warn"
    name: Annotated[str, Field(max_length=300)] = ""

    @property
    def label(self) -> str:
        """A name that tells the check from the table's other checks and rules."""
        kind, column = getattr(self, "check", ""), getattr(self, "column", "")
        return self.name or f"{kind}{f'({column})' if column else ''} over time"


class WithHistory(Check):
    """A check against earlier days: with fewer of them than `at_least_days` a day is kept, and says so."""

    window: Annotated[int, Field(strict=True, ge=1, le=400)] = 28
    """How many days before a day are looked at; those of them that are published are its history."""
    at_least_days: Annotated[int, Field(strict=True, ge=1)] = 3


class RowCount(WithHistory):
    """Broken where the rows of a day are further than `at_most_off` (a share) from the median of its history."""

    check: Literal["row_count"]
    against: Literal["same_weekday", "days"] = "same_weekday"
    at_most_off: Annotated[float, Field(strict=True, ge=0)] = 0.5

    @property
    def words(self) -> str:
        """What is expected, as a sentence."""
        days = "same weekdays" if self.against == "same_weekday" else "days"
        return f"The day has at most {self.at_most_off:.0%} more or fewer rows than the median of the {days} in the {self.window} days before."


class ArrivalTime(Check):
    """Bronze. Broken where the day's first file landed more than `within_hours` after the end of the day, in the pipeline's time zone."""

    check: Literal["arrival"]
    within_hours: Annotated[float, Field(strict=True, ge=0)]

    @property
    def words(self) -> str:
        """What is expected, as a sentence."""
        return f"The day's first file lands within {self.within_hours:g} hours after the end of the day."


class Freshness(Check):
    """Broken where the newest day of the table, this run's included, is more than `at_most_days` before the newest published day of its inputs."""

    check: Literal["freshness"]
    at_most_days: Annotated[int, Field(strict=True, ge=0)] = 0

    @property
    def words(self) -> str:
        """What is expected, as a sentence."""
        return f"The table's newest day is at most {self.at_most_days} days before the newest day of its inputs."


class Distribution(WithHistory):
    """Broken where a column's values are spread otherwise than on the days before: PSI or KS above `at_most` (0.2 and 0.15 where left out)."""

    check: Literal["distribution"]
    column: ColumnName
    method: Literal["psi", "ks"] = "psi"
    at_most: Annotated[float, Field(strict=True, ge=0)] | None = None

    @property
    def limit(self) -> float:
        """`at_most`, or what is usual for the method."""
        return self.at_most if self.at_most is not None else {"psi": 0.2, "ks": 0.15}[self.method]

    @property
    def words(self) -> str:
        """What is expected, as a sentence."""
        return f"{self.column} is spread as in the {self.window} days before: {self.method.upper()} at most {self.limit:g}."


class NewCategories(WithHistory):
    """Broken where a column has more than `at_most` values that no day of its history has."""

    check: Literal["new_categories"]
    column: ColumnName
    at_most: Annotated[int, Field(strict=True, ge=0)] = 0

    @property
    def words(self) -> str:
        """What is expected, as a sentence."""
        return f"{self.column} has at most {self.at_most} values that none of the {self.window} days before has."


OverTimeCheck = Annotated[RowCount | ArrivalTime | Freshness | Distribution | NewCategories, Field(discriminator="check")]
