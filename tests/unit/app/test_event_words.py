"""Names of events, words of codes, and fields as people read and type them."""

import datetime as dt
from decimal import Decimal

import pytest

from app.output.fields import label, rows_of, told, value_text
from app.texts.codes import CODES, choices_it, code_of, code_text
from app.texts.events import EVENTS_IT, event_text
from app.texts.fields import FIELDS
from ledger.aggregates.measurement import DIRECTIONS
from ledger.aggregates.planning import WEIGHT_BASES
from ledger.aggregates.validation import CONCLUSIONS, SEVERITIES
from ledger.events.catalogue import EVENT_TYPES
from ledger.events.measurement import IndicatorDefined
from ledger.events.risk import MeasureMonitored
from ledger.feed import FactBlock


def test_every_event_has_an_italian_name_and_no_name_is_left_over() -> None:
    names = {name.rpartition(".")[2] for name in (*EVENT_TYPES, FactBlock.TYPE)}

    assert set(EVENTS_IT) == names


def test_no_two_events_have_one_name() -> None:
    assert len(set(EVENTS_IT.values())) == len(EVENTS_IT)


def test_an_event_of_a_later_release_keeps_its_own_name() -> None:
    assert event_text("registro.other.Unheard", "it") == "Unheard"


def test_the_english_name_is_that_of_the_class() -> None:
    assert event_text("registro.planning.TargetSet", "en") == "TargetSet"


@pytest.mark.parametrize(
    ("field", "codes"),
    [
        ("direction", DIRECTIONS),
        ("basis", WEIGHT_BASES),
        ("conclusion", CONCLUSIONS),
        ("severity", SEVERITIES),
    ],
)
def test_every_code_of_a_closed_set_has_a_word(field: str, codes: tuple[str, ...]) -> None:
    assert set(codes) <= set(CODES[field])


def test_codes_are_of_fields_that_events_or_envelopes_have() -> None:
    assert set(CODES) <= {*FIELDS, "vintage"}


@pytest.mark.parametrize(
    ("field", "typed", "code"),
    [
        ("scope", "centrale", "central"),
        ("scope", "Territoriale", "territorial"),
        ("level", "ALTO", "high"),
        ("level", "bassa", "low"),
        ("new_level", "media", "medium"),
        ("measure_type", "controllo", "control"),
        ("state", "completata", "done"),
        ("state", "in corso", "in_progress"),
        ("state", "non  attuata", "not_done"),
        ("direction", "giù", "down"),
    ],
)
def test_an_italian_word_stands_for_its_code(field: str, typed: str, code: str) -> None:
    assert code_of(field, typed) == code


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("scope", "central"),
        ("scope", "enorme"),
        ("label", "alto"),
        ("level", "OGE"),
        ("state", ""),
        ("measure_unit", "rapporto"),
    ],
)
def test_what_is_no_word_for_a_code_stays_as_it_was_typed(field: str, typed: str) -> None:
    assert code_of(field, typed) == typed


def test_every_word_leads_back_to_its_code_where_words_are_typed() -> None:
    for field in ("scope", "level", "state", "measure_type", "conclusion", "severity"):
        for code, text in CODES[field].items():
            assert code_text(field, code_of(field, text.it), "it") == text.it, (field, code)


def test_choices_name_the_words_that_may_be_typed() -> None:
    assert choices_it("level", "high, low") == "alto (high), basso (low)"
    assert choices_it("weight", "0 - 100") == "0 - 100"


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("value", Decimal("5906162514.5"), "5.906.162.514,5"),
        ("year", 2023, "2023"),
        ("units", 1234, "1.234"),
        ("valid_from", dt.date(2023, 1, 2), "02/01/2023"),
        ("suitable", True, "sì"),
        ("state", "done", "attuata"),
        ("programmes", ("1.1", "4.3"), "1.1, 4.3"),
        ("amends", (), "-"),
        ("value", None, "-"),
        ("sha256", b"\x01\xff", "01ff"),
        ("formula", '{"op":"recorded"}', "risultato registrato"),
        ("formula", "not JSON", "not JSON"),
    ],
)
def test_a_value_is_shown_in_the_readers_language(name: str, value: object, shown: str) -> None:
    assert value_text(name, value, "it") == shown


@pytest.mark.parametrize(
    ("cls", "name", "text", "shown"),
    [
        (IndicatorDefined, "direction", "up", "più alto è meglio"),
        (IndicatorDefined, "valid_from", "2023-01-01", "01/01/2023"),
        (IndicatorDefined, "version", "1234", "1234"),
        (MeasureMonitored, "suitable", "False", "no"),
        (MeasureMonitored, "suitable", "-", "-"),
        (MeasureMonitored, "nothing", "kept", "kept"),
        (IndicatorDefined, "decimals", "many", "many"),
    ],
)
def test_the_plain_text_of_a_trail_is_told_by_the_type_of_its_field(
    cls: type[IndicatorDefined | MeasureMonitored], name: str, text: str, shown: str
) -> None:
    assert told(cls.TYPE, name, text, "it") == shown


def test_the_plain_text_of_an_unknown_event_stays_as_it_is() -> None:
    assert told("registro.other.Unheard", "value", "1.5", "it") == "1.5"


def test_labels_leave_out_the_codes_that_the_help_lists() -> None:
    assert label("state", "it") == "stato"
    assert label("formula", "it") == "formula"


def test_the_rows_of_an_event_leave_out_what_it_does_not_say() -> None:
    event = MeasureMonitored(
        risk_id="R1", measure_id="M1", monitored_on=dt.date(2023, 7, 1), state="planned"
    )

    names = [name for name, _ in rows_of(event, "it")]

    assert "stato" in names
    assert "data di completamento" not in names
    assert not {"TYPE", "KEYS"} & set(names)
