"""Problems are safe to print and complete, whatever the data hold."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.intake.problems import CellError, closest, problem, shown
from ledger.intake.reasons import REASONS, Reason

PLACE_FACTS = {"file", "column"}


def fields_of(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS.keys())
def test_every_reason_says_what_is_wrong_and_what_to_do(reason: Reason) -> None:
    facts = dict.fromkeys(fields_of(reason.message) | fields_of(reason.hint), "x")

    found = problem(reason.code, file="a.csv", facts=facts)

    assert found.message
    assert found.hint
    assert "{" not in found.message + found.hint


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS.keys())
def test_every_code_is_snake_case(reason: Reason) -> None:
    assert reason.code.replace("_", "").isalnum()
    assert reason.code == reason.code.lower()


def test_proposes_the_near_name_only_when_there_is_one() -> None:
    near = problem("unknown_column", file="a.csv", facts={"near": "value"})
    far = problem("unknown_column", file="a.csv", facts={"near": ""})

    assert (near.hint, far.hint) == ("did you mean value?", "delete the column")


def test_refuses_a_code_that_is_not_listed() -> None:
    with pytest.raises(KeyError):
        problem("no_such_code", file="a.csv")


def test_takes_a_text_of_its_own_for_a_reason_that_is_not_listed() -> None:
    error = CellError("weights_open", "weights add up to {99}", "correct them", column="weight")

    found = error.at(file="a.csv", line=7, column="x", value="1")

    assert str(found) == (
        "a.csv, line 7, column weight, value '1': weights add up to {99}; correct them"
    )


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\nb", "a\\nb"),
        ("\udcff", "\\udcff"),
        ("x" * 121, "x" * 119 + "…"),
        ("x" * 120, "x" * 120),
        ("è{0}%s", "è{0}%s"),
    ],
)
def test_shows_a_value_without_what_a_terminal_obeys(text: str, safe: str) -> None:
    assert shown(text) == safe


def test_does_not_read_templates_in_values() -> None:
    found = problem("missing_column", file="{x}", column="{file.__class__}")

    assert found.message == "the header has no column {file.__class__}"


@pytest.mark.property
@given(st.text(max_size=300))
@settings(max_examples=200)
def test_shown_text_is_short_and_printable(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= 120


@pytest.mark.property
@given(st.text(max_size=20), st.lists(st.text(max_size=8), max_size=6))
@settings(max_examples=100)
def test_the_nearest_name_does_not_depend_on_order(text: str, choices: list[str]) -> None:
    assert closest(text, choices) == closest(text, reversed(choices))
