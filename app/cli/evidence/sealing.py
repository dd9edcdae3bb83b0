"""Where the sealed log and the keys of a ledger are, for every command that needs them."""

import re
from collections.abc import Sequence
from os import environ
from pathlib import Path
from typing import Final

from app.cli.context import Cli
from ledger.aggregates.signing import KEYS_STREAM, SIGNING_KEYS, KeysState
from ledger.application import LedgerApplication
from ledger.errors import ConfigurationError
from ledger.evidence.files import LogFiles
from ledger.evidence.keys import (
    FROM_ENVIRONMENT,
    published_verifiers,
    read_signer,
    read_signers,
    read_verifiers,
    signers_of_text,
)
from ledger.evidence.note import SignerKey, VerifierKey
from ledger.store.engine import file_of, store_url

SPAN_REASON: Final = "write whole seconds, or a number with s, m, h or d: 300, 5m, 1h"
_SPAN: Final = re.compile(r"(?P<number>[0-9]{1,9})(?P<unit>[smhd]?)")
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
"""Seconds of each unit."""


def log_folder(cli: Cli, given: Path | None = None) -> Path:
    """Return the folder of the sealed log.

    Raises:
        ConfigurationError: the ledger is no file, and no folder is named.
    """
    return given or _beside(cli, "log", suffix=".log")


def key_folder(cli: Cli) -> Path:
    """Return the folder of the signing keys.

    Raises:
        ConfigurationError: the ledger is no file, and no folder is named.
    """
    return _beside(cli, "key_folder", suffix=".signing")


def max_seal_delay(cli: Cli) -> int | None:
    """Return the setting `max_seal_delay` in seconds; None for no limit.

    Raises:
        ConfigurationError: it is no span of time.
    """
    text = cli.settings["max_seal_delay"]
    if not text:
        return None
    seconds = seconds_of(text)
    if seconds is None:
        raise ConfigurationError(setting="max_seal_delay", reason=SPAN_REASON)
    return seconds


def seconds_of(text: str) -> int | None:
    """Return the whole seconds of a span of time such as 300, 300s, 5m, 1h or 2d; None for others.

    A number without a unit counts seconds.
    """
    found = _SPAN.fullmatch(text)
    return None if found is None else int(found["number"]) * _UNITS[found["unit"]]


def _beside(cli: Cli, setting: str, *, suffix: str) -> Path:
    named = cli.settings[setting]
    if named:
        return Path(named).expanduser()
    own = file_of(store_url(cli.settings["ledger"]))
    if own is None:
        raise ConfigurationError(setting=setting, reason="name a folder: the ledger is no file")
    return Path(f"{str(own).removesuffix('.db')}{suffix}")


def keys_state(ledger: LedgerApplication) -> KeysState:
    """Return what the ledger says of its keys."""
    return ledger.session().state(SIGNING_KEYS, KEYS_STREAM)


def signers_at_hand(cli: Cli, files: Sequence[Path] = ()) -> tuple[SignerKey, ...]:
    """Return the private keys of this run: files named, else the environment, else the folder.

    Raises:
        KeyFileError: a file may be read by others, or cannot be read.
        KeyFormatError: one of them is no private key.
    """
    if files:
        return tuple(read_signer(path) for path in files)
    if environ.get(FROM_ENVIRONMENT):
        return signers_of_text(environ[FROM_ENVIRONMENT])
    return read_signers(key_folder(cli))


def known_keys(ledger: LedgerApplication | None, vkey: Path | None) -> tuple[VerifierKey, ...]:
    """Return the public keys to check signatures with: those of a file, else of the ledger.

    Raises:
        EvidenceFileError: the file cannot be read.
        KeyFormatError: a line of it is no key.
    """
    if vkey is not None:
        return read_verifiers(vkey)
    return () if ledger is None else published_verifiers(keys_state(ledger))


def log_files(folder: Path) -> LogFiles:
    """Return the writing side of a log folder."""
    return LogFiles(folder)
