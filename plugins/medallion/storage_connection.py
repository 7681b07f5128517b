"""The Airflow connection with the credentials of the lake's storage."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from expectations.errors import RequestError
from expectations.s3 import VARIABLES
from expectations.settings import load_settings
from medallion.process_environment import exported

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expectations.storage import Place

EXTRAS = {"aws_session_token": "AWS_SESSION_TOKEN", "region_name": "AWS_REGION", "endpoint_url": "AWS_ENDPOINT_URL"}
"""Of the Amazon provider's extras those that a file system needs; it names them so."""


@contextmanager
def storage_access() -> Iterator[None]:
    """Lets this process, and those that it starts, reach the storage until the block ends.

    By AWS's own environment variables, which no command line, log or ledger shows. Nothing happens where no connection is named.
    Raises RequestError for a connection that does not exist or cannot be meant.
    """
    name = load_settings().storage_connection
    if not name:
        yield
        return
    with exported(s3_environment(name), instead_of=VARIABLES):
        yield


def stored(location: str) -> Place:
    """A file of the lake, as Airflow itself reads it; its threads share one environment, so nothing is put there. Raises RequestError."""
    from expectations.storage import Place  # here, not above: DAG files are parsed without pyarrow

    name = load_settings().storage_connection
    return Place.of(location, s3_environment(name) if name else None)


def s3_environment(name: str) -> dict[str, str]:
    """The connection's key, secret, token, region and endpoint, as AWS's variables. Raises RequestError."""
    try:
        connection = BaseHook.get_connection(name)
    except AirflowNotFoundException:
        raise RequestError(
            f"there is no Airflow connection {name!r}; add it with the type aws (login: the access key, password: the secret), or mend LAKE_STORAGE_CONNECTION."
        ) from None
    if connection.conn_type != "aws":
        raise RequestError(f"the Airflow connection {name!r} has the type {connection.conn_type!r}; expected aws: change its type.")
    extra = connection.extra_dejson
    if unknown := sorted(set(extra) - set(EXTRAS)):
        raise RequestError(
            f"the Airflow connection {name!r} has {', '.join(unknown)} in its extra; known for the storage are {', '.join(EXTRAS)}: "
            "where a role gives the rights, leave LAKE_STORAGE_CONNECTION empty and give it to the machines."
        )
    if not connection.login or not connection.password:
        raise RequestError(f"the Airflow connection {name!r} lacks its {'password, the secret' if connection.login else 'login, the access key'}; add it.")
    more = {variable: str(extra[key]) for key, variable in EXTRAS.items() if extra.get(key)}
    return {"AWS_ACCESS_KEY_ID": connection.login, "AWS_SECRET_ACCESS_KEY": connection.password, **more}
