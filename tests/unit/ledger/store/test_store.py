"""The store: dense positions, stream versions, append keys, what is at rest, what is refused."""

import datetime as dt
import hashlib
import itertools
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import (
    AppendKeyConflictError,
    LedgerExistsError,
    LedgerMissingError,
    StoredEventDecodeError,
    StoreError,
    StoreFormatError,
    StoreUnavailableError,
    WrongExpectedVersionError,
)
from ledger.integrity.commitment import commitment
from ledger.records import AppendPart, PendingRecord, RecordKind, micros_of
from ledger.store.reader import NAMES_PER_QUERY
from ledger.store.rows import COMPRESS_FROM_BYTES, fields_of, stored_of, unpacked
from ledger.store.store import Store
from ledger.store.tables import CODING_PLAIN, CODING_ZSTD, STORE_FORMAT
from ledger.types import AppendKey, Digest, Position, StreamName, StreamVersion
from tests.support.ledgers import FakeClock, embedded, store_at

A, B, C = StreamName("a"), StreamName("b"), StreamName("c")
V0, V1, V2 = StreamVersion(0), StreamVersion(1), StreamVersion(2)
DIGEST, OTHER_DIGEST = Digest(b"\x01" * 32), Digest(b"\x02" * 32)
_KEYS = itertools.count(1)


def pending(
    stream: str = "a",
    version: int = 1,
    *,
    key: str | None = None,
    part: int = 0,
    part_count: int = 1,
    digest: Digest = DIGEST,
    content: bytes = b"body",
    event_type: str = "test.Event",
) -> PendingRecord:
    return PendingRecord(
        kind=RecordKind.EVENT,
        stream=StreamName(stream),
        stream_version=StreamVersion(version),
        event_type=event_type,
        schema_id=b"\x0a" * 32,
        append=AppendPart(
            key=AppendKey(f"k/{next(_KEYS)}" if key is None else key),
            part=part,
            part_count=part_count,
            input_digest=digest,
        ),
        envelope_schema_id=b"\x0b" * 32,
        envelope=b"envelope",
        lengths=(len(content),),
        content=content,
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def store(path: Path) -> Store:
    created = store_at(path)
    created.create()
    return created


@pytest.fixture(params=["file", "memory"])
def any_store(request: pytest.FixtureRequest, path: Path) -> Store:
    created = store_at(path if request.param == "file" else None)
    created.create()
    return created


def positions(store: Store) -> list[int]:
    return [item.position for item in store.read()]


def at_rest(path: Path, position: int) -> tuple[int, bytes]:
    with closing(sqlite3.connect(path)) as raw:
        row = raw.execute(
            "SELECT content_coding, content FROM record WHERE position = ?", (position,)
        ).fetchone()
    return int(row[0]), bytes(row[1])


# Positions and versions


def test_an_empty_ledger_has_no_records(any_store: Store) -> None:
    assert any_store.head() == 0
    assert any_store.count() == 0
    assert any_store.read() == ()
    assert any_store.read_stream(A) == ()
    assert any_store.read_streams([A, B]) == ()
    assert any_store.read_streams([]) == ()


def test_positions_are_dense_over_streams_and_appends(any_store: Store) -> None:
    any_store.append([pending("a", 1), pending("b", 1), pending("a", 2)])
    any_store.append([pending("b", 2)])

    assert positions(any_store) == [1, 2, 3, 4]
    assert any_store.head() == any_store.count() == 4


def test_positions_stay_dense_after_a_refused_append(store: Store) -> None:
    store.append([pending("a", 1)])
    with pytest.raises(WrongExpectedVersionError):
        store.append([pending("b", 1), pending("a", 5)])
    store.append([pending("a", 2)])

    assert positions(store) == [1, 2]


def test_gives_back_what_was_appended_with_position_salt_and_commitment(any_store: Store) -> None:
    items = [pending("a", 1, content=b""), pending("a", 2, content=b"x" * 5000)]

    appended = any_store.append(items)

    assert any_store.read() == appended
    assert [item.record for item in appended] == items
    assert len({item.salt for item in appended}) == 2
    for item in appended:
        fields = fields_of(item.record, recorded_at=item.recorded_at, salt=item.salt)
        assert item.commitment == commitment(fields)


@pytest.mark.parametrize("first", [0, 1])
def test_a_stream_begins_at_0_or_1_and_goes_on_by_one(store: Store, first: int) -> None:
    store.append([pending("a", first), pending("a", first + 1)])
    store.append([pending("a", first + 2)])

    versions = [item.record.stream_version for item in store.read_stream(A)]
    assert versions == [first, first + 1, first + 2]


@pytest.mark.parametrize("first", [-1, 2, 7])
def test_refuses_a_stream_that_begins_elsewhere(store: Store, first: int) -> None:
    with pytest.raises(WrongExpectedVersionError):
        store.append([pending("a", first)])

    assert store.count() == 0


@pytest.mark.parametrize("version", [0, 1, 2, 4, 9])
def test_refuses_a_version_that_is_not_the_next(store: Store, version: int) -> None:
    store.append([pending("a", 1), pending("a", 2)])

    with pytest.raises(WrongExpectedVersionError) as caught:
        store.append([pending("a", version)])

    assert caught.value.retriable
    assert caught.value.facts == {"stream": "a", "expected": str(version - 1), "actual": "2"}
    assert store.count() == 2


def test_refuses_a_gap_within_one_append(store: Store) -> None:
    with pytest.raises(WrongExpectedVersionError):
        store.append([pending("a", 1), pending("a", 3)])

    assert store.count() == 0


def test_a_lost_race_on_a_stream_that_is_written_appends_nothing(path: Path, store: Store) -> None:
    other = store_at(path)
    store.append([pending("a", 1)])
    other.append([pending("a", 2)])

    with pytest.raises(WrongExpectedVersionError):
        store.append([pending("b", 1), pending("a", 2)])

    assert [(i.record.stream, i.record.stream_version) for i in store.read()] == [
        ("a", 1),
        ("a", 2),
    ]


@pytest.mark.parametrize(
    ("expected", "rivals"),
    [(V1, 2), (V0, 1), (V2, 1)],
    ids=["written meanwhile", "begun meanwhile", "shorter than thought"],
)
def test_a_lost_race_on_a_stream_that_was_only_read_appends_nothing(
    path: Path, store: Store, expected: StreamVersion, rivals: int
) -> None:
    other = store_at(path)
    other.append([pending("read", version) for version in range(1, rivals + 1)])

    with pytest.raises(WrongExpectedVersionError) as caught:
        store.append([pending("a", 1)], expect={StreamName("read"): expected})

    assert caught.value.facts["stream"] == "read"
    assert store.count() == rivals
    assert store.read_stream(A) == ()


def test_streams_that_were_read_and_not_touched_since_do_not_hinder(store: Store) -> None:
    store.append([pending("a", 1)])

    store.append([pending("c", 1)], expect={A: V1, B: V0})

    assert store.head() == 2


def test_every_one_of_many_streams_read_is_checked(store: Store) -> None:
    many = {StreamName(f"s{number:05}"): V0 for number in range(2 * NAMES_PER_QUERY + 1)}
    last = max(many)
    store.append([pending(last, 1)])

    with pytest.raises(WrongExpectedVersionError) as caught:
        store.append([pending("a", 1)], expect=many)

    assert caught.value.facts["stream"] == last


# Append keys


@pytest.mark.parametrize("digest", [DIGEST, OTHER_DIGEST])
def test_refuses_an_append_key_that_is_known(store: Store, digest: Digest) -> None:
    store.append([pending("a", 1, key="k", digest=DIGEST)])

    with pytest.raises(AppendKeyConflictError) as caught:
        store.append([pending("b", 1), pending("a", 2, key="k", digest=digest)])

    assert caught.value.facts == {"append_key": "k", "position": "1"}
    assert store.count() == 1


def test_the_second_writer_of_the_same_command_hears_of_the_race(store: Store) -> None:
    # Not of its key: it must read again, and then finds the command answered.
    store.append([pending("a", 1, key="k")])

    with pytest.raises(WrongExpectedVersionError) as caught:
        store.append([pending("a", 1, key="k")])

    assert caught.value.retriable


def test_refuses_one_part_twice_in_one_append(store: Store) -> None:
    with pytest.raises(StoreError):
        store.append([pending("a", 1, key="k", part=0), pending("a", 2, key="k", part=0)])

    assert store.count() == 0


def test_finds_an_append_by_its_key_in_order_of_parts(store: Store) -> None:
    store.append(
        [
            pending("a", 1, key="k", part=1, part_count=2),
            pending("b", 1, key="k", part=0, part_count=2),
        ]
    )
    store.append([pending("c", 1, key="other")])

    assert [header.append.part for header in store.append_headers(AppendKey("k"))] == [0, 1]
    assert store.append_headers(AppendKey("none")) == ()


def test_tells_the_input_digests_of_known_keys_only(store: Store) -> None:
    store.append([pending("a", 1, key="k", digest=DIGEST)])
    store.append([pending("a", 2, key="l", digest=OTHER_DIGEST)])

    known = store.appends_known([AppendKey("l"), AppendKey("none"), AppendKey("k")])

    assert known == {"k": DIGEST, "l": OTHER_DIGEST}
    assert store.appends_known([]) == {}


def test_asks_for_more_keys_than_one_query_takes(store: Store) -> None:
    keys = [AppendKey(f"many/{number}") for number in range(2 * NAMES_PER_QUERY + 1)]
    store.append([pending("a", n, key=key) for n, key in enumerate(keys, start=1)])

    assert len(store.appends_known(keys)) == len(keys)
    with pytest.raises(AppendKeyConflictError):
        store.append([pending("b", n, key=key) for n, key in enumerate(keys, start=1)])


# The clock


def test_the_instant_is_the_same_for_all_records_of_one_append(store: Store) -> None:
    appended = store.append([pending("a", 1), pending("a", 2)])

    assert appended[0].recorded_at == appended[1].recorded_at


def test_the_instant_is_what_the_clock_says(path: Path) -> None:
    clock = FakeClock()
    store = store_at(path, clock=clock)
    store.create()

    (appended,) = store.append([pending("a", 1)])

    assert appended.recorded_instant == clock.instant
    assert appended.recorded_at == micros_of(clock.instant)


def test_the_instant_does_not_go_back_with_the_clock(path: Path) -> None:
    clock = FakeClock()
    store = store_at(path, clock=clock)
    store.create()
    (first,) = store.append([pending("a", 1)])
    clock.instant -= dt.timedelta(days=400)
    (second,) = store.append([pending("a", 2)])
    clock.instant = first.recorded_instant + dt.timedelta(microseconds=1)
    (third,) = store.append([pending("a", 3)])

    assert second.recorded_at == first.recorded_at
    assert third.recorded_at > second.recorded_at


def test_the_instant_does_not_go_back_for_a_process_whose_clock_is_behind(
    path: Path, store: Store
) -> None:
    (first,) = store.append([pending("a", 1)])
    behind = store_at(path, clock=FakeClock(dt.datetime(1999, 1, 1, tzinfo=dt.UTC)))

    (second,) = behind.append([pending("a", 2)])

    assert second.recorded_at == first.recorded_at


# Reading


@pytest.fixture
def filled(store: Store) -> Store:
    store.append([pending("a", n, event_type=f"t.{'odd' if n % 2 else 'even'}") for n in (1, 2, 3)])
    store.append([pending("b", n, event_type="t.odd") for n in (1, 2)])
    return store


@pytest.mark.parametrize(
    ("after", "through", "limit", "found"),
    [
        (0, None, None, [1, 2, 3, 4, 5]),
        (2, None, None, [3, 4, 5]),
        (0, 2, None, [1, 2]),
        (1, 4, 2, [2, 3]),
        (5, None, None, []),
        (99, None, None, []),
        (3, 3, None, []),
        (4, 2, None, []),
        (0, None, 0, []),
    ],
)
def test_reads_between_bounds(
    filled: Store, after: int, through: int | None, limit: int | None, found: list[int]
) -> None:
    bound = None if through is None else Position(through)

    items = filled.read(after=Position(after), through=bound, limit=limit)

    assert [item.position for item in items] == found


def test_a_limit_counts_after_the_choice_of_types(filled: Store) -> None:
    items = filled.read(event_types=["t.odd"], limit=3)

    assert [item.position for item in items] == [1, 3, 4]
    assert filled.read(event_types=["t.none"]) == ()


@pytest.mark.parametrize(
    ("after", "through", "descending", "limit", "found"),
    [
        (None, None, False, None, [1, 2, 3]),
        (None, None, True, None, [3, 2, 1]),
        (1, None, False, None, [2, 3]),
        (None, 2, True, 1, [2]),
        (3, None, False, None, []),
    ],
)
def test_reads_a_stream_between_versions(
    filled: Store,
    after: int | None,
    through: int | None,
    *,
    descending: bool,
    limit: int | None,
    found: list[int],
) -> None:
    items = filled.read_stream(A, after=after, through=through, descending=descending, limit=limit)

    assert [item.record.stream_version for item in items] == found


def test_reads_several_streams_each_in_order(filled: Store) -> None:
    items = filled.read_streams([B, C, A])

    assert [(i.record.stream, i.record.stream_version) for i in items] == [
        ("a", 1),
        ("a", 2),
        ("a", 3),
        ("b", 1),
        ("b", 2),
    ]


def test_raw_rows_come_page_by_page(filled: Store) -> None:
    first = filled.raw_rows(limit=2)
    second = filled.raw_rows(after=first[-1].position, limit=9)

    assert [row.position for row in [*first, *second]] == [1, 2, 3, 4, 5]
    assert first[0].stream == "a"


def test_another_process_sees_what_was_appended(path: Path, store: Store) -> None:
    store.append([pending("a", 1)])

    assert store_at(path).read() == store.read()


# Content at rest


@embedded
def test_short_content_is_stored_as_it_is(path: Path, store: Store) -> None:
    content = b"x" * (COMPRESS_FROM_BYTES - 1)
    store.append([pending(content=content)])

    assert at_rest(path, 1) == (CODING_PLAIN, content)


@embedded
def test_long_content_is_compressed_and_given_back_whole(path: Path, store: Store) -> None:
    content = b"x" * COMPRESS_FROM_BYTES
    store.append([pending(content=content)])

    coding, packed = at_rest(path, 1)
    assert coding == CODING_ZSTD
    assert len(packed) < 100
    assert store.read()[0].record.content == content


@embedded
def test_long_content_that_does_not_shrink_is_stored_as_it_is(path: Path, store: Store) -> None:
    content = b"".join(hashlib.sha256(bytes([number])).digest() for number in range(64))
    store.append([pending(content=content)])

    assert at_rest(path, 1) == (CODING_PLAIN, content)
    assert store.read()[0].record.content == content


@pytest.mark.parametrize(
    ("coding", "content", "size", "reason"),
    [
        (CODING_PLAIN, b"abc", 4, "3 bytes"),
        (CODING_PLAIN, b"abc", 0, "3 bytes"),
        (CODING_ZSTD, b"abc", 3, "uncompressed"),
        (CODING_ZSTD, b"", 0, "uncompressed"),
        (CODING_ZSTD, zstandard.compress(b"abc"), 4, "promises 3"),
        (CODING_ZSTD, zstandard.compress(b"abc")[:-1], 3, "uncompressed"),
        (CODING_ZSTD, zstandard.compress(b"abc") + b"x", 3, "uncompressed"),
        (CODING_ZSTD, zstandard.compress(bytes(10**7)), 10, "promises 10000000"),
        (2, b"abc", 3, "coding 2"),
        (-1, b"abc", 3, "coding -1"),
    ],
)
def test_refuses_damaged_content(coding: int, content: bytes, size: int, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        unpacked(coding, content, size=size)


@pytest.mark.parametrize(
    "damage",
    [
        {"event_count": 2},
        {"lengths": b""},
        {"lengths": b"\xff"},
        {"kind": 9},
        {"content": b"longer than said"},
        {"content_coding": 5},
        {"content_coding": CODING_ZSTD},
        {"salt": 5.5},
        {"commitment": None},
    ],
    ids=str,
)
def test_a_row_that_is_no_record_is_named(store: Store, damage: dict[str, object]) -> None:
    store.append([pending()])
    (row,) = store.raw_rows(limit=1)
    facts = {name: getattr(row, name) for name in type(row).__dataclass_fields__}
    assert stored_of(SimpleNamespace(**facts)) == store.read()[0]

    with pytest.raises(StoredEventDecodeError) as caught:
        stored_of(SimpleNamespace(**{**facts, **damage}))

    assert caught.value.facts["position"] == "1"
    assert caught.value.facts["event_type"] == "test.Event"


# Opening and creating


def test_a_created_store_opens(path: Path, store: Store) -> None:
    store.append([pending()])

    again = store_at(path)
    again.open()

    assert again.head() == 1
    assert again.guards().formats == (STORE_FORMAT,)
    assert again.guards().missing == ()


def test_a_ledger_in_memory_opens_after_it_was_created() -> None:
    store = store_at(None)
    with pytest.raises(LedgerMissingError):
        store.open()

    store.create()

    store.open()


@embedded
def test_a_missing_file_is_missing_and_stays_missing(path: Path) -> None:
    with pytest.raises(LedgerMissingError) as caught:
        store_at(path).open()

    assert caught.value.facts["store"] == str(path)
    assert not path.exists()


def test_an_empty_file_is_no_ledger_until_one_is_created_in_it(path: Path) -> None:
    path.touch()
    with pytest.raises(LedgerMissingError):
        store_at(path).open()
    assert path.stat().st_size == 0

    store_at(path).create()

    store_at(path).open()


@embedded
@pytest.mark.parametrize(
    "table", ["bookmarks (url)", "record (position)", "store_format (version)"]
)
def test_another_database_is_no_ledger(path: Path, table: str) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute(f"CREATE TABLE {table}")

    with pytest.raises(StoreFormatError) as caught:
        store_at(path).open()
    with pytest.raises(LedgerExistsError):
        store_at(path).create()

    assert caught.value.facts["expected"] == str(STORE_FORMAT)


@embedded
@pytest.mark.parametrize(
    "content", [b"garbage " * 2000, b"\x00" * 5000, b"%PDF-1.7 ", b"SQLite format 2\x00" * 300]
)
def test_a_file_of_another_kind_is_refused_and_kept(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(StoreError):
        store_at(path).open()
    with pytest.raises(StoreError):
        store_at(path).create()

    assert path.read_bytes() == content


@embedded
def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailableError):
        store_at(tmp_path).create()


@embedded
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("INSERT INTO store_format VALUES (2)", "1,2"),
        ("UPDATE store_format SET version = 2", "2"),
        ("DELETE FROM store_format", "none"),
    ],
)
def test_a_ledger_of_another_release_is_refused(
    path: Path, store: Store, change: str, found: str
) -> None:
    store.engine.dispose()
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP TRIGGER store_format_no_update")
        raw.execute("DROP TRIGGER store_format_no_delete")
        raw.execute(change)
        raw.commit()

    with pytest.raises(StoreFormatError) as caught:
        store_at(path).open()

    assert caught.value.facts["found"] == found


def test_refuses_to_create_a_ledger_twice(path: Path, store: Store) -> None:
    store.append([pending()])

    for again in (store, store_at(path)):
        with pytest.raises(LedgerExistsError):
            again.create()

    assert store.count() == 1


@embedded
def test_names_the_triggers_that_are_gone(path: Path, store: Store) -> None:
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("DROP TRIGGER record_no_update")
        raw.execute("DROP TRIGGER record_no_delete")
        raw.execute("CREATE TRIGGER record_no_delete BEFORE DELETE ON record BEGIN SELECT 1; END")

    assert store.guards().missing == ("record_no_delete", "record_no_update")


# Fault points


def test_a_fault_before_the_commit_leaves_nothing_behind(path: Path) -> None:
    steps: list[str] = []

    class Fault(Exception):  # noqa: N818 - not an error of the product
        pass

    def fail_at(step: str) -> None:
        steps.append(step)
        if step == "append.before_commit":
            raise Fault

    store = store_at(path, fault_point=fail_at)
    store.create()
    with pytest.raises(Fault):
        store.append([pending()])

    assert steps[-1] == "append.before_commit"
    assert store.count() == 0


# Properties

_STREAMS = st.sampled_from(["a", "b", "c"])


@pytest.mark.property
@settings(max_examples=60, deadline=None)
@given(
    appends=st.lists(st.lists(_STREAMS, min_size=1, max_size=4), max_size=6),
    steps=st.lists(st.integers(-100, 100), min_size=6, max_size=6),
)
def test_any_appends_give_dense_positions_contiguous_versions_and_rising_instants(
    appends: Sequence[Sequence[str]], steps: Sequence[int]
) -> None:
    clock = FakeClock()
    store = store_at(None, clock=clock)
    store.create()
    versions = {"a": 0, "b": 0, "c": 0}
    for names, step in zip(appends, steps, strict=False):
        clock.instant += dt.timedelta(seconds=step)
        items = []
        for name in names:
            versions[name] += 1
            items.append(pending(name, versions[name]))
        store.append(items)

    found = store.read()
    assert [item.position for item in found] == list(range(1, len(found) + 1))
    assert [item.recorded_at for item in found] == sorted(item.recorded_at for item in found)
    for name, version in versions.items():
        stream = [i.record.stream_version for i in found if i.record.stream == name]
        assert stream == list(range(1, version + 1))


@pytest.mark.property
@settings(max_examples=60, deadline=None)
@given(bodies=st.lists(st.binary(max_size=3000), min_size=1, max_size=4))
def test_any_content_comes_back_unchanged(bodies: Sequence[bytes]) -> None:
    store = store_at(None)
    store.create()
    block = replace(
        pending(),
        kind=RecordKind.BLOCK,
        lengths=tuple(len(body) for body in bodies),
        content=b"".join(bodies),
    )

    (appended,) = store.append([block])

    assert store.read() == (appended,)
    assert store.read()[0].record == block
    assert store.read()[0].record.event_count == len(bodies)
