"""Values of an inbox as tables: JSON objects and bare Avro bodies, many at once.

Messages of one kind that are alike are read together, natively; only where that fails are they
looked at one by one, so that a message that cannot be read spoils no other.

Invariants:
1. Every message is in a table, under its number, or refused; none is in both, none is lost.
2. What a message holds changes nothing of what another is read as.

Source: docs/inbox.md; docs/production.md.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from ledger.facts.families import FAMILIES, RULES, family_of
from ledger.facts.jsonlines import flat_object, native_table
from ledger.facts.pieces import Piece
from ledger.facts.problems import ROW, problem_table
from ledger.kafka.client.raw import RawHeaders, RawMessage
from ledger.kafka.inbox.problems import InboxProblem, Refusal
from schemas.codec import decode
from schemas.columns import Bodies, decode_blocks, layout
from schemas.errors import SchemaError
from schemas.registry import ReleasedSchema, SchemaRegistry

FACT_BYTES_MAX: Final = 64 * 2**10
"""Longest value: every text of a fact has 512 bytes at most."""
CONTENT_TYPE: Final = "content-type"
CE_TYPE: Final = "ce_type"
CE_SCHEMA: Final = "ce_dataschema"
SCHEMA_ID: Final = "schema_id"
SCHEMA_URN: Final = "urn:registro:schema:"
JSON: Final = "application/json"
AVRO: Final = "application/avro"
CHUNK: Final = 256
"""Messages that are read together when all of a kind could not be."""
SAMPLE: Final = 16
"""Values that are looked at first: whether those of a kind have the same names at all."""
_NAMES: Final = re.compile(rb'"([^"\\]*)"\s*:')
_FACTS: Final = "registro.facts."

_TELLING: Final = (CONTENT_TYPE, CE_TYPE, CE_SCHEMA, SCHEMA_ID)
"""Headers that tell what a value is."""
_Told = tuple[bytes | None, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sorted:
    """Messages of a batch, by what they are."""

    pieces: list[tuple[str, Piece]] = field(default_factory=list)
    """Avro full name and rows; the number of a row is that of its message."""
    refused: dict[int, Refusal] = field(default_factory=dict)
    """By number of the message."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the headers of a message say that its value is."""

    name: str | None
    """Avro full name; None where only the value tells."""
    schema: ReleasedSchema | None = None


@dataclass(slots=True)
class _Group:
    """Messages of one kind."""

    numbers: list[int] = field(default_factory=list)
    values: list[bytes] = field(default_factory=list)


class Forms:
    """Reads the values of one family."""

    def __init__(self, family: str, registry: SchemaRegistry) -> None:
        """Prepare.

        Args:
            family: one of `FAMILIES`.
            registry: knows the schemas.
        """
        self._family = family
        self._registry = registry
        self._fields: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
        """Needed and known names of values, by Avro full name."""
        for name in RULES:
            fields = layout(registry.latest(name))
            needed = {one.name for one in fields if not one.nullable} - {"reversal"}
            self._fields[name] = frozenset(needed), frozenset(one.name for one in fields)

    def read(self, messages: Iterable[tuple[int, RawMessage]]) -> Sorted:
        """Sort messages; each comes with its number."""
        done = Sorted()
        groups: dict[_Told, _Group] = {}
        last: RawHeaders | None = None
        group = _Group()
        for number, message in messages:
            value = message.value
            if value is None or not value or value.isspace():
                done.refused[number] = Refusal(code=InboxProblem.NO_VALUE)
                continue
            if len(value) > FACT_BYTES_MAX:
                length = str(len(value))
                done.refused[number] = Refusal(code=InboxProblem.TOO_LONG, value=length)
                continue
            headers = message.headers
            if headers is not last:
                # Messages of one sender mostly have the very same.
                found, last = dict(headers), headers
                group = groups.setdefault(tuple(map(found.get, _TELLING)), _Group())
            group.numbers.append(number)
            group.values.append(value)
        for told, group in groups.items():
            kind = self._kind(*told)
            if isinstance(kind, Refusal):
                done.refused.update(dict.fromkeys(group.numbers, kind))
            elif kind.schema is None:
                self._json(kind.name, group, done)
            else:
                _avro(kind.schema, group, done)
        return done

    # What the headers say

    def _kind(
        self,
        content_type: bytes | None,
        ce_type: bytes | None,
        ce_schema: bytes | None,
        schema_id: bytes | None,
    ) -> _Kind | Refusal:
        said = (content_type or b"").decode(errors="replace")
        form = said.partition(";")[0].strip().lower()
        named = (ce_type or b"").decode(errors="replace") or None
        if form == AVRO:
            return self._avro_kind(ce_schema, schema_id)
        if form != JSON:
            return Refusal(code=InboxProblem.CONTENT_TYPE, value=said)
        if named is not None:
            named = named if named.startswith(_FACTS) else _FACTS + named
            if named not in RULES:
                return Refusal(code=InboxProblem.UNKNOWN_SCHEMA, value=named)
            if family_of(named) != self._family:
                return Refusal(code=InboxProblem.WRONG_FAMILY, value=family_of(named))
        return _Kind(named)

    def _avro_kind(self, ce_schema: bytes | None, schema_id: bytes | None) -> _Kind | Refusal:
        said = (ce_schema or b"").decode(errors="replace")
        if ce_schema is None and schema_id is None:
            return Refusal(code=InboxProblem.NO_SCHEMA)
        if ce_schema is None:
            said = SCHEMA_URN + (schema_id or b"").hex()
        try:
            schema = self._registry.by_id(bytes.fromhex(said.removeprefix(SCHEMA_URN)))
        except (SchemaError, ValueError):
            return Refusal(code=InboxProblem.UNKNOWN_SCHEMA, value=said)
        if schema.full_name not in RULES:
            return Refusal(code=InboxProblem.NOT_A_FACT, value=schema.full_name)
        if family_of(schema.full_name) != self._family:
            return Refusal(code=InboxProblem.WRONG_FAMILY, value=family_of(schema.full_name))
        return _Kind(schema.full_name, schema)

    # JSON

    def _json(self, named: str | None, group: _Group, done: Sorted) -> None:
        sample = group.values[:: max(1, len(group.values) // SAMPLE)]
        if len({tuple(_NAMES.findall(one)) for one in sample}) == 1 and self._native(
            named, group, done
        ):
            return
        # Values of several kinds, or one that cannot be read: what looks alike goes together.
        alike: dict[tuple[bytes, ...], _Group] = {}
        for number, value in zip(group.numbers, group.values, strict=True):
            own = alike.setdefault(tuple(_NAMES.findall(value)), _Group())
            own.numbers.append(number)
            own.values.append(value)
        for own in alike.values():
            if len(own.numbers) > CHUNK and self._native(named, own, done):
                continue
            for start in range(0, len(own.numbers), CHUNK):
                part = slice(start, start + CHUNK)
                chunk = _Group(own.numbers[part], own.values[part])
                if not self._native(named, chunk, done):
                    self._one_by_one(named, chunk, done)

    def _native(self, named: str | None, group: _Group, done: Sorted) -> bool:
        """Read values that all have the same names at once; tell whether they are and were."""
        text = b"\n".join(group.values)
        if text.count(b"\n") != len(group.values) - 1:
            return False
        frame = native_table(text)
        if frame is None or not frame.width:
            # Without columns `null` looks like `{}`.
            return False
        name = self._fitting(named, frame.columns)
        if isinstance(name, Refusal):
            done.refused.update(dict.fromkeys(group.numbers, name))
        else:
            done.pieces.append((name, _piece(frame, group.numbers)))
        return True

    def _one_by_one(self, named: str | None, group: _Group, done: Sorted) -> None:
        rows: dict[str, tuple[list[int], list[Mapping[str, str | None]]]] = {}
        for number, value in zip(group.numbers, group.values, strict=True):
            found = flat_object(value)
            if found is None:
                shown = value[: Refusal.SHOWN].decode(errors="replace")
                done.refused[number] = Refusal(code=InboxProblem.NO_JSON, value=shown)
                continue
            name = self._fitting(named, found)
            if isinstance(name, Refusal):
                done.refused[number] = name
            else:
                numbers, objects = rows.setdefault(name, ([], []))
                numbers.append(number)
                objects.append(found)
        for name, (numbers, objects) in rows.items():
            names = [one.name for one in layout(self._registry.latest(name))]
            # What none of them names counts as not said.
            said = [one for one in names if any(one in item for item in objects)]
            columns = {one: [item.get(one) for item in objects] for one in said}
            frame = pl.DataFrame(columns, schema=dict.fromkeys(said, pl.String))
            done.pieces.append((name, _piece(frame, numbers)))

    def _fitting(self, named: str | None, names: Iterable[str]) -> str | Refusal:
        """Return the kind of fact that has values of these names."""
        found = frozenset(names)
        own = [named] if named else [one.full_name for one in FAMILIES[self._family]]
        fitting = [name for name in own if self._fits(name, found)]
        if len(fitting) == 1:
            return fitting[0]
        others = [name for name in RULES if self._fits(name, found)]
        if not named and len(others) == 1:
            return Refusal(code=InboxProblem.WRONG_FAMILY, value=family_of(others[0]))
        if len(own) == 1:
            needed, known = self._fields[own[0]]
            missing, unknown = sorted(needed - found), sorted(found - known)
            value = f"missing {', '.join(missing) or '-'}; unknown {', '.join(unknown) or '-'}"
            return Refusal(code=InboxProblem.NOT_A_FACT, value=value)
        return Refusal(code=InboxProblem.NOT_A_FACT, value=", ".join(sorted(found)))

    def _fits(self, name: str, found: frozenset[str]) -> bool:
        needed, known = self._fields[name]
        return needed <= found <= known


def _avro(schema: ReleasedSchema, group: _Group, done: Sorted) -> None:
    chunks = [group.values[start : start + CHUNK] for start in range(0, len(group.values), CHUNK)]
    try:
        frame = decode_blocks(schema, [_bodies(chunk) for chunk in chunks]).frame
    except SchemaError:
        good = _Group()
        for number, value in zip(group.numbers, group.values, strict=True):
            reason = _misfit(schema, value)
            if reason is None:
                good.numbers.append(number)
                good.values.append(value)
            else:
                done.refused[number] = Refusal(code=InboxProblem.NO_AVRO, value=reason)
        if not good.values:
            return
        group = good
        frame = decode_blocks(schema, [_bodies(group.values)]).frame
    done.pieces.append((schema.full_name, _piece(frame, group.numbers)))


def _bodies(values: Sequence[bytes]) -> Bodies:
    return Bodies(lengths=[len(one) for one in values], content=b"".join(values))


def _misfit(schema: ReleasedSchema, value: bytes) -> str | None:
    try:
        decode(schema, value)
    except SchemaError as error:
        return str(error)
    return None


def _piece(frame: pl.DataFrame, numbers: Sequence[int]) -> Piece:
    return Piece(
        frame=frame.with_columns(pl.Series(ROW, numbers, pl.UInt64)),
        problems=problem_table([]),
        rows=frame.height,
        bytes_read=0,
    )
