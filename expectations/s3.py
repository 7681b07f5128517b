"""S3, and what speaks its protocol: what a process knows of it are AWS's own environment variables.

The operator sets them from an Airflow connection; where they are not set, AWS's own chain counts: a profile, or the role of the machine.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL")


def is_s3(location: str) -> bool:
    """Whether a folder or file lies on S3."""
    return location.startswith(("s3a://", "s3://"))


def s3_variables(environment: Mapping[str, str] = os.environ) -> dict[str, str] | None:
    """Those of the variables that are set, for a Python worker that is to read and write there too; None where none is."""
    return {name: environment[name] for name in VARIABLES if environment.get(name)} or None


def s3_settings(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables as settings of a Spark session, which hands them to hadoop-aws; none where none is set."""
    key, secret, token, region, endpoint = (environment.get(name, "") for name in VARIABLES)
    settings = {
        "fs.s3a.access.key": key,
        "fs.s3a.secret.key": secret,
        "fs.s3a.session.token": token,
        "fs.s3a.endpoint.region": region,
        "fs.s3a.endpoint": endpoint,
        # a server of one's own has seldom a name for every bucket
        "fs.s3a.path.style.access": "true" if endpoint else "",
        "fs.s3a.connection.ssl.enabled": "false" if endpoint.startswith("http://") else "",
    }
    return {name: value for name, value in settings.items() if value}
