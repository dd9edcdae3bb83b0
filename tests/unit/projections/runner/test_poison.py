"""A record that cannot be folded halts its projection right before it; nothing is skipped."""

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from ledger.application import LedgerApplication
from ledger.errors import ProjectionError
from ledger.events.organisation import UnitEstablished
from ledger.records import AppendPart, RecordKind
from ledger.types import BEFORE_FIRST, AppendKey, Position, StreamName, StreamVersion
from projections.runner.contract import Batch, Delta, Projection
from projections.runner.folding import event_batches, fold_batches, fold_range
from projections.runner.models import PROJECTIONS
from projections.runner.runner import Runner
from projections.runner.tables import BUILDING
from projections.runner.views import Views, canonical, digest_of
from tests.support.ledgers import reopened
from tests.support.production import batch as said_of
from tests.support.production import fact, production_ledger
from tests.support.production import record as take_in
from tests.support.tampering import tamper
from tests.unit.projections.runner.test_digests import (
    PRODUCTION,
    caught_up,
    facts_ledger,
    late_unit,
    views_at,
)

CELLS = ("content", "commitment", "schema_id", "lengths")
"""Columns of a block whose alteration a fold of facts finds."""
EVENT_CELLS = ("content", "lengths", "envelope", "event_type", "schema_id", "envelope_schema_id")
"""Columns of a governed event whose alteration a reader of events finds."""
FORGED: dict[str, object] = {
    "content": b"\xff\xff",
    "commitment": bytes(32),
    "schema_id": bytes(32),
    "lengths": b"\x03",
    "envelope": b"\xff",
    "event_type": "registro.planning.Nothing",
    "envelope_schema_id": bytes(32),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return facts_ledger(tmp_path_factory.mktemp("whole") / "ledger.db")


@pytest.fixture
def spoilt(whole: Path, tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    shutil.copy(whole, path)
    return path


def places(path: Path, kind: RecordKind) -> list[Position]:
    """Return the positions of the records of a kind."""
    return [one.position for one in reopened(path).store.read() if one.record.kind is kind]


def cell(path: Path, column: str, position: int) -> object:
    """Return what stands in a cell."""
    with closing(sqlite3.connect(path)) as connection:
        sql = f"SELECT {column} FROM record WHERE position = ?"  # noqa: S608 - our own column names
        return connection.execute(sql, (position,)).fetchone()[0]


def write(path: Path, column: str, position: int, value: object) -> object:
    """Put another value into a cell; return the one that stood there."""
    before = cell(path, column, position)
    sql = f"UPDATE record SET {column} = ? WHERE position = ?"  # noqa: S608 - our own column names
    tamper(path, (sql, (value, position)))
    return before


def digest_through(path: Path, projection: Projection, position: int) -> str:
    """Return the digest of what the records up to a position give."""
    ledger, through = reopened(path), Position(position)
    if projection.fresh is None:
        folded = fold_range(ledger, projection, after=BEFORE_FIRST, through=through)
    else:
        batches = event_batches(ledger, BEFORE_FIRST, through)
        folded = fold_batches(projection, projection.fresh(), batches, through=through)
    return digest_of(canonical(projection, folded.rows))


def refused(
    ledger: LedgerApplication, views: Views, projection: Projection, *, records: int = 512
) -> ProjectionError:
    """Catch up and return the error it ends with."""
    with pytest.raises(ProjectionError) as caught:
        Runner(ledger, views).catch_up(projection, records=records)
    return caught.value


def require_halt(
    whole: Path, views: Views, ledger: LedgerApplication, projection: Projection, position: int
) -> None:
    """Require that a projection stands right before a record, and says why."""
    lag = Runner(ledger, views).lag(projection)
    assert (lag.halted_at, lag.position) == (position, position - 1)
    assert lag.halted_reason
    assert lag.records == ledger.head() - position + 1
    assert views.digest(projection) == digest_through(whole, projection, position - 1)


@pytest.mark.parametrize("column", CELLS)
@pytest.mark.parametrize("records", [9, 512])
def test_an_altered_block_halts_production_right_before_it(
    column: str, records: int, whole: Path, spoilt: Path, tmp_path: Path
) -> None:
    position = places(whole, RecordKind.BLOCK)[9]
    right = write(spoilt, column, position, FORGED[column])
    ledger, views = reopened(spoilt), views_at(tmp_path / "views.db")

    for _ in range(2):
        error = refused(ledger, views, PRODUCTION, records=records)
        assert (error.facts["projection"], error.facts["position"]) == (
            "production",
            str(position),
        )
        require_halt(whole, views, ledger, PRODUCTION, position)

    write(spoilt, column, position, right)
    Runner(ledger, views).catch_up(PRODUCTION)
    lag = Runner(ledger, views).lag(PRODUCTION)
    assert (lag.halted_at, lag.halted_reason, lag.records) == (None, None, 0)
    assert views.digest(PRODUCTION) == caught_up(reopened(whole), tmp_path / "w.db", PRODUCTION)


@pytest.mark.parametrize("column", EVENT_CELLS)
@pytest.mark.parametrize("name", ["indicators", "trail"])
def test_an_event_that_cannot_be_decoded_halts_every_reader_of_events(
    column: str, name: str, whole: Path, spoilt: Path, tmp_path: Path
) -> None:
    projection = PROJECTIONS[name]
    units = reopened(whole).store.read(event_types=[UnitEstablished.TYPE])
    position = units[3].position
    right = write(spoilt, column, position, FORGED[column])
    ledger, views = reopened(spoilt), views_at(tmp_path / "views.db")

    assert refused(ledger, views, projection).facts["position"] == str(position)
    require_halt(whole, views, ledger, projection, position)

    write(spoilt, column, position, right)
    Runner(ledger, views).catch_up(projection)
    assert views.digest(projection) == caught_up(reopened(whole), tmp_path / "w.db", projection)


@pytest.mark.parametrize("name", PROJECTIONS)
@pytest.mark.parametrize("place", [-2, 12])
def test_a_missing_record_halts_at_its_place(
    name: str, place: int, whole: Path, spoilt: Path, tmp_path: Path
) -> None:
    head = reopened(whole).head()
    position = place if place > 0 else head + place
    tamper(spoilt, ("DELETE FROM record WHERE position = ?", (position,)))
    ledger, views = reopened(spoilt), views_at(tmp_path / "views.db")

    assert refused(ledger, views, PROJECTIONS[name]).facts["position"] == str(position)
    assert Runner(ledger, views).lag(PROJECTIONS[name]).position == position - 1


def append_foreign(ledger: LedgerApplication) -> Position:
    """Append a block whose schema no release knows; return its position."""
    of_blocks = [one for one in ledger.store.read() if one.record.kind is RecordKind.BLOCK]
    foreign = replace(
        of_blocks[-1].record,
        schema_id=b"\x01" * 32,
        event_type="registro.facts.FromTomorrow",
        append=AppendPart(key=AppendKey("facts/production/OTHER/1")),
        stream=StreamName("facts/production/OTHER"),
        stream_version=StreamVersion(1),
    )
    return ledger.store.append([foreign])[0].position


@pytest.mark.parametrize("records", [5, 512])
def test_facts_of_an_unknown_schema_halt_production(
    records: int, spoilt: Path, whole: Path, tmp_path: Path
) -> None:
    ledger, views = reopened(spoilt), views_at(tmp_path / "views.db")
    position = append_foreign(ledger)

    error = refused(ledger, views, PRODUCTION, records=records)

    assert error.facts["position"] == str(position)
    assert "01010101" in error.facts["reason"]
    require_halt(whole, views, ledger, PRODUCTION, position)


def test_of_two_spoilt_records_the_first_is_told(spoilt: Path, tmp_path: Path) -> None:
    ledger, views = reopened(spoilt), views_at(tmp_path / "views.db")
    first = append_foreign(ledger)
    row = fact("RequestDefined", source_id="afterwards")
    take_in(ledger, tmp_path, "RequestDefined", [row], said_of("production", "afterwards"))
    write(spoilt, "commitment", ledger.head(), bytes(32))

    assert refused(ledger, views, PRODUCTION).facts["position"] == str(first)
    lag = Runner(ledger, views).lag(PRODUCTION)
    assert (lag.position, lag.halted_at, lag.records) == (first - 1, first, 2)


def stumbling(projection: Projection, position: int) -> Projection:
    """Return a projection whose fold stumbles over a record and does not say which."""

    def fold(batch: Batch) -> Delta:
        items: Sequence[object] = [*batch.blocks, *batch.events]
        if any(getattr(one, "position", None) == position for one in items):
            raise ZeroDivisionError("stumbled")
        return projection.fold(batch)

    return replace(projection, fold=fold)


@pytest.mark.parametrize("name", ["production", "trail"])
@pytest.mark.parametrize("records", [5, 512])
def test_a_fold_that_does_not_say_where_it_failed_halts_at_the_right_record(
    name: str, records: int, whole: Path, tmp_path: Path
) -> None:
    ledger, views = reopened(whole), views_at(tmp_path / "views.db")
    for place in (0, 7, -1):
        position = places(whole, RecordKind.BLOCK)[place]
        projection = stumbling(PROJECTIONS[name], position)
        error = refused(ledger, views, projection, records=records)
        assert (error.facts["position"], error.facts["reason"]) == (str(position), "stumbled")
        require_halt(whole, views, ledger, projection, position)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_rebuild_over_a_spoilt_record_leaves_readers_what_they_had(
    workers: int, whole: Path, spoilt: Path, tmp_path: Path
) -> None:
    ledger, views = reopened(spoilt), views_at(tmp_path / "views.db")
    Runner(ledger, views).catch_up(PRODUCTION)
    before, digest = views.live("production"), views.digest(PRODUCTION)
    position = places(whole, RecordKind.BLOCK)[4]
    right = write(spoilt, "content", position, b"\xff")

    with pytest.raises(ProjectionError) as caught:
        Runner(ledger, views, url=str(spoilt)).rebuild(PRODUCTION, workers=workers)

    assert caught.value.facts["position"] == str(position)
    assert (views.live("production"), views.digest(PRODUCTION)) == (before, digest)
    assert [one.state for one in views.generations()].count(BUILDING) == 1
    write(spoilt, "content", position, right)
    assert Runner(ledger, views).rebuild(PRODUCTION).changed is False
    assert [one.state for one in views.generations()].count(BUILDING) == 0


def test_a_halted_projection_does_not_hold_up_the_others(
    whole: Path, spoilt: Path, tmp_path: Path
) -> None:
    write(spoilt, "content", places(whole, RecordKind.BLOCK)[0], b"")
    ledger, views = reopened(spoilt), views_at(tmp_path / "views.db")
    refused(ledger, views, PRODUCTION)
    for name in ("organisation", "targets", "indicators", "trail"):
        Runner(ledger, views).catch_up(PROJECTIONS[name])
        assert Runner(ledger, views).lag(PROJECTIONS[name]).records == 0


def panicking(*_: object, **__: object) -> pl.DataFrame:
    """Fail as the native reader may."""
    raise pl.exceptions.PanicException("index out of bounds")


def test_a_panic_of_the_native_reader_costs_time_and_is_counted(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger, views = reopened(whole), views_at(tmp_path / "views.db")
    wanted = caught_up(ledger, tmp_path / "w.db", PRODUCTION)
    monkeypatch.setattr(pl, "read_avro", panicking)

    Runner(ledger, views).catch_up(PRODUCTION, records=10)
    rebuilt = Runner(ledger, views_at(tmp_path / "other.db")).rebuild(PRODUCTION)

    blocks = len(places(whole, RecordKind.BLOCK))
    assert (rebuilt.fallbacks, rebuilt.digest) == (blocks, wanted)
    assert Runner(ledger, views).lag(PRODUCTION).fallbacks == blocks
    assert views.digest(PRODUCTION) == wanted


@pytest.mark.parametrize("records", [1, 512])
def test_facts_that_no_cell_can_sum_halt_production(records: int, tmp_path: Path) -> None:
    ledger, views = production_ledger(tmp_path / "ledger.db"), views_at(tmp_path / "views.db")

    def absurd(name: str) -> None:
        rows = [fact("FlowRecorded", source_id=f"{name}{n}", amount=10**16) for n in range(500)]
        assert take_in(ledger, tmp_path, "FlowRecorded", rows, said_of("flow", name)).rejected == 0

    absurd("a")
    Runner(ledger, views).catch_up(PRODUCTION)
    held = views.digest(PRODUCTION)
    late_unit(ledger, "NEW")
    absurd("b")
    position = ledger.head()
    late_unit(ledger, "NEWER")

    error = refused(ledger, views, PRODUCTION, records=records)

    assert error.facts["position"] == str(position)
    assert "64 bits" in error.facts["reason"]
    lag = Runner(ledger, views).lag(PRODUCTION)
    assert (lag.halted_at, lag.position) == (position, position - 1)
    assert views.digest(PRODUCTION) == held
