"""Persons of a ledger: sealed under their subject, opened while the ledger allows it."""

import datetime as dt
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from ledger.aggregates.base import Command, Proposal
from ledger.aggregates.retention import RETENTION, RETENTION_STREAM
from ledger.aggregates.subjects import HOLDS, HOLDS_STREAM
from ledger.application import LedgerApplication
from ledger.envelopes import command, input_digest
from ledger.errors import CommandRefusedError, InvalidCommandError
from ledger.events.acts import ActAdopted
from ledger.events.base import Event
from ledger.events.ledger import Encrypted
from ledger.events.privacy import HoldPlaced, HoldReleased, RetentionTermSet
from ledger.feed import read_all
from ledger.privacy.erasure import (
    KeyFate,
    Standing,
    SubjectStanding,
    destroy_key,
    erasure_of,
    standings,
)
from ledger.privacy.footprint import Footprint, footprints, last_day_of, years_of
from ledger.privacy.keystore import KeyStore
from ledger.privacy.persons import Damaged, Erased, Locked, Persons, Readable, Signed
from ledger.rules import Rule
from tests.support.given import PLAN_ACT, act_adopted, envelope
from tests.support.ledgers import START, CountingEntropy, new_ledger

NAME = "Mario Rossi"


@dataclass
class Place:
    """A ledger with its keys."""

    ledger: LedgerApplication
    keys: KeyStore
    entropy: CountingEntropy = field(default_factory=CountingEntropy)

    @property
    def ledger_id(self) -> str:
        opened = self.ledger.identity.opened
        assert opened is not None
        return opened.ledger_id

    @property
    def persons(self) -> Persons:
        return Persons(self.ledger, ledger_id=self.ledger_id, keys=self.keys)

    def sign(self, *proposals: Proposal, name: str = NAME) -> Signed:
        signer = self.persons.signer(name, entropy=self.entropy, now=START)
        if signer.fresh:
            self.keys.keep(signer.key, name=signer.name, instead_of=signer.instead_of)
        return self.persons.sign(signer, proposals, entropy=self.entropy)

    def record(self, number: str, *, name: str = NAME) -> Encrypted:
        """Record the adoption of an act in the name of a person."""
        reference = replace(PLAN_ACT, number=number)
        proposal = Proposal(event=act_adopted(reference), envelope=envelope(dt.date(2023, 2, 1)))
        signed = self.sign(proposal, name=name)
        self.ledger.execute(command(f"act/{number}", signed.proposals, facts=signed.facts))
        person = signed.proposals[0].envelope.actor.person
        assert person is not None
        return person

    def footprint(self, person: Encrypted) -> Footprint:
        return footprints(read_all(self.ledger))[person.key_id]

    def erase(self, person: Encrypted) -> None:
        """Record an erasure; the key is left where it is."""
        self.ledger.execute(erasing(self.footprint(person)))


def erasing(footprint: Footprint, *, approvers: Sequence[str] = ("RPCT", "DPO")) -> Command:
    """Return the command that erases a subject under the act 14."""
    event = erasure_of(
        footprint, ground="request", legal_basis="art. 17", approvers=approvers, requested_on=None
    )
    acts = (replace(PLAN_ACT, number="14"),)
    stated = envelope(dt.date(2026, 6, 1), ref=None, acts=acts, reason="asked")
    return command(f"erase/{footprint.subject_id}", [Proposal(event=event, envelope=stated)])


@pytest.fixture
def place(tmp_path: Path) -> Place:
    ledger = new_ledger(tmp_path / "ledger.db")
    opened = ledger.identity.opened
    assert opened is not None
    entropy = CountingEntropy()
    keys = KeyStore.create(tmp_path / "keys.db", ledger_id=opened.ledger_id, entropy=entropy)
    return Place(ledger=ledger, keys=keys)


def test_a_person_is_read_while_the_key_is_there(place: Place) -> None:
    person = place.record("14")

    assert place.persons.open(person) == Readable(subject_id=person.key_id, text=NAME)


def test_no_name_is_in_the_ledger(place: Place, tmp_path: Path) -> None:
    place.record("14")

    for path in tmp_path.iterdir():
        assert b"Rossi" not in path.read_bytes()


def test_one_person_is_one_subject_and_two_are_two(place: Place) -> None:
    first, again = place.record("14"), place.record("15", name=" mario ROSSI")
    other = place.record("16", name="Anna Bianchi")

    assert first.key_id == again.key_id != other.key_id


def test_without_keys_a_person_is_locked(place: Place) -> None:
    person = place.record("14")
    reader = Persons(place.ledger, ledger_id=place.ledger_id, keys=None)

    assert reader.open(person) == Locked(subject_id=person.key_id)


def test_with_other_keys_a_person_is_locked(place: Place, tmp_path: Path) -> None:
    person = place.record("14")
    keys = KeyStore.create(tmp_path / "b", ledger_id=place.ledger_id, entropy=CountingEntropy())

    reader = Persons(place.ledger, ledger_id=place.ledger_id, keys=keys)
    assert reader.open(person) == Locked(subject_id=person.key_id)


@pytest.mark.parametrize("altered", [{"nonce": b"\0" * 12}, {"ciphertext": b"\0" * 80}])
def test_an_altered_person_is_damaged(place: Place, altered: dict[str, bytes]) -> None:
    person = place.record("14")

    told = place.persons.open(replace(person, **altered))  # type: ignore[arg-type] # bytes fields
    assert told == Damaged(subject_id=person.key_id)


def test_a_person_of_another_field_is_damaged(place: Place) -> None:
    person = place.record("14")

    assert place.persons.open(person, path="event.x") == Damaged(subject_id=person.key_id)


def test_an_erased_person_is_not_read_although_the_key_is_there(place: Place) -> None:
    person = place.record("14")
    place.erase(person)

    told = place.persons.open(person)

    assert isinstance(told, Erased)
    assert (told.position, told.acts) == (place.ledger.head(), (PLAN_ACT,))
    assert place.keys.key(person.key_id) is not None


def test_keys_of_an_old_copy_do_not_bring_a_person_back(place: Place, tmp_path: Path) -> None:
    person = place.record("14")
    shutil.copy(place.keys.path, tmp_path / "copy")
    place.erase(person)
    assert destroy_key(place.keys, person.key_id, at=START) is KeyFate.DESTROYED

    restored = KeyStore(tmp_path / "copy", ledger_id=place.ledger_id)
    reader = Persons(place.ledger, ledger_id=place.ledger_id, keys=restored)

    assert isinstance(reader.open(person), Erased)
    signer = reader.signer(NAME, entropy=place.entropy, now=START)
    assert signer.fresh
    assert signer.key.subject_id != person.key_id
    assert signer.instead_of == person.key_id


def test_an_erased_person_who_acts_again_is_a_new_subject(place: Place) -> None:
    person = place.record("14")
    place.erase(person)
    destroy_key(place.keys, person.key_id, at=START)

    again = place.record("15")

    assert again.key_id != person.key_id
    assert isinstance(place.persons.open(again), Readable)
    assert isinstance(place.persons.open(person), Erased)


def test_a_restored_key_signs_nothing(place: Place) -> None:
    person = place.record("14")
    place.erase(person)
    proposal = Proposal(event=act_adopted(replace(PLAN_ACT, number="99")), envelope=envelope())
    actor = replace(proposal.envelope.actor, person=person)
    forged = replace(proposal, envelope=replace(proposal.envelope, actor=actor))

    with pytest.raises(CommandRefusedError) as caught:
        place.ledger.execute(command("forged", [forged]))

    assert caught.value.rule == Rule.SUBJECT_ERASED


def test_the_fate_of_a_key_is_told(place: Place) -> None:
    person = place.record("14")

    assert destroy_key(place.keys, person.key_id, at=START) is KeyFate.DESTROYED
    assert destroy_key(place.keys, person.key_id, at=START) is KeyFate.GONE
    assert destroy_key(place.keys, "nobody", at=START) is KeyFate.ABSENT


def test_the_same_request_is_the_same_although_each_nonce_is_new(place: Place) -> None:
    proposal = Proposal(event=act_adopted(), envelope=envelope())

    first, second = place.sign(proposal), place.sign(proposal)

    assert first.proposals != second.proposals
    assert input_digest(first.facts) == input_digest(second.facts)


def test_another_person_makes_another_request(place: Place) -> None:
    proposal = Proposal(event=act_adopted(), envelope=envelope())

    first, second = place.sign(proposal), place.sign(proposal, name="Anna Bianchi")

    assert input_digest(first.facts) != input_digest(second.facts)


@pytest.mark.parametrize("name", ["", " ", "a\x07b", "\ud800", "x" * 1025])
def test_refuses_a_name_that_is_none(place: Place, name: str) -> None:
    with pytest.raises(InvalidCommandError):
        place.persons.signer(name, entropy=place.entropy, now=START)


# Footprints


def test_a_footprint_says_where_a_subject_stands(place: Place) -> None:
    person = place.record("14")
    place.record("15", name="Anna Bianchi")
    place.record("16")

    found = place.footprint(person)

    assert found.records == 2
    assert found.streams == (
        "act/CdA/resolution/14/2023-01-30",
        "act/CdA/resolution/16/2023-01-30",
    )
    assert found.years == (2023,)
    assert dict(found.last_days) == {"registro.acts.ActAdopted": dt.date(2023, 12, 31)}
    assert found.last_position == found.first_position + 2


def test_a_ledger_without_persons_has_no_footprint() -> None:
    assert footprints(read_all(new_ledger())) == {}


@pytest.mark.parametrize(
    ("ref", "years", "last_day"),
    [
        (None, (2024,), "2024-03-01"),
        ((dt.date(2022, 1, 1), dt.date(2023, 12, 31)), (2022, 2023), "2024-03-01"),
        ((dt.date(2024, 1, 1), dt.date(2025, 12, 31)), (2024, 2025), "2025-12-31"),
    ],
)
def test_years_and_last_day_follow_period_and_knowledge(
    ref: tuple[dt.date, dt.date] | None, years: tuple[int, ...], last_day: str
) -> None:
    stated = envelope(dt.date(2024, 3, 1), ref=ref)

    assert years_of(stated) == years
    assert last_day_of(stated).isoformat() == last_day


# Standing on a day


def decide(place: Place, event: Event, key: str) -> None:
    """Record an event under the act 14."""
    acts = (PLAN_ACT,)
    stated = envelope(dt.date(2024, 1, 1), ref=None, acts=acts, reason="decided")
    place.ledger.execute(command(key, [Proposal(event=event, envelope=stated)]))


def standing_of(place: Place, on: str) -> SubjectStanding:
    """Return how the only subject stands on a day."""
    found = footprints(read_all(place.ledger))
    session = place.ledger.session()
    (one,) = standings(
        found,
        retention=session.state(RETENTION, RETENTION_STREAM),
        holds=session.state(HOLDS, HOLDS_STREAM),
        erased={one for one in found if place.persons.erasure(one) is not None},
        on=dt.date.fromisoformat(on),
    )
    return one


TERM = RetentionTermSet(event_type=ActAdopted.TYPE, term_years=2)


def test_a_subject_without_a_term_is_not_due(place: Place) -> None:
    place.record("14")

    found = standing_of(place, "2099-01-01")

    assert (found.standing, found.kept_until) == (Standing.NO_TERM, None)
    assert found.without_term == (ActAdopted.TYPE,)


def test_a_subject_is_due_the_day_after_its_last_term(place: Place) -> None:
    place.record("14")
    decide(place, TERM, "term")

    assert standing_of(place, "2025-12-31").standing is Standing.KEPT
    assert standing_of(place, "2026-01-01").standing is Standing.DUE


def test_a_term_that_is_not_known_yet_does_not_count(place: Place) -> None:
    place.record("14")
    decide(place, TERM, "term")

    assert standing_of(place, "2023-12-31").standing is Standing.NO_TERM


@pytest.mark.parametrize(
    "hold",
    [
        HoldPlaced(hold_id="H", hold_scope="year", held="2023"),
        HoldPlaced(hold_id="H", hold_scope="stream", held="act/CdA/resolution/14/2023-01-30"),
    ],
)
def test_a_subject_on_hold_is_not_due(place: Place, hold: HoldPlaced) -> None:
    place.record("14")
    decide(place, TERM, "term")
    decide(place, hold, "hold")

    found = standing_of(place, "2026-01-01")
    assert (found.standing, found.holds) == (Standing.HELD, ("H",))

    decide(place, HoldReleased(hold_id="H"), "release")
    assert standing_of(place, "2026-01-01").standing is Standing.DUE


def test_an_erased_subject_is_not_due(place: Place) -> None:
    person = place.record("14")
    decide(place, TERM, "term")
    place.erase(person)

    assert standing_of(place, "2099-01-01").standing is Standing.ERASED


@pytest.mark.parametrize("approvers", [(), ("RPCT",)])
def test_a_refused_erasure_leaves_the_key(place: Place, approvers: tuple[str, ...]) -> None:
    person = place.record("14")

    with pytest.raises(CommandRefusedError):
        place.ledger.execute(erasing(place.footprint(person), approvers=approvers))

    assert isinstance(place.persons.open(person), Readable)
