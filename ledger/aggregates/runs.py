"""Recorded replays: what was read, by which definitions and program, and the answer's digest.

A run is evidence that somebody obtained an answer; whoever doubts it repeats it at the same
position. The answer itself is not kept: it follows from the records.

Source: rulings 13; docs/formats/replay.md.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, TypeAlias

from immutables import Map

from ledger.aggregates.base import (
    Aggregate,
    Happened,
    Lookup,
    Proposal,
    require_new,
    require_range,
    unexpected,
)
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.events.replay import ReplayRun
from ledger.rules import Rule, refuse
from ledger.types import DIGEST_BYTES, StreamName

_YEARS: Final = (Decimal(1900), Decimal(2999))
_POSITIONS: Final = (Decimal(1), Decimal(2**63 - 1))
_COUNTS: Final = (Decimal(0), Decimal(2**31 - 1))

Inputs: TypeAlias = tuple[str, int, str]
"""Cut, last position read, version of the program: what the answer depends on within a year."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunsState:
    """The runs of one year."""

    by_id: Map[str, ReplayRun] = field(default_factory=Map)
    by_inputs: Map[Inputs, ReplayRun] = field(default_factory=Map)


def runs_stream(year: int) -> StreamName:
    """Return the stream of the runs of a year."""
    return StreamName(f"replay/{year}")


def _inputs(event: ReplayRun) -> Inputs:
    cut = "" if event.cut is None else event.cut.isoformat()
    return cut, event.read_through, event.code_version


def _decide(state: RunsState, proposal: Proposal, _: Lookup) -> None:
    match proposal.event:
        case ReplayRun() as event:
            require_range(Decimal(event.year), *_YEARS, field="year")
            require_range(Decimal(event.read_through), *_POSITIONS, field="read_through")
            require_range(Decimal(event.indicators), *_COUNTS, field="indicators")
            _require_digest(event.definitions_digest, field="definitions_digest")
            _require_digest(event.output_digest, field="output_digest")
            _require_no_contradiction(state, event)
            require_new(state.by_id.get(event.run_id), kind="replay run", name=event.run_id)
        case other:
            raise unexpected(other)


def _require_digest(value: bytes, *, field: str) -> None:
    if len(value) != DIGEST_BYTES:
        refuse(
            Rule.VALUE_NOT_ALLOWED,
            f"{field} has {len(value)} bytes; a SHA-256 has {DIGEST_BYTES}",
            field=field,
            value=value.hex(),
            allowed=f"{DIGEST_BYTES} bytes",
        )


def _require_no_contradiction(state: RunsState, event: ReplayRun) -> None:
    earlier = state.by_inputs.get(_inputs(event))
    if earlier is None:
        return
    if (earlier.output_digest, earlier.definitions_digest) != (
        event.output_digest,
        event.definitions_digest,
    ):
        refuse(
            Rule.RUN_CONTRADICTED,
            f"run {earlier.run_id} read the same records with the same program and gave "
            f"{earlier.output_digest.hex()}, not {event.output_digest.hex()}",
            run=earlier.run_id,
            recorded=earlier.output_digest.hex(),
            stated=event.output_digest.hex(),
        )


def _evolve(state: RunsState, happened: Happened) -> RunsState:
    match happened.event:
        case ReplayRun() as event:
            return RunsState(
                by_id=state.by_id.set(event.run_id, event),
                by_inputs=state.by_inputs.set(_inputs(event), event),
            )
        case other:
            raise unexpected(other)


def _stream_of(event: Event, _: Envelope) -> StreamName:
    match event:
        case ReplayRun():
            return runs_stream(event.year)
        case _:
            raise unexpected(event)


RUNS = Aggregate(
    name="replay runs",
    events=(ReplayRun,),
    stream_of=_stream_of,
    initial=RunsState(),
    decide=_decide,
    evolve=_evolve,
)
