"""The log directory: paths, widths, tiles that grow, files written once."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.evidence.files import LogFiles
from ledger.evidence.problems import LogBusyError, LogFileError, LogMissingError
from ledger.evidence.tiles import (
    ENTRIES,
    TILE_WIDTH,
    TileBuilder,
    TileFile,
    TileReader,
    decode_bundle,
    encode_bundle,
    tile_path,
    widths,
)
from ledger.integrity.leaf import LEAF_BYTES
from ledger.integrity.merkle import EMPTY_ROOT, leaf_hash, tree_root
from ledger.types import TreeSize
from tests.support.sealing import root_of_entries, root_of_tiles


def leaf(number: int) -> bytes:
    return number.to_bytes(LEAF_BYTES)


def grown(size: int) -> tuple[TileBuilder, list[TileFile]]:
    builder = TileBuilder()
    files = [file for number in range(size) for file in builder.append(leaf(number))]
    return builder, files


def written(folder: Path, size: int) -> TileReader:
    files = LogFiles(folder)
    with files.locked():
        builder, full = grown(size)
        for file in (*full, *builder.partials()):
            files.write_tile(file)
        files.sync()
    return TileReader(folder)


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (0, 0, 1, "tile/0/000.p/1"),
        (1, 999, 256, "tile/1/999"),
        (0, 1000, 256, "tile/0/x001/000"),
        (3, 1234067, 256, "tile/3/x001/x234/067"),
        (3, 1234067, 255, "tile/3/x001/x234/067.p/255"),
        (ENTRIES, 273, 112, "tile/entries/273.p/112"),
    ],
)
def test_paths_are_those_of_the_specification(
    level: int | str, index: int, width: int, path: str
) -> None:
    assert tile_path(level, index, width) == path


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (0, []),
        (1, [(0, 0, 1)]),
        (255, [(0, 0, 255)]),
        (256, [(0, 1, 0), (1, 0, 1)]),
        (257, [(0, 1, 1), (1, 0, 1)]),
        (65536, [(0, 256, 0), (1, 1, 0), (2, 0, 1)]),
        (70000, [(0, 273, 112), (1, 1, 17), (2, 0, 1)]),
    ],
)
def test_widths_are_those_of_the_specification(
    size: int, expected: list[tuple[int, int, int]]
) -> None:
    assert list(widths(size)) == expected


def test_a_tree_of_seventy_thousand_has_the_files_of_the_specification() -> None:
    builder, full = grown(70_000)

    assert [len(file.data) for file in full if file.level == 0] == [8192] * 273
    assert len([file for file in full if file.level == ENTRIES]) == 273
    assert [file.path for file in full if file.level == 1] == ["tile/1/000"]
    assert [file.path for file in builder.partials()] == [
        "tile/entries/273.p/112",
        "tile/0/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert builder.root() == tree_root([leaf_hash(leaf(number)) for number in range(70_000)])


def test_the_root_is_that_of_the_recursive_tree_at_every_size() -> None:
    builder = TileBuilder()
    hashes = []
    assert builder.root() == EMPTY_ROOT
    for number in range(600):
        builder.append(leaf(number))
        hashes.append(leaf_hash(leaf(number)))
        assert builder.root() == tree_root(hashes), number + 1


@pytest.mark.property
@given(size=st.integers(1, 1200))
@settings(max_examples=12, deadline=None)
def test_what_is_written_is_read_back(size: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    reader = written(tmp_path_factory.mktemp("log"), size)
    expected = [leaf(number) for number in range(size)]

    assert list(reader.leaves(TreeSize(size))) == expected
    assert reader.leaf_hashes(TreeSize(size)) == [leaf_hash(one) for one in expected]
    root = tree_root(reader.leaf_hashes(TreeSize(size)))
    assert root_of_tiles(reader, size) == root
    assert root_of_entries(reader, size) == root


def test_every_earlier_size_is_read_from_full_tiles_too(tmp_path: Path) -> None:
    reader = written(tmp_path, 512)

    for size in (1, 100, 256, 300, 511):
        root = tree_root([leaf_hash(leaf(number)) for number in range(size)])
        assert root_of_entries(reader, size) == root


def test_a_file_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    files = LogFiles(tmp_path)
    file = TileFile(level=0, index=0, width=TILE_WIDTH, data=bytes(8192))
    with files.locked():
        files.write_tile(file)
        files.write_tile(file)

        with pytest.raises(LogFileError, match="other bytes"):
            files.write_tile(TileFile(level=0, index=0, width=TILE_WIDTH, data=b"x" * 8192))

    assert (tmp_path / "tile/0/000").read_bytes() == bytes(8192)


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    with LogFiles(tmp_path).locked(), pytest.raises(LogBusyError), LogFiles(tmp_path).locked():
        pass
    with LogFiles(tmp_path).locked():
        pass


def test_what_a_crash_left_half_written_is_cleared(tmp_path: Path) -> None:
    incoming = tmp_path / ".incoming"
    incoming.mkdir(parents=True)
    (incoming / "file").write_bytes(b"half")

    with LogFiles(tmp_path).locked():
        pass

    assert list(incoming.iterdir()) == []


def test_refuses_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(LogFileError), LogFiles(tmp_path / "file" / "log").locked():
        pass


def test_partial_forms_go_when_the_tile_is_full_and_no_sooner(tmp_path: Path) -> None:
    written(tmp_path, 200)
    written(tmp_path, 250)
    files = LogFiles(tmp_path)
    files.prune_partials(old_size=200, new_size=250)
    assert sorted(path.name for path in (tmp_path / "tile/0/000.p").iterdir()) == ["200", "250"]

    written(tmp_path, 300)
    files.prune_partials(old_size=250, new_size=300)

    assert not (tmp_path / "tile/0/000.p").exists()
    assert not (tmp_path / "tile/entries/000.p").exists()
    assert (tmp_path / "tile/0/001.p/44").exists()
    assert root_of_entries(TileReader(tmp_path), 200) == tree_root(
        [leaf_hash(leaf(number)) for number in range(200)]
    )


def test_a_missing_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(LogMissingError):
        TileReader(tmp_path / "nowhere").checkpoint()


@pytest.mark.parametrize("path", ["tile/0/000.p/5", "tile/entries/000.p/5"])
def test_a_missing_file_is_named(tmp_path: Path, path: str) -> None:
    reader = written(tmp_path, 5)
    (tmp_path / path).unlink()

    with pytest.raises(LogFileError) as caught:
        list(reader.leaves(TreeSize(5))) + reader.leaf_hashes(TreeSize(5))

    assert caught.value.facts["path"] == path


@pytest.mark.parametrize("cut", [1, 32, 33])
def test_a_short_tile_is_refused(tmp_path: Path, cut: int) -> None:
    reader = written(tmp_path, 5)
    path = tmp_path / "tile/0/000.p/5"
    path.write_bytes(path.read_bytes()[:-cut])

    with pytest.raises(LogFileError, match="hashes"):
        reader.hashes(0, 0, 5)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        encode_bundle([leaf(1)]),
        encode_bundle([leaf(1), leaf(2)])[:-1],
        encode_bundle([leaf(1), b"short"]),
        (59).to_bytes(2) + leaf(1) + (58).to_bytes(2) + leaf(2),
        encode_bundle([leaf(1), leaf(2)]) + b"x",
    ],
)
def test_a_damaged_bundle_is_refused(data: bytes) -> None:
    with pytest.raises(LogFileError):
        decode_bundle(data, width=2, path="p")
