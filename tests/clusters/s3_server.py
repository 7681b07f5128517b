"""A server of AWS's protocols on this machine: moto's, as a process of its own, that knows its users and refuses everybody else."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any

from tests.free_ports import free_port
from tests.server_process import is_open, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "us-east-1"
START_SECONDS = 60
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
READ_ONLY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:Get*", "s3:List*", "s3:Head*"], "Resource": "*"}]}


@dataclass(frozen=True)
class User:
    """An access key of the server, and its secret."""

    key: str
    secret: str

    def connection(self, endpoint: str, **extra: str) -> str:
        """The Airflow connection of this user, as AIRFLOW_CONN_* holds it."""
        facts = {"region_name": REGION, "endpoint_url": endpoint, **extra}
        return json.dumps({"conn_type": "aws", "login": self.key, "password": self.secret, "extra": facts})


class AwsServer:
    """The server's address and what tests do there beside the lake."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.owner = User("", "")

    @property
    def options(self) -> dict[str, str]:
        """The address and the owner's key, as variables of AWS and as options of delta-rs."""
        known = {"AWS_ENDPOINT_URL": self.endpoint, "AWS_ALLOW_HTTP": "true", "AWS_REGION": REGION}
        return {**known, "AWS_ACCESS_KEY_ID": self.owner.key, "AWS_SECRET_ACCESS_KEY": self.owner.secret}

    def client(self, service: str) -> Any:
        """A client of the owner of everything."""
        import boto3

        key, secret = self.owner.key or "nobody-yet", self.owner.secret or "nobody-yet"
        return boto3.client(service, endpoint_url=self.endpoint, region_name=REGION, aws_access_key_id=key, aws_secret_access_key=secret)

    def add_user(self, name: str, policy: dict[str, Any]) -> User:
        """A user with these rights."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="rights", PolicyDocument=json.dumps(policy))
        made = iam.create_access_key(UserName=name)["AccessKey"]
        return User(made["AccessKeyId"], made["SecretAccessKey"])

    def ask_for_keys(self) -> None:
        """From now on every request is checked: its key, its signature and the rights of its user."""
        self.tell("reset-auth", b"0")

    def tell(self, what: str, body: bytes | None = None, method: str = "POST") -> bytes:
        """Ask moto about itself."""
        connection = HTTPConnection(self.endpoint.removeprefix("http://"))
        connection.request(method, f"/moto-api/{what}", body)
        with closing(connection), connection.getresponse() as answer:
            return answer.read()

    def names(self, bucket: str, prefix: str) -> list[str]:
        """The names of all objects there, sorted."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return sorted(found["Key"] for page in pages for found in page.get("Contents", ()))


@contextmanager
def running_server(log: Path) -> Iterator[AwsServer]:
    """The server, with an owner's key, until the block ends."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with running(command, log, lambda: is_open(port), START_SECONDS, env=environment):
        server = AwsServer(f"http://127.0.0.1:{port}")
        server.owner = server.add_user("owner", ALL)
        server.ask_for_keys()
        yield server
