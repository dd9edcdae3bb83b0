"""The file of keys: for its owner's eyes, of one ledger, and free of what was destroyed."""

import datetime as dt
import sqlite3
import stat
from pathlib import Path

import pytest

from ledger.privacy.errors import KeyStoreError, KeyStoreExposedError
from ledger.privacy.keystore import KeyStore, SubjectKey, new_key
from tests.support.ledgers import START, CountingEntropy

NAME = "Mario Rossi"


def key(number: int) -> SubjectKey:
    """Return a key whose bytes are found again in a file."""
    return SubjectKey(
        subject_id=f"subject-{number}", key=bytes([number]) * 31 + b"!", created=START.isoformat()
    )


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore.create(tmp_path / "a.keys.db", ledger_id="L", entropy=CountingEntropy())


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_only_the_owner_may_read_it(store: KeyStore) -> None:
    store.keep(key(1), name=NAME)

    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert [path.name for path in store.path.parent.iterdir()] == ["a.keys.db"]


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o644, 0o660, 0o602, 0o777])
def test_refuses_a_file_that_others_may_touch(store: KeyStore, mode: int) -> None:
    store.path.chmod(mode)

    with pytest.raises(KeyStoreExposedError) as caught:
        KeyStore(store.path, ledger_id="L")

    assert caught.value.facts["mode"] == f"{mode:04o}"


def test_refuses_the_keys_of_another_ledger(store: KeyStore) -> None:
    with pytest.raises(KeyStoreError, match="another ledger"):
        KeyStore(store.path, ledger_id="M")


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreError, match="not there"):
        KeyStore(tmp_path / "none", ledger_id="L")


@pytest.mark.parametrize("content", [b"", b"hello", b"SQLite format 3\0" + b"x" * 2000])
def test_refuses_a_file_that_holds_no_keys(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    path.chmod(0o600)

    with pytest.raises(KeyStoreError):
        KeyStore(path, ledger_id="L")

    assert path.read_bytes() == content


def test_refuses_a_database_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "a"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    path.chmod(0o600)

    with pytest.raises(KeyStoreError, match="no key file"):
        KeyStore(path, ledger_id="L")


def test_refuses_to_create_over_a_file(store: KeyStore) -> None:
    with pytest.raises(KeyStoreError, match="already"):
        KeyStore.create(store.path, ledger_id="L", entropy=CountingEntropy())


def test_refuses_to_create_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(KeyStoreError, match="written"):
        KeyStore.create(tmp_path / "no" / "a", ledger_id="L", entropy=CountingEntropy())


def test_a_kept_key_is_found_by_subject_and_by_name(store: KeyStore) -> None:
    store.keep(key(1), name=NAME)

    assert store.key("subject-1") == key(1)
    assert store.find(NAME) == key(1)
    assert KeyStore(store.path, ledger_id="L").all() == (key(1),)


@pytest.mark.parametrize("name", ["mario rossi", " Mario   ROSSI ", "\uff2dario Rossi"])
def test_a_name_is_found_whatever_its_case_and_spacing(store: KeyStore, name: str) -> None:
    store.keep(key(1), name=NAME)

    assert store.find(name) == key(1)


@pytest.mark.parametrize("name", ["Mario Rossi (2)", "Maria Rossi", "MarioRossi", ""])
def test_another_name_is_another_subject(store: KeyStore, name: str) -> None:
    store.keep(key(1), name=NAME)

    assert store.find(name) is None


def test_no_name_stands_in_the_file(store: KeyStore) -> None:
    store.keep(key(1), name=NAME)

    found = everything_in(store.path.parent).lower()
    assert b"rossi" not in found
    assert b"mario" not in found


def test_refuses_a_second_subject_for_a_name(store: KeyStore) -> None:
    store.keep(key(1), name=NAME)

    with pytest.raises(KeyStoreError, match="repeat"):
        store.keep(key(2), name=NAME)

    assert store.all() == (key(1),)


def test_refuses_to_replace_a_subject_that_the_name_does_not_lead_to(store: KeyStore) -> None:
    store.keep(key(1), name=NAME)

    with pytest.raises(KeyStoreError, match="repeat"):
        store.keep(key(2), name=NAME, instead_of="subject-3")


def test_a_name_leads_to_the_newer_subject(store: KeyStore) -> None:
    store.keep(key(1), name=NAME)
    store.keep(key(2), name=NAME, instead_of="subject-1")

    assert store.find(NAME) == key(2)
    assert store.key("subject-1") == key(1)


def test_a_destroyed_key_leaves_no_byte(store: KeyStore) -> None:
    for number in range(1, 60):
        store.keep(key(number), name=f"{NAME} {number}")
    assert bytes([7]) * 31 in everything_in(store.path.parent)

    assert store.destroy("subject-7", at=START)

    left = everything_in(store.path.parent)
    assert bytes([7]) * 31 not in left
    assert all(bytes([number]) * 31 in left for number in range(1, 60) if number != 7)
    assert [path.name for path in store.path.parent.iterdir()] == ["a.keys.db"]


def test_a_destroyed_key_is_told_with_its_instant(store: KeyStore) -> None:
    store.keep(key(1), name=NAME)
    rome = START.astimezone(dt.timezone(dt.timedelta(hours=1)))

    store.destroy("subject-1", at=rome)

    destroyed = store.key("subject-1")
    assert destroyed is not None
    assert (destroyed.key, destroyed.destroyed) == (None, START.isoformat())
    assert store.find(NAME) is None


def test_destroying_again_does_no_harm(store: KeyStore) -> None:
    store.keep(key(1), name=NAME)

    assert store.destroy("subject-1", at=START)
    assert not store.destroy("subject-1", at=START + dt.timedelta(days=1))
    assert not store.destroy("subject-2", at=START)

    left = store.key("subject-1")
    assert left is not None
    assert left.destroyed == START.isoformat()


def test_keys_are_used_after_one_was_destroyed(store: KeyStore) -> None:
    store.keep(key(1), name=NAME)
    store.keep(key(2), name="other")
    store.destroy("subject-1", at=START)

    store.keep(key(3), name=NAME)

    assert [one.key for one in store.all()] == [None, key(2).key, key(3).key]


def test_a_key_is_never_shown() -> None:
    assert repr(key(33)).count("!") == 0
    assert "key=" not in repr(key(33))


def test_new_keys_are_all_different() -> None:
    entropy = CountingEntropy()
    keys = [new_key(entropy=entropy, now=START) for _ in range(20)]

    assert len({one.key for one in keys}) == len({one.subject_id for one in keys}) == 20
    assert {len(one.key or b"") for one in keys} == {32}
