"""Tables and models as Airflow assets: the same name everywhere."""

from __future__ import annotations

from airflow.sdk import Asset


def table_asset(table: str) -> Asset:
    """The asset of `layer.table`. Its URI names the table, not its place, which differs by environment."""
    return Asset(name=table, uri=f"lake://{table.replace('.', '/')}", group=table.split(".", maxsplit=1)[0])


def model_asset(model: str) -> Asset:
    """The asset of a model: an event of it is a training."""
    return Asset(name=f"models.{model}", uri=f"lake://models/{model}", group="models")
