"""Timestamps of checkpoints by a third party: asked for and checked with openssl (RFC 3161).

The stamp covers the bytes of a checkpoint, so these bytes are kept beside it: a later one, or
a witness's line added to this one, would leave the stamp without what it stamps.

Source: RFC 3161; openssl-ts(1); docs/operating.md.
"""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from ledger.evidence.problems import TimestampError

OPENSSL_SECONDS_MAX: Final = 30
"""How long openssl may take."""
REPLY_BYTES_MAX: Final = 2**20
_ERROR: Final = re.compile(r"error:[0-9A-F]+:[^:]*:[^:]*:([^:\n]+)")
_TIME: Final = re.compile(r"^Time stamp: (.+)$", re.MULTILINE)


def checkpoint_name(size: int) -> str:
    """Return the name of the checkpoint that was stamped at a size."""
    return f"checkpoint.{size}"


def reply_name(size: int) -> str:
    """Return the name of its stamp."""
    return f"checkpoint.{size}.tsr"


def request(checkpoint: bytes) -> bytes:
    """Return what is sent to a timestamping authority: the same bytes for the same checkpoint.

    Raises:
        TimestampError: openssl is missing or refuses.
    """
    with tempfile.TemporaryDirectory() as folder:
        data, query = Path(folder) / "data", Path(folder) / "query"
        data.write_bytes(checkpoint)
        _openssl("-query", "-data", data, "-sha256", "-cert", "-no_nonce", "-out", query)
        return query.read_bytes()


def checked_time(reply: bytes, checkpoint: bytes, *, authority: Path) -> str:
    """Check a reply and return the time in it, as openssl writes it.

    Args:
        reply: of the authority.
        checkpoint: the bytes it must stamp.
        authority: file with the certificates that are trusted, PEM.

    Raises:
        TimestampError: the reply stamps something else, or its signature is not trusted.
    """
    with tempfile.TemporaryDirectory() as folder:
        data, answer = Path(folder) / "data", Path(folder) / "reply"
        data.write_bytes(checkpoint)
        answer.write_bytes(reply)
        _openssl("-verify", "-data", data, "-in", answer, "-CAfile", authority)
        told = _openssl("-reply", "-in", answer, "-text")
    found = _TIME.search(told)
    if found is None:
        raise TimestampError(reason="the reply holds no time")
    return found[1].strip()


def _openssl(*words: str | Path) -> str:
    program = shutil.which("openssl")
    if program is None:
        raise TimestampError(reason="openssl is not installed")
    try:
        ran = subprocess.run(  # noqa: S603 - the program is openssl, the words are ours
            [program, "ts", *map(str, words)],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=OPENSSL_SECONDS_MAX,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise TimestampError(reason=str(error)) from error
    if ran.returncode:
        raise TimestampError(reason=_complaint(ran.stderr))
    return ran.stdout


def _complaint(text: str) -> str:
    """Return the reason that openssl gives first, without its inner addresses."""
    found = _ERROR.search(text)
    return f"openssl: {found[1]}" if found else "openssl gives no reason"
