"""A stock validation of one table's day, as the documentation of Great Expectations shows it: `naive_validation.py TABLE CONTRACT ROOT DAY`."""

from __future__ import annotations

import sys

import great_expectations as gx
import great_expectations.expectations as gxe
import spark_script
import yaml

table, contract, root, day = sys.argv[1:5]
with open(contract) as file:
    facts = yaml.safe_load(file)
rows = spark_script.session().read.format("delta").load(f"{root}/{table.replace('.', '/')}")
column = facts.get("day") or ("_day" if table == "bronze.flights" else None)
rows = rows.where(f"{column} = '{day}'") if column else rows

rules = [{key: value for key, value in rule.items() if key not in {"on_fail", "name"}} for rule in facts["rules"]]
rules += [{"expect": "expect_column_values_to_not_be_null", "column": name} for name, of in facts["columns"].items() if of.get("nullable") is False]
if len(facts.get("grain", ())) > 1:
    rules.append({"expect": "expect_compound_columns_to_be_unique", "column_list": facts["grain"]})
elif facts.get("grain"):
    rules.append({"expect": "expect_column_values_to_be_unique", "column": facts["grain"][0]})


def expectation(rule: dict) -> gxe.Expectation:
    name = "".join(word.capitalize() for word in rule["expect"].split("_"))
    return getattr(gxe, name)(**{key: value for key, value in rule.items() if key != "expect"})


context = gx.get_context(mode="ephemeral")
batches = context.data_sources.add_spark("spark").add_dataframe_asset(table).add_batch_definition_whole_dataframe("day")
batch = batches.get_batch({"dataframe": rows})
result = batch.validate(gx.ExpectationSuite(table, expectations=[expectation(rule) for rule in rules]))
if not result.success:
    sys.exit(f"{table} of {day}: {[one.expectation_config.type for one in result.results if not one.success]}")
