"""The lake of the benchmark: 1,000,000 rides in five days, tables that differ in their rules only, and defects to be found."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

DAYS = ("2024-05-01", "2024-05-02", "2024-05-03", "2024-05-04", "2024-05-05")
ROWS = 1_000_000
FIRST, FIGURES, FEW, SUMS = DAYS[0], DAYS[2], DAYS[3], DAYS[4]
"""The days with defects: single rows, figures of the day, too few rows, sums and shares."""
DEFECTS_A_RULE = 3
COLUMNS = {
    "day": "date", "id": "bigint", "code": "string", "city": "string", "country": "string", "email": "string", "note": "string", "error": "string",
    "amount": "double", "fee": "double", "qty": "int", "price": "decimal(10,2)", "started_at": "timestamp", "ended_at": "timestamp", "paid": "boolean",
}  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One rule, where it should find planted defects, and how a row is spoilt for it (column to SQL); empty for rules over a day."""

    name: str
    expect: str
    arguments: dict[str, Any]
    on_fail: str
    day: str = FIRST
    spoilt: tuple[tuple[str, str], ...] = ()

    def rule(self, on_fail: str | None = None) -> dict[str, Any]:
        """The rule as a contract says it."""
        return {"expect": f"expect_{self.expect}", **self.arguments, "on_fail": on_fail or self.on_fail, "name": self.name}


def _row(name: str, expect: str, on_fail: str, spoilt: dict[str, str], **arguments: Any) -> Check:
    return Check(name, expect, arguments, on_fail, FIRST, tuple(spoilt.items()))


CITIES = ["Rome", "Oslo", "Bern", "Wien", "Kyiv", "Lyon", "Turin", "Porto", "Malmo", "Gent"]
CHECKS = [
    _row("code_there", "column_values_to_not_be_null", "quarantine", {"code": "NULL"}, column="code"),
    _row("city_there", "column_values_to_not_be_null", "stop", {"city": "NULL"}, column="city"),
    _row("amount_there", "column_values_to_not_be_null", "stop", {"amount": "NULL"}, column="amount"),
    _row("no_error", "column_values_to_be_null", "quarantine", {"error": "'E'"}, column="error"),
    _row("amount_range", "column_values_to_be_between", "quarantine", {"amount": "-1D"}, column="amount", min_value=0, max_value=1000),
    _row("fee_range", "column_values_to_be_between", "quarantine", {"fee": "100.5D"}, column="fee", min_value=0, max_value=100),
    _row("qty_range", "column_values_to_be_between", "stop", {"qty": "10"}, column="qty", min_value=1, max_value=9),
    _row("price_range", "column_values_to_be_between", "warn", {"price": "501"}, column="price", min_value=0, max_value=500),
    _row("in_time", "column_values_to_be_between", "stop", {"started_at": "TIMESTAMP'2023-12-31 23:59:59'"}, column="started_at", min_value="2024-01-01"),
    _row("known_city", "column_values_to_be_in_set", "quarantine", {"city": "'Atlantis'"}, column="city", value_set=CITIES),
    _row("known_country", "column_values_to_be_in_set", "stop", {"country": "'ZZ'"}, column="country", value_set=["IT", "CH", "AT", "FR"]),
    _row("no_test_code", "column_values_to_not_be_in_set", "quarantine", {"code": "'TEST'"}, column="code", value_set=["TEST", "XXXX"]),
    _row("email_form", "column_values_to_match_regex", "quarantine", {"email": "'nobody'"}, column="email", regex="^[a-z0-9]+@example\\.com$"),
    _row("code_form", "column_values_to_match_regex", "stop", {"code": "'1234'"}, column="code", regex="^[A-Z]"),
    _row("no_script", "column_values_to_not_match_regex", "warn", {"note": "'<script>'"}, column="note", regex="<script"),
    _row("code_forms", "column_values_to_match_regex_list", "warn", {"code": "'B-12'"}, column="code", regex_list=["[0-9]{3,}$", "^TEST$"]),
    _row("code_length", "column_value_lengths_to_be_between", "quarantine", {"code": "'A12345678901'"}, column="code", min_value=4, max_value=9),
    _row("country_length", "column_value_lengths_to_equal", "stop", {"country": "'ITA'"}, column="country", value=2),
    _row(
        "ends_after_start", "column_pair_values_a_to_be_greater_than_b", "quarantine", {"ended_at": "started_at - INTERVAL 1 HOUR"},
        column_A="ended_at", column_B="started_at", or_equal=True,
    ),
    _row("paid_pairs", "column_pair_values_to_be_in_set", "stop", {"country": "'FR'", "paid": "false"}, column_A="country", column_B="paid",
         value_pairs_set=[["IT", True], ["IT", False], ["CH", True], ["CH", False], ["AT", True], ["AT", False], ["FR", True]]),
    _row("note_is_no_code", "select_column_values_to_be_unique_within_record", "warn", {"note": "code"}, column_list=["code", "note"]),
    Check("mean_amount", "column_mean_to_be_between", {"column": "amount", "min_value": 400, "max_value": 600}, "stop", FIGURES),
    Check("least_qty", "column_min_to_be_between", {"column": "qty", "min_value": 1, "max_value": 1}, "stop", FIGURES),
    Check("most_amount", "column_max_to_be_between", {"column": "amount", "min_value": 900, "max_value": 1000}, "warn", FIGURES),
    Check("spread_amount", "column_stdev_to_be_between", {"column": "amount", "min_value": 100}, "warn", FIGURES),
    Check("sum_fee", "column_sum_to_be_between", {"column": "fee", "min_value": 1000}, "warn", SUMS),
    Check("notes_there", "column_proportion_of_non_null_values_to_be_between", {"column": "note", "min_value": 0.5}, "stop", SUMS),
    Check("row_count", "table_row_count_to_be_between", {"min_value": 1000}, "stop", FEW),
    Check("all_columns", "table_columns_to_match_set", {"column_set": ["day", "id", "code"], "exact_match": False}, "stop", ""),
]  # fmt: skip
"""With not_null(day), which the contract implies, these are 30 rules. `all_columns` has no defect: a contract's columns are there."""
UNIQUE = Check("id_once", "column_values_to_be_unique", {"column": "id"}, "stop", FIRST, (("id", "-1"),))
SEED = """
    contract: 1
    description: The days of the benchmark as they arrive. One row a day.
    source: {folder: seed, format: csv}
    columns: {day: {type: date}}
"""
CLEAN = {
    "id": "n + 1000000 * dayofmonth(day)", "code": "concat(char(65 + n % 26), 100 + n % 900000)", "city": f"element_at(array({str(CITIES)[1:-1]}), n % 10 + 1)",
    "country": "element_at(array('IT', 'CH', 'AT', 'FR'), n % 4 + 1)", "email": "concat('u', n, '@example.com')", "error": "CAST(NULL AS STRING)",
    "note": "CASE WHEN n % 5 > 0 THEN concat('note ', n % 1000) END", "amount": "pmod(hash(n, day), 100000) / 100.0D", "fee": "pmod(n * 7, 10000) / 100.0D",
    "qty": "n % 9 + 1", "price": "CAST(pmod(n * 31, 50000) / 100 AS DECIMAL(10, 2))",
    "started_at": "CAST(day AS TIMESTAMP) + make_interval(0, 0, 0, 0, 0, 0, n % 80000)", "paid": "true",
}  # fmt: skip


def write_lake(project: Path) -> None:
    """Contracts, logic and the landed files."""
    _write(project, "expectations/bronze/seed.yaml", textwrap.dedent(SEED))
    for day in DAYS:
        _write(project, f"landing/seed/{day}.csv", f"day\n{day}\n")
    _table(project, "silver.trips", "bronze.seed", [], _rides({}))
    _table(project, "silver.spoilt_trips", "bronze.seed", [], _rides(_spoilt(CHECKS)))
    _table(project, "silver.spoilt_keys", "bronze.seed", [], _rides(_spoilt([UNIQUE])))
    for logic, text in {"cheap": CHEAP, "dear": DEAR}.items():
        _table(project, f"silver.{logic}_free", "silver.trips", [], text)
        _table(project, f"silver.{logic}_thirty", "silver.trips", [check.rule() for check in CHECKS], text)
        _table(project, f"silver.{logic}_unique", "silver.trips", [check.rule() for check in [*CHECKS[:-1], UNIQUE]], text)
    _table(project, "silver.watched", "silver.spoilt_trips", [check.rule("warn") for check in CHECKS], CHEAP)
    _table(project, "silver.parted", "silver.spoilt_trips", [check.rule("warn" if check.on_fail == "stop" else None) for check in CHECKS], CHEAP)
    _table(project, "silver.stopped", "silver.spoilt_trips", [check.rule() for check in CHECKS], CHEAP)
    _table(project, "silver.keyed", "silver.spoilt_keys", [UNIQUE.rule()], CHEAP)


CHEAP = """
from pyspark.sql import functions as F


def transform({argument}):
    return {argument}.withColumn("fee", F.round("fee", 2)).withColumn("code", F.upper("code"))
"""
DEAR = """
from pyspark.sql import Window
from pyspark.sql import functions as F


def transform({argument}):
    rides = {argument}.withColumn("fee", F.round("fee", 2)).withColumn("code", F.upper("code"))
    for column in ("email", "code", "city", "started_at"):
        latest = Window.partitionBy(column).orderBy("id")
        rides = rides.withColumn("note", F.when(F.lag("id").over(latest) < 0, F.lit(None)).otherwise(F.col("note")))
    return rides.withColumn("note", F.when(F.sha2(F.repeat("email", 40), 512) != "", F.col("note")))
"""
"""Four windows, each with a shuffle and a sort, and a hash over long texts; the rows stay what they are."""


def _rides(spoilt: dict[str, str]) -> str:
    columns = {**CLEAN, "ended_at": "started_at + INTERVAL 20 MINUTES", **{f"spoilt {key}": value for key, value in spoilt.items()}}
    named = [(key.removeprefix("spoilt "), value) for key, value in columns.items()]
    own = [f"    rides = rides.withColumn({name!r}, F.expr({f'CAST({value} AS {COLUMNS[name]})'!r}))" for name, value in named]
    few = f"n < 10 OR day <> DATE'{FEW}'" if spoilt and "id" not in spoilt else "true"
    lines = [
        "from pyspark.sql import functions as F",
        "",
        "",
        "def transform(bronze_seed):",
        f"    rides = bronze_seed.select('day', '_row', F.explode(F.sequence(F.lit(0), F.lit({ROWS // len(DAYS) - 1}))).alias('n')).repartition(4)",
        f"    rides = rides.filter({few!r})",
        *own,
        f"    return rides.select(*{[*COLUMNS]!r}, F.concat('_row', F.lit('/'), 'n').alias('_row'))",
    ]
    return "\n".join(lines) + "\n"


def _spoilt(checks: list[Check]) -> dict[str, str]:
    """Column to SQL that spoils DEFECTS_A_RULE rows of the first day for each rule, and the figures of the other days."""
    cases: dict[str, list[str]] = {}
    for position, check in enumerate(checks):
        numbers = ", ".join(str(40 * (position + 1) + number * 4) for number in range(DEFECTS_A_RULE))
        for column, value in check.spoilt:
            cases.setdefault(column, []).append(f"WHEN day = DATE'{FIRST}' AND n IN ({numbers}) THEN {value}")
    if len(checks) > 1:
        cases["amount"].append(f"WHEN day = DATE'{FIGURES}' THEN amount / 20")
        cases["qty"].append(f"WHEN day = DATE'{FIGURES}' THEN 5")
        cases["fee"].append(f"WHEN day = DATE'{SUMS}' THEN 0D")
        cases["note"].append(f"WHEN day = DATE'{SUMS}' THEN NULL")
    return {column: f"CASE {' '.join(whens)} ELSE {column} END" for column, whens in cases.items()}


def _table(project: Path, name: str, source: str, rules: list[dict[str, Any]], logic: str) -> None:
    columns = {column: {"type": kind, **({"nullable": False} if column == "day" else {})} for column, kind in COLUMNS.items()}
    facts = {"contract": 1, "description": "Rides. One row a ride.", "inputs": [source], "day": "day", "columns": columns, "rules": rules}
    path = name.replace(".", "/")
    _write(project, f"expectations/{path}.yaml", yaml.safe_dump(facts, sort_keys=False))
    _write(project, f"spark_jobs/{path}.py", logic.replace("{argument}", source.replace(".", "_")))


def _write(project: Path, path: str, text: str) -> None:
    file = project / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
