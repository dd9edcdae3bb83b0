"""Build envelopes and commands: the one place that knows how a caller's facts become keys.

Invariant: the append key of the same request is the same on every machine, and its input digest
changes whenever anything that is recorded changes.
"""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Final

from ledger.aggregates.base import Command, Proposal
from ledger.errors import InvalidCommandError
from ledger.events.ledger import Actor, ActReference
from ledger.types import AppendKey, Digest

_SLASHED_ACT: Final = re.compile(r"\s*([^/\s][^/]*)/\s*([^/\s][^/]*)/([^/]*)/([^/]*)")
_WRITTEN_ACT: Final = re.compile(r"([^ ]+) ([^ ]+)(?: ([^ ]+))? of ([^ ]+)")
_ISO_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def parse_actor(text: str) -> Actor:
    """Read `ROLE` or `ROLE@UNIT`.

    Raises:
        InvalidCommandError: the role is missing.
    """
    role, _, unit = text.partition("@")
    if not role.strip():
        raise InvalidCommandError(
            subject="actor", field="role", value=text, reason="write ROLE or ROLE@UNIT"
        )
    return Actor(role=role.strip(), unit_code=unit.strip() or None)


def parse_act(text: str) -> ActReference:
    """Read `ORGAN TYPE [NUMBER] of DATE` or `ORGAN/TYPE/NUMBER/DATE`, the date in ISO form.

    Raises:
        InvalidCommandError: the text is neither, or has no organ, type or real day.
    """
    found = _SLASHED_ACT.fullmatch(text.strip()) or _WRITTEN_ACT.fullmatch(" ".join(text.split()))
    if found is None:
        raise InvalidCommandError(
            subject="act",
            field="act",
            value=text,
            reason="write ORGAN/TYPE/NUMBER/DATE, for example CdA/resolution/177/2022-11-03",
        )
    organ, act_type, number, day = (part and part.strip() for part in found.groups())
    try:
        adopted_on = dt.date.fromisoformat(day if _ISO_DAY.fullmatch(day) else "")
    except ValueError as error:
        raise InvalidCommandError(
            subject="act", field="date", value=text, reason="the date is not a day as YYYY-MM-DD"
        ) from error
    return ActReference(
        organ=organ, act_type=act_type, number=number or None, adopted_on=adopted_on
    )


def input_digest(facts: object) -> Digest:
    """Return the SHA-256 of the canonical JSON of what a caller sent.

    Args:
        facts: dataclasses, mappings, sequences, text, numbers, dates and bytes.
    """
    text = json.dumps(_plain(facts), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return Digest(hashlib.sha256(text.encode()).digest())


def command(key: str, proposals: Iterable[Proposal], *, facts: object = None) -> Command:
    """Return a command under an idempotency key.

    Args:
        key: the same for the same request.
        proposals: what is recorded together.
        facts: what the caller sent, when that is more stable than the proposals themselves;
            None takes the proposals.
    """
    listed = tuple(proposals)
    digest = input_digest(
        [[p.event.TYPE, p.event, p.envelope] for p in listed] if facts is None else facts
    )
    return Command(append_key=AppendKey(key), input_digest=digest, proposals=listed)


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name)) for name in _names_of(type(value))}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dt.date | dt.datetime | Decimal):
        return str(value)
    return value


@cache
def _names_of(cls: type) -> tuple[str, ...]:
    return tuple(item.name for item in fields(cls))
