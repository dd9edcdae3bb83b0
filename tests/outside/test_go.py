"""Code of the Go checksum database judges our logs: it accepts them, and refuses damaged ones."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from ledger.evidence.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from ledger.evidence.dossier.format import growth_text, proof_text
from ledger.evidence.dossier.making import ProofTree
from ledger.evidence.keyid import COSIGNATURE
from ledger.evidence.note import SEED_BYTES, SignerKey, new_signer, parse_note, sign_note
from ledger.evidence.tiles import TileBuilder, TileReader
from ledger.integrity.leaf import LEAF_BYTES, encode_leaf
from ledger.integrity.merkle import consistency_proof
from ledger.types import Digest, LeafIndex, Position, TreeSize
from tests.outside.conftest import Evidence, Judge

ENTRY_BYTES = LEAF_BYTES + 2
LEDGER = UUID(int=7)
SIGNER = new_signer("registro.example/log", bytes(SEED_BYTES))
BUNDLE, TILE = "tile/entries/001", "tile/0/001"


def leaves_of(size: int, *, salt: int = 0) -> list[bytes]:
    return [
        encode_leaf(
            ledger_id=LEDGER,
            position=Position(position),
            kind=1,
            commitment=Digest((position * 1000 + salt).to_bytes(32)),
        )
        for position in range(1, size + 1)
    ]


def write_log(folder: Path, leaves: Sequence[bytes], signer: SignerKey = SIGNER) -> bytes:
    """Write a log as the sealer does, and return its checkpoint."""
    builder = TileBuilder()
    files = [file for leaf in leaves for file in builder.append(leaf)]
    for file in (*files, *builder.partials()):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
    head = Checkpoint(origin=signer.name, size=TreeSize(builder.size), root=builder.root())
    data = sign_checkpoint(head, [signer])
    (folder / "checkpoint").write_bytes(data)
    return data


def vkeys_of(folder: Path, *signers: SignerKey) -> Path:
    path = folder / "keys"
    path.write_text("".join(f"{one.verifier.text}\n" for one in signers), encoding="utf-8")
    return path


@pytest.fixture
def log(evidence: Evidence, tmp_path: Path) -> Path:
    """Return a copy of the log that a test may damage."""
    return Path(shutil.copytree(evidence.log, tmp_path / "log"))


def head_of(evidence: Evidence, data: bytes) -> Checkpoint:
    return open_checkpoint(data, [evidence.signer.verifier]).checkpoint


def signed_anew(evidence: Evidence, log: Path, head: Checkpoint) -> bytes:
    data = sign_checkpoint(head, [evidence.signer])
    (log / "checkpoint").write_bytes(data)
    return data


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_accepts_our_checkpoint(go: Judge, evidence: Evidence) -> None:
    verdict = go("checkpoint", evidence.vkeys, evidence.log / "checkpoint")

    head = head_of(evidence, (evidence.log / "checkpoint").read_bytes())
    assert verdict.accepted, verdict.text
    assert f"origin={head.origin} size={head.size} root={head.root.hex()}" in verdict.text


def test_accepts_the_log_of_the_sealer(go: Judge, evidence: Evidence) -> None:
    assert go("tiles", evidence.vkeys, evidence.log).accepted


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 513, 65_536, 65_793])
def test_accepts_logs_of_every_shape(go: Judge, tmp_path: Path, size: int) -> None:
    write_log(tmp_path, leaves_of(size))

    verdict = go("tiles", vkeys_of(tmp_path, SIGNER), tmp_path)

    assert verdict.accepted, verdict.text


def test_accepts_a_log_whose_partial_tiles_were_removed(go: Judge, tmp_path: Path) -> None:
    old = write_log(tmp_path, leaves_of(300))
    write_log(tmp_path, leaves_of(600))
    shutil.rmtree(tmp_path / "tile" / "0" / "001.p")
    shutil.rmtree(tmp_path / "tile" / "entries" / "001.p")
    (tmp_path / "checkpoint").write_bytes(old)

    verdict = go("tiles", vkeys_of(tmp_path, SIGNER), tmp_path)

    assert verdict.accepted, verdict.text


def test_accepts_a_note_with_two_keys_and_a_witness(go: Judge, tmp_path: Path) -> None:
    second = new_signer(SIGNER.name, b"\x01" * SEED_BYTES)
    witness = new_signer("witness.example", b"\x02" * SEED_BYTES, algorithm=COSIGNATURE)
    note = parse_note(write_log(tmp_path, leaves_of(3)))
    data = sign_note(note.text, [second], keep=note.signatures)
    data = sign_note(note.text, [witness], keep=parse_note(data).signatures, at=1_700_000_000)
    (tmp_path / "checkpoint").write_bytes(data)

    for known in ((SIGNER,), (second,), (SIGNER, second)):
        assert go("checkpoint", vkeys_of(tmp_path, *known), tmp_path / "checkpoint").accepted


def _tile_flipped(log: Path) -> None:
    flip(log / TILE, 40)


def _upper_tile_flipped(log: Path) -> None:
    flip(next((log / "tile" / "1" / "000.p").iterdir()), 3)


def _partial_tile_flipped(log: Path) -> None:
    flip(next((log / "tile" / "0" / "004.p").iterdir()), 0)


def _tile_cut(log: Path) -> None:
    (log / TILE).write_bytes((log / TILE).read_bytes()[:-32])


def _tile_missing(log: Path) -> None:
    (log / TILE).unlink()


def _commitment_flipped(log: Path) -> None:
    flip(log / BUNDLE, 5 * ENTRY_BYTES + 2 + 30)


def _position_flipped(log: Path) -> None:
    flip(log / BUNDLE, 5 * ENTRY_BYTES + 2 + 24)


def _length_flipped(log: Path) -> None:
    flip(log / BUNDLE, 5 * ENTRY_BYTES + 1)


def _entry_dropped(log: Path) -> None:
    (log / BUNDLE).write_bytes((log / BUNDLE).read_bytes()[ENTRY_BYTES:])


def _entry_added(log: Path) -> None:
    data = (log / BUNDLE).read_bytes()
    (log / BUNDLE).write_bytes(data + data[-ENTRY_BYTES:])


def _entries_swapped(log: Path) -> None:
    data = (log / BUNDLE).read_bytes()
    first, second = data[:ENTRY_BYTES], data[ENTRY_BYTES : 2 * ENTRY_BYTES]
    (log / BUNDLE).write_bytes(second + first + data[2 * ENTRY_BYTES :])


def _bundle_missing(log: Path) -> None:
    (log / BUNDLE).unlink()


def _checkpoint_missing(log: Path) -> None:
    (log / "checkpoint").unlink()


def _size_changed(log: Path) -> None:
    path = log / "checkpoint"
    lines = path.read_bytes().split(b"\n")
    lines[1] = str(int(lines[1]) - 1).encode()
    path.write_bytes(b"\n".join(lines))


def _signature_cut(log: Path) -> None:
    path = log / "checkpoint"
    path.write_bytes(path.read_bytes()[:-5] + b"\n")


def _signature_removed(log: Path) -> None:
    path = log / "checkpoint"
    path.write_bytes(path.read_bytes().partition(b"\n\n")[0] + b"\n")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_tile_flipped, "tile"),
        (_upper_tile_flipped, "tile"),
        (_partial_tile_flipped, "tile"),
        (_tile_cut, "tile"),
        (_tile_missing, "missing"),
        (_commitment_flipped, "bundle"),
        (_position_flipped, "leaf"),
        (_length_flipped, "bundle"),
        (_entry_dropped, "bundle"),
        (_entry_added, "bundle"),
        (_entries_swapped, "leaf"),
        (_bundle_missing, "missing"),
        (_checkpoint_missing, "missing"),
        (_size_changed, "signature"),
        (_signature_cut, "signature"),
        (_signature_removed, "note"),
    ],
)
def test_refuses_a_damaged_log(
    go: Judge, evidence: Evidence, log: Path, damage: Callable[[Path], None], reason: str
) -> None:
    damage(log)

    verdict = go("tiles", evidence.vkeys, log)

    assert (verdict.accepted, verdict.reason) == (False, reason), verdict.text


def test_refuses_a_log_under_another_key(go: Judge, evidence: Evidence, tmp_path: Path) -> None:
    other = new_signer(evidence.signer.name, b"\x05" * SEED_BYTES)

    verdict = go("tiles", vkeys_of(tmp_path, other), evidence.log)

    assert verdict.reason == "signature"


def test_refuses_a_key_whose_id_is_not_its_own(
    go: Judge, evidence: Evidence, tmp_path: Path
) -> None:
    name, _, key = evidence.signer.verifier.text.split("+", 2)
    (tmp_path / "keys").write_text(f"{name}+00000000+{key}\n", encoding="utf-8")

    assert go("tiles", tmp_path / "keys", evidence.log).reason == "key"


@pytest.mark.parametrize(("change", "reason"), [(-1, "root"), (1, "bundle"), (300, "missing")])
def test_refuses_a_signed_head_of_another_size(
    go: Judge, evidence: Evidence, log: Path, change: int, reason: str
) -> None:
    head = head_of(evidence, (log / "checkpoint").read_bytes())
    size = TreeSize(head.size + change)
    partial = log / "tile" / "entries" / f"004.p/{head.size % 256}"
    if size // 256 == head.size // 256:
        # The bundle of that width is there too, with as many entries when there are so many.
        data = partial.read_bytes()[: ENTRY_BYTES * (size % 256)]
        partial.with_name(str(size % 256)).write_bytes(data)

    signed_anew(evidence, log, Checkpoint(origin=head.origin, size=size, root=head.root))

    verdict = go("tiles", evidence.vkeys, log)

    assert verdict.reason == reason, verdict.text


def rebuilt(evidence: Evidence, log: Path, *, size: int) -> bytes:
    """Rewrite a log with one leaf changed, as somebody who holds the key could."""
    leaves = list(TileReader(log).leaves(TreeSize(size)))
    leaves[1] = leaves[1][:-1] + bytes([leaves[1][-1] ^ 1])
    shutil.rmtree(log)
    log.mkdir()
    return write_log(log, leaves, evidence.signer)


def test_refuses_a_rebuilt_log_under_the_old_head(go: Judge, evidence: Evidence, log: Path) -> None:
    kept = (log / "checkpoint").read_bytes()
    rebuilt(evidence, log, size=head_of(evidence, kept).size)
    (log / "checkpoint").write_bytes(kept)

    assert go("tiles", evidence.vkeys, log).reason == "root"


def test_a_rebuilt_and_signed_log_shows_by_the_kept_head_alone(
    go: Judge, evidence: Evidence, log: Path, tmp_path: Path
) -> None:
    kept, whole = tmp_path / "kept", (log / "checkpoint").read_bytes()
    kept.write_bytes(evidence.old)
    new = rebuilt(evidence, log, size=head_of(evidence, whole).size)
    request = growth(evidence, log, new)

    assert go("tiles", evidence.vkeys, log).accepted
    assert go("consistency", evidence.vkeys, kept, write(tmp_path, request)).reason == "consistency"


def test_a_truncated_and_signed_log_shows_by_the_kept_head_alone(
    go: Judge, evidence: Evidence, log: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes((log / "checkpoint").read_bytes())
    leaves = list(TileReader(log).leaves(TreeSize(700)))
    shutil.rmtree(log)
    log.mkdir()
    new = write_log(log, leaves, evidence.signer)
    request = growth_text(TreeSize(700), (), new)

    assert go("tiles", evidence.vkeys, log).accepted
    assert go("consistency", evidence.vkeys, kept, write(tmp_path, request)).reason == "consistency"


def write(folder: Path, data: bytes, name: str = "given") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def growth(evidence: Evidence, log: Path, checkpoint: bytes) -> bytes:
    """Return the proof from the old checkpoint to one of the log."""
    hashes = TileReader(log).leaf_hashes(head_of(evidence, checkpoint).size)
    old = head_of(evidence, evidence.old).size
    return growth_text(old, consistency_proof(hashes, old), checkpoint)


def test_accepts_our_consistency_proof(go: Judge, evidence: Evidence, tmp_path: Path) -> None:
    kept = write(tmp_path, evidence.old, "kept")
    request = growth(evidence, evidence.log, (evidence.log / "checkpoint").read_bytes())

    verdict = go("consistency", evidence.vkeys, kept, write(tmp_path, request))

    assert verdict.accepted, verdict.text


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ((b"old 4\n", b"old 5\n"), "consistency"),
        ((b"old 4\n", b"old 04\n"), "consistency"),
        ((b"old 4\n", b"old 4\n" + b"A" * 43 + b"=\n"), "consistency"),
        ((b"old 4\n", b"new 4\n"), "proof"),
        ((b"old 4\n", b"old 4\n====\n"), "proof"),
        ((b"\n\n", b"\n"), "proof"),
    ],
)
def test_refuses_a_changed_consistency_proof(
    go: Judge, evidence: Evidence, tmp_path: Path, change: tuple[bytes, bytes], reason: str
) -> None:
    kept = write(tmp_path, evidence.old, "kept")
    request = growth(evidence, evidence.log, (evidence.log / "checkpoint").read_bytes())
    assert request.startswith(b"old 4\n")

    verdict = go("consistency", evidence.vkeys, kept, write(tmp_path, request.replace(*change, 1)))

    assert (verdict.accepted, verdict.reason) == (False, reason), verdict.text


def inclusion(evidence: Evidence, index: int) -> tuple[bytes, bytes]:
    """Return a leaf of the log and its proof."""
    checkpoint = (evidence.log / "checkpoint").read_bytes()
    leaves = list(TileReader(evidence.log).leaves(head_of(evidence, checkpoint).size))
    steps = ProofTree(leaves).inclusion(LeafIndex(index))
    return leaves[index], proof_text(LeafIndex(index), steps, checkpoint)


@pytest.mark.parametrize("index", [0, 1, 255, 256, 1023, 1024, 1200])
def test_accepts_our_inclusion_proofs(
    go: Judge, evidence: Evidence, tmp_path: Path, index: int
) -> None:
    leaf, proof = inclusion(evidence, index)

    verdict = go("inclusion", evidence.vkeys, write(tmp_path, leaf, "leaf"), write(tmp_path, proof))

    assert verdict.accepted, verdict.text


def test_refuses_the_proof_of_another_leaf(go: Judge, evidence: Evidence, tmp_path: Path) -> None:
    leaf, _ = inclusion(evidence, 40)
    _, proof = inclusion(evidence, 41)
    place = write(tmp_path, leaf, "leaf")

    assert go("inclusion", evidence.vkeys, place, write(tmp_path, proof)).reason == "leaf"
    changed = proof.replace(b"index 41", b"index 40")
    assert go("inclusion", evidence.vkeys, place, write(tmp_path, changed)).reason == "inclusion"


def test_refuses_every_single_step_that_was_changed(
    go: Judge, evidence: Evidence, tmp_path: Path
) -> None:
    leaf, proof = inclusion(evidence, 40)
    place = write(tmp_path, leaf, "leaf")
    lines = proof.split(b"\n")
    steps = lines.index(b"") - 2
    assert steps > 5

    for step in range(2, 2 + steps):
        swapped = [*lines[:step], b"A" * 43 + b"=", *lines[step + 1 :]]
        dropped = [*lines[:step], *lines[step + 1 :]]
        for changed in (swapped, dropped):
            path = write(tmp_path, b"\n".join(changed))
            assert go("inclusion", evidence.vkeys, place, path).reason == "inclusion"


def test_refuses_a_leaf_that_was_changed(go: Judge, evidence: Evidence, tmp_path: Path) -> None:
    leaf, proof = inclusion(evidence, 40)
    path = write(tmp_path, proof)

    for place, reason in ((0, "leaf"), (3, "inclusion"), (20, "leaf"), (57, "inclusion")):
        changed = bytearray(leaf)
        changed[place] ^= 1
        found = go("inclusion", evidence.vkeys, write(tmp_path, bytes(changed), "leaf"), path)
        assert found.reason == reason


def test_usage_errors_are_no_refusals(go: Judge, evidence: Evidence) -> None:
    assert go("tiles", evidence.vkeys).reason == "usage"
    assert go("unknown", evidence.vkeys, evidence.log).reason == "usage"
