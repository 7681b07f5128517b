"""A text is a value of its column's type, or its row waits; what is published, written back as text, means what arrived."""

from __future__ import annotations

import random
from decimal import Decimal, localcontext
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from launcher.layout import REPOSITORY
from spark_jobs.lake.texts import is_value
from tests.spark_jobs.lake.texts_of_types import TEXTS, document

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_the_docs_have_the_texts_of_the_test() -> None:
    assert document() in (REPOSITORY / "docs" / "types.md").read_text()
    assert all(sum(value is None for value in texts.values()) >= 4 and len(texts) >= 10 for texts in TEXTS.values())


def published(spark: SparkSession, kind: str, texts: list[str]) -> dict[str, str | None]:
    """Text to the value that is published of it, as Spark writes it; None where it is refused."""
    rows = spark.createDataFrame([(text,) for text in texts], "text string")
    value = F.when(is_value(F.col("text"), kind), F.col("text").try_cast(kind)).cast("string")
    return {row.text: row.value for row in rows.select("text", value.alias("value")).collect()}


@pytest.mark.spark
@pytest.mark.parametrize("kind", TEXTS)
def test_a_text_is_a_value_of_its_type_or_it_is_refused(spark: SparkSession, kind: str) -> None:
    assert published(spark, kind, list(TEXTS[kind])) == TEXTS[kind]


def drawn(dice: random.Random) -> str:
    """A text that looks like a number, a date or a moment."""
    digits = "".join(dice.choice("0123456789") for _ in range(dice.randint(1, 12)))
    fraction = "".join(dice.choice("0015") for _ in range(dice.randint(0, 22)))
    number = dice.choice(["", "+", "-"]) + digits + dice.choice(["", f".{fraction}"]) + dice.choice(["", "", f"e{dice.randint(-30, 330)}", "d", "F", ","])
    day = f"{dice.choice(['2024', '20240', '0000', '202', '9999'])}-{dice.choice(['05', '5', '13'])}-{dice.choice(['01', '1', '31', '32'])}"
    moment = (
        day
        + dice.choice(["T", " ", ""])
        + dice.choice(["12:30", "12:30:05", "00:00", "24:00", "junk", "12"])
        + dice.choice(["", "Z", f".{fraction}", "+02:00"])
    )
    return dice.choice([number, number, day, moment])


def means_the_same(kind: str, text: str, value: str) -> bool:
    """Whether a published value, written as text, is what the text says: by Python, which has no part in the cast."""
    with localcontext(prec=400):
        if kind in {"int", "bigint", "decimal(10,2)", "decimal(38,18)"}:
            return Decimal(text) == Decimal(value)
        if kind == "double":
            return float(text) == float(value) and (Decimal(text) == 0) == (Decimal(value) == 0)
    day = "-".join(part.zfill(2) for part in text.partition("T")[0].partition(" ")[0].split("-"))
    if kind == "date":
        return value == day and set(text[len(text.partition("T")[0].partition(" ")[0]) + 1 :]) <= set("0:.")
    return value.startswith(day) or "+02:00" in text


@pytest.mark.spark
@pytest.mark.parametrize("kind", ["int", "bigint", "double", "decimal(10,2)", "decimal(38,18)", "date", "timestamp"])
def test_what_is_published_means_what_arrived(spark: SparkSession, kind: str) -> None:
    dice = random.Random(20240501)  # noqa: S311 - the same texts every time
    found = published(spark, kind, sorted({drawn(dice) for _ in range(3000)}))
    values = {text: value for text, value in found.items() if value is not None}
    assert len(values) > 10
    wrong: dict[str, Any] = {text: value for text, value in values.items() if not means_the_same(kind, text, value)}
    assert wrong == {}
