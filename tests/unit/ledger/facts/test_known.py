"""The window that is kept is the window that would be read anew."""

from pathlib import Path

import polars as pl
import pytest

from ledger.facts.batches import stream_of
from ledger.facts.known import KnownIds
from tests.support.production import batch, fact, production_ledger, record


@pytest.mark.parametrize("window", [0, 1, 3, 7, 100])
def test_what_is_kept_from_batch_to_batch_is_what_is_read_anew(tmp_path: Path, window: int) -> None:
    ledger = production_ledger()
    stream = stream_of("production", "SRC")
    registry = ledger.avro.registry
    kept = KnownIds(ledger.store, registry, stream, window=window)
    every: list[str] = []
    for number, size in enumerate((2, 1, 5, 3), start=1):
        names = [f"{number}/{n}" for n in range(size)]
        rows = [fact("RequestReceived", source_id=one) for one in names]
        record(ledger, tmp_path, "RequestReceived", rows, batch(name=str(number)))
        every += names
        version = ledger.store.read_stream(stream)[-1].record.stream_version

        kept.advance(version)
        anew = KnownIds(ledger.store, registry, stream, window=window)
        anew.advance(version)

        asked = pl.Series(every).hash()
        wanted = every[len(every) - window :] if window < len(every) else every
        assert kept.near(asked).to_list() == (wanted if window else [])
        assert anew.near(asked).to_list() == kept.near(asked).to_list()
    ledger.store.engine.dispose()


def test_facts_behind_the_version_asked_for_are_not_known(tmp_path: Path) -> None:
    ledger = production_ledger()
    stream = stream_of("production", "SRC")
    for number in ("1", "2"):
        rows = [fact("RequestReceived", source_id=number)]
        record(ledger, tmp_path, "RequestReceived", rows, batch(name=number))
    known = KnownIds(ledger.store, ledger.avro.registry, stream, window=10)
    first = ledger.store.read_stream(stream)[0].record.stream_version

    known.advance(first)

    assert known.near(pl.Series(["1", "2"]).hash()).to_list() == ["1"]
    ledger.store.engine.dispose()
