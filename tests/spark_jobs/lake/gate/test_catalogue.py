"""The list that contracts are checked against is what the installed Great Expectations can do on Spark."""

from __future__ import annotations

from expectations.expectation_catalogue import CATALOGUE, catalogue
from spark_jobs.lake.gate.catalogue import text


def test_the_list_is_what_is_installed():
    assert CATALOGUE.read_text() == text(), "run python -m spark_jobs.lake.gate.catalogue"


def test_what_has_no_way_on_spark_is_not_in_it():
    assert "expect_column_values_to_match_like_pattern" not in catalogue()
    assert "expect_column_values_to_match_regex" in catalogue()


def test_what_the_type_of_a_column_answers_judges_no_rows():
    assert not catalogue()["expect_column_values_to_be_of_type"]["judges_rows"]
