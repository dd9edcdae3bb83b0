"""Texts, codes, choices and words are taken as they stand, or refused."""

import pytest

from ledger.intake.problems import CellError
from ledger.intake.texts import (
    CODE_CHARACTERS_MAX,
    FIELD_BYTES_MAX,
    TEXT_CHARACTERS_MAX,
    choice_cell,
    code_cell,
    nullable,
    require_clean,
    text_cell,
    words_cell,
)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (" a", "outer_blanks"),
        ("a ", "outer_blanks"),
        ("a\u00a0", "outer_blanks"),
        ("\u3000a", "outer_blanks"),
        (" ", "outer_blanks"),
        ("a\nb", "line_break"),
        ("a\r\nb", "line_break"),
        ("a\u2028b", "line_break"),
        ("a\tb", "control_character"),
        ("a\x1bb", "control_character"),
        ("a\x1a", "control_character"),
        ("a\x7f", "control_character"),
        ("a\u200bb", "invisible_character"),
        ("\ufeffa", "invisible_character"),
        ("a\u202eb", "invisible_character"),
        ("a\u00adb", "invisible_character"),
        ("è" * (FIELD_BYTES_MAX // 2 + 1), "field_too_long"),
    ],
)
def test_refuses_what_no_cell_may_hold(text: str, code: str) -> None:
    with pytest.raises(CellError) as refused:
        require_clean(text)

    assert refused.value.code == code


@pytest.mark.parametrize("text", ["", "Attività di vigilanza", "L'Aquila", "a  b", "日本", "€ 5"])
def test_accepts_ordinary_text(text: str) -> None:
    require_clean(text)


def test_accepts_a_field_of_exactly_the_limit() -> None:
    require_clean("a" * FIELD_BYTES_MAX)


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "empty_value"), ("a" * (TEXT_CHARACTERS_MAX + 1), "text_too_long")],
)
def test_refuses_an_empty_or_endless_text(text: str, code: str) -> None:
    with pytest.raises(CellError) as refused:
        text_cell(text)

    assert refused.value.code == code


@pytest.mark.parametrize("text", ["OGE1", "1.1", "dr-emilia-romagna", "rp2023.vp_x", "001:536"])
def test_accepts_codes(text: str) -> None:
    assert code_cell(text) == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_value"),
        ("due parole", "bad_code"),
        ("attività", "bad_code"),
        (".a", "bad_code"),
        ("a,b", "bad_code"),
        ("\uff21", "bad_code"),
        ("a*", "bad_code"),
        ("a" * (CODE_CHARACTERS_MAX + 1), "text_too_long"),
    ],
)
def test_refuses_what_is_no_code(text: str, code: str) -> None:
    with pytest.raises(CellError) as refused:
        code_cell(text)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "near"),
    [("percents", "percent"), ("Percent", "percent"), ("DAYS", "days"), ("kg", ""), ("è", "")],
)
def test_names_the_nearest_unit_of_measure(text: str, near: str) -> None:
    with pytest.raises(CellError) as refused:
        choice_cell(("percent", "days", "EUR"), what="unit of measure")(text)

    assert refused.value.code == "unknown_choice"
    assert refused.value.facts["near"] == near
    assert refused.value.facts["choices"] == "percent, days, EUR"


def test_refuses_an_empty_cell() -> None:
    with pytest.raises(CellError) as refused:
        choice_cell(("a",), what="letter")("")

    assert refused.value.code == "empty_value"


@pytest.mark.parametrize("text", ["a  b", " a", "a "])
def test_refuses_words_with_more_blanks_than_one(text: str) -> None:
    with pytest.raises(CellError) as refused:
        words_cell(text)

    assert refused.value.code == "word_blanks"


def test_reads_words_in_order() -> None:
    assert (words_cell("b a b"), words_cell("")) == (("b", "a", "b"), ())


def test_reads_an_empty_cell_as_not_published() -> None:
    parse = nullable(code_cell)

    assert (parse(""), parse("a")) == (None, "a")
