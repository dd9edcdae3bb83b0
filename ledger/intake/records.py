"""Cut the bytes of a CSV file into records, each with the exact bytes it was made from.

The standard reader hides what this product must show: the original bytes, the physical line, and
which of two broken quotes is meant. So the grammar of RFC 4180 is read here, strictly.

Invariants:
1. Header and records, with their line ends, concatenate to the file, apart from blank lines.
2. A fault spoils one record: reading goes on at the next physical line.
3. Time is linear in the file, whatever the quotes: a scan for a closing quote passes only lines
   that open none.
4. Never raises for any bytes.

Source: RFC 4180; CRLF and LF are both accepted as line ends, also mixed.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

BOM: Final = b"\xef\xbb\xbf"

_ASCII_END: Final = 0x80
_LATIN_SIGNS: Final = 0xA0
"""From here on ISO-8859-1 has signs and letters; just below, only Windows-1252 has."""
_QUOTED: Final = re.compile(rb'"([^"]*+(?:""[^"]*+)*+)"')
_PLAIN: Final = re.compile(rb'[^,\n"]*+')
_BLANKS: Final = re.compile(rb"(?:\r?\n)++")
_FIELD_END: Final = re.compile(rb",|\r?\n|\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Why the bytes of a record are no record."""

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One record as it stands in the file."""

    line: int
    """1-based physical line in which the record begins."""
    raw: bytes
    """The bytes of the record, without its line end."""
    line_end: bytes
    """LF, CRLF, or nothing at the end of a file without a last line end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CutRecord:
    """A record with its values, or with the fault that hides them."""

    record: Record
    values: tuple[str, ...] = ()
    """Decoded values, quotes removed; empty when there is a fault."""
    fault: Fault | None = None
    is_blank: bool = False
    """The record is a run of blank lines, which hold no value."""


def cut_records(data: bytes) -> Iterator[CutRecord]:
    """Cut a file, without its byte order mark, into records.

    Blank lines at the end are passed over; a run of blank lines elsewhere is one blank record.

    Args:
        data: The whole file, or all but a leading UTF-8 byte order mark.

    Yields:
        Records in file order.
    """
    place, line = 0, 1
    while place < len(data):
        blanks = _BLANKS.match(data, place)
        if blanks:
            if blanks.end() < len(data):
                yield CutRecord(
                    record=Record(line=line, raw=b"", line_end=blanks[0]), is_blank=True
                )
            line += blanks[0].count(b"\n")
            place = blanks.end()
            continue
        cut, place = _cut_one(data, place, line)
        yield cut
        line += cut.record.raw.count(b"\n") + 1


def _cut_one(data: bytes, start: int, line: int) -> tuple[CutRecord, int]:
    """Cut the record that begins at `start`; return it with the place of the next one."""
    end = _line_end(data, start)
    if data.find(b'"', start, end) < 0:
        fields: list[bytes] | None = None
        fault = None
    else:
        fields, end, fault = _quoted_fields(data, start)
    raw, line_end = _without_line_end(data[start:end])
    record = Record(line=line, raw=raw, line_end=line_end)
    fault = fault or _content_fault(raw, start, is_last=end == len(data))
    if fault is None and fields is None and b"\r" in raw:
        fault = Fault(code="lone_cr")
    if fault is not None:
        return CutRecord(record=record, fault=fault), end
    if fields is None:
        return CutRecord(record=record, values=tuple(raw.decode().split(","))), end
    return CutRecord(record=record, values=tuple(value.decode() for value in fields)), end


def _quoted_fields(data: bytes, start: int) -> tuple[list[bytes], int, Fault | None]:
    """Read the fields of a record in which some are quoted.

    Returns:
        The fields; the place after the record, which after a fault is the end of the physical line
        in which the faulty field begins; the fault.
    """
    fields: list[bytes] = []
    place = start
    while True:
        value, after, code = _one_field(data, place)
        if code is not None:
            return [], _line_end(data, place), Fault(code=code)
        fields.append(value)
        separator = data[after : after + 1]
        if separator != b",":
            return fields, _line_end(data, after), None
        place = after + 1


def _one_field(data: bytes, place: int) -> tuple[bytes, int, str | None]:
    """Read the field at `place`; return value, place of the separator after it, code of a fault."""
    if data[place : place + 1] != b'"':
        plain = _PLAIN.match(data, place)
        value = b"" if plain is None else plain[0]
        after = place + len(value)
        if data[after : after + 1] == b'"':
            return b"", after, "stray_quote"
        if data[after : after + 1] == b"\n":
            value = value.removesuffix(b"\r")
        return value, after, "lone_cr" if b"\r" in value else None
    quoted = _QUOTED.match(data, place)
    if quoted is None:
        return b"", place, "unclosed_quote"
    if not _FIELD_END.match(data, quoted.end()):
        # A quote that closes lines below before other text was meant to open another value.
        return b"", place, "unclosed_quote" if b"\n" in quoted[1] else "text_after_quote"
    return quoted[1].replace(b'""', b'"'), quoted.end(), None


def _line_end(data: bytes, place: int) -> int:
    """Return the place after the line feed that ends the physical line of `place`."""
    found = data.find(b"\n", place)
    return len(data) if found < 0 else found + 1


def _without_line_end(raw: bytes) -> tuple[bytes, bytes]:
    for ending in (b"\r\n", b"\n"):
        if raw.endswith(ending):
            return raw.removesuffix(ending), ending
    return raw, b""


def _content_fault(raw: bytes, start: int, *, is_last: bool) -> Fault | None:
    """Return the fault of bytes that are no UTF-8 text without NUL.

    Args:
        raw: The record.
        start: Its offset in what is cut, 0-based.
        is_last: Whether the file ends with it.
    """
    if b"\0" in raw:
        return Fault(code="nul_byte")
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        offset = start + error.start
        if is_last and error.end == len(raw) and "end of data" in error.reason:
            return Fault(code="cut_character", facts={"offset": offset})
        return Fault(
            code="not_utf8",
            facts={
                "offset": offset,
                "byte": f"0x{raw[error.start]:02X}",
                "guess": guess_encoding(raw),
            },
        )
    return None


def guess_encoding(raw: bytes) -> str:
    """Return the name of the encoding that text which is not UTF-8 probably has."""
    upper = [byte for byte in raw if byte >= _ASCII_END]
    if all(byte >= _LATIN_SIGNS for byte in upper):
        return "Windows-1252 / ISO-8859-1"
    try:
        raw.decode("cp1252")
    except UnicodeDecodeError:
        return "unknown"
    return "Windows-1252"
