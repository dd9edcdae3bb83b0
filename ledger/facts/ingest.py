"""Take in batches of facts: read, judge whole, append as blocks in one transaction.

Invariants:
1. Nothing reaches the ledger before every row of the batch was judged; then all accepted rows are
   appended in one transaction, or none. An interruption at any moment leaves the ledger as it was.
2. The batch is named by source and batch id: the same batch again is answered from the ledger, the
   same name with other content is refused.
3. Memory does not grow with the batch, except for sixteen bytes a row.
4. What was judged to be new is new when it is appended, whoever else writes meanwhile.

Source: rulings 6-8; docs/adr/0008-facts.md, docs/production.md.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.envelope_rules import check_envelope
from ledger.errors import AppendKeyConflictError, FactBatchError, FactFileError
from ledger.events.ledger import Envelope, Source
from ledger.facts.appending import Judged, append
from ledger.facts.batches import Batch, FactFile, Ingested, Progress, key_of, stream_of
from ledger.facts.judging import Intake
from ledger.facts.known import KnownIds
from ledger.facts.pieces import Piece
from ledger.facts.reading import PIECE_BYTES
from ledger.facts.references import References, references
from ledger.facts.rejects import Rejects
from ledger.facts.spool import Spool
from ledger.feed import FactBlock, read_all
from ledger.scratch import scratch_folder
from ledger.types import BEFORE_FIRST, AppendKey, Digest, Position, StreamName, StreamVersion
from schemas.registry import SchemaRegistry

_DIGEST_BYTES: Final = 1 << 20


def no_progress(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Slot:
    """What names a batch, and what must hold when it is appended."""

    key: AppendKey
    digest: Digest
    """SHA-256 of what the caller was sent."""
    judged: Callable[[], None] = _nothing
    """Called when every row was judged, before the append: refused rows are kept here."""
    require: Callable[[], None] = _nothing
    """Called under the append lock; refuses the batch by raising."""


class FactIntake:
    """Takes batches into one ledger; what facts may refer to is kept from batch to batch."""

    def __init__(self, ledger: LedgerApplication, *, piece_bytes: int = PIECE_BYTES) -> None:
        """Prepare.

        Args:
            ledger: open for writing.
            piece_bytes: how much text of a file is in memory at once, about.
        """
        self._ledger = ledger
        self._piece_bytes = piece_bytes
        self._allowed: References | None = None
        self._read_to = BEFORE_FIRST
        self._known: dict[StreamName, KnownIds] = {}
        """Windows of the sources, kept from batch to batch."""

    @property
    def registry(self) -> SchemaRegistry:
        """Schemas of the ledger."""
        return self._ledger.avro.registry

    def allowed(self) -> References:
        """Return what facts may refer to now."""
        head = self._ledger.head()
        later = read_all(self._ledger, after=self._read_to, through=head)
        if self._allowed is None or any(not isinstance(one.event, FactBlock) for one in later):
            self._allowed = references(read_all(self._ledger, through=head))
        self._read_to = head
        return self._allowed

    def files(
        self,
        files: Sequence[FactFile],
        batch: Batch,
        *,
        rejects: Rejects,
        dry_run: bool = False,
        progress: Progress = no_progress,
    ) -> Ingested:
        """Take in a batch of files.

        Args:
            files: at least one; each holds facts of one schema of the family.
            batch: what the caller says of it.
            rejects: takes the refused rows.
            dry_run: judge everything and append nothing.
            progress: told of every piece.

        Raises:
            CommandRefusedError: the knowledge date lies in the future, or an act is not known or
                not in force.
            FactFileError: a file cannot be read, or fits no schema of the family.
            FactBatchError: rows were refused and the batch was to be whole.
            AppendKeyConflictError: the batch is in the ledger with other content.
            WrongExpectedVersionError: the source recorded some of these facts meanwhile; retriable.
            StoreError: the store or the temporary folder failed; nothing was appended.
        """
        self._check(batch)
        digest = _digest(files, progress)
        return self._take(
            batch,
            Slot(key=key_of(batch, digest), digest=digest),
            lambda intake: intake.read(files, progress),
            rejects=rejects,
            dry_run=dry_run,
            progress=progress,
        )

    def table(
        self,
        full_name: str,
        frame: pl.DataFrame,
        batch: Batch,
        *,
        digest: Digest,
        rejects: Rejects,
    ) -> Ingested:
        """Take in a batch that is in memory.

        Args:
            full_name: of the schema of its facts.
            frame: columns of the schema, as texts or typed.
            batch: what the caller says of it.
            digest: SHA-256 of what the caller was sent.
            rejects: takes the refused rows.

        Raises:
            FactBatchError: rows were refused and the batch was to be whole.
            AppendKeyConflictError: the batch is in the ledger with other content.
        """
        return self._take(
            batch,
            Slot(key=key_of(batch, digest), digest=digest),
            lambda intake: intake.take(full_name, frame),
            rejects=rejects,
            dry_run=False,
            progress=no_progress,
        )

    def pieces(
        self,
        pieces: Sequence[tuple[str, Piece]],
        batch: Batch,
        *,
        slot: Slot,
        rejects: Rejects,
    ) -> Ingested:
        """Take in a batch of rows of several schemas that are in memory.

        Args:
            pieces: Avro full name and rows; each row has a number of its own in the batch.
            batch: what the caller says of it; its name is not used.
            slot: names the batch.
            rejects: takes the refused rows, by their numbers.

        Raises:
            CommandRefusedError: as `files`.
            AppendKeyConflictError: the batch is in the ledger with other content.
            WrongExpectedVersionError: the source recorded some of these facts meanwhile; retriable.
            StoreError: the store or the temporary folder failed; nothing was appended.
        """
        self._check(batch)
        return self._take(
            batch,
            slot,
            lambda intake: intake.take_pieces(pieces),
            rejects=rejects,
            dry_run=False,
            progress=no_progress,
        )

    def _check(self, batch: Batch) -> None:
        envelope = Envelope(
            as_of=batch.as_of,
            vintage=batch.vintage,
            actor=batch.actor,
            source=Source(system=batch.source),
            acts=batch.acts,
            reason=batch.reason,
        )
        stands_in = FactBlock(fact_type=f"facts of {batch.family}", count=0)
        check_envelope(
            Proposal(event=stands_in, envelope=envelope),
            lookup=self._ledger.session(),
            today=self._ledger.today(),
            known_ids=(),
        )

    def _take(
        self,
        batch: Batch,
        slot: Slot,
        read: Callable[[Intake], int],
        *,
        rejects: Rejects,
        dry_run: bool,
        progress: Progress,
    ) -> Ingested:
        key, digest = slot.key, slot.digest
        repeated = self._repeated(key, digest)
        if repeated is not None:
            return repeated
        refused_before = rejects.rows
        with scratch_folder() as folder:
            spool = Spool(folder=folder)
            intake = Intake(
                self._ledger,
                batch,
                self.allowed(),
                spool=spool,
                rejects=rejects,
                known=self._known.get(stream_of(batch.family, batch.source)),
                piece_bytes=self._piece_bytes,
            )
            self._known[stream_of(batch.family, batch.source)] = intake.known

            def require(first: StreamVersion) -> None:
                slot.require()
                intake.require_unmoved(first)

            try:
                rows = read(intake)
                intake.look()
                # Whoever recorded this very batch meanwhile did so before or after this look:
                # before it shows here, after it shows when appending.
                repeated = self._repeated(key, digest)
                if repeated is not None:
                    return repeated
                judged = Judged(
                    batch=batch,
                    key=key,
                    digest=digest,
                    spool=spool,
                    reversals=intake.settle(),
                    require_unmoved=require,
                )
            finally:
                rejects.finish()
            refused = rejects.rows - refused_before
            if batch.whole and refused:
                raise FactBatchError(
                    batch=key.rpartition("/")[2],
                    source=batch.source,
                    reason=f"{refused} of {rows} rows are refused; nothing was recorded",
                )
            slot.judged()
            appended = None
            if judged.facts and not dry_run:
                try:
                    appended = append(self._ledger, judged, progress)
                except AppendKeyConflictError:
                    # Another process took in this very batch meanwhile, or one of its name.
                    repeated = self._repeated(key, digest)
                    if repeated is None:
                        raise
                    return repeated
            return Ingested(
                key=key,
                repeated=False,
                rows=rows,
                facts=judged.facts,
                reversals=judged.reversed_facts,
                blocks=appended.blocks if appended else 0,
                rejected=refused,
                first=appended.first if appended else Position(0),
                last=appended.last if appended else Position(0),
            )

    def _repeated(self, key: AppendKey, digest: Digest) -> Ingested | None:
        headers = self._ledger.store.append_headers(key)
        if not headers:
            return None
        if headers[0].append.input_digest != digest:
            raise AppendKeyConflictError(append_key=key, position=headers[0].position)
        return Ingested(
            key=key,
            repeated=True,
            rows=0,
            facts=sum(header.event_count for header in headers),
            reversals=0,
            blocks=len(headers),
            rejected=0,
            first=headers[0].position,
            last=headers[-1].position,
        )


def _digest(files: Sequence[FactFile], progress: Progress) -> Digest:
    """Return the SHA-256 over the SHA-256 of every file, in order."""
    whole = hashlib.sha256()
    done = 0
    for file in files:
        own = hashlib.sha256()
        try:
            total = sum(file.path.stat().st_size for file in files)
            with file.path.open("rb") as stream:
                while chunk := stream.read(_DIGEST_BYTES):
                    own.update(chunk)
                    done += len(chunk)
                    progress("digest", done, total)
        except OSError as error:
            raise FactFileError(file=file.name, reason=error.strerror or str(error)) from error
        whole.update(own.digest())
    return Digest(whole.digest())
