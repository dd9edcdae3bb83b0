"""Given events, when one is proposed, then it is accepted or refused by a named rule."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest

from ledger.aggregates.base import Command, Proposal, act_key
from ledger.envelopes import input_digest
from ledger.errors import CommandRefusedError
from ledger.events.acts import ActAdopted
from ledger.events.base import Event
from ledger.events.ledger import Actor, ActReference, Envelope, Source
from ledger.feed import RecordedEvent
from ledger.rules import Rule
from ledger.session import Session
from ledger.types import AppendKey, Digest, StreamName

TODAY = dt.date(2026, 11, 21)
JAN_1 = dt.date(2023, 1, 1)
DEC_31 = dt.date(2023, 12, 31)
PLAN_ACT = ActReference(
    organ="CdA", act_type="resolution", number="14", adopted_on=dt.date(2023, 1, 30)
)


def envelope(
    as_of: dt.date = dt.date(2023, 6, 1),
    *,
    ref: tuple[dt.date, dt.date] | None = (JAN_1, DEC_31),
    acts: tuple[ActReference, ...] = (),
    reason: str | None = None,
    supersedes: str | None = None,
    vintage: str | None = None,
) -> Envelope:
    """Return an envelope with the facts that matter to a test."""
    return Envelope(
        ref_from=None if ref is None else ref[0],
        ref_to=None if ref is None else ref[1],
        as_of=as_of,
        vintage=vintage,
        actor=Actor(role="DCPCG"),
        source=Source(system="test"),
        acts=acts,
        reason=reason,
        supersedes=supersedes,
    )


def act_adopted(
    reference: ActReference = PLAN_ACT, *, effective_from: dt.date | None = None
) -> ActAdopted:
    """Return the adoption of an act, in force at once unless said otherwise."""
    return ActAdopted(
        act_key=act_key(
            reference.organ, reference.act_type, reference.number, reference.adopted_on
        ),
        organ=reference.organ,
        act_type=reference.act_type,
        number=reference.number,
        adopted_on=reference.adopted_on,
        subject="plan",
        effective_from=effective_from or reference.adopted_on,
    )


class EmptyHistory:
    """A ledger without records."""

    def streams_events(
        self, streams: Collection[StreamName]
    ) -> Mapping[StreamName, Sequence[RecordedEvent]]:
        """Return nothing."""
        del streams
        return {}

    def appends_known(self, keys: Sequence[AppendKey]) -> dict[AppendKey, Digest]:
        """Know nothing."""
        del keys
        return {}


@dataclass
class Given:
    """A session into which events have been accepted."""

    session: Session = field(default_factory=lambda: Session(EmptyHistory(), today=TODAY))
    count: int = 0

    def given(self, *events: Event | Proposal) -> "Given":
        """Record events that are fine."""
        for event in events:
            self._submit(event)
        return self

    def accepts(self, event: Event | Proposal) -> "Given":
        """Expect that an event is accepted."""
        before = len(self.session.staged)
        self._submit(event)
        assert len(self.session.staged) == before + 1
        return self

    def refuses(self, event: Event | Proposal, rule: Rule) -> CommandRefusedError:
        """Expect that an event is refused by a rule and leaves no trace."""
        before = self.session.staged
        with pytest.raises(CommandRefusedError) as caught:
            self._submit(event)
        assert caught.value.rule == rule
        assert self.session.staged == before
        return caught.value

    def _submit(self, event: Event | Proposal) -> None:
        proposal = (
            event if isinstance(event, Proposal) else Proposal(event=event, envelope=envelope())
        )
        self.count += 1
        self.session.submit(
            Command(
                append_key=AppendKey(f"test/{self.count}"),
                input_digest=input_digest([self.count]),
                proposals=(proposal,),
            )
        )


def under_act(event: Event, as_of: dt.date = dt.date(2023, 6, 1)) -> Proposal:
    """Return a proposal that cites the plan act."""
    return Proposal(event=event, envelope=envelope(as_of, acts=(PLAN_ACT,)))


def at(event: Event, as_of: dt.date, **facts: object) -> Proposal:
    """Return a proposal known on a day."""
    return Proposal(event=event, envelope=replace(envelope(as_of), **facts))  # type: ignore[arg-type] # facts are envelope fields
