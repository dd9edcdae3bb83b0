"""The file of the subjects' keys: outside the ledger, readable by its owner alone.

Invariants:
1. The file has mode 0600 from its first byte on; one that others may read is refused.
2. It belongs to one ledger.
3. A destroyed key leaves the file: its bytes are overwritten in the table, and in the rollback
   journal that the change leaves behind. The row stays, to say when. Copies of the file and of the
   disk are out of reach: docs/privacy.md says what the operator does about them.
4. No name stands in it: a person is found by a keyed digest of the name.

Source: sqlite.org/pragma.html, secure_delete and journal_mode; docs/adr/0012-personal-data.md.
"""

import contextlib
import datetime as dt
import hashlib
import hmac
import os
import sqlite3
import stat
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ledger.clock import Entropy, random_uuid
from ledger.privacy.cipher import KEY_BYTES
from ledger.privacy.errors import KeyStoreError, KeyStoreExposedError
from ledger.store.store import FaultPoint

FORMAT: Final = 1
MODE: Final = 0o600
_APPLICATION: Final = 0x5247_4B53
"""`RGKS`: tells the file from other databases."""
_LOCK_WAIT_SECONDS: Final = 10.0
_SCHEMA: Final = """
CREATE TABLE key_file (ledger_id TEXT NOT NULL, secret BLOB NOT NULL);
CREATE TABLE subject_key (
    subject_id TEXT PRIMARY KEY,
    key BLOB,
    name_digest BLOB UNIQUE,
    created TEXT NOT NULL,
    destroyed TEXT,
    CHECK ((key IS NULL) = (destroyed IS NOT NULL))
);
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class SubjectKey:
    """One subject and its key."""

    subject_id: str
    key: bytes | None = field(repr=False)
    """32 raw bytes; None once it is destroyed."""
    created: str
    """Instant, ISO 8601, UTC."""
    destroyed: str | None = None
    """Instant, ISO 8601, UTC; None while the key is there."""


class KeyStore:
    """One opened file of keys; not shared between threads."""

    def __init__(
        self, path: Path, *, ledger_id: str, fault_point: FaultPoint = lambda _: None
    ) -> None:
        """Open a file that is there.

        Args:
            path: of the file.
            ledger_id: of the ledger whose subjects' keys it holds.
            fault_point: called at every step of a destruction.

        Raises:
            KeyStoreError: it is not there, cannot be read, is no key file or another ledger's.
            KeyStoreExposedError: others may read it.
        """
        self.path = path
        self._fault_point = fault_point
        if not path.is_file():
            raise KeyStoreError(store=path, reason="it is not there")
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            raise KeyStoreExposedError(store=path, mode=f"{mode:04o}")
        with self._connected() as connection:
            self._secret = _check(connection, path, ledger_id)

    @classmethod
    def create(cls, path: Path, *, ledger_id: str, entropy: Entropy) -> "KeyStore":
        """Create a file and open it.

        Raises:
            KeyStoreError: there is a file already, or it cannot be written.
        """
        if path.exists():
            raise KeyStoreError(store=path, reason="there is a file of this name already")
        # Made beside its place and linked there whole: a crash leaves no half file in the way.
        draft = path.with_name(f"{path.name}.{entropy.token(8).hex()}.new")
        try:
            os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR, MODE))
            _fill(draft, ledger_id=ledger_id, secret=entropy.token(KEY_BYTES))
            os.link(draft, path)
        except FileExistsError as error:
            reason = "there is a file of this name already"
            raise KeyStoreError(store=path, reason=reason) from error
        except OSError as error:
            reason = "the file or its folder cannot be written"
            raise KeyStoreError(store=path, reason=reason) from error
        finally:
            draft.unlink(missing_ok=True)
        return cls(path, ledger_id=ledger_id)

    def all(self) -> tuple[SubjectKey, ...]:
        """Return every subject, in order of creation; destroyed ones without a key."""
        with self._connected() as connection:
            rows = connection.execute(f"{_SELECT} ORDER BY created, subject_id").fetchall()
        return tuple(_subject_key(row) for row in rows)

    def key(self, subject_id: str) -> SubjectKey | None:
        """Return one subject; None when the file does not know it."""
        with self._connected() as connection:
            row = connection.execute(f"{_SELECT} WHERE subject_id = ?", (subject_id,)).fetchone()
        return None if row is None else _subject_key(row)

    def find(self, name: str) -> SubjectKey | None:
        """Return the subject of a name, whatever its case and spacing; None for a new one."""
        with self._connected() as connection:
            row = connection.execute(
                f"{_SELECT} WHERE name_digest = ?", (self._digest(name),)
            ).fetchone()
        return None if row is None else _subject_key(row)

    def keep(self, key: SubjectKey, *, name: str, instead_of: str | None = None) -> None:
        """Store the key of a new subject, which the name leads to from now on.

        Args:
            key: of the subject.
            name: of the person.
            instead_of: subject that the name has led to so far; None for a name that led nowhere.

        Raises:
            KeyStoreError: the name leads elsewhere by now, or the file cannot be written.
        """
        digest = self._digest(name)
        with self._connected() as connection:
            try:
                with connection:
                    connection.execute(
                        "UPDATE subject_key SET name_digest = NULL "
                        "WHERE name_digest = ? AND subject_id = ?",
                        (digest, instead_of),
                    )
                    connection.execute(
                        "INSERT INTO subject_key (subject_id, key, name_digest, created) "
                        "VALUES (?, ?, ?, ?)",
                        (key.subject_id, key.key, digest, key.created),
                    )
            except sqlite3.IntegrityError as error:
                reason = "another process kept a key for the same person: repeat the command"
                raise KeyStoreError(store=self.path, reason=reason) from error

    def destroy(self, subject_id: str, *, at: dt.datetime) -> bool:
        """Destroy a key; the answer is False when it was not there.

        Raises:
            KeyStoreError: the file cannot be written.
        """
        with self._connected() as connection:
            # The lock outlives the transaction, so that nobody uses the journal meanwhile.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("PRAGMA journal_mode = PERSIST")
            with connection:
                connection.execute("BEGIN EXCLUSIVE")
                self._fault_point("destroy.locked")
                done = connection.execute(
                    "UPDATE subject_key SET key = NULL, name_digest = NULL, destroyed = ? "
                    "WHERE subject_id = ? AND key IS NOT NULL",
                    (at.astimezone(dt.UTC).isoformat(), subject_id),
                )
                self._fault_point("destroy.updated")
            self._fault_point("destroy.committed")
            self._overwrite_journal()
            self._fault_point("destroy.done")
        return done.rowcount == 1

    def _overwrite_journal(self) -> None:
        """Overwrite the page that the journal saved: it holds the key that was destroyed."""
        journal = self.path.with_name(self.path.name + "-journal")
        if not journal.exists():
            return
        try:
            with journal.open("r+b") as file:
                file.write(bytes(journal.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
            self._fault_point("destroy.overwritten")
            journal.unlink()
        except OSError as error:
            raise KeyStoreError(store=journal, reason=str(error)) from error

    def _digest(self, name: str) -> bytes:
        folded = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
        return hmac.new(self._secret, folded.encode(), hashlib.sha256).digest()

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            uri = f"{self.path.absolute().as_uri()}?mode=rw"
            connection = sqlite3.connect(uri, uri=True, timeout=_LOCK_WAIT_SECONDS)
            try:
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("PRAGMA synchronous = FULL")
                yield connection
            finally:
                connection.close()
        except sqlite3.Error as error:
            raise KeyStoreError(store=self.path, reason=str(error)) from error


_SELECT: Final = "SELECT subject_id, key, created, destroyed FROM subject_key"


def _subject_key(row: tuple[str, bytes | None, str, str | None]) -> SubjectKey:
    subject_id, key, created, destroyed = row
    return SubjectKey(subject_id=subject_id, key=key, created=created, destroyed=destroyed)


def _fill(path: Path, *, ledger_id: str, secret: bytes) -> None:
    connection = sqlite3.connect(path)
    try:
        # Pages that are freed are overwritten from the first one on.
        connection.execute("PRAGMA secure_delete = ON")
        connection.executescript(
            f"PRAGMA application_id = {_APPLICATION};PRAGMA user_version = {FORMAT};BEGIN;{_SCHEMA}"
        )
        connection.execute("INSERT INTO key_file VALUES (?, ?)", (ledger_id, secret))
        connection.commit()
    finally:
        connection.close()


def _check(connection: sqlite3.Connection, path: Path, ledger_id: str) -> bytes:
    """Return the secret of a file that is a key file of the ledger, or refuse it."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if (application, version) != (_APPLICATION, FORMAT):
        raise KeyStoreError(store=path, reason="it is no key file of this release")
    owner, secret = connection.execute("SELECT ledger_id, secret FROM key_file").fetchone()
    if owner != ledger_id:
        raise KeyStoreError(store=path, reason="it belongs to another ledger")
    return bytes(secret)


def new_key(*, entropy: Entropy, now: dt.datetime) -> SubjectKey:
    """Return the key of a new subject; nothing is stored yet."""
    return SubjectKey(
        subject_id=str(random_uuid(entropy)),
        key=entropy.token(KEY_BYTES),
        created=now.astimezone(dt.UTC).isoformat(),
    )
