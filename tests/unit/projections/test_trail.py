"""The audit trail: which events name an entity, and what each changed."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from ledger.events.ledger import Actor, Encrypted, SchemaReleased, Source
from ledger.events.organisation import UnitEstablished
from ledger.events.results import ResultRecorded
from ledger.feed import RecordedEvent
from projections.trail import FieldChange, TrailEntry, keys_of, shown, trail
from tests.support.cycle import (
    CLOSING,
    PLAN,
    PRE,
    Cycle,
    definition,
    no_result,
    objective,
    result,
    target,
    weight,
)
from tests.support.dataset import example_events
from tests.support.given import JAN_1, PLAN_ACT, act_adopted

SECRET = Encrypted(scheme="AES-256-GCM/v1", key_id="k", nonce=b"n" * 12, ciphertext=b"Rossi")


def changes(entry: TrailEntry) -> dict[str, tuple[str | None, str]]:
    return {change.name: (change.before, change.after) for change in entry.changes}


def small() -> Cycle:
    cycle = Cycle()
    cycle.add(objective("X", "P"))
    cycle.add(weight("P", "X", "30"), acts=(PLAN_ACT,))
    cycle.add(result("X", "1"), PRE, vintage="PRE_CONSUNTIVO", stream="results/2023")
    cycle.add(result("Y", "5"), PRE, stream="results/2023")
    cycle.add(result("X", "2"), CLOSING, vintage="CONSUNTIVO", stream="results/2023")
    return cycle


@pytest.mark.parametrize(
    ("entity", "positions"),
    [
        ("X", [1, 2, 3, 5]),
        ("P", [2]),
        ("Y", [4]),
        ("planning/2023", [1, 2]),
        ("results/2023", [3, 4, 5]),
        ("planning/2024", []),
        ("planning", []),
        ("", []),
        ("x", []),
        ("2023", []),
        ("None", []),
        ("30", []),
    ],
)
def test_an_entity_is_a_stream_or_the_value_of_a_key(entity: str, positions: list[int]) -> None:
    assert [entry.position for entry in trail(small().events, entity=entity)] == positions


def test_no_events_have_no_trail() -> None:
    assert trail([], entity="X") == ()


def test_the_first_event_shows_every_field_that_has_a_value() -> None:
    (entry,) = trail(small().events, entity="Y")

    assert entry.changes == (
        FieldChange(name="year", before=None, after="2023"),
        FieldChange(name="indicator_code", before=None, after="Y"),
        FieldChange(name="value", before=None, after="5"),
        FieldChange(name="missing_reasons", before=None, after="-"),
    )


def test_a_later_event_shows_its_keys_and_what_differs_from_the_one_before() -> None:
    entry = trail(small().events, entity="X")[-1]

    assert changes(entry) == {"indicator_code": ("X", "X"), "value": ("1", "2")}


def test_a_value_that_goes_away_is_shown_as_none() -> None:
    cycle = Cycle().define(result("X", "1"), no_result("X", "FUNDING", "TIME"), result("X", "3"))
    _, gone, back = trail(cycle.events, entity="X")

    assert changes(gone) == {
        "indicator_code": ("X", "X"),
        "value": ("1", "-"),
        "missing_reasons": ("-", "FUNDING, TIME"),
    }
    assert changes(back)["value"] == ("-", "3")


def test_events_are_compared_within_kind_stream_and_keys() -> None:
    cycle = Cycle()
    cycle.add(target("X", "9"), stream="planning/2023")
    cycle.add(result("X", "1"), stream="results/2023")
    cycle.add(replace(result("X", "2"), year=2024), stream="results/2024")

    befores = [
        change.before for entry in trail(cycle.events, entity="X") for change in entry.changes
    ]
    assert set(befores) == {None}


def test_an_event_of_another_entity_is_not_the_one_before() -> None:
    cycle = Cycle().define(result("X", "1"), result("Y", "2"), result("X", "3"))

    assert changes(trail(cycle.events, entity="X")[1])["value"] == ("1", "3")


def test_an_entry_says_who_when_under_which_act_and_why() -> None:
    cycle = Cycle()
    first = cycle.add(result("X", "1"), PRE, vintage="PRE_CONSUNTIVO")
    second = cycle.add(result("X", "2"), CLOSING, acts=(PLAN_ACT,), supersedes=first)
    before, entry = trail(cycle.events, entity="X")

    assert (before.reason, before.supersedes, before.acts) == (None, None, ())
    assert (before.as_of, before.vintage) == (PRE, "PRE_CONSUNTIVO")
    assert (entry.reason, entry.supersedes) == ("corrected", first.event_id)
    assert (entry.acts, entry.event_id) == ((PLAN_ACT,), second.event_id)
    assert (entry.stream, entry.stream_version) == ("planning/2023", 2)
    assert entry.recorded_at == second.recorded_at
    assert entry.event_type == "registro.results.ResultRecorded"


def with_actor(actor: Actor, source: Source) -> RecordedEvent:
    recorded = Cycle().add(result("X", "1"))
    return replace(recorded, envelope=replace(recorded.envelope, actor=actor, source=source))


@pytest.mark.parametrize(
    ("actor", "source", "expected"),
    [
        (Actor(role="DG"), Source(system="cli"), ("DG", "cli")),
        (Actor(role="DG", unit_code="DC1"), Source(system="cli"), ("DG@DC1", "cli")),
        (
            Actor(role="OIV"),
            Source(system="import", document="rp", locator="001:9"),
            ("OIV", "import rp 001:9"),
        ),
        (
            Actor(role="OIV", person=SECRET),
            Source(system="import", locator="001:9", sha256=b"\x01" * 32),
            ("OIV", "import 001:9"),
        ),
    ],
)
def test_actor_and_source_are_shown_without_the_person(
    actor: Actor, source: Source, expected: tuple[str, str]
) -> None:
    (entry,) = trail([with_actor(actor, source)], entity="X")

    assert (entry.actor, entry.source) == expected
    assert "Rossi" not in repr(entry)
    assert SECRET.ciphertext.hex() not in repr(entry)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (b"\x00\xff", "00ff"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.10"), "0.10"),
        (dt.date(2023, 1, 30), "2023-01-30"),
        (7, "7"),
        (False, "False"),
        ("testo", "testo"),
        ((), "-"),
        (("a", Decimal(2)), "a, 2"),
        (PLAN_ACT, "CdA/resolution/14/2023-01-30"),
        (replace(PLAN_ACT, number=None), "CdA/resolution//2023-01-30"),
        ((PLAN_ACT, PLAN_ACT), "CdA/resolution/14/2023-01-30, CdA/resolution/14/2023-01-30"),
        (SECRET, "Encrypted"),
        (Actor(role="DG", person=SECRET), "Actor"),
    ],
)
def test_values_are_shown_as_plain_text_and_personal_ones_by_kind(value: object, text: str) -> None:
    assert shown(value) == text


def test_keys_come_in_the_order_of_the_schema() -> None:
    assert keys_of(weight("P", "X", "30")) == ("P", "X")
    assert keys_of(act_adopted()) == ("CdA/resolution/14/2023-01-30",)
    assert keys_of(definition("X")) == ("X",)


def test_bytes_are_shown_as_hexadecimal_digits() -> None:
    release = SchemaReleased(full_name="a.B", version=1, schema_id=b"\xab" * 32, text="{}")
    (entry,) = trail(Cycle().define(release).events, entity="a.B")

    assert changes(entry)["schema_id"] == (None, "ab" * 32)


def test_a_unit_is_found_by_its_code() -> None:
    unit = UnitEstablished(unit_code="DG", unit_type="DG", name="Direzione", valid_from=JAN_1)

    assert len(trail(Cycle().define(unit, result("X", "1")).events, entity="DG")) == 1


def test_entries_come_in_order_of_the_ledger_not_of_knowledge() -> None:
    cycle = Cycle()
    cycle.add(result("X", "2"), CLOSING)
    cycle.add(result("X", "1"), PLAN)

    entries = trail(cycle.events, entity="X")
    assert [entry.as_of for entry in entries] == [CLOSING, PLAN]
    assert changes(entries[1])["value"] == ("2", "1")


def test_every_event_of_the_example_is_on_the_trail_of_its_stream_and_of_its_keys() -> None:
    events = example_events()
    some = events[::97]
    results = [event for event in events if isinstance(event.event, ResultRecorded)]

    for event in (*some, results[0], results[-1]):
        for entity in (event.stream, *keys_of(event.event)):
            assert event.position in {entry.position for entry in trail(events, entity=entity)}


def test_a_correction_is_compared_with_the_event_it_corrects() -> None:
    cycle = Cycle()
    first = cycle.add(result("X", "111.43"), PRE, vintage="PRE_CONSUNTIVO")
    cycle.add(result("X", "111.5"), CLOSING, vintage="CONSUNTIVO")
    cycle.add(result("X", "112"), CLOSING, supersedes=first)
    entry = trail(cycle.events, entity="X")[-1]

    assert changes(entry)["value"] == ("111.43", "112")
    assert (entry.supersedes, entry.supersedes_position) == (first.event_id, 1)


def test_a_correction_of_a_correction_is_compared_with_the_latter() -> None:
    cycle = Cycle()
    first = cycle.add(result("X", "1"), PRE)
    second = cycle.add(result("X", "2"), CLOSING, supersedes=first)
    cycle.add(result("X", "9"), CLOSING)
    cycle.add(result("X", "3"), CLOSING, supersedes=second)
    entry = trail(cycle.events, entity="X")[-1]

    assert changes(entry)["value"] == ("2", "3")
    assert entry.supersedes_position == 2


def test_a_correction_that_moves_a_result_to_another_unit_shows_both_units() -> None:
    cycle = Cycle()
    first = cycle.add(result("X", "1"), PRE)
    cycle.add(result("X", "1", unit_code="DR01"), CLOSING, supersedes=first)

    assert changes(trail(cycle.events, entity="X")[-1])["unit_code"] == ("-", "DR01")


def test_a_correction_of_an_event_that_was_not_read_is_compared_with_the_one_before() -> None:
    cycle = Cycle()
    first = cycle.add(result("X", "1"), PRE)
    cycle.add(result("X", "2"), PRE)
    cycle.add(result("X", "3"), CLOSING, supersedes=first)
    entry = trail(cycle.events[1:], entity="X")[-1]

    assert changes(entry)["value"] == ("2", "3")
    assert entry.supersedes_position is None
