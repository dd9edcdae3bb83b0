"""Dossiers: the same bytes each time, and every change of them is found for its reason."""

import datetime as dt
import functools
import io
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.texts.dossier import FAULT_NAMES, FAULTS_IT
from ledger.events.ledger import LedgerOpened
from ledger.evidence.checkpoint import open_checkpoint
from ledger.evidence.dossier.checking import CheckedDossier, check_dossier
from ledger.evidence.dossier.faults import FAULTS
from ledger.evidence.dossier.format import (
    CHECKPOINT,
    CLAIMS,
    GROWTH,
    INSTRUCTIONS,
    KEYS,
    MANIFEST,
    PUBLIC_KEY,
    SIGNATURE,
    SIGNED_TEXT,
    SINCE,
    STAMP,
    Basis,
    Claim,
    FactAddress,
    Question,
    claims_text,
    manifest_of,
    pack,
    zipped,
)
from ledger.evidence.dossier.making import (
    DossierRefusedError,
    ProofTree,
    SealedLog,
    Shown,
    build,
    question,
)
from ledger.evidence.dossier.reading import (
    MalformedError,
    members_of,
    parse_growth,
    parse_manifest,
    parse_proof,
    parse_question,
    parse_steps,
)
from ledger.evidence.note import SEED_BYTES, SignerKey, new_signer
from ledger.evidence.sealer import seal
from ledger.evidence.tiles import TileReader
from ledger.integrity.merkle import inclusion_proof, leaf_hash, tree_root
from ledger.records import RecordKind, StoredRecord
from ledger.types import LeafIndex
from schemas.registry import default_registry
from tests.support.production import batch, fact, production_ledger, record

SIGNER = new_signer("registro.example/log", bytes(SEED_BYTES))
OTHER = new_signer("registro.example/log", b"\x01" * SEED_BYTES)
SEEN = {"ISTRUZIONI.txt": b"leggere\n", "INSTRUCTIONS.txt": b"read\n"}
UNPROVED = {*INSTRUCTIONS, STAMP}
"""Judged by their digest only."""


@functools.cache
def material() -> tuple[SealedLog, tuple[StoredRecord, ...], LedgerOpened]:
    """Return a sealed log with a block of facts, its records, and its first event."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = production_ledger(folder / "ledger.db")
        opened = ledger.identity.opened
        assert opened is not None
        signer = SIGNER
        old = seal(ledger, folder / "log", [signer]).checkpoint
        facts = [fact("RequestDefined", source_id=f"F{n}", pieces=n + 1) for n in range(5)]
        record(ledger, folder, "RequestDefined", facts, batch())
        seal(ledger, folder / "log", [signer])
        reader = TileReader(folder / "log")
        data = reader.checkpoint()
        keys = (signer.verifier,)
        head = open_checkpoint(data, keys)
        log = SealedLog(
            checkpoint=data,
            head=head,
            keys=keys,
            leaves=tuple(reader.leaves(head.checkpoint.size)),
            since=old,
            since_head=open_checkpoint(old, keys).checkpoint,
            stamp=b"a stamp",
        )
        records = tuple(ledger.store.read())
        ledger.store.engine.dispose()
    return log, records, opened


def block_of(records: tuple[StoredRecord, ...]) -> StoredRecord:
    return next(one for one in records if one.record.kind is RecordKind.BLOCK)


def claim(positions: tuple[int, ...]) -> Claim:
    return Claim(
        code="PS",
        label="Performance",
        unit="index",
        decimals=2,
        value="106.92",
        value_missing=None,
        target="100",
        deviation_pct="6.92",
        achievement_pct="106.92",
        vintage=None,
        definition_version=1,
        rule="DR4",
        formula=None,
        acts=(),
        records=tuple(Basis(position=position, role="result") for position in positions),
    )


def shown_of(records: tuple[StoredRecord, ...]) -> list[Shown]:
    """Return the first event, two of one stream with those in front, and a block."""
    opened = next(one for one in records if one.record.stream == "ledger")
    whole = [one for one in records if one.record.stream_version == 1][-2:]
    whole = [one for one in whole if one.record.kind is RecordKind.EVENT]
    deep = next(
        one
        for one in records
        if one.record.stream_version == 2 and one.record.kind is RecordKind.EVENT
    )
    before = next(
        one
        for one in records
        if one.record.stream == deep.record.stream and one.record.stream_version == 1
    )
    return [
        *(Shown(stored=one, whole=True) for one in (opened, deep, *whole)),
        Shown(stored=before, whole=False),
        Shown(stored=block_of(records), whole=False),
    ]


def asked_of() -> tuple[Question, list[Shown]]:
    _, records, opened = material()
    shown = shown_of(records)
    position = int(block_of(records).position)
    positions = tuple(int(one.stored.position) for one in shown if one.whole)
    return question(
        opened,
        year=2023,
        as_of=dt.date(2024, 6, 14),
        claims=[claim(positions)],
        facts=[FactAddress(position=position, index=index) for index in (1, 3)],
        records=shown,
    ), shown


def made(log: SealedLog | None = None) -> bytes:
    sealed = material()[0] if log is None else log
    asked, shown = asked_of()
    return build(asked, log=sealed, records=shown, schema_of=default_registry().by_id, texts=SEEN)


def kinds(data: bytes, signer: SignerKey = SIGNER) -> set[tuple[str, str]]:
    """Return kind and member of every fault."""
    found = check_dossier(data, [signer.verifier])
    return {(one.kind, one.member) for one in found.faults}


def kinds_of(data: bytes) -> set[str]:
    return {kind for kind, _ in kinds(data)}


@functools.cache
def members() -> dict[str, bytes]:
    return members_of(made())


def changed(**contents: bytes | None) -> dict[str, bytes]:
    """Return the members with some replaced; None drops one."""
    new = {**members(), **contents}
    return {name: content for name, content in new.items() if content is not None}


def with_member(name: str, content: bytes | None) -> bytes:
    """Return a dossier with one member changed and a manifest that agrees."""
    return pack(changed(**{name: content}))


def flipped(content: bytes, place: int) -> bytes:
    data = bytearray(content)
    data[place % len(data)] ^= 1
    return bytes(data)


NAMES = sorted(set(members()) - {MANIFEST})
RECORD, HEADER, FACT = "records/000000000002", "records/000000000001", "facts/000000000042.1"


def test_an_untouched_dossier_has_no_fault() -> None:
    found = check_dossier(made(), [SIGNER.verifier])

    assert found.faults == ()
    assert (found.records, found.facts, found.members) == (5, 2, len(members()))
    assert [one.position for one in found.events] == [2, 4, 37]
    assert found.head is not None
    assert found.since is not None
    assert found.since.size < found.head.size


def test_the_same_question_gives_the_same_bytes() -> None:
    assert made() == made()


def test_a_block_shows_nothing_but_the_facts_asked_for() -> None:
    block = block_of(material()[1])
    whole = made()

    assert block.salt not in whole
    assert block.record.content not in whole
    assert not {f"records/{block.position:012d}.{one}" for one in ("body", "salt")} & set(members())


def test_without_a_key_the_own_one_is_taken_and_nothing_else() -> None:
    own = check_dossier(made())

    assert own.faults == ()
    assert own.signed_by == (SIGNER.verifier.label,)


def test_another_key_is_refused() -> None:
    found = kinds(made(), OTHER)

    assert {("signature", CHECKPOINT), ("key", KEYS), ("signature", SINCE)} <= found


def test_a_dossier_signed_by_another_key_needs_that_key() -> None:
    """Whoever forges everything with a key of their own is found by the key had elsewhere."""
    log, _, _ = material()
    from ledger.evidence.checkpoint import sign_checkpoint  # noqa: PLC0415 - only the forger signs

    forged = sign_checkpoint(log.head.checkpoint, [OTHER])
    keys = (OTHER.verifier,)
    data = made(
        replace(log, checkpoint=forged, head=open_checkpoint(forged, keys), keys=keys, since=None)
    )

    assert check_dossier(data).faults == ()
    assert ("signature", CHECKPOINT) in kinds(data)


@pytest.mark.parametrize("name", NAMES)
def test_a_changed_member_is_found_by_the_manifest(name: str) -> None:
    new = changed(**{name: flipped(members()[name], 3)})

    assert ("digest", name) in kinds(zipped(new))


@pytest.mark.parametrize("name", NAMES)
def test_a_dropped_member_is_found_by_the_manifest(name: str) -> None:
    assert ("missing", name) in kinds(zipped(changed(**{name: None})))


def test_an_added_member_is_found() -> None:
    new = changed(**{"records/000000000003.leaf": members()[f"{RECORD}.leaf"]})

    assert kinds(zipped(new)) == {
        ("unlisted", "records/000000000003.leaf"),
        ("stray", "records/000000000003.leaf"),
    }
    assert kinds(pack(new)) == {("stray", "records/000000000003.leaf")}


@pytest.mark.parametrize("name", sorted(set(NAMES) - UNPROVED - {CLAIMS}))
def test_a_new_manifest_hides_no_change(name: str) -> None:
    """Figures in `dossier.json` are computed again by the command line, and tested there."""
    content = members()[name]

    for place in range(0, len(content), max(1, len(content) // 12)):
        found = kinds(with_member(name, flipped(content, place)))
        assert found, place
        assert "container" not in {kind for kind, _ in found}


@pytest.mark.parametrize("name", sorted(set(NAMES) - {STAMP}))
def test_a_new_manifest_hides_no_loss(name: str) -> None:
    kind = {True: "form", False: "missing"}[name.startswith("schemas/")]

    assert kind in kinds_of(with_member(name, None))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (CHECKPOINT, "signature"),
        (KEYS, "key"),
        (SIGNED_TEXT, "derived"),
        (SIGNATURE, "derived"),
        (PUBLIC_KEY, "derived"),
        (SINCE, "signature"),
        (CLAIMS, "form"),
        (f"{RECORD}.leaf", "leaf"),
        (f"{RECORD}.preimage", "commitment"),
        (f"{RECORD}.body", "content"),
        (f"{RECORD}.salt", "content"),
        (f"{RECORD}.json", "derived"),
        (f"{RECORD}.tlog-proof", "proof"),
        (f"{HEADER}.json", "derived"),
        (f"{FACT}.body", "fact"),
        (f"{FACT}.inner-salt", "fact"),
        (f"{FACT}.inner-proof", "fact"),
        (f"{FACT}.json", "derived"),
    ],
)
def test_each_change_is_found_for_its_reason(name: str, kind: str) -> None:
    stem = name.partition(".")[0]
    place = {"content": f"{stem}.body", "fact": f"{FACT}.body"}.get(kind, name)

    assert (kind, place) in kinds(with_member(name, flipped(members()[name], 0)))


def test_a_changed_schema_is_found() -> None:
    name = next(one for one in NAMES if one.startswith("schemas/"))

    found = kinds(with_member(name, members()[name].replace(b"string", b"double", 1)))

    assert ("schema", name) in found


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        ("leaf", "leaf"),
        ("preimage", "commitment"),
        ("tlog-proof", "proof"),
        ("json", "derived"),
        ("body", "content"),
        ("salt", "content"),
    ],
)
def test_parts_of_two_records_that_change_places_are_found(suffix: str, kind: str) -> None:
    first, second = f"{RECORD}.{suffix}", f"records/000000000004.{suffix}"
    new = changed(**{first: members()[second], second: members()[first]})

    found = kinds(pack(new))

    stem = "body" if kind == "content" else suffix
    assert {(kind, f"{RECORD}.{stem}"), (kind, f"records/000000000004.{stem}")} <= found


def test_the_facts_of_a_block_cannot_change_places() -> None:
    names = [name for name in members() if name.startswith("facts/")]
    other = {name: name.replace(".1.", ".x.").replace(".3.", ".1.").replace(".x.", ".3.")
             for name in names}  # fmt: skip
    new = changed(**{name: members()[other[name]] for name in names})

    assert {("fact", f"{FACT}.body"), ("fact", "facts/000000000042.3.body")} <= kinds(pack(new))


def asked(change: Callable[[Question], Question]) -> bytes:
    """Return a dossier that says something else of itself, with a manifest that agrees."""
    question_ = parse_question(members()[CLAIMS])
    return with_member(CLAIMS, claims_text(change(question_)))


def _marked(asked_: Question, *, whole: bool) -> Question:
    marks = tuple(replace(mark, whole=whole) for mark in asked_.records)
    return replace(asked_, records=marks)


SAID: dict[str, tuple[Callable[[Question], Question], str]] = {
    "another origin": (lambda one: replace(one, origin="registro.example/other"), "ledger"),
    "another body": (lambda one: replace(one, body="Ministero"), "ledger"),
    "no sandbox": (lambda one: replace(one, sandbox=not one.sandbox), "ledger"),
    "another ledger": (lambda one: replace(one, ledger_id="9" + one.ledger_id[1:]), "leaf"),
    "a record less": (lambda one: replace(one, records=one.records[1:]), "stray"),
    "none in front": (lambda one: replace(one, records=one.records[1:]), "stream"),
    "no facts": (lambda one: replace(one, facts=()), "stray"),
    "a basis not whole": (lambda one: replace(one, claims=(claim((1,)),)), "claim"),
    "a basis not shown": (lambda one: replace(one, claims=(claim((41,)),)), "claim"),
    "nothing whole": (lambda one: _marked(one, whole=False), "stray"),
    "a record twice": (lambda one: replace(one, records=one.records[:1] + one.records), "form"),
    "out of order": (lambda one: replace(one, facts=one.facts[::-1]), "form"),
    "everything whole": (lambda one: _marked(one, whole=True), "missing"),
    "another fact": (
        lambda one: replace(one, facts=(FactAddress(position=2, index=0),)),
        "missing",
    ),
}


@pytest.mark.parametrize(("change", "kind"), SAID.values(), ids=SAID.keys())
def test_what_a_dossier_says_of_itself_is_held_against_its_records(
    change: Callable[[Question], Question], kind: str
) -> None:
    assert kind in kinds_of(asked(change))


def _repacked(**options: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", **options) as archive:  # type: ignore[call-overload] # one option
        for name, content in members().items():
            archive.writestr(name, content)
    return packed.getvalue()


def _comment() -> bytes:
    packed = io.BytesIO(made())
    with zipfile.ZipFile(packed, "a") as archive:
        archive.comment = b"hello"
    return packed.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(made() + b"x", id="bytes behind"),
        pytest.param(b"x" + made(), id="bytes in front"),
        pytest.param(_comment(), id="a comment"),
        pytest.param(_repacked(), id="packed anew"),
        pytest.param(_repacked(compression=zipfile.ZIP_DEFLATED), id="compressed"),
        pytest.param(made()[:-10], id="cut off"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"PK\x05\x06" + bytes(18), id="an empty zip"),
        pytest.param(zipped({"../x": b""}), id="a way out"),
        pytest.param(zipped({"/x": b""}), id="a place of its own"),
    ],
)
def test_a_file_of_another_form_is_found(data: bytes) -> None:
    assert ("container", "") in kinds(data)


def test_a_name_that_stands_twice_is_refused() -> None:
    packed = io.BytesIO(made())
    with zipfile.ZipFile(packed, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(CLAIMS, b"{}")

    assert ("container", "") in kinds(packed.getvalue())


@pytest.mark.property
@settings(deadline=None)
@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_every_byte_of_the_file_counts(place: int, bit: int) -> None:
    data = bytearray(made_once())
    data[place % len(data)] ^= 1 << bit

    assert check_dossier(bytes(data), [SIGNER.verifier]).faults


@functools.cache
def made_once() -> bytes:
    return made()


@pytest.mark.property
@settings(deadline=None)
@given(name=st.sampled_from(sorted(set(NAMES) - UNPROVED)), data=st.binary(max_size=200))
def test_no_content_of_a_member_breaks_the_check(name: str, data: bytes) -> None:
    found: CheckedDossier = check_dossier(with_member(name, data), [SIGNER.verifier])

    assert found.faults or data == members()[name]


@pytest.mark.parametrize("order", [slice(None, -1), slice(None, None, -1), slice(0, 0)])
def test_no_dossier_is_made_from_other_leaves(order: slice) -> None:
    log = material()[0]

    with pytest.raises(DossierRefusedError) as caught:
        made(replace(log, leaves=tuple(log.leaves)[order]))

    assert caught.value.reason == "log_differs"


def _refused(log: SealedLog, asked_: Question, records: list[Shown]) -> str:
    with pytest.raises(DossierRefusedError) as caught:
        build(asked_, log=log, records=records, schema_of=default_registry().by_id, texts=SEEN)
    return caught.value.reason


def test_no_dossier_is_made_of_a_record_that_was_changed() -> None:
    log = material()[0]
    asked_, records = asked_of()
    altered = replace(records[0].stored, recorded_at=records[0].stored.recorded_at + 1)

    assert _refused(log, asked_, [Shown(stored=altered, whole=True), *records[1:]]) == (
        "record_differs"
    )


def test_no_dossier_is_made_of_a_record_that_is_not_sealed() -> None:
    log = material()[0]
    old = log.since_head
    assert old is not None
    assert log.since is not None
    short = replace(
        log,
        checkpoint=log.since,
        head=open_checkpoint(log.since, log.keys),
        leaves=log.leaves[: old.size],
        since=None,
    )
    asked_, records = asked_of()

    assert _refused(short, asked_, records) == "record_unsealed"


@pytest.mark.parametrize("index", [5, 1000])
def test_no_dossier_is_made_of_a_fact_that_is_not_there(index: int) -> None:
    log, records, _ = material()
    asked_, shown = asked_of()
    address = FactAddress(position=int(block_of(records).position), index=index)

    assert _refused(log, replace(asked_, facts=(address,)), shown) == "no_such_fact"


def test_no_dossier_continues_a_checkpoint_of_another_tree() -> None:
    log = material()[0]
    assert log.since_head is not None
    other = replace(log.since_head, root=log.head.checkpoint.root)
    asked_, records = asked_of()

    assert _refused(replace(log, since_head=other), asked_, records) == "since_differs"


@pytest.mark.parametrize("size", [*range(1, 20), 31, 32, 33, 64, 65, 100])
def test_proofs_are_those_of_the_definition(size: int) -> None:
    leaves = [bytes([number]) for number in range(size)]
    hashes = [leaf_hash(leaf) for leaf in leaves]
    tree = ProofTree(leaves)

    assert tree.root == tree_root(hashes)
    for index in range(size):
        assert tree.inclusion(LeafIndex(index)) == inclusion_proof(hashes, LeafIndex(index))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"index 1\n\n",
        b"c2sp.org/tlog-proof@v1\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex 01\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex -1\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex 1\n" + b"!" * 44 + b"\n\nx",
        b"c2sp.org/tlog-proof@v1\nindex 1\n" + b"A" * 42 + b"B=\n\nx",
        b"c2sp.org/tlog-proof@v2\nindex 1\n\nx",
        b"c2sp.org/tlog-proof@v1\nextra AA==\nindex 1\n\nx",
        b"\xff\n\nx",
    ],
)
def test_malformed_proofs_are_refused(text: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_proof(text)


@pytest.mark.parametrize("text", [b"", b"old\n\n", b"old 1 \n\n", b"index 1\n\n", b"old 1\nx\n\n"])
def test_malformed_requests_are_refused(text: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_growth(text)


@pytest.mark.parametrize("text", [b"A", b"A\n", b"A" * 44 + b"\n", b"\n"])
def test_malformed_steps_are_refused(text: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_steps(text)


@pytest.mark.parametrize(
    "text",
    [
        b"x\n",
        b"0" * 64 + b" a\n",
        b"0" * 64 + b"  a",
        b"0" * 64 + b"  a\n" + b"0" * 64 + b"  a\n",
        b"0" * 64 + b"  MANIFEST.sha256\n",
        b"0" * 63 + b"G  a\n",
    ],
)
def test_malformed_manifests_are_refused(text: bytes) -> None:
    with pytest.raises(MalformedError):
        parse_manifest(text)


def test_a_manifest_out_of_order_is_found() -> None:
    lines = manifest_of(members()).splitlines(keepends=True)
    new = changed(**{MANIFEST: b"".join(reversed(lines))})

    assert kinds(zipped(new)) == {("manifest", MANIFEST)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"year": 2023', b'"year": true'),
        (b'"year": 2023', b'"year": 2023.0'),
        (b'"whole": true', b'"whole": 1'),
        (b'"position": 4', b'"position": "4"'),
        (b'"format": "registro/dossier/v1"', b'"format": "registro/dossier/v2"'),
        (b'"sandbox": false', b'"sandbox": false, "more": 1'),
        (b'"claims": [', b'"claims": [null, '),
        (b"{", b"[" * 100_000),
        (b'"code": "PS"', b'"code":  "PS"'),
    ],
)
def test_claims_that_are_written_otherwise_are_refused(old: bytes, new: bytes) -> None:
    text = members()[CLAIMS]
    assert old in text

    with pytest.raises(MalformedError):
        parse_question(text.replace(old, new, 1))


def test_both_proofs_of_growth_are_needed() -> None:
    for name in (SINCE, GROWTH):
        other = GROWTH if name == SINCE else SINCE
        assert ("missing", name) in kinds(with_member(name, None)), other


def test_an_older_proof_of_growth_is_refused() -> None:
    request = members()[GROWTH]
    size = request.partition(b"\n")[0]

    found = kinds(with_member(GROWTH, request.replace(size, b"old 1", 1)))

    assert found == {("consistency", GROWTH)}


def test_every_kind_of_fault_has_its_texts_in_both_languages() -> None:
    assert set(FAULTS) == set(FAULTS_IT) == set(FAULT_NAMES)
    for kind, sentence in FAULTS.items():
        assert _places(sentence) == _places(FAULTS_IT[kind]), kind


def _places(sentence: str) -> list[str]:
    return sorted(part.partition("}")[0] for part in sentence.split("{")[1:])
