"""A session: decide many commands in memory, then append what was accepted in one transaction.

Invariants:
1. A command is accepted whole or refused whole; a refused one leaves no trace in the session.
2. Nothing reaches the store before `commit`, and `commit` is one transaction.
3. Every stream that was read for a decision is checked again when appending: if somebody wrote it
   meanwhile, nothing is appended and the caller decides again.
4. A command whose key is in the ledger already is answered again, never recorded twice: also when
   another process records it while this session decides.

Source: docs/adr/0005-proposals.md.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast

from ledger.aggregates.base import Aggregate, Command, Happened, Proposal
from ledger.aggregates.routing import aggregate_of
from ledger.envelope_rules import check_envelope
from ledger.errors import AppendKeyConflictError, CommandRefusedError
from ledger.feed import GovernedEvent, RecordedEvent, event_id_of
from ledger.records import AppendPart
from ledger.types import AppendKey, Digest, Position, StreamName, StreamVersion

S = TypeVar("S")


class History(Protocol):
    """What a session needs of the ledger below it."""

    def streams_events(
        self, streams: Collection[StreamName]
    ) -> Mapping[StreamName, Sequence[RecordedEvent]]:
        """Return the events of streams, each in order of version; empty ones may be absent."""
        ...

    def appends_known(self, keys: Sequence[AppendKey]) -> dict[AppendKey, Digest]:
        """Return the input digests of the keys that were appended before."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What became of an accepted command."""

    append_key: AppendKey
    repeated: bool
    """True when the command was in the ledger already and nothing was added."""
    events: tuple[GovernedEvent, ...] = ()
    """Events staged by this command; empty when repeated."""


@dataclass(slots=True)
class _Stream:
    aggregate: Aggregate[Any]
    state: Any
    version: int
    """Version of the last event, staged ones included."""
    stored_version: int
    """Version of the last event in the store."""


@dataclass(slots=True)
class _Journal:
    """What one command has changed so far, to be undone when it is refused."""

    before: dict[StreamName, tuple[Any, int]] = field(default_factory=dict)
    added_ids: list[tuple[StreamName, str]] = field(default_factory=list)
    staged: list[GovernedEvent] = field(default_factory=list)


class Session:
    """One unit of work over the ledger; not shared between threads."""

    def __init__(self, history: History, *, today: dt.date) -> None:
        self._history = history
        self._today = today
        self._streams: dict[StreamName, _Stream] = {}
        self._ids: dict[StreamName, set[str]] = {}
        self._staged: list[GovernedEvent] = []
        self._keys: dict[AppendKey, Digest] = {}
        """Keys staged in this session or known to be in the store."""
        self._asked: set[AppendKey] = set()

    @property
    def staged(self) -> tuple[GovernedEvent, ...]:
        """Events accepted so far, in order."""
        return tuple(self._staged)

    @property
    def expected_versions(self) -> dict[StreamName, StreamVersion]:
        """Last stored version of every stream that was read, 0 for one without events."""
        return {
            name: StreamVersion(stream.stored_version) for name, stream in self._streams.items()
        }

    def preload(self, commands: Sequence[Command]) -> None:
        """Read what many commands need at once, so that `submit` need not ask one by one."""
        self._preload_keys(command.append_key for command in commands)
        wanted: dict[StreamName, Aggregate[Any]] = {}
        for command in commands:
            if command.append_key in self._keys:
                continue
            for proposal in command.proposals:
                aggregate = aggregate_of(proposal.event)
                name = aggregate.stream_of(proposal.event, proposal.envelope)
                if name not in self._streams:
                    wanted[name] = aggregate
        found = self._history.streams_events(wanted) if wanted else {}
        for name, aggregate in wanted.items():
            self._fold(aggregate, name, found.get(name, ()))

    def _preload_keys(self, keys: Iterable[AppendKey]) -> None:
        fresh = [key for key in dict.fromkeys(keys) if key not in self._asked]
        if not fresh:
            return
        self._keys.update(self._history.appends_known(fresh))
        self._asked.update(fresh)

    def state(self, aggregate: Aggregate[S], stream: StreamName) -> S:
        """Return the state of a stream, staged events included."""
        return cast(S, self._stream(aggregate, stream).state)

    def submit(self, command: Command) -> Receipt:
        """Decide a command and stage its events.

        Raises:
            CommandRefusedError: a rule forbids it; nothing of it is staged.
            AppendKeyConflictError: its key was used for other content.
        """
        self._preload_keys([command.append_key])
        repeated = self._repeated(command)
        if repeated is not None:
            return repeated
        journal = _Journal()
        try:
            for part, proposal in enumerate(command.proposals):
                self._accept(command, part, proposal, journal)
        except CommandRefusedError:
            self._undo(journal)
            # Another process may have recorded this very command after its key was asked for and
            # before a stream was read: then its own effects are what forbids it.
            self._keys.update(self._history.appends_known([command.append_key]))
            repeated = self._repeated(command)
            if repeated is None:
                raise
            return repeated
        except Exception:
            self._undo(journal)
            raise
        self._staged.extend(journal.staged)
        self._keys[command.append_key] = command.input_digest
        return Receipt(append_key=command.append_key, repeated=False, events=tuple(journal.staged))

    def _repeated(self, command: Command) -> Receipt | None:
        """Return the answer to a command that adds nothing, None for one to decide."""
        known = self._keys.get(command.append_key)
        if known is not None and known != command.input_digest:
            raise AppendKeyConflictError(append_key=command.append_key, position="?")
        if known is None and command.proposals:
            return None
        # Its key is known, or what it asks for is the present state already.
        return Receipt(append_key=command.append_key, repeated=True)

    def _accept(self, command: Command, part: int, proposal: Proposal, journal: _Journal) -> None:
        aggregate = aggregate_of(proposal.event)
        name = aggregate.stream_of(proposal.event, proposal.envelope)
        stream = self._stream(aggregate, name)
        check_envelope(proposal, lookup=self, today=self._today, known_ids=self._ids[name])
        aggregate.decide(stream.state, proposal, self)
        append = AppendPart(
            key=command.append_key,
            part=part,
            part_count=len(command.proposals),
            input_digest=command.input_digest,
        )
        journal.before.setdefault(name, (stream.state, stream.version))
        happened = Happened(event=proposal.event, envelope=proposal.envelope, append=append)
        stream.state = aggregate.evolve(stream.state, happened)
        stream.version += 1
        event_id = event_id_of(append)
        self._ids[name].add(event_id)
        journal.added_ids.append((name, event_id))
        journal.staged.append(
            GovernedEvent(
                originator_id=name,
                originator_version=stream.version,
                event=proposal.event,
                envelope=proposal.envelope,
                append=append,
            )
        )

    def _undo(self, journal: _Journal) -> None:
        for name, (state, version) in journal.before.items():
            self._streams[name].state = state
            self._streams[name].version = version
        for name, event_id in journal.added_ids:
            self._ids[name].discard(event_id)

    def _stream(self, aggregate: Aggregate[Any], name: StreamName) -> _Stream:
        stream = self._streams.get(name)
        if stream is not None:
            return stream
        return self._fold(aggregate, name, self._history.streams_events([name]).get(name, ()))

    def _fold(
        self, aggregate: Aggregate[Any], name: StreamName, events: Sequence[RecordedEvent]
    ) -> _Stream:
        state = aggregate.initial
        version = 0
        ids: set[str] = set()
        for recorded in events:
            happened = Happened(
                event=recorded.event, envelope=recorded.envelope, append=recorded.append
            )
            state = aggregate.evolve(state, happened)
            version = recorded.stream_version
            ids.add(recorded.event_id)
        stream = _Stream(aggregate=aggregate, state=state, version=version, stored_version=version)
        self._streams[name] = stream
        self._ids[name] = ids
        return stream


@dataclass(frozen=True, kw_only=True, slots=True)
class Committed:
    """What a commit did."""

    receipts: tuple[Receipt, ...]
    head: Position
    """Position of the last record after the commit."""
    appended: int
    """Records appended, schema releases included."""
