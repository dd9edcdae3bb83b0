"""Readers of foreign bytes, each with what it may refuse by and what it must keep.

A target takes any bytes. It returns whether they were accepted, refuses by the errors that its
reader documents, and fails by anything else, or when what it accepted is written otherwise.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ledger.errors import LedgerError
from ledger.events.base import to_record
from ledger.evidence.checkpoint import (
    Checkpoint,
    open_checkpoint,
    parse_checkpoint,
    sign_checkpoint,
)
from ledger.evidence.dossier.checking import check_dossier
from ledger.evidence.dossier.format import CLAIMS, GROWTH, MANIFEST, pack, zipped
from ledger.evidence.dossier.reading import (
    MalformedError,
    members_of,
    parse_growth,
    parse_manifest,
    parse_proof,
    parse_question,
)
from ledger.evidence.note import parse_note, parse_signer, parse_verifier, sign_note
from ledger.evidence.policy import parse_policy
from ledger.evidence.tiles import decode_bundle, encode_bundle
from ledger.integrity.block import decode_lengths, encode_lengths
from ledger.integrity.commitment import parse_preimage, preimage
from ledger.integrity.leaf import encode_leaf, parse_leaf
from ledger.integrity.problems import IntegrityFormatError
from ledger.types import Digest, TreeSize
from schemas.codec import decode, encode
from schemas.columns import Bodies, decode_blocks
from schemas.errors import SchemaError
from schemas.registry import default_registry
from tests.support.given import act_adopted
from tests.support.record_fixtures import leaves_fixture, record_fixture
from tests.support.sealing import KEY, ORIGIN, WITNESS
from tests.unit.ledger.evidence.test_dossier import (
    SIGNER,
    UNPROVED,
    block_of,
    made,
    material,
    members,
)

REFUSALS: Final = (IntegrityFormatError, LedgerError, SchemaError, MalformedError)
"""What a reader of this program may say about foreign bytes."""
FACT: Final = "registro.facts.RequestDefined"
EVENT: Final = "registro.acts.ActAdopted"
BODIES_MAX: Final = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One reader."""

    read: Callable[[bytes], None]
    """Reads; raises one of `REFUSALS`, or an assertion when what it accepted does not hold."""
    seeds: Callable[[], Sequence[bytes]]
    """Bytes that it accepts."""


def accepts(target: Target, data: bytes) -> bool:
    """Tell whether a reader accepts bytes; whatever else it does is a failure."""
    try:
        target.read(data)
    except REFUSALS:
        return False
    return True


def _text(data: bytes) -> str:
    # Files are read as UTF-8 before their readers see them.
    return data.decode("utf-8", errors="replace")


def _note(data: bytes) -> None:
    note = parse_note(data)
    lines = "".join(one.line for one in note.signatures)
    assert (note.text + "\n" + lines).encode() == data


def _checkpoint(data: bytes) -> None:
    text = _text(data)
    assert parse_checkpoint(text).text == text


def _signed(data: bytes) -> None:
    """Nothing but what was signed is ever believed."""
    opened = open_checkpoint(data, [KEY.verifier], witnesses=[WITNESS.verifier])
    assert opened.checkpoint == HEAD


def _verifier(data: bytes) -> None:
    # Blanks around a key, as a copy brings along, are no part of it.
    text = _text(data)
    assert parse_verifier(text).text == text.strip()


def _signer(data: bytes) -> None:
    text = _text(data)
    assert parse_signer(text).secret_text == text.strip()


def _policy(data: bytes) -> None:
    policy = parse_policy(_text(data))
    assert 0 <= policy.quorum <= len(policy.witnesses)


def _bundle(data: bytes) -> None:
    width = max(1, len(data) // len(encode_bundle(_leaves()[:1])))
    leaves = decode_bundle(data, width=width, path="tile")
    assert encode_bundle(leaves) == data[: len(encode_bundle(leaves))]
    for leaf in leaves:
        _leaf(leaf)


def _leaf(data: bytes) -> None:
    leaf = parse_leaf(data)
    again = encode_leaf(
        ledger_id=leaf.ledger_id,
        position=leaf.position,
        kind=leaf.kind,
        commitment=leaf.commitment,
    )
    assert again == data


def _lengths(data: bytes) -> None:
    assert encode_lengths(decode_lengths(data)) == data


def _preimage(data: bytes) -> None:
    parse_preimage(data)


def _event(data: bytes) -> None:
    schema = default_registry().latest(EVENT)
    assert encode(schema, decode(schema, data)) == data


def _block(data: bytes) -> None:
    """Read bodies of facts natively, cut where their lengths say: two bytes each in front."""
    schema = default_registry().latest(FACT)
    lengths: list[int] = []
    rest = data
    while len(rest) > 1 and len(lengths) < BODIES_MAX and (size := int.from_bytes(rest[:2])):
        lengths.append(size)
        rest = rest[2:]
    content = rest[2:]
    if not lengths or sum(lengths) != len(content):
        return
    table = decode_blocks(schema, [Bodies(lengths=lengths, content=content)])
    assert table.frame.height == len(lengths)


def _dossier(data: bytes) -> None:
    checked = check_dossier(data, [SIGNER.verifier])
    assert checked.faults or data == made()


def _members(data: bytes) -> None:
    found = members_of(data)
    assert members_of(zipped(found)) == found


def _any_member(data: bytes) -> None:
    """Put bytes into one member of a dossier, named by the first byte; the manifest agrees."""
    if not data:
        return
    whole = members()
    name = sorted(whole)[data[0] % len(whole)]
    checked = check_dossier(pack({**whole, name: data[1:]}), [SIGNER.verifier])
    proved = name not in {*UNPROVED, MANIFEST}
    assert checked.faults or not proved or data[1:] == whole[name]


@functools.cache
def _leaves() -> tuple[bytes, ...]:
    return tuple(
        encode_leaf(
            ledger_id=one.ledger_id,
            position=one.position,
            kind=one.kind,
            commitment=one.commitment,
        )
        for one in leaves_fixture("tree").leaves
    )


HEAD: Final = Checkpoint(origin=ORIGIN, size=TreeSize(1263), root=Digest(bytes(range(32))))


@functools.cache
def _head_note() -> bytes:
    data = sign_checkpoint(HEAD, [KEY])
    return sign_note(HEAD.text, [WITNESS], keep=parse_note(data).signatures, at=1_700_000_000)


def _policy_text() -> bytes:
    witness = f'"w" = "{WITNESS.verifier.text}"'
    text = f'log = ["{KEY.verifier.text}"]\nquorum = 1\n[witnesses]\n{witness}\n'
    return text.encode()


def _fact_seed() -> bytes:
    block = block_of(material()[1]).record
    sizes = b"".join(size.to_bytes(2) for size in block.lengths)
    return sizes + bytes(2) + block.content


def _with_every_member() -> list[bytes]:
    whole = members()
    return [bytes([place]) + whole[name] for place, name in enumerate(sorted(whole))]


def _preimages() -> list[bytes]:
    return [preimage(record_fixture(name).fields) for name in ("event", "block")]


TARGETS: Final[Mapping[str, Target]] = {
    "note": Target(read=_note, seeds=lambda: [_head_note()]),
    "checkpoint": Target(read=_checkpoint, seeds=lambda: [HEAD.text.encode()]),
    "signed": Target(read=_signed, seeds=lambda: [_head_note()]),
    "vkey": Target(
        read=_verifier, seeds=lambda: [one.verifier.text.encode() for one in (KEY, WITNESS)]
    ),
    "signer": Target(read=_signer, seeds=lambda: [KEY.secret_text.encode()]),
    "policy": Target(read=_policy, seeds=lambda: [_policy_text()]),
    "bundle": Target(read=_bundle, seeds=lambda: [encode_bundle(_leaves())]),
    "leaf": Target(read=_leaf, seeds=_leaves),
    "lengths": Target(read=_lengths, seeds=lambda: [encode_lengths([0, 1, 300, 70_000])]),
    "preimage": Target(read=_preimage, seeds=_preimages),
    "event": Target(
        read=_event,
        seeds=lambda: [encode(default_registry().latest(EVENT), to_record(act_adopted()))],
    ),
    "block": Target(read=_block, seeds=lambda: [_fact_seed()]),
    "proof": Target(
        read=lambda data: _ignored(parse_proof(data)),
        seeds=lambda: [members()["records/000000000002.tlog-proof"]],
    ),
    "growth": Target(
        read=lambda data: _ignored(parse_growth(data)), seeds=lambda: [members()[GROWTH]]
    ),
    "manifest": Target(
        read=lambda data: _ignored(parse_manifest(data)), seeds=lambda: [members()[MANIFEST]]
    ),
    "question": Target(
        read=lambda data: _ignored(parse_question(data)), seeds=lambda: [members()[CLAIMS]]
    ),
    "container": Target(read=_members, seeds=lambda: [made()]),
    "dossier": Target(read=_dossier, seeds=lambda: [made()]),
    "member": Target(read=_any_member, seeds=_with_every_member),
}
"""Readers by name."""


def _ignored(_: object) -> None:
    """Take what was read; that it was read is all that counts."""
