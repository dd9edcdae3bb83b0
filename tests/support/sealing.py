"""Sealed ledgers: keys that are the same in every run, events to append, ways to damage a log."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.events.ledger import ActReference
from ledger.evidence.keyid import COSIGNATURE, ED25519
from ledger.evidence.note import SignerKey, new_signer
from ledger.evidence.sealer import Sealed, seal
from ledger.evidence.tiles import TileBuilder, TileReader, root_of_edge, widths
from ledger.types import Digest, TreeSize
from tests.support.given import PLAN_ACT, act_adopted, envelope

ORIGIN = "registro.invalid/00000000-0000-4000-8000-000000000001"
"""Origin of a ledger made with `CountingEntropy`."""
KEY = new_signer(ORIGIN, bytes(range(32)))
OTHER_KEY = new_signer(ORIGIN, bytes(range(1, 33)))
WITNESS = new_signer("witness.example/w1", bytes(range(2, 34)), algorithm=COSIGNATURE)
OTHER_WITNESS = new_signer("witness.example/w2", bytes(range(3, 35)), algorithm=COSIGNATURE)


def signer(number: int, name: str = ORIGIN) -> SignerKey:
    """Return one of many keys."""
    return new_signer(name, number.to_bytes(32), algorithm=ED25519)


def append_acts(ledger: LedgerApplication, numbers: Sequence[int], subject: str = "plan") -> None:
    """Append one act for each number."""
    for number in numbers:
        reference: ActReference = replace(PLAN_ACT, number=str(number))
        event = replace(act_adopted(reference), subject=subject)
        ledger.execute(command(f"act/{number}", [Proposal(event=event, envelope=envelope())]))


def sealed(ledger: LedgerApplication, folder: Path, *keys: SignerKey) -> Sealed:
    """Seal a ledger with a key."""
    return seal(ledger, folder, keys or (KEY,))


def root_of_tiles(reader: TileReader, size: int) -> Digest:
    """Return the root of a tree of `size` from the tiles at its right edge alone."""
    edge = [
        reader.hashes(level, full, rest) if rest else list[Digest]()
        for level, full, rest in widths(size)
    ]
    return root_of_edge(edge)


def root_of_entries(reader: TileReader, size: int) -> Digest:
    """Return the root of a tree of `size`, from the leaves in the bundles."""
    builder = TileBuilder()
    for leaf in reader.leaves(TreeSize(size)):
        builder.append(leaf)
    return builder.root()


def flip(path: Path, offset: int) -> None:
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 1
    path.write_bytes(bytes(data))


def files_of(folder: Path) -> dict[str, bytes]:
    """Return the files of a log by their paths, without the lock and what is not whole yet."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.relative_to(folder).parts[0].startswith(".")
    }
