"""One fault a lake, and the sentence that the loader says of it: logic, which is looked at and not run."""

from __future__ import annotations

import pytest

from tests.expectations.conftest import (
    SALES_LOGIC,
    SHOPS_LOGIC,
    Change,
    Refusal,
)

PYTHON = [
    pytest.param(
        {SALES_LOGIC: "def transform(bronze_sales):\n    return bronze_sales\n"},
        (
            "spark_jobs/silver/sales.py:1: transform takes (bronze_sales), but the inputs of "
            "expectations/silver/sales.yaml ask for (bronze_sales, silver_shops)."
        ),
        id="a transform of other inputs",
    ),
    pytest.param(
        {SALES_LOGIC: "def transform(*inputs):\n    return inputs\n"},
        ("spark_jobs/silver/sales.py:1: transform takes (*inputs), but the inputs of expectations/silver/sales.yaml ask for (bronze_sales, silver_shops)."),
        id="a transform of any inputs",
    ),
    pytest.param(
        {SALES_LOGIC: "import os\ndef transform(:\n"}, "spark_jobs/silver/sales.py:2: not Python: invalid syntax.", id="a transform that is no Python"
    ),
    pytest.param({SALES_LOGIC: "x = 1\n"}, "spark_jobs/silver/sales.py:1: it has no function transform(); write it.", id="no transform"),
    pytest.param({SALES_LOGIC: b"# \xff\n"}, "spark_jobs/silver/sales.py:1: not UTF-8 (byte 2); save the file as UTF-8.", id="Python in Latin-1"),
    pytest.param(
        {SALES_LOGIC: b"x = 1\x00\n"}, "spark_jobs/silver/sales.py:1: not Python: source code string cannot contain null bytes.", id="Python with a zero byte"
    ),
    pytest.param(
        {SALES_LOGIC: None},
        (
            "expectations/silver/sales.yaml:1: silver.sales has no logic; write spark_jobs/silver/sales.py with "
            "transform(), or spark_jobs/silver/sales.sql with one SELECT; or let a model name it in its predictions, comparisons or health."
        ),
        id="no logic",
    ),
    pytest.param(
        {"spark_jobs/silver/sales.sql": "SELECT 1"},
        ("expectations/silver/sales.yaml:1: silver.sales has two logics, spark_jobs/silver/sales.py and spark_jobs/silver/sales.sql; delete one."),
        id="logic in Python and SQL",
    ),
    pytest.param(
        {"spark_jobs/bronze/sales.py": "x"},
        (
            "expectations/bronze/sales.yaml:1: bronze.sales has a source, so spark_jobs/bronze/sales.py would never run; "
            "delete it, or give the table inputs instead."
        ),
        id="logic of a bronze table",
    ),
    pytest.param(
        {"spark_jobs/silver/sale.py": "x"},
        (
            "spark_jobs/silver/sale.py:1: it would never run, for there is no expectations/silver/sale.yaml; write it, or "
            'rename the file. Did you mean "silver.sales"?'
        ),
        id="logic without a contract",
    ),
    pytest.param(
        {"spark_jobs/gold/guesses.sql": "SELECT * FROM silver_sales"},
        ("expectations/gold/guesses.yaml:1: the model dear fills gold.guesses, so spark_jobs/gold/guesses.sql must not; delete it."),
        id="logic of a table that inference fills",
    ),
]

SQL = [
    pytest.param(
        {SHOPS_LOGIC: "SELECT shop FROM bronze_shops;\nSELECT 1"},
        ("spark_jobs/silver/shops.sql:1: expected one SELECT, found 2 statements; a table is one SELECT, without a second one behind a ;."),
        id="two statements",
    ),
    pytest.param(
        {SHOPS_LOGIC: "-- SELECT later\n"},
        ("spark_jobs/silver/shops.sql:1: expected one SELECT, found no statements; a table is one SELECT, without a second one behind a ;."),
        id="nothing but a comment",
    ),
    pytest.param(
        {SHOPS_LOGIC: "/* SELECT */ INSERT INTO x SELECT shop FROM bronze_shops"},
        ("spark_jobs/silver/shops.sql:1: expected one SELECT, found a text that begins with 'INSERT'; the engine writes the table, the file only reads."),
        id="a statement that writes",
    ),
    pytest.param(
        {SHOPS_LOGIC: "SELECT 'bronze_shops' AS shop FROM bronze_shop -- bronze_shops"},
        ('spark_jobs/silver/shops.sql:1: it never reads bronze_shops, which is among the inputs; read it, or take the input away. Did you mean "bronze_shop"?'),
        id="an input that stands in a text and a comment only",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), PYTHON)
def test_a_fault_of_logic_is_told_in_one_sentence(refusal: Refusal, changes: dict[str, Change], sentence: str) -> None:
    assert refusal(changes) == sentence


@pytest.mark.parametrize(("changes", "sentence"), SQL)
def test_what_is_not_one_select_of_the_inputs_is_refused(refusal: Refusal, changes: dict[str, Change], sentence: str) -> None:
    assert refusal(changes) == sentence
