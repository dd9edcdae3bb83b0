"""Seal a ledger: write its new leaves into the log directory, then sign the new head.

Invariants:
1. Nothing is signed that does not extend what was signed before: the old root is computed again
   from the store's leaves and compared with the last checkpoint, whose signature is checked first.
2. Tiles reach the disk before the checkpoint that covers them; a crash at any step leaves the old
   checkpoint or the new one, each with all its tiles.
3. Records sealed for the first time are hashed from their payload.
4. Sealing again without new records changes nothing.

Left to others: which keys sign (`ledger.evidence.keys`). Source: docs/adr/0011-evidence.md.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from ledger.application import LedgerApplication
from ledger.clock import Clock
from ledger.errors import LedgerMissingError
from ledger.evidence.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    open_checkpoint,
    sign_checkpoint,
)
from ledger.evidence.files import LogFiles
from ledger.evidence.leaves import StoreLeaves
from ledger.evidence.note import SignerKey, VerifierKey
from ledger.evidence.problems import KeyFileError, LogConflictError, LogMissingError
from ledger.evidence.tiles import TileBuilder, TileReader
from ledger.records import instant_of
from ledger.store.store import FaultPoint
from ledger.types import Digest, Position, TreeSize

NO_DELAY: Final = dt.timedelta(0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """What sealing did."""

    origin: str
    size: TreeSize
    """Records covered by the checkpoint."""
    root: Digest
    added: int
    """Records that it covers and the one before did not; 0 when nothing was written."""
    delay: dt.timedelta
    """How long the oldest of them waited for its seal; zero when nothing was written."""
    checkpoint: bytes
    """The signed note, as it stands in the directory."""


class Sealer:
    """Seals one ledger into one directory; keeps what it learned between two calls."""

    def __init__(
        self,
        leaves: StoreLeaves,
        directory: Path,
        *,
        origin: str,
        signers: Sequence[SignerKey],
        known: Sequence[VerifierKey] = (),
        clock: Clock,
        fault_point: FaultPoint = lambda _: None,
    ) -> None:
        """Prepare to seal; nothing is read yet.

        Args:
            leaves: of the ledger.
            directory: of the log; made when it is not there.
            origin: of the ledger.
            signers: keys that sign, at least one.
            known: other keys that may have signed the last checkpoint.
            clock: for the delay.
            fault_point: called at every step.

        Raises:
            KeyFileError: there is no signer.
        """
        if not signers:
            raise KeyFileError(file="-", reason="there is none")
        self._leaves = leaves
        self._origin = origin
        self._signers = tuple(signers)
        self._known = tuple(dict.fromkeys((*known, *(signer.verifier for signer in signers))))
        self._clock = clock
        self._reader = TileReader(directory)
        self._files = LogFiles(directory, fault_point=fault_point)
        self._builder: TileBuilder | None = None

    def seal(self) -> Sealed:
        """Bring the log up to the ledger and sign its head.

        Raises:
            LogConflictError: the ledger does not extend the last checkpoint.
            AlteredRecordError: a new record does not give its commitment.
            LogBusyError: another process is sealing.
            LogFileError: the directory cannot be written, or holds other bytes.
            SignatureInvalidError: the last checkpoint's signature does not fit.
            SignatureMissingError: none of the keys has signed the last checkpoint.
        """
        with self._files.locked():
            last = self._last()
            builder = self._caught_up(last)
            # Kept again only after success: a failed round must not be believed by the next one.
            self._builder = None
            old_size = builder.size
            delay = self._extend(builder)
            if builder.size == old_size and last is not None:
                self._builder = builder
                return self._sealed(last.checkpoint, 0, NO_DELAY, self._reader.checkpoint())
            head = Checkpoint(origin=self._origin, size=TreeSize(builder.size), root=builder.root())
            data = sign_checkpoint(head, self._signers)
            self._files.write_checkpoint(data)
            self._files.prune_partials(old_size=old_size, new_size=builder.size)
            self._builder = builder
            return self._sealed(head, builder.size - old_size, delay, data)

    def _last(self) -> SignedCheckpoint | None:
        try:
            data = self._reader.checkpoint()
        except LogMissingError:
            return None
        last = open_checkpoint(data, self._known)
        if last.checkpoint.origin != self._origin:
            raise LogConflictError(
                size=last.checkpoint.size, expected=last.checkpoint.origin, actual=self._origin
            )
        return last

    def _caught_up(self, last: SignedCheckpoint | None) -> TileBuilder:
        """Return the tree of the last checkpoint, from the store's leaves."""
        if last is None:
            return TileBuilder()
        head = last.checkpoint
        builder = self._builder
        if builder is None or builder.size != head.size:
            builder = TileBuilder()
            for leaf in self._leaves.stored(through=Position(head.size)):
                builder.append(leaf)
        if builder.size < head.size:
            raise LogConflictError(
                size=head.size, expected=head.root.hex(), actual=f"only {builder.size} records"
            )
        if builder.root() != head.root:
            raise LogConflictError(
                size=head.size, expected=head.root.hex(), actual=builder.root().hex()
            )
        return builder

    def _extend(self, builder: TileBuilder) -> dt.timedelta:
        """Add the new leaves, write their tiles, and return how long the oldest of them waited."""
        after, oldest = Position(builder.size), None
        through = max(self._leaves.head(), after)
        for item in self._leaves.recomputed(after=after, through=through):
            if oldest is None:
                oldest = item.recorded_at
            for file in builder.append(item.leaf):
                self._files.write_tile(file)
        if oldest is None:
            return NO_DELAY
        for file in builder.partials():
            self._files.write_tile(file)
        return max(self._clock.now() - instant_of(oldest), NO_DELAY)

    def _sealed(
        self, head: Checkpoint, added: int, delay: dt.timedelta, checkpoint: bytes
    ) -> Sealed:
        return Sealed(
            origin=head.origin,
            size=head.size,
            root=head.root,
            added=added,
            delay=delay,
            checkpoint=checkpoint,
        )


def sealer_of(
    ledger: LedgerApplication,
    directory: Path,
    signers: Sequence[SignerKey],
    *,
    known: Sequence[VerifierKey] = (),
    fault_point: FaultPoint = lambda _: None,
) -> Sealer:
    """Return the sealer of an opened ledger.

    Raises:
        KeyFileError: there is no signer.
        LedgerMissingError: the ledger has no identity.
    """
    opened = ledger.identity.opened
    if opened is None:
        raise LedgerMissingError(store=str(ledger.store.engine.url.database))
    return Sealer(
        StoreLeaves(ledger.store, UUID(opened.ledger_id)),
        directory,
        origin=opened.origin,
        signers=signers,
        known=known,
        clock=ledger.clock,
        fault_point=fault_point,
    )


def seal(
    ledger: LedgerApplication,
    directory: Path,
    signers: Sequence[SignerKey],
    *,
    known: Sequence[VerifierKey] = (),
) -> Sealed:
    """Seal a ledger once; see `Sealer.seal`."""
    return sealer_of(ledger, directory, signers, known=known).seal()
