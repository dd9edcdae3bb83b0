"""What one writing command is: its event, its arguments, and what follows from them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.texts.text import Text
from ledger.events.acts import ActAdopted
from ledger.events.base import Event
from ledger.events.planning import AssignmentClosed
from ledger.intake.forms import Text as FormText
from ledger.intake.forms import build

if TYPE_CHECKING:
    from ledger.application import LedgerApplication

Texts = dict[str, FormText]
Complete = Callable[["LedgerApplication", Texts], Texts]
"""Adds what follows from the rest: identities and sums."""


def _nothing(_: "LedgerApplication", texts: Texts) -> Texts:
    return texts


def act_identity(_: "LedgerApplication", texts: Texts) -> Texts:
    """Fill the identity of an act, and its first day in force."""
    from ledger.aggregates.base import act_key

    filled: Texts = {**texts}
    filled.setdefault("effective_from", filled.get("adopted_on", ""))
    probe = build(ActAdopted, {**filled, "act_key": "-"})
    filled["act_key"] = act_key(probe.organ, probe.act_type, probe.number, probe.adopted_on)
    return filled


def closing_sums(ledger: "LedgerApplication", texts: Texts) -> Texts:
    """Fill how many weights stand below a parent, and their sum."""
    from ledger.aggregates.base import exact_sum
    from ledger.aggregates.planning import PLANNING, planning_stream

    probe = build(AssignmentClosed, {**texts, "children": "0", "total": "0"})
    state = ledger.session().state(PLANNING, planning_stream(probe.year))
    weights = state.weights_below(probe.parent_code)
    return {
        **texts,
        "children": str(len(weights)),
        "total": format(exact_sum(weights.values()), "f"),
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class WriteCommand:
    """One command that records one event."""

    group: str
    verb: str
    event: type[Event]
    help: Text
    arguments: tuple[str, ...]
    """Fields given without an option, in order."""
    derived: tuple[str, ...] = ()
    """Fields that nobody types: `complete` fills them."""
    relaxed: tuple[str, ...] = ()
    """Required fields that `complete` fills when nobody types them."""
    complete: Complete = field(default=_nothing)


def one(
    command: str,
    event: type[Event],
    arguments: str,
    it: str,
    en: str,
    *,
    derived: tuple[str, ...] = (),
    relaxed: tuple[str, ...] = (),
    complete: Complete = _nothing,
) -> WriteCommand:
    """Return a command; `command` is its group and its verb, `arguments` its fields in order."""
    group, verb = command.split()
    return WriteCommand(
        group=group,
        verb=verb,
        event=event,
        help=Text(it=it, en=en),
        arguments=tuple(arguments.split()),
        derived=derived,
        relaxed=relaxed,
        complete=complete,
    )
