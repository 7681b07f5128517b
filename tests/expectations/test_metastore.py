"""What LAKE_METASTORE may name, and what Spark is told of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from expectations.errors import ContractError
from expectations.metastore import NAME, Metastore, as_properties, metastore_of

JDO = "spark.hadoop.javax.jdo.option."
WORD = "a:b c\\d"
"""A password with what is special to URLs and to properties files."""
IN_A_URL = "a%3Ab%20c%5Cd"


def named(address: str) -> Metastore:
    return metastore_of(address, Path("/state/metastore"))


def test_a_database_is_told_to_hive_as_jdbc_and_its_login_is_no_part_of_its_name() -> None:
    metastore = named(f"postgresql+psycopg2://ada:{IN_A_URL}@db:5433/names?sslmode=require")
    assert metastore.name == "postgresql://db:5433/names"
    assert metastore.settings[NAME] == metastore.name
    assert metastore.settings[f"{JDO}ConnectionURL"] == "jdbc:postgresql://db:5433/names?sslmode=require"
    assert metastore.settings[f"{JDO}ConnectionUserName"] == "ada"
    assert metastore.settings[f"{JDO}ConnectionPassword"] == WORD
    assert metastore.open_settings == {}


def test_a_job_may_know_the_database_without_its_login() -> None:
    metastore = named("postgresql://db:5433/names")
    assert metastore.name == named(f"postgresql://ada:{IN_A_URL}@db:5433/names").name
    assert not [name for name in metastore.settings if name.endswith(("UserName", "Password"))]


def test_a_service_is_told_by_its_address_which_everybody_may_see() -> None:
    metastore = named("thrift://one:9083,thrift://two:9083")
    assert metastore.name == "thrift://one:9083,thrift://two:9083"
    assert metastore.open_settings["spark.hadoop.hive.metastore.uris"] == metastore.name
    assert metastore.open_settings["spark.sql.catalogImplementation"] == "hive"


def test_an_embedded_one_is_a_new_one_after_its_folder_was_deleted(tmp_path: Path) -> None:
    metastore = metastore_of("embedded", tmp_path / "metastore")
    assert metastore.name == "embedded"
    first = metastore.local_settings()
    assert first == metastore.local_settings()
    assert first[f"{JDO}ConnectionURL"] == f"jdbc:derby:;databaseName={tmp_path}/metastore/derby;create=true"
    assert first[NAME] == metastore.name
    (tmp_path / "metastore" / "name").unlink()
    assert metastore.local_settings()[NAME] != first[NAME]


@pytest.mark.parametrize("word", ["embedded", "off"])
def test_what_is_not_shared_is_told_to_nobody_else(word: str) -> None:
    metastore = named(word)
    assert (metastore.name, metastore.settings, metastore.is_shared, metastore.is_on) == (word, {}, False, word == "embedded")


@pytest.mark.parametrize("address", ["hive", "thrift://", "postgresql://db", f"mysql://ada:{IN_A_URL}@db/names", ""])
def test_what_is_no_metastore_is_told_in_one_sentence_without_a_password(address: str) -> None:
    with pytest.raises(ContractError) as caught:
        named(address)
    assert str(caught.value) == (
        "LAKE_METASTORE or `metastore` must be embedded, off, a service like thrift://host:9083, "
        "or the database of one like postgresql://user@host:5432/metastore."
    )


def test_a_properties_file_keeps_a_backslash() -> None:
    assert as_properties({"password": WORD}) == "password=a:b c\\\\d\n"
