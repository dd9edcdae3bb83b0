"""Events from typed texts: every type, every error with its field and reason."""

import dataclasses
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidCommandError
from ledger.events.acts import ActAdopted, ActReferenceCorrected
from ledger.events.base import Event
from ledger.events.catalogue import EVENT_TYPES
from ledger.events.ledger import ActReference, LedgerOpened, SchemaReleased
from ledger.events.measurement import IncentiveScaleSet
from ledger.events.organisation import UnitCountsReported
from ledger.events.planning import TargetSet, WeightSet
from ledger.events.publication import DocumentPublished
from ledger.events.results import ResultRecorded
from ledger.intake.forms import FormField, Text, amended, build, fields_of

ACT = ActReference(organ="CdA", act_type="resolution", number="14", adopted_on=dt.date(2023, 1, 30))
ACT_TEXT = "CdA/resolution/14/2023-01-30"
TARGET: Mapping[str, Text] = {"year": "2023", "indicator_code": "I1", "target": "1"}
COUNTS: Mapping[str, Text] = {"unit_type": "office", "label": "offices", "units": "1"}
DOCUMENT: Mapping[str, Text] = {
    "document_id": "rp",
    "title": "report",
    "published_on": "2024-06-28",
}
OPENED: Mapping[str, Text] = {
    "ledger_id": "x",
    "origin": "x",
    "sandbox": "no",
    "language": "it",
    "currency": "EUR",
    "timezone": "Europe/Rome",
}
ADOPTED: Mapping[str, Text] = {
    "act_key": "k",
    "organ": "CdA",
    "act_type": "resolution",
    "adopted_on": "2023-01-30",
    "subject": "plan",
    "effective_from": "2023-01-30",
}
EXAMPLES: Mapping[type, str] = {
    str: "text",
    int: "7",
    Decimal: "1.5",
    bool: "yes",
    dt.date: "2023-01-30",
    dt.datetime: "2023-01-30T12:00:00+01:00",
    bytes: "0aff",
    ActReference: ACT_TEXT,
}


def refused(cls: type[Event], texts: Mapping[str, Text], field: str) -> str:
    """Expect that a form is refused for a field, and return the reason."""
    with pytest.raises(InvalidCommandError) as caught:
        build(cls, texts)
    assert caught.value.facts["subject"] == cls.__name__
    assert caught.value.facts["field"] == field
    assert caught.value.facts["reason"]
    return caught.value.facts["reason"]


# Fields


def test_the_fields_come_from_the_class_in_its_order() -> None:
    assert fields_of(TargetSet) == (
        FormField(name="year", kind=int, many=False, required=True),
        FormField(name="indicator_code", kind=str, many=False, required=True),
        FormField(name="unit_code", kind=str, many=False, required=False),
        FormField(name="target", kind=Decimal, many=False, required=True),
    )


def test_a_field_of_several_values_and_one_that_may_be_absent_are_told_apart() -> None:
    found = {field.name: field for field in fields_of(ActAdopted)}

    assert found["amends"] == FormField(name="amends", kind=ActReference, many=True, required=False)
    assert found["number"] == FormField(name="number", kind=str, many=False, required=False)


@pytest.mark.parametrize("cls", EVENT_TYPES.values(), ids=lambda cls: cls.__name__)
def test_every_event_can_be_written_as_a_form(cls: type[Event]) -> None:
    every = {field.name: EXAMPLES[field.kind] for field in fields_of(cls)}
    needed = {field.name: EXAMPLES[field.kind] for field in fields_of(cls) if field.required}

    assert isinstance(build(cls, every), cls)
    assert isinstance(build(cls, needed), cls)
    for name in needed:
        rest = {key: text for key, text in needed.items() if key != name}
        assert refused(cls, rest, name) == "it is required"


# Every type


def test_a_text_is_taken_without_the_blanks_around_it() -> None:
    assert build(TargetSet, {**TARGET, "indicator_code": "  perché no  "}).indicator_code == (
        "perché no"
    )


@pytest.mark.parametrize("text", [" ", "\t", "a\nb", "a\x1b[31mb", "a\x00b", "a\u202eb"])
def test_refuses_a_text_that_cannot_be_printed(text: str) -> None:
    reason = refused(TargetSet, {**TARGET, "indicator_code": text}, "indicator_code")

    assert "cannot be printed" in reason


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("007", 7), ("+5", 5), ("-5", -5), (" 12 ", 12), (str(2**63 - 1), 2**63 - 1)],
)
def test_reads_a_whole_number(text: str, value: int) -> None:
    assert build(UnitCountsReported, {**COUNTS, "units": text}).units == value


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "1.0",
        "1,5",
        "1.000",
        "1 000",
        "1e3",
        "0x1",
        "--1",
        "-",
        "1_000",
        "\u0661\u0662",
        "\u00bd",
    ],
)
def test_refuses_what_is_no_whole_number(text: str) -> None:
    assert "whole number" in refused(UnitCountsReported, {**COUNTS, "units": text}, "units")


@pytest.mark.parametrize("text", [str(2**63), str(-(2**63) - 1), "9" * 38, "9" * 5000])
def test_refuses_a_whole_number_that_no_ledger_holds(text: str) -> None:
    assert "too large" in refused(UnitCountsReported, {**COUNTS, "units": text}, "units")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.5", "1.5"),
        ("1,5", "1.5"),
        ("-1,5", "-1.5"),
        ("+1,5", "1.5"),
        ("0", "0"),
        ("-0", "0"),
        ("-0,00", "0.00"),
        ("5906162514", "5906162514"),
        ("0,1", "0.1"),
        ("1.50", "1.50"),
        ("9" * 38, "9" * 38),
    ],
)
def test_reads_a_decimal_with_a_point_or_a_comma(text: str, value: str) -> None:
    found = build(TargetSet, {**TARGET, "target": text}).target

    assert str(found) == value


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "1.234,5",
        "1,234.5",
        "1.2.3",
        ".5",
        "5.",
        "1e3",
        "NaN",
        "Infinity",
        "5%",
        "1 5",
        "\u0661,\u0662",
        "-",
    ],
)
def test_refuses_what_is_no_decimal(text: str) -> None:
    assert "decimal mark" in refused(TargetSet, {**TARGET, "target": text}, "target")


@pytest.mark.parametrize("text", ["9" * 39, "0." + "1" * 39, "1" * 20 + "," + "1" * 20])
def test_refuses_a_decimal_with_too_many_digits(text: str) -> None:
    assert "38 digits" in refused(TargetSet, {**TARGET, "target": text}, "target")


@pytest.mark.property
@given(
    value=st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20
    )
)
def test_every_decimal_is_read_exactly(value: Decimal) -> None:
    italian = format(value, "f").replace(".", ",")

    assert build(TargetSet, {**TARGET, "target": italian}).target == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", True),
        ("no", False),
        ("si", True),
        ("Sì", True),
        ("TRUE", True),
        ("False", False),
        ("1", True),
        ("0", False),
    ],
)
def test_reads_yes_or_no(text: str, *, value: bool) -> None:
    assert build(LedgerOpened, {**OPENED, "sandbox": text}).sandbox is value


@pytest.mark.parametrize("text", ["maybe", "y", "2", "vero", "yes no"])
def test_refuses_what_is_neither_yes_nor_no(text: str) -> None:
    assert "yes or no" in refused(LedgerOpened, {**OPENED, "sandbox": text}, "sandbox")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2024-06-28", dt.date(2024, 6, 28)),
        ("28/06/2024", dt.date(2024, 6, 28)),
        ("1/3/2024", dt.date(2024, 3, 1)),
        ("03/04/2024", dt.date(2024, 4, 3)),
        ("2024-02-29", dt.date(2024, 2, 29)),
        (" 2024-06-28 ", dt.date(2024, 6, 28)),
    ],
)
def test_reads_iso_and_italian_days(text: str, day: dt.date) -> None:
    assert build(DocumentPublished, {**DOCUMENT, "published_on": text}).published_on == day


@pytest.mark.parametrize(
    "text",
    [
        "tomorrow",
        "2024-6-28",
        "20240628",
        "2024/06/28",
        "28-06-2024",
        "28.06.2024",
        "28/06/24",
        "2024-06-28T10:00",
        "\uff12\uff10\uff12\uff14-06-28",
        "+2024-06-28",
    ],
)
def test_refuses_a_day_of_another_form(text: str) -> None:
    reason = refused(DocumentPublished, {**DOCUMENT, "published_on": text}, "published_on")

    assert "YYYY-MM-DD or DD/MM/YYYY" in reason


@pytest.mark.parametrize(
    "text", ["2023-02-29", "30/02/2024", "31/04/2024", "06/28/2024", "2024-13-01", "0000-01-01"]
)
def test_refuses_a_day_that_is_not_in_the_calendar(text: str) -> None:
    reason = refused(DocumentPublished, {**DOCUMENT, "published_on": text}, "published_on")

    assert "no such day" in reason


@pytest.mark.property
@given(day=st.dates(min_value=dt.date(1000, 1, 1)))
def test_every_day_is_read_in_both_forms(day: dt.date) -> None:
    for text in (day.isoformat(), f"{day:%d/%m/%Y}"):
        assert build(DocumentPublished, {**DOCUMENT, "published_on": text}).published_on == day


@pytest.mark.parametrize("text", ["0aFF", "0A ff"])
def test_reads_bytes_in_hexadecimal(text: str) -> None:
    assert build(DocumentPublished, {**DOCUMENT, "sha256": text}).sha256 == b"\x0a\xff"


@pytest.mark.parametrize("text", ["0", "xyz", "0x0a", "0a-ff"])
def test_refuses_bytes_in_another_form(text: str) -> None:
    assert "hexadecimal" in refused(DocumentPublished, {**DOCUMENT, "sha256": text}, "sha256")


def test_refuses_required_bytes_of_another_form() -> None:
    texts = {"full_name": "a.B", "version": "1", "schema_id": "no hex", "text": "{}"}

    assert "hexadecimal" in refused(SchemaReleased, texts, "schema_id")


def test_reads_an_act() -> None:
    texts = {"document_id": "d", "locator": "1", "cited": ACT_TEXT, "correct": ACT_TEXT}

    assert build(ActReferenceCorrected, texts).cited == ACT


@pytest.mark.parametrize("text", ["CdA", "CdA/resolution/14/2023-02-30", "CdA/resolution/14"])
def test_refuses_what_is_no_act(text: str) -> None:
    texts = {"document_id": "d", "locator": "1", "cited": text, "correct": ACT_TEXT}

    with pytest.raises(InvalidCommandError) as caught:
        build(ActReferenceCorrected, texts)

    assert caught.value.facts["field"] == "cited"
    assert caught.value.facts["value"] == text


# Several values


def test_reads_several_values_from_one_text_or_from_many() -> None:
    scale: Mapping[str, Text] = {"year": "2023", "scale": "ordinary"}

    assert build(IncentiveScaleSet, {**scale, "steps": ["1,5", "2"]}).steps == (
        Decimal("1.5"),
        Decimal(2),
    )
    assert build(IncentiveScaleSet, {**scale, "steps": "1.5, 2"}).steps == (
        Decimal("1.5"),
        Decimal(2),
    )
    assert build(ActAdopted, {**ADOPTED, "articles": " 1 , 2 bis,, "}).articles == ("1", "2 bis")
    assert build(ActAdopted, {**ADOPTED, "amends": [ACT_TEXT]}).amends == (ACT,)


@pytest.mark.parametrize("texts", ["", [], ","])
def test_several_values_may_be_none(texts: Text) -> None:
    assert build(ActAdopted, {**ADOPTED, "articles": texts}).articles == ()


def test_names_the_field_of_one_wrong_value_among_several() -> None:
    with pytest.raises(InvalidCommandError) as caught:
        build(IncentiveScaleSet, {"year": "2023", "scale": "s", "steps": ["1", "x", "2"]})

    assert caught.value.facts["field"] == "steps"
    assert caught.value.facts["value"] == "x"


@pytest.mark.parametrize("texts", [["a", "b"], ["a"], ("a",)])
def test_refuses_several_values_for_a_field_of_one(texts: Text) -> None:
    reason = refused(TargetSet, {**TARGET, "indicator_code": texts}, "indicator_code")

    assert reason == "it takes one value"


# Which fields


@pytest.mark.parametrize("missing", ["", None, ()])
def test_refuses_a_form_without_a_required_field(missing: Text | None) -> None:
    texts = {name: text for name, text in TARGET.items() if name != "target"}
    if missing is not None:
        texts["target"] = missing

    assert refused(TargetSet, texts, "target") == "it is required"


@pytest.mark.parametrize("absent", ["", None])
def test_an_absent_field_keeps_its_default(absent: str | None) -> None:
    texts = dict(TARGET) if absent is None else {**TARGET, "unit_code": absent}

    assert build(TargetSet, texts).unit_code is None


def test_refuses_an_unknown_field_and_names_the_nearest() -> None:
    assert "did you mean target?" in refused(TargetSet, {**TARGET, "targte": "1"}, "targte")


def test_refuses_an_unknown_field_and_names_the_known_ones() -> None:
    reason = refused(WeightSet, {"zzz": "1"}, "zzz")

    assert "year, parent_code, child_code, weight, basis" in reason


def test_refuses_an_unknown_field_even_when_it_is_empty() -> None:
    refused(TargetSet, {**TARGET, "zzz": ""}, "zzz")


@pytest.mark.parametrize("name", ["TYPE", "KEYS", "__class__"])
def test_what_is_no_field_cannot_be_written(name: str) -> None:
    refused(TargetSet, {**TARGET, name: "x"}, name)


@pytest.mark.parametrize(
    ("text", "thousands", "decimals"),
    [
        ("1.234", "1234", "1.2340"),
        ("1,234", "1234", "1.2340"),
        ("-1.234", "-1234", "-1.2340"),
        ("+12,000", "+12000", "+12.0000"),
        ("999.999", "999999", "999.9990"),
    ],
)
def test_refuses_a_number_that_may_mean_two_and_says_how_to_write_either(
    text: str, thousands: str, decimals: str
) -> None:
    reason = refused(TargetSet, {**TARGET, "target": text}, "target")

    assert f"write {thousands} for thousands, {decimals} for decimals" in reason
    for clear in (thousands, decimals):
        build(TargetSet, {**TARGET, "target": clear})


@pytest.mark.parametrize("text", ["0.234", "0,234", "1234.567", "1.2345", "1.23", "012.345"])
def test_reads_three_decimals_that_cannot_be_thousands(text: str) -> None:
    expected = Decimal(text.replace(",", "."))

    assert build(TargetSet, {**TARGET, "target": text}).target == expected


def test_an_event_is_amended_by_the_fields_that_are_named() -> None:
    old = build(TargetSet, {**TARGET, "target": "1.2340"})
    wrong = dataclasses.replace(old, target=Decimal("118.234"))

    assert amended(wrong, {}) == wrong
    assert amended(wrong, {"indicator_code": "PI"}) == dataclasses.replace(
        wrong, indicator_code="PI"
    )
    assert amended(wrong, {"target": "112,5"}).target == Decimal("112.5")


def test_an_empty_text_takes_an_optional_value_out_of_an_amended_event() -> None:
    missing = ResultRecorded(
        year=2023, indicator_code="X", unit_code="DR01", missing_reasons=("FUNDING",)
    )

    assert amended(missing, {"unit_code": "", "missing_reasons": ()}) == ResultRecorded(
        year=2023, indicator_code="X"
    )
    assert amended(missing, {"missing_reasons": "TIME, FUNDING"}).missing_reasons == (
        "TIME",
        "FUNDING",
    )


@pytest.mark.parametrize(
    ("texts", "field", "reason"),
    [
        ({"valeu": "1"}, "valeu", "did you mean value?"),
        ({"indicator_code": ""}, "indicator_code", "it is required"),
        ({"value": "1.234"}, "value", "it may mean two numbers"),
        ({"value": "many"}, "value", "at most one decimal mark"),
        ({"value": ["1", "2"]}, "value", "it takes one value"),
    ],
)
def test_refuses_to_amend(texts: dict[str, str | list[str]], field: str, reason: str) -> None:
    old = ResultRecorded(year=2023, indicator_code="X", value=Decimal(1))

    with pytest.raises(InvalidCommandError) as caught:
        amended(old, texts)
    assert caught.value.facts["field"] == field
    assert reason in caught.value.facts["reason"]
