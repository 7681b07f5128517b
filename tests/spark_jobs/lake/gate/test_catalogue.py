"""The list that contracts are checked against, and its page, are what the installed Great Expectations can do on Spark."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from expectations.expectation_catalogue import CATALOGUE, catalogue, usable
from spark_jobs.lake.gate.catalogue import DOCUMENT, document_of, installed, text_of

AGAIN = "run python -m spark_jobs.lake.gate.catalogue"


@pytest.mark.spark
def test_the_list_is_what_is_installed_really_planned_and_judged(spark):
    assert CATALOGUE.read_text() == text_of(installed(spark)), AGAIN


def test_the_page_is_what_the_list_says():
    assert DOCUMENT.read_text() == document_of(catalogue(), version("great-expectations")), AGAIN


def test_what_has_no_way_on_spark_or_runs_sql_of_its_own_is_no_rule_and_says_why():
    assert set(catalogue()) - set(usable()) == {
        "expect_column_values_to_be_dateutil_parseable",
        "expect_column_values_to_match_like_pattern",
        "expect_column_values_to_match_like_pattern_list",
        "expect_column_values_to_not_match_like_pattern",
        "expect_column_values_to_not_match_like_pattern_list",
        "expect_query_results_to_match_comparison",
        "expect_table_row_count_to_equal_other_table",
        "unexpected_rows_expectation",
    }
    assert all(facts["because"] for name, facts in catalogue().items() if name not in usable())


def test_what_compares_rows_by_their_order_counts_rows_and_parts_none():
    facts = catalogue()["expect_column_values_to_be_increasing"]

    assert (facts["judged"], facts["judges_rows"], facts["parts_rows"]) == ("by stock Great Expectations", True, False)


def test_what_the_type_of_a_column_answers_judges_no_rows():
    assert not catalogue()["expect_column_values_to_be_of_type"]["judges_rows"]


def test_the_kinds_of_arguments_are_great_expectations_own():
    arguments = catalogue()["expect_column_values_to_be_between"]["arguments"]

    assert arguments["column"] == {"required": True, "takes": ["text"], "one_of": []}
    assert arguments["min_value"] == {"required": False, "takes": ["date", "number"], "one_of": []}
    assert arguments["strict_min"]["takes"] == ["flag"]
