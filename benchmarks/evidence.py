"""Evidence: checking a year, proving one record, the delay of a seal, a dossier.

`REGISTRO_BENCH_EVENTS` says how many facts the year has (1 000 000 by default); with
`REGISTRO_BENCH_LEDGER` a ledger that was simulated before is measured instead: it is only read.
The governed records are those of the worked example.
"""

import os
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from benchmarks.measure import rates, show
from benchmarks.year import opened, silently, year_of
from ledger.aggregates.base import Proposal
from ledger.application import LedgerApplication
from ledger.envelopes import command
from ledger.events.ledger import Actor, Envelope, Source
from ledger.events.publication import DocumentPublished
from ledger.evidence.note import SEED_BYTES, SignerKey, new_signer
from ledger.evidence.sealer import Sealer, sealer_of
from ledger.evidence.tiles import TileReader
from ledger.integrity.merkle import inclusion_proof, tree_root, verify_inclusion
from ledger.store.mapper import AvroMapper
from ledger.types import BEFORE_FIRST, LeafIndex
from ledger.verification import verify

ROUNDS: Final = 3
EXAMPLE: Final = "examples/inps-2023"
PROOFS: Final = 200
SEAL_SECONDS: Final = 15.0
"""How long appends go on while a sealer follows."""
APPEND_EVERY: Final = 0.05
SEAL_EVERY: Final = 0.2
"""Seconds between two looks of the sealer; the shortest that a signature a look makes sense at."""
DOSSIERS: Final = 3


def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = year_of(folder)
        _verification(path)
        _governed(folder)
        _seal_and_proofs(path, folder)
        _delay(folder)
        _dossier(path, folder)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"\npeak memory of this process: {peak:,.0f} MiB")


def _verification(path: Path) -> None:
    store = opened(path).store
    events = store.pending(BEFORE_FIRST).events

    def check(*, deep: bool) -> Callable[[int], int]:
        def work(_: int) -> int:
            found = verify(store, AvroMapper(), deep=deep)
            if found.discrepancies:
                raise RuntimeError("the ledger is damaged")
            return found.events

        return work

    contestants = {
        "every record hashed, its content with it": check(deep=False),
        "every fact hashed and decoded too (--deep)": check(deep=True),
    }
    show(f"verify, {events:,} events", rates(contestants, rounds=ROUNDS), unit="events/s")


def _governed(folder: Path) -> None:
    path = folder / "governed.db"
    silently("import", EXAMPLE, "--ledger", str(path))
    store = opened(path).store

    def work(_: int) -> int:
        return verify(store, AvroMapper()).records

    samples = rates({"governed records: hashed, decoded, encoded again": work}, rounds=ROUNDS)
    show("verify, worked example", samples, unit="records/s")


def _key(ledger: LedgerApplication) -> SignerKey:
    opened_ = ledger.identity.opened
    if opened_ is None:
        raise RuntimeError("the ledger has no identity")
    return new_signer(opened_.origin, bytes(SEED_BYTES))


def _seal_and_proofs(path: Path, folder: Path) -> None:
    ledger = opened(path)
    begin = time.perf_counter()
    sealed = sealer_of(ledger, folder / "year.log", [_key(ledger)]).seal()
    seconds = time.perf_counter() - begin
    print(f"\nfirst seal of {sealed.size:,} records: {seconds:.2f} s")
    reader = TileReader(folder / "year.log")
    hashes = reader.leaf_hashes(sealed.size)
    root = tree_root(hashes)
    step = max(1, sealed.size // PROOFS)
    made: list[float] = []
    checked: list[float] = []
    for index in range(0, sealed.size, step):
        begin = time.perf_counter()
        proof = inclusion_proof(hashes, LeafIndex(index))
        between = time.perf_counter()
        verify_inclusion(
            hashes[index], index=LeafIndex(index), size=sealed.size, proof=proof, root=root
        )
        made.append(between - begin)
        checked.append(time.perf_counter() - between)
    print(
        f"inclusion proof in a tree of {sealed.size:,}: made in {_middle(made) * 1e3:.2f} ms "
        f"(p99 {_p99(made) * 1e3:.2f}), checked in {_middle(checked) * 1e6:.0f} microseconds"
    )


def _middle(spent: Sequence[float]) -> float:
    return statistics.median(spent)


def _p99(spent: Sequence[float]) -> float:
    return sorted(spent)[max(0, int(len(spent) * 0.99) - 1)]


def _delay(folder: Path) -> None:
    """Append governed events while a sealer follows; the delay is from append to checkpoint."""
    path = folder / "delay.db"
    silently("init", "--body", "BENCH", "--ledger", str(path))
    writer, reader = opened(path, read_only=False), opened(path)
    sealer = sealer_of(reader, folder / "delay.log", [_key(reader)])
    sealer.seal()
    begin = {int(writer.head()): time.perf_counter()}
    done = threading.Event()
    thread = threading.Thread(target=_append, args=(writer, begin, done))
    thread.start()
    spent = _follow(sealer, begin, done)
    thread.join()
    print(
        f"\nseal delay, {len(spent)} appends, a look every {SEAL_EVERY} s: "
        f"median {_middle(spent) * 1e3:.0f} ms, p99 {_p99(spent) * 1e3:.0f} ms, "
        f"longest {max(spent) * 1e3:.0f} ms"
    )


def _append(ledger: LedgerApplication, at: dict[int, float], done: threading.Event) -> None:
    today = ledger.today()
    envelope = Envelope(as_of=today, actor=Actor(role="bench"), source=Source(system="bench"))
    end = time.perf_counter() + SEAL_SECONDS
    first = DocumentPublished(document_id="0", title="title", published_on=today)
    number = 0
    while time.perf_counter() < end:
        number += 1
        event = replace(first, document_id=str(number))
        head = ledger.execute(
            command(f"bench/{number}", [Proposal(event=event, envelope=envelope)])
        ).head
        at[int(head)] = time.perf_counter()
        time.sleep(APPEND_EVERY)
    done.set()


def _follow(sealer: Sealer, at: dict[int, float], done: threading.Event) -> list[float]:
    spent: list[float] = []
    told = 0
    while True:
        last = done.is_set()
        sealed = sealer.seal()
        now = time.perf_counter()
        if not told:
            told = int(sealed.size) - sealed.added
        # The writer notes the instant after its commit: a seal may have been quicker.
        spent += [
            max(0.0, now - at.get(position, now))
            for position in range(told + 1, int(sealed.size) + 1)
        ]
        told = int(sealed.size)
        if last:
            return spent
        time.sleep(SEAL_EVERY)


def _dossier(path: Path, folder: Path) -> None:
    """Make and check a dossier of one indicator of the year, log and keys beside."""
    ledger = opened(path)
    key = _key(ledger)
    (folder / "vkey").write_text(key.verifier.text + "\n", encoding="utf-8")
    made: list[float] = []
    checked: list[float] = []
    size = 0
    for turn in range(DOSSIERS):
        out = folder / f"{turn}.zip"
        begin = time.perf_counter()
        silently(
            *("dossier", "--indicator", os.environ.get("REGISTRO_BENCH_INDICATOR", "PS")),
            *("--vkey", str(folder / "vkey"), "--dir", str(folder / "year.log")),
            *("--out", str(out), "--ledger", str(path)),
        )
        between = time.perf_counter()
        silently("dossier", "check", str(out), "--vkey", str(folder / "vkey"))
        checked.append(time.perf_counter() - between)
        made.append(between - begin)
        size = out.stat().st_size
    print(
        f"\ndossier of one indicator: made in {_middle(made):.2f} s, checked in "
        f"{_middle(checked):.2f} s, {size:,} bytes"
    )
