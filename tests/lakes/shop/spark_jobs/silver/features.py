"""What a visitor did in the shop on a day. One row per visitor and UTC day with an action."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def transform(bronze_logs: DataFrame) -> DataFrame:
    """One row per visitor and day: counts of actions, and of the products they named."""
    logs = bronze_logs.select(
        F.to_date("timestamp").alias("log_date"),
        "user_id",
        "action",
        "timestamp",
        F.try_element_at("params", F.lit("product")).alias("product"),
        F.try_element_at("params", F.lit("referrer")).alias("referrer"),
    )
    return logs.groupBy("log_date", "user_id").agg(
        F.count("*").alias("actions"),
        F.count_if(F.col("action") == "view").alias("views"),
        F.count_distinct("product").alias("products"),
        F.coalesce(F.bool_or(F.col("referrer") == "mail"), F.lit(False)).alias("came_from_mail"),
        F.max("timestamp").alias("last_action_at"),
    )
