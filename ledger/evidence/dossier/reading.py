"""Take the members of a dossier apart, strictly: one text for each meaning, or a refusal.

Source: docs/formats/dossier.md; C2SP tlog-proof and tlog-witness for the texts of proofs.
"""

import base64
import binascii
import io
import json
import re
import zipfile
from collections.abc import Mapping
from dataclasses import fields
from types import NoneType
from typing import Final, TypeVar

from ledger.evidence.dossier.format import (
    FORMAT,
    MANIFEST,
    PROOF_HEADER,
    Basis,
    Claim,
    FactAddress,
    Question,
    RecordMark,
    claims_text,
)
from ledger.types import DIGEST_BYTES, Digest, LeafIndex, TreeSize

DOSSIER_BYTES_MAX: Final = 2**29
"""Largest dossier that is read, unpacked: it is held in memory."""
MEMBERS_MAX: Final = 200_000
_MANIFEST_LINE: Final = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]{1,200})")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)?")

_PLAIN: Final[Mapping[object, tuple[type, ...]]] = {
    int: (int,),
    bool: (bool,),
    str: (str,),
    int | None: (int, NoneType),
    str | None: (str, NoneType),
}
"""Exact types of a value by the type of its field: a truth value is no number here."""

T = TypeVar("T")


class MalformedError(Exception):
    """A member is not as its format asks; the text says how."""


def members_of(data: bytes) -> dict[str, bytes]:
    """Return the members of a zip by name.

    Raises:
        MalformedError: it is no zip, holds a name twice or a name that no dossier has, or is too
            large.
    """
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            listed = archive.infolist()
            size = sum(info.file_size for info in listed)
            if size > DOSSIER_BYTES_MAX or len(listed) > MEMBERS_MAX:
                raise MalformedError(f"{len(listed)} members of {size} bytes are too many")
            for info in listed:
                if info.filename in found or not _NAME.fullmatch(info.filename):
                    raise MalformedError(f"the name {info.filename!r} is there twice, or is none")
                found[info.filename] = archive.read(info)
    # What the library raises on damaged archives has many names.
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError) as error:
        raise MalformedError(str(error)) from error
    except (NotImplementedError, zipfile.LargeZipFile, OverflowError, MemoryError) as error:
        raise MalformedError(type(error).__name__) from error
    return found


def parse_manifest(data: bytes) -> dict[str, str]:
    """Return the digests of a manifest, hex, by name of the member.

    Raises:
        MalformedError: a line is none of sha256sum, or a name stands twice.
    """
    found: dict[str, str] = {}
    for line in _lines(data):
        match = _MANIFEST_LINE.fullmatch(line)
        if match is None or match[2] in found or match[2] == MANIFEST:
            raise MalformedError(f"line {len(found) + 1}")
        found[match[2]] = match[1]
    return found


def parse_question(data: bytes) -> Question:
    """Return what a dossier says that it is about.

    Raises:
        MalformedError: it is not the text of a question, or not its one form.
    """
    try:
        content = json.loads(data)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise MalformedError(f"the format is not {FORMAT}")
        found = _question({name: content[name] for name in content if name != "format"})
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise MalformedError(f"not the text of a dossier ({type(error).__name__})") from error
    places = [one.position for one in found.records]
    facts = [(one.position, one.index) for one in found.facts]
    if places != sorted(set(places)) or facts != sorted(set(facts)):
        raise MalformedError("records or facts are out of order, or named twice")
    if claims_text(found) != data:
        raise MalformedError("not written in its one form")
    return found


def _question(content: Mapping[str, object]) -> Question:
    found = dict(content)
    asked = {
        "claims": tuple(_claim(one) for one in _list(found.pop("claims"))),
        "facts": tuple(_made(FactAddress, one) for one in _list(found.pop("facts"))),
        "records": tuple(_made(RecordMark, one) for one in _list(found.pop("records"))),
    }
    return _made(Question, {**found, **asked})


def _claim(content: object) -> Claim:
    if not isinstance(content, dict):
        raise TypeError
    found = dict(content)
    records = tuple(_made(Basis, one) for one in _list(found.pop("records")))
    acts = tuple(str(one) for one in _list(found.pop("acts")))
    return _made(Claim, {**found, "records": records, "acts": acts})


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _made(cls: type[T], content: object) -> T:
    """Return an instance of a flat class; numbers and truth values must be of their own kind."""
    if not isinstance(content, dict):
        raise TypeError
    for one in fields(cls):  # type: ignore[arg-type] # every caller gives a dataclass
        wanted = _PLAIN.get(one.type)
        if wanted is not None and type(content[one.name]) not in wanted:
            raise TypeError
    return cls(**content)


def parse_proof(data: bytes) -> tuple[LeafIndex, tuple[Digest, ...], bytes]:
    """Return index, steps and checkpoint of an inclusion proof (C2SP tlog-proof, without extra).

    Raises:
        MalformedError: it is none.
    """
    head, checkpoint = _split(data)
    lines = _lines(head)
    if not lines or lines.pop(0) != PROOF_HEADER:
        raise MalformedError(f"the first line is not {PROOF_HEADER}")
    index, steps = _numbered("index", lines)
    return LeafIndex(index), steps, checkpoint


def parse_growth(data: bytes) -> tuple[TreeSize, tuple[Digest, ...], bytes]:
    """Return old size, steps and checkpoint of a request add-checkpoint (C2SP tlog-witness).

    Raises:
        MalformedError: it is none.
    """
    head, checkpoint = _split(data)
    size, steps = _numbered("old", _lines(head))
    return TreeSize(size), steps, checkpoint


def parse_steps(data: bytes) -> tuple[Digest, ...]:
    """Return the steps of a proof, one a line.

    Raises:
        MalformedError: a line is no digest in base64.
    """
    return tuple(_step(line) for line in _lines(data))


def _split(data: bytes) -> tuple[bytes, bytes]:
    place = data.find(b"\n\n")
    if place < 0:
        raise MalformedError("there is no empty line")
    return data[: place + 1], data[place + 2 :]


def _numbered(word: str, lines: list[str]) -> tuple[int, tuple[Digest, ...]]:
    first = lines[0].removeprefix(f"{word} ") if lines else ""
    if not _NUMBER.fullmatch(first) or lines[0] != f"{word} {first}":
        raise MalformedError(f"there is no line {word!r} with a number")
    return int(first), tuple(_step(line) for line in lines[1:])


def _step(line: str) -> Digest:
    try:
        step = base64.b64decode(line.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError("a step is not base64") from error
    if len(step) != DIGEST_BYTES or base64.b64encode(step).decode() != line:
        raise MalformedError("a step is no digest")
    return Digest(step)


def _lines(data: bytes) -> list[str]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedError("not UTF-8") from error
    if text and not text.endswith("\n"):
        raise MalformedError("the last line is cut off")
    return text.split("\n")[:-1]
