from __future__ import annotations

import pytest

from expectations.errors import RequestError
from expectations.jobs import JobRequest
from expectations.review import Review
from spark_jobs.run import parse


def test_a_decision_survives_the_way_over_a_command_line() -> None:
    review = Review.of(
        "edit", rule="fair_price", rows="2024-05-01/ab/0/3, 2024-05-01/ab/0/4", values='{"cents": "-1", "item": null}', reason="-5 'was' \"wrong\"\n", who="mia"
    )
    request = JobRequest(verb="quarantine", name="silver.sales", run_id="a/b", days="2024-05-01..2024-05-02", review=review)
    assert parse(request.to_arguments())[0] == request
    assert review.rows == ("2024-05-01/ab/0/3", "2024-05-01/ab/0/4")
    assert review.values == {"cents": "-1", "item": None}


def test_a_bare_request_is_a_look() -> None:
    request, *_ = parse(["quarantine", "silver.sales", "--run", "r"])
    assert request.review is not None
    assert request.review.action == "look"


def test_numbers_and_switches_become_the_texts_that_a_file_would_have() -> None:
    assert Review.of("edit", values='{"a": 1, "b": 2.5, "c": true, "d": ["x"]}').values == {"a": "1", "b": "2.5", "c": "true", "d": '["x"]'}


@pytest.mark.parametrize("number", ["12345678901234567.89", "1.10", "1e400", "-0", "7" * 5000, "Infinity"])
def test_a_number_stays_as_it_was_written(number: str) -> None:
    assert Review.of("edit", values=f'{{"amount": {number}}}').values == {"amount": number}


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ({"action": "eidt"}, "there is no action 'eidt'; write look, edit, discard, reopen, replay. Did you mean \"edit\"?"),
        ({"action": "edit", "rows": "x'; DROP TABLE"}, '"x\';" is no id of a row; copy it from what `look` shows, with commas between several.'),
        ({"action": "edit", "rows": ",".join(map(str, range(501)))}, "501 rows are named, at most 500 can be; choose them by days and rule."),
        ({"action": "edit", "values": "cents=1"}, 'values are \'cents=1\', not a JSON object; write them like {"distance": "100"}.'),
        ({"action": "edit", "values": "[1]"}, 'values are \'[1]\', not a JSON object; write them like {"distance": "100"}.'),
        (
            {"action": "edit", "values": '{"cents": [{"a": 1.10}]}'},
            "the new value of 'cents' has the number 1.10 within it; write the whole value as one text in quotes.",
        ),
        ({"action": "discard", "reason": "x" * 2001}, "reason has 2001 characters; write at most 2000."),
    ],
)
def test_texts_that_mean_nothing_are_refused_in_one_sentence(texts: dict[str, str], sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        Review.of(**texts)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("texts", "sentence"),
    [
        ({"action": "edit", "values": '{"cents": "1"}', "reason": "x"}, "edit: which rows? Name them in `rows` (--rows); `look` shows their ids."),
        ({"action": "edit", "rows": "a", "reason": "x"}, """edit: what is right? Fill in `values` (--values), for example '{"distance": "100"}'."""),
        ({"action": "edit", "rows": "a", "values": "{}"}, "edit: why? Fill in `reason` (--reason); it is kept with the row."),
        ({"action": "discard", "rows": "a"}, "discard: why? Fill in `reason` (--reason); it is kept with the row."),
        ({"action": "discard", "reason": "x"}, "discard: which rows? Name them in `rows`, or choose them by `rule` or days (--rows, --rule, --days)."),
        ({"action": "reopen"}, "reopen: which rows? Name them in `rows`, or choose them by `rule` or days (--rows, --rule, --days)."),
        ({"action": "replay", "values": "{}"}, "replay: values are for the action edit; leave them out."),
    ],
)
def test_a_decision_needs_to_say_which_rows_what_and_why(texts: dict[str, str], sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        Review.of(**texts).require_complete(None)
    assert str(caught.value) == sentence


def test_what_is_for_the_quarantine_is_refused_elsewhere() -> None:
    with pytest.raises(RequestError, match="build: --reason is for the verb quarantine; leave it out"):
        parse(["build", "silver.sales", "--run", "r", "--reason", "x"])


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--run", "x" * 511], f"--run cannot be '{'x' * 60}': String should have at most 510 characters."),
        (["--run", ""], "--run cannot be '': String should have at least 1 character."),
        (["--run", "r", "--version", "-3"], "--version cannot be '-3': Input should be greater than or equal to 0."),
    ],
)
def test_a_command_line_that_no_request_can_be_is_refused_in_one_sentence(words: list[str], sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        parse(["restore", "silver.sales", *words])
    assert str(caught.value) == sentence
