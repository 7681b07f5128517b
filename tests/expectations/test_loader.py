"""One fault a lake, and the sentence that the loader says of it: files, keys and values."""

from __future__ import annotations

import pytest

from tests.expectations.conftest import (
    BRONZE_SALES,
    GOLD_TOTALS,
    MODEL,
    PIPELINES,
    SILVER_SALES,
    Change,
    Refusal,
)

KEYS_AND_VALUES = [
    pytest.param(
        {SILVER_SALES: ("grain:", "grian:")},
        (
            "expectations/silver/sales.yaml:6: unknown key 'grian'; known are columns, contract, day, deletes, description, feed, grain, "
            'inputs, keep_history, late, order_by, over_time, owner, predict_at, quarantine_limit, rules, source, write. Did you mean "grain"?'
        ),
        id="an unknown key",
    ),
    pytest.param(
        {SILVER_SALES: ("description:", "descripton:")},
        (
            "expectations/silver/sales.yaml:2: unknown key 'descripton'; known are columns, contract, day, deletes, "
            "description, feed, grain, inputs, keep_history, late, order_by, over_time, owner, predict_at, quarantine_limit, rules, source, "
            'write. Did you mean "description"?'
        ),
        id="a misspelt key that is needed",
    ),
    pytest.param(
        {SILVER_SALES: ("item: {type: string, nullable: false}", "item: {type: string, nulable: false}")},
        ("expectations/silver/sales.yaml:11: unknown key 'nulable'; known are description, nullable, type. Did you mean \"nullable\"?"),
        id="an unknown key in a column",
    ),
    pytest.param(
        {BRONZE_SALES: ("format: csv", "format: csv, delimeter: ;")},
        (
            "expectations/bronze/sales.yaml:3: unknown key 'delimeter'; known are arrives, delimiter, drift, external, folder, format, "
            'missing, nulls. Did you mean "delimiter"?'
        ),
        id="an unknown key in the source",
    ),
    pytest.param(
        {GOLD_TOTALS: ("days: [-6, 0]", "day: [-6, 0]")},
        "expectations/gold/totals.yaml:3: unknown key 'day'; known are days, needs, otherwise, table. Did you mean \"days\"?",
        id="an unknown key in an input",
    ),
    pytest.param(
        {MODEL: ("target: dear", "target: dear\nthreshhold: 0.4")},
        (
            "expectations/models/dear.yaml:7: unknown key 'threshhold'; known are budget, comparisons, contract, description, engine, "
            "features, folds, gates, group_by, health, history, inputs, kind, labels, leak_limit, needs, owner, predicted, predictions, "
            "probability, score, search, search_on, seed, slices, split, target, threshold, tolerance, train, training, trusted_types, "
            'when_better. Did you mean "threshold"?'
        ),
        id="an unknown key in a model",
    ),
    pytest.param(
        {MODEL: ("test_days: 2", "test_day: 2")},
        ("expectations/models/dear.yaml:10: unknown key 'test_day'; known are test_days, training_days, validation_days. Did you mean \"test_days\"?"),
        id="an unknown key in a split",
    ),
    pytest.param(
        {PIPELINES: ("time_zone:", "timezone:")},
        (
            "expectations/pipelines.yaml:10: unknown key 'timezone'; known are description, first_day, last_day, owner, "
            'schedule, tables, time_zone. Did you mean "time_zone"?'
        ),
        id="an unknown key in a pipeline",
    ),
    pytest.param(
        {SILVER_SALES: ("description: Sales, typed. One row per day and item.\n", "")},
        "expectations/silver/sales.yaml:1: the key 'description' is missing; add it.",
        id="a missing key",
    ),
    pytest.param(
        {BRONZE_SALES: ("{folder: sales, format: csv}", "{folder: sales}")},
        "expectations/bronze/sales.yaml:3: the key 'source.format' is missing; add it.",
        id="a missing key within another",
    ),
    pytest.param({SILVER_SALES: ("contract: 1\n", "")}, "expectations/silver/sales.yaml:1: the key 'contract' is missing; add it.", id="no version"),
    pytest.param(
        {SILVER_SALES: ("contract: 1", "contract: 3")},
        ("expectations/silver/sales.yaml:1: contract: this program knows versions 1 and 2 of the format, found 3; write contract: 2."),
        id="a later version",
    ),
    pytest.param(
        {SILVER_SALES: ("write: replace_days", "write: replace_day")},
        (
            "expectations/silver/sales.yaml:8: write: Input should be 'replace_days', 'merge', 'append', 'replace_all' or "
            "'scd2' (found 'replace_day'). Did you mean \"replace_days\"?"
        ),
        id="a word that is none of the allowed ones",
    ),
    pytest.param(
        {SILVER_SALES: ("write: replace_days", "write: replace_days\nlate: soon")},
        ("expectations/silver/sales.yaml:9: late: Input should be a valid integer, unable to parse string as an integer (found 'soon')."),
        id="a wrong type",
    ),
    pytest.param(
        {SILVER_SALES: ("day: sold_on", "day: [sold_on]")},
        "expectations/silver/sales.yaml:7: day: Input should be a valid string.",
        id="a list where one text is wanted",
    ),
    pytest.param(
        {SILVER_SALES: ("grain: [sold_on, item]", "grain: item")},
        "expectations/silver/sales.yaml:6: grain: expected a list, as in docs/contracts.md (found 'item').",
        id="a text where a list is wanted",
    ),
    pytest.param(
        {SILVER_SALES: ("cents: {type: int}", "cents: {type: integer}")},
        (
            "expectations/silver/sales.yaml:12: columns.cents.type: it is no column type; known are string, int, bigint, "
            "double, boolean, date, timestamp, binary, decimal(p,s), array<>, map<>, struct<>, without blanks (found "
            "'integer'). Did you mean \"int\"?"
        ),
        id="an unknown column type",
    ),
    pytest.param(
        {SILVER_SALES: ("cents: {type: int}", 'cents: {type: "decimal(39,2)"}')},
        (
            "expectations/silver/sales.yaml:12: columns.cents.type: it is no column type; known are string, int, bigint, "
            "double, boolean, date, timestamp, binary, decimal(p,s), array<>, map<>, struct<>, without blanks (found "
            "'decimal(39,2)')."
        ),
        id="a decimal that Spark has not",
    ),
    pytest.param(
        {SILVER_SALES: ("array<string>", "struct<a:string,b:text>")},
        (
            "expectations/silver/sales.yaml:14: columns.tags.type: it is no column type; known are string, int, bigint, "
            "double, boolean, date, timestamp, binary, decimal(p,s), array<>, map<>, struct<>, without blanks (found "
            "'struct<a:string,b:text>')."
        ),
        id="a struct of an unknown type",
    ),
    pytest.param(
        {SILVER_SALES: ("cents: {type: int}", "the cents: {type: int}")},
        ("expectations/silver/sales.yaml:12: columns.the cents: it is no column name (letters, digits and _) (found 'the cents')."),
        id="a column name with a blank",
    ),
    pytest.param(
        {SILVER_SALES: ("cents: {type: int}", "1: {type: int}")},
        "expectations/silver/sales.yaml:12: columns.1: Input should be a valid string (found 1).",
        id="a column name that is a number",
    ),
    pytest.param(
        {SILVER_SALES: ("- silver.shops", "- 7")},
        ("expectations/silver/sales.yaml:5: inputs.1: an input is written silver.flights, or {silver.flights: {days: [-30, -1]}} (found 7)."),
        id="an input that is a number",
    ),
    pytest.param(
        {GOLD_TOTALS: ("{silver.sales: {days: [-6, 0]}}", "{silver.sales: [-6, 0]}")},
        ("expectations/gold/totals.yaml:3: inputs.0: an input is written silver.flights, or {silver.flights: {days: [-30, -1]}}."),
        id="an input with a bare list",
    ),
    pytest.param(
        {GOLD_TOTALS: ("[-6, 0]", "[-6.5, 0]")},
        ("expectations/gold/totals.yaml:3: inputs.0.days.0: Input should be a valid integer, got a number with a fractional part (found -6.5)."),
        id="a day that is half",
    ),
    pytest.param(
        {SILVER_SALES: ("- silver.shops", "- shops")},
        ("expectations/silver/sales.yaml:5: inputs.1.table: it is no table name like silver.flights (found 'shops')."),
        id="a table name without layer",
    ),
]

FILES = [
    pytest.param(
        {SILVER_SALES: ("write: replace_days", "write: replace_days\nday: sold_on")},
        "expectations/silver/sales.yaml:9: the key 'day' stands here twice; keep one.",
        id="a key that stands twice",
    ),
    pytest.param(
        {SILVER_SALES: ("cents: {type: int}", "cents: {type: int}\n  item: {type: string}")},
        "expectations/silver/sales.yaml:13: the key 'item' stands here twice; keep one.",
        id="a column that stands twice",
    ),
    pytest.param(
        {SILVER_SALES: ("grain: [sold_on, item]", "grain: [sold_on, item")},
        "expectations/silver/sales.yaml:7: not YAML: did not find expected ',' or ']'; mend the line.",
        id="a bracket that is left open",
    ),
    pytest.param(
        {SILVER_SALES: ("  item: {type: string, nullable: false}", "\titem: {type: string}")},
        ("expectations/silver/sales.yaml:11: not YAML: found character that cannot start any token; mend the line."),
        id="a tab for blanks",
    ),
    pytest.param(
        {SILVER_SALES: b"description: Gr\xfc\xdfe"}, "expectations/silver/sales.yaml:1: not UTF-8 (byte 15); save the file as UTF-8.", id="a text in Latin-1"
    ),
    pytest.param(
        {SILVER_SALES: b"contract: 1\ndescription: \x00\n"},
        ("expectations/silver/sales.yaml:1: not YAML: unacceptable character #x0000: control characters are not allowed; mend it."),
        id="a zero byte",
    ),
    pytest.param(
        {SILVER_SALES: ("write: replace_days", "write: !!python/object/apply:os.system [ls]")},
        (
            "expectations/silver/sales.yaml:8: not YAML: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object/apply:os.system'; mend the line."
        ),
        id="a YAML tag that would run code",
    ),
    pytest.param(
        {SILVER_SALES: ("write: replace_days", "---\nwrite: replace_days")},
        "expectations/silver/sales.yaml:8: not YAML: but found another document; mend the line.",
        id="two documents",
    ),
    pytest.param({SILVER_SALES: ""}, "expectations/silver/sales.yaml:1: the file is empty; write a contract as in docs/contracts.md.", id="an empty file"),
    pytest.param(
        {SILVER_SALES: "# soon\n"},
        "expectations/silver/sales.yaml:1: the file is empty; write a contract as in docs/contracts.md.",
        id="a file with nothing but a comment",
    ),
    pytest.param(
        {SILVER_SALES: "- contract: 1\n"}, "expectations/silver/sales.yaml:1: expected keys and values, found list; see docs/contracts.md.", id="a list"
    ),
    pytest.param({PIPELINES: "- shop\n"}, "expectations/pipelines.yaml:1: expected one entry a pipeline, found list.", id="pipelines as a list"),
    pytest.param(
        {PIPELINES: "shop:\n"}, "expectations/pipelines.yaml:1: expected keys and values, found NoneType; see docs/contracts.md.", id="a pipeline without facts"
    ),
    pytest.param(
        {"expectations/silver/Flights-2.yaml": "contract: 1\n"},
        ("expectations/silver/Flights-2.yaml:1: the file name must be small letters, digits and _, beginning with a letter; rename it."),
        id="a file name with a big letter and a dash",
    ),
    pytest.param(
        {"expectations/models/2nd.yaml": "contract: 1\n"},
        ("expectations/models/2nd.yaml:1: the file name must be small letters, digits and _, beginning with a letter; rename it."),
        id="a model's file name that begins with a digit",
    ),
    pytest.param(
        {"expectations/silver/flights.yml": "contract: 1\n"},
        ("expectations/silver/flights.yml:1: contracts end in .yaml, so this one would never be read; rename it to flights.yaml."),
        id="a contract that ends in yml",
    ),
    pytest.param(
        {"expectations/pipeline.yaml": "a: 1\n"},
        ('expectations/pipeline.yaml:1: nothing reads this file; tables stand in bronze, silver, gold, models in models. Did you mean "pipelines.yaml"?'),
        id="a stray file",
    ),
    pytest.param(
        {"expectations/sliver/flights.yaml": "contract: 1\n"},
        ('expectations/sliver/flights.yaml:1: nothing reads this folder; contracts stand in bronze, silver, gold, models. Did you mean "silver"?'),
        id="a stray folder",
    ),
    pytest.param(
        {"expectations/silver/more/flights.yaml": "contract: 1\n"},
        ('expectations/silver/more/flights.yaml:1: nothing reads this folder; contracts stand in bronze, silver, gold, models. Did you mean "silver"?'),
        id="a folder in a folder",
    ),
    pytest.param(
        {PIPELINES: ("shop:", "Shop-1:")},
        "expectations/pipelines.yaml:1: the pipeline name 'Shop-1' must be small letters, digits and _.",
        id="a bad pipeline name",
    ),
    pytest.param(
        {SILVER_SALES: ("day: sold_on", "day: sold_on\non: 1")},
        "expectations/silver/sales.yaml:8: YAML reads the key on as true or false; put it in quotes: 'on'.",
        id="a key that YAML takes for a truth",
    ),
    pytest.param(
        {SILVER_SALES: ("day: sold_on", "day: sold_on\n7: 1")},
        "expectations/silver/sales.yaml:1: the key 7 is no text; put it in quotes.",
        id="a top key that is no text",
    ),
    pytest.param(
        {SILVER_SALES: ("item: {type: string, nullable: false}", "on: {type: string, nullable: false}")},
        "expectations/silver/sales.yaml:11: YAML reads the key on as true or false; put it in quotes: 'on'.",
        id="a column that YAML takes for a truth",
    ),
    pytest.param(
        {SILVER_SALES: ("item: {type: string, nullable: false}", "item: {type: decimal(10,2), nullable: false}")},
        "expectations/silver/sales.yaml:11: between braces a comma ends the value 'decimal(10'; put it in quotes, all of it: 'decimal(10,2)'.",
        id="a decimal without quotes",
    ),
    pytest.param(
        {SILVER_SALES: ("item: {type: string, nullable: false}", "item: {type: struct<a:int,b:int>, nullable: false}")},
        "expectations/silver/sales.yaml:11: between braces a comma ends the value 'struct<a:int'; put it in quotes, all of it: 'struct<a:int,b:int>'.",
        id="a struct without quotes",
    ),
]


@pytest.mark.parametrize(("changes", "sentence"), KEYS_AND_VALUES)
def test_a_fault_of_keys_or_values_is_told_in_one_sentence(refusal: Refusal, changes: dict[str, Change], sentence: str) -> None:
    assert refusal(changes) == sentence


@pytest.mark.parametrize(("changes", "sentence"), FILES)
def test_a_fault_of_files_is_told_in_one_sentence(refusal: Refusal, changes: dict[str, Change], sentence: str) -> None:
    assert refusal(changes) == sentence
