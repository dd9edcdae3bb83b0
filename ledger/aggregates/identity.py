"""The ledger's own identity and the schemas it holds."""

from dataclasses import dataclass, field, replace

from immutables import Map

from ledger.aggregates.base import Aggregate, Happened, Lookup, Proposal, require_new, unexpected
from ledger.events.base import Event
from ledger.events.ledger import BodyAssigned, Envelope, LedgerOpened, SchemaReleased
from ledger.rules import Rule, refuse
from ledger.types import StreamName

LEDGER_STREAM = StreamName("ledger")
SCHEMAS_STREAM = StreamName("schemas")


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerState:
    """Identity of the ledger; None until it is opened."""

    opened: LedgerOpened | None = None
    body: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SchemasState:
    """Schemas that entered the ledger, by schema id."""

    released: Map[bytes, SchemaReleased] = field(default_factory=Map)


def _decide_ledger(state: LedgerState, proposal: Proposal, _: Lookup) -> None:
    match proposal.event:
        case LedgerOpened():
            require_new(state.opened, kind="ledger", name="identity")
        case BodyAssigned() as event:
            if state.body is not None:
                refuse(
                    Rule.LEDGER_BOUND,
                    f"the ledger belongs to {state.body} already",
                    body=state.body,
                    wanted=event.body,
                )
        case other:
            raise unexpected(other)


def _evolve_ledger(state: LedgerState, happened: Happened) -> LedgerState:
    match happened.event:
        case LedgerOpened() as event:
            return LedgerState(opened=event, body=event.body)
        case BodyAssigned() as event:
            return replace(state, body=event.body)
        case other:
            raise unexpected(other)


def _decide_schemas(state: SchemasState, proposal: Proposal, _: Lookup) -> None:
    match proposal.event:
        case SchemaReleased() as event:
            require_new(
                state.released.get(event.schema_id), kind="schema", name=event.schema_id.hex()
            )
        case other:
            raise unexpected(other)


def _evolve_schemas(state: SchemasState, happened: Happened) -> SchemasState:
    match happened.event:
        case SchemaReleased() as event:
            return SchemasState(released=state.released.set(event.schema_id, event))
        case other:
            raise unexpected(other)


def _ledger_stream(_: Event, __: Envelope) -> StreamName:
    return LEDGER_STREAM


def _schemas_stream(_: Event, __: Envelope) -> StreamName:
    return SCHEMAS_STREAM


IDENTITY = Aggregate(
    name="ledger",
    events=(LedgerOpened, BodyAssigned),
    stream_of=_ledger_stream,
    initial=LedgerState(),
    decide=_decide_ledger,
    evolve=_evolve_ledger,
)

SCHEMAS = Aggregate(
    name="schemas",
    events=(SchemaReleased,),
    stream_of=_schemas_stream,
    initial=SchemasState(),
    decide=_decide_schemas,
    evolve=_evolve_schemas,
)
