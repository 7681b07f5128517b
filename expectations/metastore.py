"""The Hive metastore that knows the lake's tables by name: what LAKE_METASTORE names, and what Spark has to be told of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from expectations.errors import ContractError

if TYPE_CHECKING:
    from pathlib import Path

EMBEDDED, OFF = "embedded", "off"
MARK = "name"
SERVICE, DATABASE = "thrift", "postgresql"
NAME = "spark.lake.metastore"
"""The setting by which a Spark server says which metastore the launcher gave it."""
CATALOGUE = "spark.sql.catalogImplementation"
HIVE = {
    CATALOGUE: "hive",
    # what Hive's client takes for its own statistics would be a listing of every folder that is registered
    "spark.hadoop.hive.stats.autogather": "false",
}
CLASSES = (
    *("Database", "Type", "FieldSchema", "Table", "Constraint", "SerDeInfo", "Order", "ColumnDescriptor", "StringList", "StorageDescriptor", "Partition"),
    *("Index", "Role", "RoleMap", "GlobalPrivilege", "DBPrivilege", "TablePrivilege", "PartitionPrivilege", "TableColumnPrivilege"),
    *("PartitionColumnPrivilege", "PartitionEvent", "MasterKey", "DelegationToken", "TableColumnStatistics", "PartitionColumnStatistics", "VersionTable"),
    *("ResourceUri", "Function", "NotificationLog", "NotificationNextId"),
)
"""All that Hive 2.3 keeps in a metastore: package.jdo of its jar in Spark."""
IN_PROCESS = {
    # a hive-site.xml that HADOOP_CONF_DIR brings may name a service
    "spark.hadoop.hive.metastore.uris": "",
    # Spark brings Hive's client, but not Hive's scripts that make the metastore's own tables
    "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
    # all of them at the start: one that is made in the middle of a transaction waits for that transaction, and for ever in Postgres
    "spark.hadoop.datanucleus.autoStartMechanism": "Classes",
    "spark.hadoop.datanucleus.autoStartClassNames": ",".join(f"org.apache.hadoop.hive.metastore.model.M{name}" for name in CLASSES),
    "spark.hadoop.hive.metastore.schema.verification": "false",
}


@dataclass(frozen=True)
class Metastore:
    """`embedded`: a Derby database of the local Spark server's own, in `folder`. `off`: none. Else the address of a metastore service (thrift://),
    or of the Postgres database (postgresql://) that holds one.
    """

    address: str
    folder: Path

    @property
    def is_on(self) -> bool:
        """Whether tables get names at all."""
        return self.address != OFF

    @property
    def is_embedded(self) -> bool:
        """Whether it is a database that one process alone can open."""
        return self.address == EMBEDDED

    @property
    def is_shared(self) -> bool:
        """Whether every process can reach it."""
        return self.is_on and not self.is_embedded

    @property
    def name(self) -> str:
        """What may be shown, and what the ledger keeps: the address without a login and what follows the database.

        An embedded one has a new name each time it is made, so that the ledger does not take an empty one for the one before it.
        """
        if self.is_embedded:
            mark = self.folder / MARK
            return mark.read_text().strip() if mark.exists() else EMBEDDED
        url = urlsplit(self.address)
        return url._replace(netloc=_place(url), query="").geturl() if self.is_shared else self.address

    @property
    def settings(self) -> dict[str, str]:
        """What every Spark of the lake is told; a password may be among it. Nothing of an embedded one, which is one server's."""
        if not self.is_shared:
            return {}
        url = urlsplit(self.address)
        if url.scheme == SERVICE:
            return {**HIVE, NAME: self.name, "spark.hadoop.hive.metastore.uris": self.address}
        login = {"UserName": unquote(url.username or ""), "Password": unquote(url.password or "")} if url.username else {}
        query = f"?{url.query}" if url.query else ""
        return {
            **HIVE,
            **IN_PROCESS,
            NAME: self.name,
            "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:postgresql://{_place(url)}{url.path}{query}",
            "spark.hadoop.javax.jdo.option.ConnectionDriverName": "org.postgresql.Driver",
            **{f"spark.hadoop.javax.jdo.option.Connection{key}": value for key, value in login.items()},
        }

    @property
    def open_settings(self) -> dict[str, str]:
        """The settings, where everybody may see them: those of a service."""
        return self.settings if urlsplit(self.address).scheme == SERVICE else {}

    @property
    def name_elsewhere(self) -> str:
        """What a driver on a cluster is told: `name`, or that there is none, as an embedded one is this machine's."""
        return self.name if self.is_shared else OFF

    @property
    def open_name(self) -> str:
        """What a driver is told whose settings everybody may see: of a service, or that there is none."""
        return self.name if self.open_settings else OFF

    def local_settings(self) -> dict[str, str]:
        """What the local Spark server is told. Makes an embedded one where there is none."""
        if not self.is_embedded:
            return self.settings
        if not (self.folder / MARK).exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / MARK).write_text(f"{EMBEDDED}/{uuid.uuid4().hex}\n")
        place = f"jdbc:derby:;databaseName={self.folder / 'derby'};create=true"
        return {**HIVE, **IN_PROCESS, NAME: self.name, "spark.hadoop.javax.jdo.option.ConnectionURL": place}


def as_properties(settings: dict[str, str]) -> str:
    """Lines of a properties file, which Java reads: to it a backslash begins something else."""
    return "".join(f"{name}={value}\n".replace("\\", "\\\\") for name, value in settings.items())


def metastore_of(address: str, folder: Path) -> Metastore:
    """What LAKE_METASTORE names; `folder` is where an embedded one lies.

    Raises ContractError where it cannot be meant; the address is not shown, as it may hold a password.
    """
    url = urlsplit(address)
    scheme = url.scheme.partition("+")[0]  # a ledger's address names its driver, too
    is_service = scheme == SERVICE and bool(url.netloc)
    is_database = scheme == DATABASE and bool(url.hostname and url.path.strip("/"))
    if address not in {EMBEDDED, OFF} and not is_service and not is_database:
        raise ContractError(
            "LAKE_METASTORE or `metastore` must be embedded, off, a service like thrift://host:9083, "
            "or the database of one like postgresql://user@host:5432/metastore."
        )
    return Metastore(url._replace(scheme=scheme).geturl() if is_database else address, folder)


def _place(url: SplitResult) -> str:
    """Host and port."""
    return url.netloc.rpartition("@")[2]
