"""What a discrepancy says: the same facts in both languages, no English inside Italian."""

import string

import pytest

from app.texts.discrepancies import DETAILS_IT, DISCREPANCIES, detail_text
from ledger.discrepancy import DETAILS, Discrepancy
from ledger.errors import StoredEventDecodeError, StoreError
from ledger.evidence.check import unreadable_ledger
from schemas.errors import DecodingError, UnknownSchemaError
from tests.support.dataset import ROOT


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def test_every_reason_has_an_italian_sentence_and_none_is_left_over() -> None:
    assert set(DETAILS_IT) == set(DETAILS)


@pytest.mark.parametrize("reason", DETAILS)
def test_both_sentences_use_the_same_facts(reason: str) -> None:
    assert placeholders(DETAILS_IT[reason]) == placeholders(DETAILS[reason])
    if reason != "unreadable":
        assert DETAILS_IT[reason] != DETAILS[reason]


def found(reason: str, cause: Exception | None = None, **facts: str) -> Discrepancy:
    return Discrepancy(
        kind="content", position="7", stream="s", reason=reason, facts=facts, cause=cause
    )


def test_a_discrepancy_is_told_with_its_facts() -> None:
    one = found("version", expected="3", found="5")

    assert detail_text(one, "it") == "attesa la versione 3 del flusso, trovata la 5"
    assert detail_text(one, "en") == "version 3 of the stream expected, found 5"


def test_bytes_that_cannot_be_read_are_said_to_be_damaged() -> None:
    inner = DecodingError(full_name="a.b.C", path="the body", reason="it is damaged (EOFError)")
    error = StoredEventDecodeError(position=7, event_type="a.b.C", reason=str(inner))
    error.__cause__ = inner

    one = found("unreadable", cause=error, error=str(error))

    assert detail_text(one, "it") == "il contenuto è danneggiato"
    assert "EOFError" in detail_text(one, "en")


def test_a_schema_that_is_not_known_is_named() -> None:
    error = UnknownSchemaError(schema="a.b.C", reason="no such file")

    text = detail_text(found("unreadable", cause=error, error=str(error)), "it")

    assert "a.b.C" in text
    assert "non è conosciuto" in text


@pytest.mark.parametrize("kind", sorted(DISCREPANCIES))
def test_the_italian_page_explains_every_kind_by_the_name_on_the_screen(kind: str) -> None:
    page = (ROOT / "docs/it/discrepanza.md").read_text(encoding="utf-8")

    assert f"| `{kind}` | {DISCREPANCIES[kind].it} |" in page


def test_a_ledger_that_does_not_open_is_told_without_english() -> None:
    error = StoreError(store="registro.db", reason="file is not a database")

    told = detail_text(unreadable_ledger(error), "it")

    assert told == (
        "il registro c'è e non si legge: archivio registro.db: il file non è una base di dati"
    )
