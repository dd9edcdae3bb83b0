"""The ledger as an application: open it, read it, decide commands and append what was accepted.

It is the eventsourcing library's `Application` on our recorder and Avro mapper; the library's
repository folds a stream with our pure `evolve`.

Invariants:
1. A schema enters the ledger before its first use, in the same transaction.
2. A commit that loses a race appends nothing and raises a retriable error.

Source: docs/adr/0001-store.md, docs/adr/0004-event-classes.md, docs/adr/0005-proposals.md.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Self, TypeVar, cast
from zoneinfo import ZoneInfo

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import InfrastructureFactory, IntegrityError, Mapper
from eventsourcing.utils import Environment

from ledger.aggregates.base import Aggregate, Command, Happened
from ledger.aggregates.identity import IDENTITY, LEDGER_STREAM, SCHEMAS, SCHEMAS_STREAM, LedgerState
from ledger.clock import Clock, Entropy, random_uuid
from ledger.errors import LedgerError, LedgerMissingError
from ledger.events.ledger import Actor, Envelope, LedgerOpened, SchemaReleased, Source
from ledger.feed import GovernedEvent, RecordedEvent
from ledger.records import AppendPart, BlockHeader
from ledger.session import Committed, Receipt, Session
from ledger.store.factory import LedgerFactory
from ledger.store.mapper import AvroMapper
from ledger.store.store import Store
from ledger.types import BEFORE_FIRST, AppendKey, Digest, Position, StreamName
from schemas.registry import ReleasedSchema, SchemaRegistry, default_registry

S = TypeVar("S")

LEDGER_ROLE = "registro"
"""Role under which the ledger records its own events."""


class LedgerApplication(Application[str]):
    """One opened ledger."""

    name = "registro"

    def __init__(
        self,
        store: Store,
        *,
        clock: Clock,
        entropy: Entropy,
        registry: SchemaRegistry | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.entropy = entropy
        self._registry = registry or default_registry()
        self._released: frozenset[bytes] | None = None
        """Schemas in the ledger as of the last append of this process; None before it."""
        super().__init__(env={"IS_SNAPSHOTTING_ENABLED": "no"})

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        """Return the factory over this ledger's store."""
        return LedgerFactory(env, store=self.store)

    def construct_mapper(self) -> Mapper[str]:
        """Return the Avro mapper."""
        return AvroMapper(registry=self._registry, schema_texts=self._schema_texts)

    @property
    def avro(self) -> AvroMapper:
        """The mapper, under its own type."""
        if not isinstance(self.mapper, AvroMapper):
            raise TypeError("the ledger's mapper is the Avro mapper")
        return self.mapper

    @classmethod
    def create(
        cls,
        store: Store,
        *,
        clock: Clock,
        entropy: Entropy,
        body: str | None,
        title: str | None = None,
        sandbox: bool = False,
        origin: str | None = None,
        language: str = "it",
        currency: str = "EUR",
        timezone: str = "Europe/Rome",
    ) -> Self:
        """Create the tables and open a new ledger in them.

        Raises:
            LedgerExistsError: there is something already.
        """
        store.create()
        ledger = cls(store, clock=clock, entropy=entropy)
        ledger_id = str(random_uuid(entropy))
        opened = LedgerOpened(
            ledger_id=ledger_id,
            origin=origin or f"registro.invalid/{ledger_id}",
            body=body,
            title=title,
            sandbox=sandbox,
            language=language,
            currency=currency,
            timezone=timezone,
        )
        event = GovernedEvent(
            originator_id=LEDGER_STREAM,
            originator_version=1,
            event=opened,
            envelope=ledger.own_envelope(),
            append=AppendPart(key=AppendKey("ledger/opened")),
        )
        ledger._append((event,), expect={})
        return ledger

    @classmethod
    def open(cls, store: Store, *, clock: Clock, entropy: Entropy) -> Self:
        """Open an existing ledger and learn the schemas it holds.

        Raises:
            LedgerMissingError: there is none.
            StoreFormatError: it is of another release.
        """
        store.open()
        ledger = cls(store, clock=clock, entropy=entropy)
        if ledger.identity.opened is None:
            raise LedgerMissingError(store=str(store.engine.url.database))
        return ledger

    @property
    def identity(self) -> LedgerState:
        """The ledger's identity; `opened` is None before it is opened."""
        return self._folded(IDENTITY, LEDGER_STREAM)

    @property
    def zone(self) -> ZoneInfo:
        """Time zone of the body, in which days begin."""
        opened = self.identity.opened
        return ZoneInfo(opened.timezone if opened is not None else "UTC")

    def today(self) -> dt.date:
        """Return the present day in the body's time zone."""
        return self.clock.now().astimezone(self.zone).date()

    def session(self) -> Session:
        """Begin a unit of work."""
        return Session(self, today=self.today())

    def execute(self, *commands: Command) -> Committed:
        """Decide and append commands in one transaction.

        Raises:
            CommandRefusedError: a rule forbids one of them; nothing is appended.
            WrongExpectedVersionError: somebody wrote meanwhile; retriable.
        """
        session = self.session()
        session.preload(commands)
        receipts = tuple(session.submit(command) for command in commands)
        return self.commit(session, receipts)

    def commit(self, session: Session, receipts: Sequence[Receipt] = ()) -> Committed:
        """Append what a session has accepted, in one transaction.

        Raises:
            WrongExpectedVersionError: somebody wrote meanwhile; nothing is appended.
        """
        appended = 0
        if session.staged:
            appended = self._append(session.staged, expect=session.expected_versions)
        return Committed(receipts=tuple(receipts), head=self.store.head(), appended=appended)

    def streams_events(
        self, streams: Collection[StreamName]
    ) -> Mapping[StreamName, Sequence[RecordedEvent]]:
        """Return the events of streams, each in order of version; empty ones are absent."""
        found: dict[StreamName, list[RecordedEvent]] = {}
        for item in self.store.read_streams(streams):
            found.setdefault(item.record.stream, []).append(self.avro.recorded(item))
        return found

    def appends_known(self, keys: Sequence[AppendKey]) -> dict[AppendKey, Digest]:
        """Return the input digests of the keys that were appended before."""
        return self.store.appends_known(keys)

    def head(self) -> Position:
        """Return the position of the last record, 0 for an empty ledger."""
        return self.store.head()

    def read(
        self, *, after: Position = BEFORE_FIRST, through: Position | None = None, limit: int
    ) -> tuple[RecordedEvent, ...]:
        """Return governed events in order of position; see `ledger.feed.Feed`."""
        avro = self.avro
        return tuple(
            avro.block(item) if isinstance(item, BlockHeader) else avro.recorded(item)
            for item in self.store.outline(after=after, through=through, limit=limit)
        )

    def release(self, *full_names: str) -> None:
        """Make sure that the newest versions of schemas stand in the ledger.

        Raises:
            WrongExpectedVersionError: somebody else released schemas meanwhile; retriable.
        """
        self._append((), expect={}, types=full_names)

    def own_envelope(self) -> Envelope:
        """Return the envelope of events that the ledger records about itself."""
        return Envelope(
            as_of=self.clock.now().astimezone(dt.UTC).date(),
            actor=Actor(role=LEDGER_ROLE),
            source=Source(system=LEDGER_ROLE),
        )

    def _append(
        self,
        events: Sequence[GovernedEvent],
        *,
        expect: Mapping[StreamName, int],
        types: Sequence[str] = (),
    ) -> int:
        released = self._released
        if released is None:
            released = frozenset(self._folded(SCHEMAS, SCHEMAS_STREAM).released)
        needed = [
            schema
            for schema in self._schemas_of([*(event.event.TYPE for event in events), *types])
            if schema.schema_id not in released
        ]
        releases = [
            self._release(schema, version)
            for version, schema in enumerate(needed, start=len(released) + 1)
        ]
        if not releases and not events:
            return 0
        versions = {**expect, SCHEMAS_STREAM: len(released)}
        # Somebody else may release schemas meanwhile: then the version of the stream tells, the
        # append is refused as a lost race, and the next one reads the stream again.
        self._released = None
        try:
            self.save(*releases, *events, expect=versions)
        except IntegrityError as error:
            if isinstance(error.__cause__, LedgerError):
                raise error.__cause__ from error
            raise
        self._released = released | {schema.schema_id for schema in needed}
        return len(releases) + len(events)

    def _schema_texts(self) -> list[str]:
        stored = self.store.read_streams([SCHEMAS_STREAM])
        events = (self.avro.recorded(item).event for item in stored)
        return [event.text for event in events if isinstance(event, SchemaReleased)]

    def _schemas_of(self, types: Sequence[str]) -> list[ReleasedSchema]:
        names = [Envelope.TYPE, SchemaReleased.TYPE, *types]
        return [self._registry.latest(name) for name in dict.fromkeys(names)]

    def _release(self, schema: ReleasedSchema, version: int) -> GovernedEvent:
        released = SchemaReleased(
            full_name=schema.full_name,
            version=schema.version or 1,
            schema_id=schema.schema_id,
            text=schema.normalised,
        )
        return GovernedEvent(
            originator_id=SCHEMAS_STREAM,
            originator_version=version,
            event=released,
            envelope=self.own_envelope(),
            append=AppendPart(key=AppendKey(f"schema/{schema.schema_id.hex()}")),
        )

    def _folded(self, aggregate: Aggregate[S], stream: StreamName) -> S:
        def project(state: S | None, events: Iterable[RecordedEvent]) -> S:
            folded = aggregate.initial if state is None else state
            for recorded in events:
                happened = Happened(
                    event=recorded.event, envelope=recorded.envelope, append=recorded.append
                )
                folded = aggregate.evolve(folded, happened)
            return folded

        try:
            found = self.repository.get(stream, projector_func=cast(Any, project))
        except AggregateNotFoundError:
            return aggregate.initial
        return cast(S, found)
