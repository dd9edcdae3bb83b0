"""Append records and read them back: the one place that writes the store.

Invariants:
1. One call of `append` is one transaction: all its records or none, with adjacent positions.
2. Positions are dense from 1; a stream's versions are contiguous and begin at 0 or 1.
3. `recorded_at` never decreases with the position, whatever the clock does.
4. An append key that is in the store is refused, whatever comes with it; sessions ask for known
   keys first and answer a repeated command from there.

Left to others: schemas and meaning of the content (`ledger.store.mapper`), rules of the domain
(`ledger.aggregates`). Source: docs/adr/0001-store.md, docs/formats/record.md.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlalchemy import (
    Connection,
    Engine,
    func,
    insert,
    inspect,
    select,
)

from ledger.clock import Clock, Entropy
from ledger.errors import (
    AppendKeyConflictError,
    LedgerExistsError,
    LedgerMissingError,
    PositionGapError,
    StoredEventDecodeError,
    StoreFormatError,
    WrongExpectedVersionError,
)
from ledger.integrity.commitment import seal
from ledger.records import PendingRecord, StoredRecord, micros_of
from ledger.store.engine import file_of, keep_log, reading, shown, writing
from ledger.store.reader import NAMES_PER_QUERY, STREAM_BATCH_ROWS, Head, RecordReader
from ledger.store.rows import fields_of, row_of
from ledger.store.tables import (
    STORE_FORMAT,
    metadata,
    store_format,
)
from ledger.store.tables import record as record_table
from ledger.types import (
    BEFORE_FIRST,
    FIRST_POSITION,
    AppendKey,
    Position,
    StreamName,
    StreamVersion,
)

SALT_BYTES: Final = 32


FaultPoint = Callable[[str], None]
"""Called with the name of a step before it happens; the crash tests kill the process there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Appended:
    """Where a stream of records went."""

    first: Position
    last: Position
    """Before `first` when there was no record."""


class Store(RecordReader):
    """The records of one ledger in one database."""

    def __init__(
        self,
        engine: Engine,
        *,
        clock: Clock,
        entropy: Entropy,
        fault_point: FaultPoint = lambda _: None,
    ) -> None:
        super().__init__(engine)
        self._clock = clock
        self._entropy = entropy
        self._fault_point = fault_point

    def create(self) -> None:
        """Create the tables of an empty ledger.

        Raises:
            LedgerExistsError: there are tables already.
        """
        with reading(self.engine) as connection:
            self._refuse_tables(connection)
        keep_log(self.engine)
        with writing(self.engine) as connection:
            self._make_tables(connection)

    def open(self) -> None:
        """Check that there is a ledger of a format that this release reads.

        Raises:
            LedgerMissingError: there is no database or no table.
            StoreFormatError: it is something else, or of another release.
            StoreUnavailableError: it cannot be opened.
        """
        self.require()
        with reading(self.engine) as connection:
            found = ",".join(str(v) for v in connection.scalars(select(store_format.c.version)))
        if found != str(STORE_FORMAT):
            raise StoreFormatError(
                store=shown(self.engine.url), found=found or "none", expected=str(STORE_FORMAT)
            )
        # A copy made by SQLite's VACUUM INTO comes without the log.
        keep_log(self.engine)

    def require(self) -> None:
        """Check that the tables of a ledger are there, whatever they hold.

        Raises:
            LedgerMissingError: there is no database or no table.
            StoreFormatError: there are other tables.
        """
        path = file_of(self.engine.url)
        if path is not None and not path.exists():
            raise LedgerMissingError(store=shown(self.engine.url))
        with reading(self.engine) as connection:
            tables = set(inspect(connection).get_table_names())
        if not tables:
            raise LedgerMissingError(store=shown(self.engine.url))
        if not {store_format.name, record_table.name} <= tables:
            raise StoreFormatError(
                store=shown(self.engine.url), found="none", expected=str(STORE_FORMAT)
            )

    def append(
        self,
        records: Sequence[PendingRecord],
        *,
        expect: Mapping[StreamName, StreamVersion] | None = None,
    ) -> tuple[StoredRecord, ...]:
        """Append records in one transaction, in the order given.

        Args:
            records: at least one; appends of several keys may stand in one call.
            expect: last versions of streams that were read for the decision but are not written;
                0 for a stream that did not exist.

        Returns:
            The records with position, instant, salt and commitment.

        Raises:
            WrongExpectedVersionError: a stream was written by somebody else meanwhile.
            AppendKeyConflictError: an append key is in the store already.
        """
        self._fault_point("append.before_lock")
        with writing(self.engine) as connection:
            self._fault_point("append.locked")
            head = self._head(connection)
            # Versions first: two writers with the same command race for the same streams, and the
            # one that comes second must read again, not hear that its key has other content.
            self._check_versions(connection, records, expect or {})
            self._check_keys(connection, [record.append.key for record in records])
            stored = tuple(self._numbered(records, head))
            self._fault_point("append.before_insert")
            connection.execute(insert(record_table), [row_of(item) for item in stored])
            self._fault_point("append.before_commit")
        self._fault_point("append.committed")
        return stored

    def append_stream(
        self,
        stream: StreamName,
        key: AppendKey,
        records: Callable[[StreamVersion], Iterable[PendingRecord]],
    ) -> Appended:
        """Append many records of one stream and one key in one transaction, in bounded memory.

        Args:
            stream: of all records.
            key: of all records; must be new.
            records: called with the version of the first record, under the append lock; yields
                the records in order, with versions that go up by one.

        Raises:
            AppendKeyConflictError: the key is in the store already.
        """
        self._fault_point("append.before_lock")
        first = last = BEFORE_FIRST
        with writing(self.engine) as connection:
            self._fault_point("append.locked")
            self._check_keys(connection, [key])
            head = self._head(connection)
            first = Position(head.position + 1)
            present = self._last_versions(connection, {stream}).get(stream, 0)
            numbered = self._numbered(records(StreamVersion(present + 1)), head)
            self._fault_point("append.before_insert")
            while rows := [row_of(item) for item in islice(numbered, STREAM_BATCH_ROWS)]:
                connection.execute(insert(record_table), rows)
                last = Position(int(str(rows[-1]["position"])))
            self._fault_point("append.before_commit")
        self._fault_point("append.committed")
        return Appended(first=first, last=last)

    def restore(self, records: Iterable[StoredRecord]) -> Appended:
        """Create a ledger from given records, bit for bit, in one transaction.

        Every commitment is computed anew, down to the single event; positions, stream versions and
        instants must be as an append would have given them.

        Args:
            records: all of them, in order of position; an error raised by it undoes everything.

        Raises:
            LedgerExistsError: there are tables already.
            StoredEventDecodeError: a record does not give its commitment.
            PositionGapError: a position is missing.
            WrongExpectedVersionError: a stream has a gap.
            StoreError: an append key and part stand there twice.
        """
        keep_log(self.engine)
        given = iter(records)
        head = Head(position=0, recorded_at=0)
        with writing(self.engine) as connection:
            self._make_tables(connection)
            while batch := list(islice(given, STREAM_BATCH_ROWS)):
                self._check_versions(connection, [item.record for item in batch], {})
                for item in batch:
                    head = _checked_place(item, after=head)
                connection.execute(insert(record_table), [row_of(item) for item in batch])
            self._fault_point("restore.before_commit")
        return Appended(first=FIRST_POSITION, last=Position(head.position))

    def _make_tables(self, connection: Connection) -> None:
        self._refuse_tables(connection)
        metadata.create_all(connection)
        connection.execute(insert(store_format).values(version=STORE_FORMAT))

    def _refuse_tables(self, connection: Connection) -> None:
        if inspect(connection).get_table_names():
            raise LedgerExistsError(store=shown(self.engine.url))

    def _check_keys(self, connection: Connection, used: Sequence[AppendKey]) -> None:
        keys = list(dict.fromkeys(used))
        for start in range(0, len(keys), NAMES_PER_QUERY):
            row = connection.execute(
                select(record_table.c.append_key, record_table.c.position)
                .where(record_table.c.append_key.in_(keys[start : start + NAMES_PER_QUERY]))
                .limit(1)
            ).first()
            if row is not None:
                raise AppendKeyConflictError(append_key=row.append_key, position=row.position)

    def _check_versions(
        self,
        connection: Connection,
        records: Sequence[PendingRecord],
        expect: Mapping[StreamName, StreamVersion],
    ) -> None:
        last = self._last_versions(connection, {*(r.stream for r in records), *expect})
        for stream, expected in expect.items():
            if last.get(stream, 0) != expected:
                raise WrongExpectedVersionError(
                    stream=stream, expected=expected, actual=last.get(stream, 0)
                )
        for item in records:
            present = last.get(item.stream)
            allowed = (0, 1) if present is None else (present + 1,)
            if item.stream_version not in allowed:
                raise WrongExpectedVersionError(
                    stream=item.stream, expected=item.stream_version - 1, actual=present or 0
                )
            last[item.stream] = item.stream_version

    @staticmethod
    def _last_versions(connection: Connection, streams: set[StreamName]) -> dict[StreamName, int]:
        names = sorted(streams)
        last: dict[StreamName, int] = {}
        for start in range(0, len(names), NAMES_PER_QUERY):
            statement = (
                select(record_table.c.stream, func.max(record_table.c.stream_version))
                .where(record_table.c.stream.in_(names[start : start + NAMES_PER_QUERY]))
                .group_by(record_table.c.stream)
            )
            last.update(
                {StreamName(name): version for name, version in connection.execute(statement)}
            )
        return last

    def _numbered(self, records: Iterable[PendingRecord], head: Head) -> Iterator[StoredRecord]:
        recorded_at = max(micros_of(self._clock.now()), head.recorded_at)
        for offset, item in enumerate(records, start=1):
            salt = self._entropy.token(SALT_BYTES)
            sealed = seal(fields_of(item, recorded_at=recorded_at, salt=salt))
            yield StoredRecord(
                position=Position(head.position + offset),
                recorded_at=recorded_at,
                salt=salt,
                commitment=sealed.commitment,
                inner_root=sealed.inner_root,
                record=item,
            )


def _checked_place(item: StoredRecord, *, after: Head) -> Head:
    """Return the head that a given record makes, once it is what an append could have written."""
    if item.position != after.position + 1:
        raise PositionGapError(after=after.position, found=item.position)
    sealed = seal(fields_of(item.record, recorded_at=item.recorded_at, salt=item.salt))
    if (sealed.commitment, sealed.inner_root) != (item.commitment, item.inner_root):
        reason = "the content does not give the commitment it came with"
    elif item.recorded_at < after.recorded_at:
        reason = "it is older than the record before it"
    else:
        return Head(position=item.position, recorded_at=item.recorded_at)
    raise StoredEventDecodeError(
        position=item.position, event_type=item.record.event_type, reason=reason
    )
