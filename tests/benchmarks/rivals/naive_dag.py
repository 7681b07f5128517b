"""The day as a DAG of one SparkSubmitOperator a step, with the settings that it has of its own, and a stock validation after each table."""

from __future__ import annotations

import os

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import DAG

HERE, JARS, ROOT, LANDING, CONTRACTS = (os.environ[f"NAIVE_{name}"] for name in ("CODE", "JARS", "ROOT", "LANDING", "CONTRACTS"))
INPUTS = {
    "bronze.flights": [],
    "bronze.airports": [],
    "silver.airports": ["bronze.airports"],
    "silver.flights": ["bronze.flights", "silver.airports"],
    "gold.daily_flights": ["silver.flights"],
    "gold.carrier_days": ["silver.flights"],
    "gold.route_days": ["silver.flights"],
}
DAY = "{{ params.day }}"

with DAG("naive_flights", schedule=None, is_paused_upon_creation=False, params={"day": "2013-01-01"}):
    checked: dict[str, SparkSubmitOperator] = {}
    for table, inputs in INPUTS.items():
        step = SparkSubmitOperator(
            task_id=table, conn_id="spark_naive", jars=JARS, application=f"{HERE}/naive_step.py", application_args=[table, LANDING, ROOT, DAY]
        )
        contract = f"{CONTRACTS}/{table.replace('.', '/')}.yaml"
        checked[table] = SparkSubmitOperator(
            task_id=f"{table}_check", conn_id="spark_naive", jars=JARS, application=f"{HERE}/naive_validation.py", application_args=[table, contract, ROOT, DAY]
        )
        [checked[name] for name in inputs] >> step >> checked[table]
