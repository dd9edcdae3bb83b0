"""Sessions: whole or refused without a trace, repeated commands, what is read for a decision."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.aggregates.acts import ACTS, act_stream
from ledger.aggregates.base import Command, Proposal
from ledger.aggregates.documents import DOCUMENTS, document_stream
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.errors import AppendKeyConflictError, CommandRefusedError
from ledger.events.acts import ActReferenceCorrected
from ledger.events.base import Event
from ledger.events.publication import DocumentPublished, FigurePublished
from ledger.feed import RecordedEvent, event_id_of, read_all
from ledger.records import AppendPart
from ledger.rules import Rule
from ledger.session import Session
from ledger.types import AppendKey, Digest, StreamName
from tests.support.given import JAN_1, PLAN_ACT, TODAY, EmptyHistory, act_adopted, envelope
from tests.support.ledgers import new_ledger

REPORT = document_stream("report")


def proposal(event: Event, **facts: object) -> Proposal:
    return Proposal(event=event, envelope=replace(envelope(), **facts))  # type: ignore[arg-type] # facts are envelope fields


def report(title: str = "report") -> Proposal:
    return proposal(DocumentPublished(document_id="report", title=title, published_on=JAN_1))


def figure(name: str, value: str = "1", **facts: object) -> Proposal:
    event = FigurePublished(
        figure_id=name,
        document_id="report",
        label="figure",
        raw=value,
        value=Decimal(value),
        measure_unit="percent",
        decimals=0,
    )
    return proposal(event, **facts)


def fresh() -> Session:
    return Session(EmptyHistory(), today=TODAY)


class Watched:
    """A ledger's history that counts its queries, and lets others write in between."""

    def __init__(self, ledger: LedgerApplication) -> None:
        self.ledger = ledger
        self.queries: list[str] = []
        self.meanwhile: tuple[Command, ...] = ()

    def streams_events(
        self, streams: Collection[StreamName]
    ) -> Mapping[StreamName, Sequence[RecordedEvent]]:
        self.queries.append("streams")
        rivals, self.meanwhile = self.meanwhile, ()
        for rival in rivals:
            self.ledger.execute(rival)
        return self.ledger.streams_events(streams)

    def appends_known(self, keys: Sequence[AppendKey]) -> dict[AppendKey, Digest]:
        self.queries.append("keys")
        return self.ledger.appends_known(keys)


# Accepting


def test_stages_events_in_order_with_the_versions_of_their_streams() -> None:
    session = fresh()

    first = session.submit(command("a", [report(), figure("f1")]))
    second = session.submit(command("b", [figure("f2")]))

    assert [item.originator_version for item in session.staged] == [1, 2, 3]
    assert session.staged == (*first.events, *second.events)
    assert [(i.append.key, i.append.part, i.append.part_count) for i in session.staged] == [
        ("a", 0, 2),
        ("a", 1, 2),
        ("b", 0, 1),
    ]


def test_a_later_command_sees_what_an_earlier_one_staged() -> None:
    session = fresh()
    session.submit(command("a", [report()]))

    session.submit(command("b", [figure("f")]))

    assert session.state(DOCUMENTS, REPORT).figures["f"] == Decimal(1)


def test_a_later_proposal_of_one_command_sees_the_earlier_one() -> None:
    session = fresh()

    receipt = session.submit(command("a", [report(), figure("f")]))

    assert len(receipt.events) == 2


def test_a_staged_event_can_be_corrected_by_its_identifier() -> None:
    session = fresh()
    receipt = session.submit(command("a", [report(), figure("f")]))
    wrong = event_id_of(receipt.events[1].append)

    session.submit(command("b", [figure("f", "2", supersedes=wrong, reason="typing error")]))

    assert session.state(DOCUMENTS, REPORT).figures["f"] == Decimal(2)


def test_the_versions_expected_are_those_of_the_store_not_the_staged_ones() -> None:
    ledger = new_ledger()
    ledger.execute(command("a", [report()]))
    session = ledger.session()

    session.submit(command("b", [figure("f1")]))
    session.submit(command("c", [figure("f2")]))

    assert session.expected_versions[REPORT] == 1


def test_streams_that_are_only_read_are_expected_too() -> None:
    session = fresh()
    session.submit(command("a", [proposal(act_adopted())]))

    session.submit(command("b", [report()]))
    session.submit(command("c", [figure("f", acts=(PLAN_ACT,))]))

    assert session.expected_versions == {
        REPORT: 0,
        act_stream("CdA/resolution/14/2023-01-30"): 0,
    }


# Refusing


@pytest.mark.parametrize(
    "wrong",
    [
        [figure("f1")],
        [figure("f2"), figure("f1")],
        [figure("f2"), figure("f3"), report()],
        [figure("f2"), figure("f3", supersedes="none", reason="x")],
        [figure("f2"), figure("f3", acts=(PLAN_ACT,))],
    ],
)
def test_a_refused_command_leaves_no_trace(wrong: Sequence[Proposal]) -> None:
    session = fresh()
    session.submit(command("a", [report(), figure("f1")]))
    before = session.staged
    state = session.state(DOCUMENTS, REPORT)
    with pytest.raises(CommandRefusedError):
        session.submit(command("b", wrong))

    assert session.staged == before
    assert session.state(DOCUMENTS, REPORT) == state
    receipt = session.submit(command("b", [figure("f2")]))
    assert not receipt.repeated
    assert receipt.events[0].originator_version == 3


def test_the_identifiers_of_a_refused_command_cannot_be_corrected() -> None:
    session = fresh()
    session.submit(command("a", [report()]))
    refused = command("b", [figure("f1"), report()])
    with pytest.raises(CommandRefusedError):
        session.submit(refused)
    gone = event_id_of(AppendPart(key=AppendKey("b"), part=0, part_count=2))

    with pytest.raises(CommandRefusedError) as caught:
        session.submit(command("c", [figure("f1", supersedes=gone, reason="x")]))

    assert caught.value.rule == Rule.SUPERSEDED_UNKNOWN


def test_a_refused_command_leaves_the_other_streams_it_touched() -> None:
    session = fresh()
    with pytest.raises(CommandRefusedError):
        session.submit(command("a", [proposal(act_adopted()), report(), report()]))

    assert session.state(ACTS, act_stream("CdA/resolution/14/2023-01-30")).act is None
    assert session.state(DOCUMENTS, REPORT).document is None
    assert session.staged == ()


def test_an_error_that_is_no_refusal_leaves_no_trace_either() -> None:
    session = fresh()
    broken = Proposal(event=Event(), envelope=envelope())

    with pytest.raises(KeyError):
        session.submit(command("a", [report(), broken], facts="a"))

    assert session.staged == ()
    assert session.state(DOCUMENTS, REPORT).document is None


# Repeating


def test_a_command_submitted_twice_is_staged_once() -> None:
    session = fresh()
    wanted = command("a", [report()])

    first, second = session.submit(wanted), session.submit(wanted)

    assert (first.repeated, second.repeated) == (False, True)
    assert second.events == ()
    assert len(session.staged) == 1


def test_a_command_in_the_ledger_is_answered_again() -> None:
    ledger = new_ledger()
    wanted = command("a", [report()])
    ledger.execute(wanted)
    session = ledger.session()

    assert session.submit(wanted).repeated
    assert session.staged == ()


@pytest.mark.parametrize("staged", [True, False])
def test_refuses_a_known_key_with_other_content(*, staged: bool) -> None:
    ledger = new_ledger()
    session = ledger.session()
    if staged:
        session.submit(command("a", [report()]))
    else:
        ledger.execute(command("a", [report()]))
    before = session.staged

    with pytest.raises(AppendKeyConflictError) as caught:
        session.submit(command("a", [report("another title")]))

    assert caught.value.facts["append_key"] == "a"
    assert session.staged == before


def test_a_command_without_proposals_asks_for_nothing() -> None:
    session = fresh()

    assert session.submit(command("a", [])).repeated
    assert session.staged == ()


def test_a_command_that_another_process_records_meanwhile_is_answered_not_refused() -> None:
    ledger = new_ledger()
    ledger.execute(command("report", [report()]))
    history = Watched(ledger)
    wanted = command("a", [figure("f")])
    history.meanwhile = (wanted,)
    session = Session(history, today=TODAY)

    receipt = session.submit(wanted)

    assert receipt.repeated
    assert session.staged == ()


def test_another_command_with_the_same_key_recorded_meanwhile_is_a_conflict() -> None:
    ledger = new_ledger()
    ledger.execute(command("report", [report()]))
    history = Watched(ledger)
    history.meanwhile = (command("a", [figure("f", "2")]),)

    with pytest.raises(AppendKeyConflictError):
        Session(history, today=TODAY).submit(command("a", [figure("f")]))


# Preloading


def mixed() -> list[Command]:
    return [
        command("old", [report()]),
        command("act", [proposal(act_adopted())]),
        command("f1", [figure("f1", acts=(PLAN_ACT,))]),
        command("f1-again", [figure("f1")]),
        command("old", [report("other")]),
        command("f2", [figure("f2"), figure("f3")]),
        command("f2", [figure("f2"), figure("f3")]),
        command("none", []),
        command(
            "citation",
            [
                proposal(
                    ActReferenceCorrected(
                        document_id="d",
                        locator="1",
                        cited=replace(PLAN_ACT, number="99"),
                        correct=PLAN_ACT,
                    )
                )
            ],
        ),
    ]


def outcomes(session: Session, commands: Sequence[Command]) -> list[object]:
    found: list[object] = []
    for wanted in commands:
        try:
            found.append(session.submit(wanted))
        except (CommandRefusedError, AppendKeyConflictError) as error:
            found.append((type(error), str(error)))
    return found


def ledger_with_a_report() -> LedgerApplication:
    ledger = new_ledger()
    ledger.execute(command("old", [report()]))
    return ledger


@pytest.mark.property
@settings(max_examples=30, deadline=None)
@given(order=st.permutations(range(len(mixed()))))
def test_preloading_changes_no_outcome(order: Sequence[int]) -> None:
    ledger = ledger_with_a_report()
    commands = [mixed()[place] for place in order]
    one_by_one, preloaded = ledger.session(), ledger.session()
    preloaded.preload(commands)

    assert outcomes(preloaded, commands) == outcomes(one_by_one, commands)
    assert preloaded.staged == one_by_one.staged
    for name, version in one_by_one.expected_versions.items():
        assert preloaded.expected_versions[name] == version


def test_preloading_asks_once_for_many_commands() -> None:
    history = Watched(ledger_with_a_report())
    session = Session(history, today=TODAY)
    commands = [command(f"f{number}", [figure(f"f{number}")]) for number in range(20)]

    session.preload(commands)
    for wanted in commands:
        session.submit(wanted)

    assert history.queries == ["keys", "streams"]


def test_preloading_twice_forgets_nothing_that_was_staged() -> None:
    session = ledger_with_a_report().session()
    session.submit(command("f1", [figure("f1")]))

    session.preload([command("f2", [figure("f2")])])

    assert session.state(DOCUMENTS, REPORT).figures["f1"] == Decimal(1)
    assert session.submit(command("f2", [figure("f2")])).events[0].originator_version == 3


def test_preloading_known_commands_reads_no_stream() -> None:
    history = Watched(ledger_with_a_report())

    Session(history, today=TODAY).preload([command("old", [report()])])

    assert history.queries == ["keys"]


def test_nothing_reaches_the_store_before_the_commit() -> None:
    ledger = new_ledger()
    head = ledger.head()
    session = ledger.session()
    session.submit(command("a", [report(), figure("f")]))

    assert ledger.head() == head
    committed = ledger.commit(session)
    assert committed.head == ledger.head() == head + committed.appended
    assert [item.append.key for item in read_all(ledger)][-2:] == ["a", "a"]
