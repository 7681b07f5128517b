"""A lake whose tables, landing folder and records are on S3, against a server of that protocol which checks every key and signature."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from pandas.testing import assert_frame_equal

from tests.clusters.s3_server import AwsServer, User, running_server
from tests.clusters.sample_lake import TABLES, SampleLake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from deltalake import DeltaTable

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]
BUCKET = "lake"
ROOT, LANDING = f"s3a://{BUCKET}/tables", f"s3a://{BUCKET}/landing"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsServer]:
    """The server, with one bucket."""
    with running_server(tmp_path_factory.mktemp("s3") / "server.log") as made:
        made.client("s3").create_bucket(Bucket=BUCKET)
        yield made


def on_connect(remote: str) -> str:
    host, port = remote.removeprefix("sc://").split(":")
    return json.dumps({"conn_type": "spark_connect", "host": host, "port": int(port)})


def lake_of(server: AwsServer, user: User, folder: Path, remote: str, **changed: str) -> SampleLake:
    connections = {"AIRFLOW_CONN_SPARK_LAKE": on_connect(remote), "AIRFLOW_CONN_LAKE_STORAGE": user.connection(server.endpoint)}
    variables = {**connections, "LAKE_STORAGE_CONNECTION": "lake_storage", **changed}
    return SampleLake(folder, variables.pop("root", ROOT), variables.pop("landing", LANDING), **variables)


def options(server: AwsServer) -> dict[str, str]:
    """What delta-rs calls the address and the key."""
    known = {"AWS_ENDPOINT_URL": server.endpoint, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1"}
    return {**known, "AWS_ACCESS_KEY_ID": server.owner.key, "AWS_SECRET_ACCESS_KEY": server.owner.secret}


def table_of(server: AwsServer, table: str) -> DeltaTable:
    from deltalake import DeltaTable

    return DeltaTable(f"s3://{BUCKET}/tables/{table.replace('.', '/')}", storage_options=options(server))


@pytest.fixture(scope="module")
def embedded(spark_remote: str, tmp_path_factory: pytest.TempPathFactory) -> SampleLake:
    """The same days in a local folder."""
    folder = tmp_path_factory.mktemp("embedded")
    lake = SampleLake(folder, f"{folder}/tables", f"{folder}/landing", AIRFLOW_CONN_SPARK_LAKE=on_connect(spark_remote))
    lake.land()
    lake.build_all()
    return lake


@pytest.fixture(scope="module")
def on_s3(server: AwsServer, spark_remote: str, tmp_path_factory: pytest.TempPathFactory) -> SampleLake:
    """The days, landed on S3 and built there; neither Spark nor Airflow has the key but from the connection."""
    lake = lake_of(server, server.owner, tmp_path_factory.mktemp("on_s3"), spark_remote)
    access = {"AWS_ACCESS_KEY_ID": server.owner.key, "AWS_SECRET_ACCESS_KEY": server.owner.secret, "AWS_ENDPOINT_URL": server.endpoint}
    lake.environment |= access
    lake.land()
    for name in access:
        del lake.environment[name]
    lake.build_all()
    return lake


@pytest.mark.parametrize("table", TABLES)
def test_every_table_on_s3_is_cell_for_cell_the_one_in_a_local_folder(server: AwsServer, on_s3: SampleLake, embedded: SampleLake, table: str) -> None:
    path = table.replace(".", "/")
    found = on_s3.rows(path, options(server))
    assert len(found) > 0
    assert_frame_equal(found, embedded.rows(path))
