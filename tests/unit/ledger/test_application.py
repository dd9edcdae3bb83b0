"""The ledger as an application: opening, executing, schemas before their first use, lost races."""

import datetime as dt
import sqlite3
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import cast

import pytest

from ledger.aggregates.base import Command, Proposal
from ledger.aggregates.documents import DOCUMENTS, document_stream
from ledger.aggregates.identity import LEDGER_STREAM, SCHEMAS_STREAM
from ledger.application import LEDGER_ROLE, LedgerApplication
from ledger.envelopes import command
from ledger.errors import (
    AppendKeyConflictError,
    CommandRefusedError,
    LedgerExistsError,
    LedgerMissingError,
    StoreFormatError,
    WrongExpectedVersionError,
)
from ledger.events.ledger import Envelope, LedgerOpened, SchemaReleased
from ledger.events.publication import DocumentPublished, FigurePublished
from ledger.feed import GovernedEvent, RecordedEvent, read_all
from ledger.types import Position
from tests.support.given import JAN_1, act_adopted, envelope
from tests.support.ledgers import (
    START,
    CountingEntropy,
    FakeClock,
    embedded,
    new_ledger,
    reopened,
    store_at,
)

ADOPTION = command("act", [Proposal(event=act_adopted(), envelope=envelope())])
REPORT = command(
    "report",
    [
        Proposal(
            event=DocumentPublished(document_id="report", title="report", published_on=JAN_1),
            envelope=envelope(),
        )
    ],
)


def figure(name: str, *, as_of: dt.date = dt.date(2023, 6, 1)) -> Command:
    event = FigurePublished(
        figure_id=name,
        document_id="report",
        label="figure",
        raw="1,5",
        value=Decimal("1.5"),
        measure_unit="percent",
        decimals=1,
    )
    return command(name, [Proposal(event=event, envelope=envelope(as_of))])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture(params=["file", "memory"])
def ledger(request: pytest.FixtureRequest, path: Path) -> LedgerApplication:
    return new_ledger(path if request.param == "file" else None)


def check_schemas(ledger: LedgerApplication) -> tuple[RecordedEvent, ...]:
    """Assert that every schema was released once and before its first use; return the events."""
    released: set[bytes] = set()
    waiting: set[bytes] = set()
    for item in ledger.store.read():
        used = {item.record.schema_id, item.record.envelope_schema_id}
        event = ledger.avro.recorded(item).event
        if isinstance(event, SchemaReleased):
            assert event.schema_id not in released
            released.add(event.schema_id)
            # The first releases describe themselves: they are whole when the block of them ends.
            waiting |= used
        else:
            assert used | waiting <= released
    return tuple(read_all(ledger))


# Opening


def test_a_new_ledger_begins_with_its_schemas_and_its_identity(ledger: LedgerApplication) -> None:
    events = check_schemas(ledger)

    assert [type(item.event) for item in events] == [SchemaReleased] * 3 + [LedgerOpened]
    assert events[-1].stream == LEDGER_STREAM
    assert events[-1].stream_version == 1
    assert ledger.identity.body == "INPS"


def test_the_ledger_records_its_own_events_under_its_own_role(ledger: LedgerApplication) -> None:
    for item in read_all(ledger):
        assert item.envelope.actor.role == LEDGER_ROLE
        assert item.envelope.as_of == START.date()


def test_the_identity_is_what_was_asked_for(path: Path) -> None:
    clock, entropy = FakeClock(), CountingEntropy()
    ledger = LedgerApplication.create(
        store_at(path, clock=clock, entropy=entropy),
        clock=clock,
        entropy=entropy,
        body=None,
        title="Prova",
        sandbox=True,
        origin="esempio.invalid/registro",
        language="en",
        currency="USD",
        timezone="America/New_York",
    )

    opened = ledger.identity.opened
    assert opened is not None
    assert (opened.body, opened.title, opened.sandbox) == (None, "Prova", True)
    assert (opened.origin, opened.language) == ("esempio.invalid/registro", "en")
    assert (opened.currency, opened.timezone) == ("USD", "America/New_York")
    assert str(ledger.zone) == "America/New_York"


def test_two_ledgers_have_two_identities_unless_the_entropy_is_the_same(tmp_path: Path) -> None:
    first, second = new_ledger(tmp_path / "1.db"), new_ledger(tmp_path / "2.db")
    assert first.identity == second.identity

    entropy = CountingEntropy()
    entropy.token(16)
    other = LedgerApplication.create(
        store_at(None), clock=FakeClock(), entropy=entropy, body="INPS"
    )

    assert other.identity != first.identity


def test_a_ledger_is_the_same_after_it_was_opened_again(path: Path) -> None:
    ledger = new_ledger(path)
    ledger.execute(REPORT, figure("f1"))

    again = reopened(path)

    assert tuple(read_all(again)) == tuple(read_all(ledger))
    assert again.identity == ledger.identity


def test_refuses_to_create_a_second_ledger_in_the_same_place(path: Path) -> None:
    ledger = new_ledger(path)
    head = ledger.head()

    with pytest.raises(LedgerExistsError):
        new_ledger(path)

    assert reopened(path).head() == head


def test_refuses_to_open_what_is_not_there(path: Path) -> None:
    with pytest.raises(LedgerMissingError):
        reopened(path)

    assert not path.exists()


@embedded
def test_refuses_to_open_tables_without_an_identity(path: Path) -> None:
    store_at(path).create()

    with pytest.raises(LedgerMissingError) as caught:
        reopened(path)

    assert caught.value.facts["store"] == str(path)


@embedded
def test_refuses_to_open_another_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE bookmarks (url)")

    with pytest.raises(StoreFormatError):
        reopened(path)


# Days


@pytest.mark.parametrize(
    ("instant", "today"),
    [
        (dt.datetime(2023, 12, 31, 22, 59, 58, tzinfo=dt.UTC), dt.date(2023, 12, 31)),
        (dt.datetime(2023, 12, 31, 23, 0, tzinfo=dt.UTC), dt.date(2024, 1, 1)),
        (dt.datetime(2023, 6, 30, 22, 0, tzinfo=dt.UTC), dt.date(2023, 7, 1)),
    ],
)
def test_days_begin_in_the_time_zone_of_the_body(instant: dt.datetime, today: dt.date) -> None:
    clock = FakeClock()
    ledger = LedgerApplication.create(
        store_at(None), clock=clock, entropy=CountingEntropy(), body="INPS"
    )
    clock.instant = instant

    assert ledger.today() == today


def test_what_is_known_tomorrow_is_refused_by_the_clock_given(ledger: LedgerApplication) -> None:
    ledger.execute(REPORT)
    today = ledger.today()

    ledger.execute(figure("today", as_of=today))
    with pytest.raises(CommandRefusedError):
        ledger.execute(figure("tomorrow", as_of=today + dt.timedelta(days=1)))


# Executing


def test_executes_several_commands_in_one_transaction(ledger: LedgerApplication) -> None:
    committed = ledger.execute(ADOPTION, REPORT, figure("f1"), figure("f2"))

    records = ledger.store.read()
    assert len({item.recorded_at for item in records[-committed.appended :]}) == 1
    assert [receipt.repeated for receipt in committed.receipts] == [False] * 4
    assert committed.head == ledger.head() == len(records)
    assert committed.appended == 4 + 3, "three schemas are used for the first time"


def test_one_refused_command_refuses_all(ledger: LedgerApplication) -> None:
    head = ledger.head()

    with pytest.raises(CommandRefusedError):
        ledger.execute(ADOPTION, REPORT, figure("f1"), ADOPTION_AGAIN)

    assert ledger.head() == head
    ledger.execute(ADOPTION, REPORT, figure("f1"))
    check_schemas(ledger)


ADOPTION_AGAIN = command("act/2", [Proposal(event=act_adopted(), envelope=envelope())])


def test_a_repeated_command_adds_nothing(ledger: LedgerApplication) -> None:
    first = ledger.execute(REPORT)

    second = ledger.execute(REPORT)

    assert second.appended == 0
    assert second.head == first.head
    assert [receipt.repeated for receipt in second.receipts] == [True]


def test_a_repeated_command_beside_a_new_one_adds_the_new_one(ledger: LedgerApplication) -> None:
    ledger.execute(REPORT, figure("f1"))

    committed = ledger.execute(REPORT, figure("f1"), figure("f2"))

    assert [receipt.repeated for receipt in committed.receipts] == [True, True, False]
    assert committed.appended == 1


def test_a_repeated_command_is_known_after_opening_again(path: Path) -> None:
    new_ledger(path).execute(REPORT)

    assert reopened(path).execute(REPORT).appended == 0


def test_refuses_a_known_key_with_other_content(ledger: LedgerApplication) -> None:
    ledger.execute(REPORT)
    head = ledger.head()

    with pytest.raises(AppendKeyConflictError):
        ledger.execute(command("report", ADOPTION.proposals))

    assert ledger.head() == head


def test_nothing_to_execute_executes_nothing(ledger: LedgerApplication) -> None:
    head = ledger.head()

    assert ledger.execute().head == head
    assert ledger.execute(command("none", [])).appended == 0


def test_the_repository_of_the_library_sees_the_same_events(ledger: LedgerApplication) -> None:
    ledger.execute(REPORT, figure("f1"))

    events = list(ledger.events.get("document/report"))

    assert [cast(GovernedEvent, item).event for item in events] == [
        item.event for item in read_all(ledger)
    ][-2:]


def test_reads_events_by_stream(ledger: LedgerApplication) -> None:
    ledger.execute(ADOPTION, REPORT, figure("f1"))
    report = document_stream("report")

    found = ledger.streams_events([report, document_stream("none")])

    assert list(found) == [report]
    assert [item.stream_version for item in found[report]] == [1, 2]


def test_reads_between_positions(ledger: LedgerApplication) -> None:
    found = ledger.read(after=Position(1), through=Position(3), limit=1)

    assert [item.position for item in found] == [2]


# Schemas


def test_schemas_are_released_once_and_before_their_first_use(ledger: LedgerApplication) -> None:
    ledger.execute(ADOPTION)
    ledger.execute(REPORT, figure("f1"))
    ledger.execute(figure("f2"))

    released = [
        item.event.full_name
        for item in check_schemas(ledger)
        if isinstance(item.event, SchemaReleased)
    ]
    assert Counter(released) == dict.fromkeys(
        (
            Envelope.TYPE,
            SchemaReleased.TYPE,
            LedgerOpened.TYPE,
            "registro.acts.ActAdopted",
            DocumentPublished.TYPE,
            FigurePublished.TYPE,
        ),
        1,
    )


def test_the_released_text_is_the_one_of_the_registry(ledger: LedgerApplication) -> None:
    for item in read_all(ledger):
        if isinstance(item.event, SchemaReleased):
            schema = ledger.avro.registry.latest(item.event.full_name)
            assert item.event.text == schema.normalised
            assert item.event.schema_id == schema.schema_id


def test_schemas_are_not_released_again_after_opening_again(path: Path) -> None:
    new_ledger(path).execute(REPORT)

    again = reopened(path)
    committed = again.execute(figure("f1"))
    later = reopened(path).execute(figure("f2"))

    assert (committed.appended, later.appended) == (2, 1)
    check_schemas(again)


def test_a_schema_that_another_process_released_loses_the_race_once(path: Path) -> None:
    ledger = new_ledger(path)
    reopened(path).execute(REPORT)
    head = ledger.head()

    with pytest.raises(WrongExpectedVersionError) as caught:
        ledger.execute(ADOPTION)

    assert caught.value.facts["stream"] == SCHEMAS_STREAM
    assert ledger.head() == head
    assert ledger.execute(ADOPTION).appended == 2
    check_schemas(ledger)


def test_the_same_schema_needed_by_two_processes_is_released_by_one(path: Path) -> None:
    first = new_ledger(path)
    first.execute(REPORT)
    second = reopened(path)
    session = second.session()
    receipt = session.submit(figure("f2"))
    first.execute(figure("f1"))

    with pytest.raises(WrongExpectedVersionError) as caught:
        second.commit(session, [receipt])

    assert caught.value.retriable
    assert second.execute(figure("f2")).appended == 1
    check_schemas(second)


# Lost races


def test_a_stream_written_meanwhile_appends_nothing(path: Path) -> None:
    first = new_ledger(path)
    first.execute(REPORT, figure("f0"))
    second = reopened(path)
    session = second.session()
    session.submit(figure("f1"))
    first.execute(figure("f2"))
    head = first.head()

    with pytest.raises(WrongExpectedVersionError) as caught:
        second.commit(session)

    assert caught.value.facts["stream"] == "document/report"
    assert second.head() == head


def test_a_stream_only_read_for_the_decision_and_written_meanwhile_appends_nothing(
    path: Path,
) -> None:
    first = new_ledger(path)
    first.execute(REPORT, figure("f0"))
    second = reopened(path)
    session = second.session()
    assert session.state(DOCUMENTS, document_stream("report")).figures
    session.submit(ADOPTION)
    first.execute(figure("f1"))
    head = first.head()

    with pytest.raises(WrongExpectedVersionError) as caught:
        second.commit(session)

    assert caught.value.facts["stream"] == "document/report"
    assert second.head() == head


def test_the_same_command_committed_meanwhile_is_answered_when_it_is_repeated(path: Path) -> None:
    first = new_ledger(path)
    first.execute(REPORT, figure("f0"))
    second = reopened(path)
    session = second.session()
    session.submit(figure("f1"))
    first.execute(figure("f1"))

    with pytest.raises(WrongExpectedVersionError):
        second.commit(session)

    assert second.execute(figure("f1")).receipts[0].repeated
