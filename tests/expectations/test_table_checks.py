"""One fault a lake, and the sentence that the loader says of it: inputs, columns and keys of tables."""

from __future__ import annotations

import pytest

from tests.expectations.conftest import (
    BRONZE_SALES,
    BRONZE_SHOPS,
    GOLD_TOTALS,
    SALES_LOGIC,
    SILVER_SALES,
    SILVER_SHOPS,
    Change,
    Refusal,
)

INPUTS = [
    pytest.param(
        {SILVER_SALES: ("inputs:\n  - bronze.sales\n  - silver.shops\n", "")},
        "expectations/silver/sales.yaml:1: silver.sales needs either a source or inputs; it has neither.",
        id="neither source nor inputs",
    ),
    pytest.param(
        {SILVER_SALES: ("day: sold_on", "day: sold_on\nsource: {folder: a, format: csv}")},
        (
            "expectations/silver/sales.yaml:1: silver.sales has a source, so spark_jobs/silver/sales.py would never run; "
            "delete it, or give the table inputs instead."
        ),
        id="a source beside logic",
    ),
    pytest.param(
        {BRONZE_SALES: ("source: {folder: sales, format: csv}", "inputs: [bronze.shops]\nwrite: replace_all")},
        "expectations/bronze/sales.yaml:1: bronze.sales: a bronze table has a source, the others have inputs.",
        id="a bronze table with inputs",
    ),
    pytest.param(
        {SILVER_SALES: ("inputs:\n  - bronze.sales\n  - silver.shops\n", "source: {folder: sales, format: csv}\n"), SALES_LOGIC: None},
        "expectations/silver/sales.yaml:1: silver.sales: a bronze table has a source, the others have inputs.",
        id="a silver table with a source",
    ),
    pytest.param(
        {BRONZE_SALES: ("source:", "day: sold_on\nsource:")},
        ("expectations/bronze/sales.yaml:3: bronze.sales: a bronze table keeps what arrives, by the day of arrival; day is for the tables that read it."),
        id="a bronze table with a day",
    ),
    pytest.param(
        {SILVER_SALES: ("- bronze.sales", "- bronze.sale")},
        ('expectations/silver/sales.yaml:4: there is no table bronze.sale. Did you mean "bronze.sales"? Its contract would be expectations/bronze/sale.yaml.'),
        id="an unknown input",
    ),
    pytest.param(
        {SILVER_SALES: ("- silver.shops", "- bronze.sales")},
        ("expectations/silver/sales.yaml:5: bronze.sales is listed twice; read it once, with all the days that are needed."),
        id="an input listed twice",
    ),
    pytest.param(
        {SILVER_SALES: ("- silver.shops", "- {silver.sales: {days: [-1, -1]}}")},
        ("expectations/silver/sales.yaml:5: the tables read each other in a circle: silver.sales <- silver.sales; take one input away."),
        id="a table that reads itself",
    ),
    pytest.param(
        {SILVER_SHOPS: ("[bronze.shops]", "[bronze.shops, silver.sales]")},
        ("expectations/silver/shops.yaml:3: the tables read each other in a circle: silver.sales <- silver.shops <- silver.sales; take one input away."),
        id="two tables that read each other",
    ),
    pytest.param(
        {SILVER_SALES: ("- silver.shops", "- gold.totals")},
        ("expectations/silver/sales.yaml:5: silver.sales reads gold.totals, a later layer; data flows bronze, silver, gold."),
        id="an input of a later layer",
    ),
    pytest.param(
        {GOLD_TOTALS: ("[-6, 0]", "[0, -6]")},
        "expectations/gold/totals.yaml:3: days [0, -6] is back to front; write the earlier one first.",
        id="a look-back back to front",
    ),
    pytest.param(
        {SILVER_SALES: ("- silver.shops", "- silver.shops: {days: [-1, 0]}")},
        ("expectations/silver/sales.yaml:5: silver.shops has no days, it is read whole; take days [-1, 0] away."),
        id="a look-back on a table without days",
    ),
    pytest.param(
        {SILVER_SALES: ("- bronze.sales", "- bronze.sales: {days: [-1, 0]}")},
        (
            "expectations/silver/sales.yaml:4: the days of bronze.sales are days of arrival, and all rows that belong to a "
            "day are read, whenever they arrived; take days [-1, 0] away, or look back on a silver table."
        ),
        id="a look-back over days of arrival",
    ),
    pytest.param(
        {SILVER_SHOPS: ("[bronze.shops]", "[bronze.shops, {bronze.sales: {days: [-1, 0]}}]")},
        ("expectations/silver/shops.yaml:3: silver.shops is replaced whole, so it reads all of bronze.sales; take days [-1, 0] away."),
        id="a look-back of a table that is replaced whole",
    ),
    pytest.param(
        {SILVER_SALES: ("- silver.shops", "- bronze.shops"), BRONZE_SHOPS: (", arrives: snapshot", "")},
        (
            "expectations/silver/sales.yaml:5: silver.sales has a `day` and reads two tables of daily files, bronze.sales "
            "and bronze.shops, whose rows may belong to any day; make a silver table of one of them and read that."
        ),
        id="two inputs of daily files",
    ),
]

EXTERNAL = [
    pytest.param(
        {BRONZE_SALES: ("format: csv", "format: csv, external: true")},
        ("expectations/bronze/sales.yaml:3: bronze.sales: an external table is of daily Parquet or ORC files, not of csv, daily; take external away."),
        id="an external table of texts",
    ),
    pytest.param(
        {BRONZE_SHOPS: ("format: csv", "format: parquet, external: true")},
        ("expectations/bronze/shops.yaml:3: bronze.shops: an external table is of daily Parquet or ORC files, not of parquet, snapshot; take external away."),
        id="an external table of snapshots",
    ),
    pytest.param(
        {BRONZE_SALES: ("format: csv", "format: orc, external: true, drift: {changed: cast}")},
        ("expectations/bronze/sales.yaml:3: bronze.sales: nobody casts what an external table reads; write changed: fail, or take external away."),
        id="an external table that would have to cast",
    ),
    pytest.param(
        {
            BRONZE_SALES: (
                "source: {folder: sales, format: csv}\ncolumns:\n",
                "source: {folder: sales, format: orc, external: true}\ncolumns:\n  Day: {type: date}\n",
            )
        },
        ("expectations/bronze/sales.yaml:4: bronze.sales: an external table's partitions are its column day; call the files' own another name."),
        id="an external table with a column like its partitions",
    ),
]

COLUMNS = [
    pytest.param(
        {BRONZE_SHOPS: ("columns:\n  shop: {type: string}", "columns: {}")},
        "expectations/bronze/shops.yaml:4: bronze.shops has no columns; name at least one.",
        id="no columns",
    ),
    pytest.param(
        {BRONZE_SALES: ("cents:", "_row:")},
        "expectations/bronze/sales.yaml:7: the column name '_row' is the engine's own; choose another.",
        id="a column of the engine's",
    ),
    pytest.param(
        {BRONZE_SALES: ("cents:", "Item:")},
        ("expectations/bronze/sales.yaml:7: to Spark the columns 'item' and 'Item' are one; rename one of them."),
        id="two columns that are one to Spark",
    ),
    pytest.param(
        {SILVER_SALES: ("day: sold_on", "day: solt_on")},
        "expectations/silver/sales.yaml:7: day: there is no column 'solt_on'. Did you mean \"sold_on\"?",
        id="a day that is no column",
    ),
    pytest.param(
        {SILVER_SALES: ("day: sold_on", "day: cents")},
        "expectations/silver/sales.yaml:7: day: cents must be a date column, not int.",
        id="a day that is no date",
    ),
    pytest.param(
        {SILVER_SALES: ("sold_on: {type: date, nullable: false}", "sold_on: {type: date}")},
        ("expectations/silver/sales.yaml:10: the day column sold_on needs nullable: false, for a row without a day would be in no day's rows."),
        id="a day that may be null",
    ),
    pytest.param(
        {SILVER_SALES: ("[sold_on, item]", "[sold_on, itme]")},
        "expectations/silver/sales.yaml:6: grain: there is no column 'itme'. Did you mean \"item\"?",
        id="a grain of an unknown column",
    ),
    pytest.param(
        {SILVER_SALES: ("[sold_on, item]", "[item, item]")},
        "expectations/silver/sales.yaml:6: item stands in the grain twice; keep one.",
        id="a column twice in the grain",
    ),
    pytest.param(
        {SILVER_SALES: ("[sold_on, item]", "[sold_on, tags]")},
        ("expectations/silver/sales.yaml:6: tags is array<string>, which cannot tell rows apart; name columns with single values."),
        id="a nested column in the grain",
    ),
    pytest.param(
        {SILVER_SALES: ("day: sold_on\n", "")},
        ("expectations/silver/sales.yaml:7: write: replace_days needs `day`, the column that says which day a row belongs to."),
        id="replace_days without day",
    ),
    pytest.param(
        {SILVER_SALES: ("write: replace_days", "write: replace_all")},
        (
            "expectations/silver/sales.yaml:8: replace_all replaces the whole table by the days of one run, so it takes no "
            "`day`; write replace_days, or take day away."
        ),
        id="replace_all with a day",
    ),
    pytest.param(
        {SILVER_SHOPS: ("grain: [shop]\nwrite: replace_all", "write: merge")},
        ("expectations/silver/shops.yaml:4: write: merge needs a grain, the columns that tell one row from another."),
        id="merge without grain",
    ),
    pytest.param(
        {SILVER_SHOPS: ("write: replace_all", "write: merge")},
        ("expectations/silver/shops.yaml:5: write: merge needs order_by, the column that says which version of a row is the later one."),
        id="merge without order_by",
    ),
    pytest.param(
        {SILVER_SHOPS: ("write: replace_all", "write: merge\norder_by: shop")},
        ("expectations/silver/shops.yaml:6: shop is in the grain, so no two versions of a row differ in it; name another column."),
        id="order_by in the grain",
    ),
    pytest.param(
        {SILVER_SALES: ("write: replace_days", "write: merge\norder_by: dear")},
        ("expectations/silver/sales.yaml:9: dear is boolean, which has no earlier and later; name a number, a date, a timestamp or a text."),
        id="order_by without earlier and later",
    ),
    pytest.param(
        {SILVER_SALES: ("write: replace_days", "write: replace_days\npredict_at: sold_on")},
        "expectations/silver/sales.yaml:9: sold_on must be a timestamp column, not date.",
        id="predict_at that is no timestamp",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), INPUTS)
def test_a_fault_of_inputs_is_told_in_one_sentence(refusal: Refusal, changes: dict[str, Change], sentence: str) -> None:
    assert refusal(changes) == sentence


@pytest.mark.parametrize(("changes", "sentence"), EXTERNAL)
def test_an_external_table_reads_files_as_they_are(refusal: Refusal, changes: dict[str, Change], sentence: str) -> None:
    assert refusal(changes) == sentence


@pytest.mark.parametrize(("changes", "sentence"), COLUMNS)
def test_a_fault_of_columns_is_told_in_one_sentence(refusal: Refusal, changes: dict[str, Change], sentence: str) -> None:
    assert refusal(changes) == sentence
