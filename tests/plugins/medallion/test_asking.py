"""What a person is shown, and which tasks ask."""

from __future__ import annotations

from expectations.ledger import Question
from medallion.asking import evidence_text

EVIDENCE = {
    "sentence": "not_cheap: 1 of 2 rows break expect_column_values_to_be_between (column cents, min_value 100), for example cents = 2.",
    "judged": 2,
    "broken": 1,
    "observed": "",
    "examples": ["cents = 2"],
    "trend": ["2024-05-01: 0 of 1 rows"],
}


def test_the_evidence_names_rule_counts_examples_and_trend() -> None:
    shown = evidence_text(Question("silver.sales", "2024-05-02", "not_cheap", "abc", "run-1", EVIDENCE))
    assert shown.splitlines() == [
        "**2024-05-02**, rule `not_cheap`: 1 of 2 rows break expect\\_column\\_values\\_to\\_be\\_between "
        "(column cents, min\\_value 100), for example cents = 2.",
        "- before: 2024-05-01: 0 of 1 rows",
        "- your answer holds for just these rows: if they change, you are asked again",
    ]


def test_values_from_data_are_no_markdown() -> None:
    evidence = {**EVIDENCE, "sentence": "1 of 2 rows break it, for example item = [free](http://example.com) <b>\n# big.", "trend": []}
    shown = evidence_text(Question("silver.sales", "2024-05-02", "not_cheap", "abc", "run-1", evidence))
    assert "for example item = \\[free\\](http://example.com) \\<b\\> \\# big" in shown
    assert "- before: never judged" in shown
