"""From what a command line or a file says to events in the ledger."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from app.cli.choices import parse_day
from app.cli.context import Cli
from app.cli.figures.record_view import show_event
from app.cli.privacy.persons import record
from app.cli.recording.write_catalogue import event_class
from app.texts.codes import code_of
from app.texts.events import event_text
from ledger.aggregates.base import Proposal
from ledger.aggregates.planning import year_bounds
from ledger.application import LedgerApplication
from ledger.envelopes import parse_act, parse_actor
from ledger.errors import InvalidCommandError, UnknownEntityError
from ledger.events.base import Event
from ledger.events.catalogue import EVENT_TYPES
from ledger.events.ledger import Envelope, Source
from ledger.feed import RecordedEvent, read_all
from ledger.intake.forms import Text as FormText
from ledger.intake.forms import amended, build

SYSTEM = "cli"
"""Source system of what people record by hand."""
_ENVELOPE_FIELDS = (
    "actor",
    "act",
    "as_of",
    "ref_from",
    "ref_to",
    "vintage",
    "source_document",
    "source_locator",
    "reason",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """An event that somebody wants recorded."""

    event: Event
    envelope: Envelope


def envelope_of(
    cli: Cli, ledger: LedgerApplication, event: Event, common: Mapping[str, object]
) -> Envelope:
    """Return the envelope of an event.

    Args:
        cli: says who records when the caller does not.
        ledger: says what day it is.
        event: the period of an event about a year is that year unless the caller says otherwise.
        common: texts by name, see `_ENVELOPE_FIELDS`.
    """
    first, last = _period(event)
    given_from, given_to = _text(common, "ref_from"), _text(common, "ref_to")
    as_of = _text(common, "as_of")
    acts = common.get("act") or ()
    listed = [acts] if isinstance(acts, str) else [str(one) for one in _sequence(acts)]
    return Envelope(
        ref_from=first if given_from is None else parse_day(given_from, field="--from"),
        ref_to=last if given_to is None else parse_day(given_to, field="--to"),
        as_of=ledger.today() if as_of is None else parse_day(as_of, field="--as-of"),
        vintage=_text(common, "vintage"),
        actor=parse_actor(cli.actor(_text(common, "actor"))),
        source=Source(
            system=SYSTEM,
            document=_text(common, "source_document"),
            locator=_text(common, "source_locator"),
        ),
        acts=tuple(parse_act(text) for text in listed),
        reason=_text(common, "reason"),
    )


def _text(common: Mapping[str, object], name: str) -> str | None:
    value = common.get(name)
    return value if isinstance(value, str) and value else None


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _period(event: Event) -> tuple[dt.date | None, dt.date | None]:
    first, last = getattr(event, "period_from", None), getattr(event, "period_to", None)
    if isinstance(first, dt.date) and isinstance(last, dt.date):
        return first, last
    year = getattr(event, "year", None)
    return year_bounds(year) if isinstance(year, int) else (None, None)


def coded(texts: Mapping[str, FormText]) -> dict[str, FormText]:
    """Return the texts of a form with codes in place of the words that people use for them."""
    return {
        name: code_of(name, value) if isinstance(value, str) else value
        for name, value in texts.items()
    }


def submit(
    cli: Cli,
    ledger: LedgerApplication,
    requests: Sequence[Request],
    *,
    key: str | None,
    dry_run: bool,
) -> None:
    """Decide the requests together, append them, and say what was recorded.

    Raises:
        CommandRefusedError: a rule forbids one of them; nothing is appended.
        AppendKeyConflictError: the key was used for other content.
        KeyStoreError: the key of the person who records cannot be kept.
    """
    proposals = [Proposal(event=one.event, envelope=one.envelope) for one in requests]
    recorded = record(cli, ledger, proposals, key=key, dry_run=dry_run)
    chosen, receipt, head = recorded.append_key, recorded.receipt, recorded.head
    if cli.json:
        cli.answer(
            {
                "key": chosen,
                "dry_run": dry_run,
                "repeated": receipt.repeated,
                "position": head,
                "events": [
                    {"type": one.event.TYPE, "event": one.event, "envelope": one.envelope}
                    for one in recorded.proposals
                ],
            }
        )
        return
    for one in requests:
        show_event(cli, one.event, one.envelope, person=cli.settings["person"] or None)
    if dry_run:
        text = cli.tr("Prova: ammesso, non registrato.", "Dry run: accepted, not recorded.")
    elif receipt.repeated:
        text = cli.tr(
            f"Già nel registro con la chiave {chosen}: non è stato aggiunto nulla.",
            f"In the ledger already under the key {chosen}: nothing was added.",
        )
    elif len(requests) == 1:
        text = cli.tr(
            f"Registrato alla posizione {head}: {event_text(requests[0].event.TYPE, 'it')}.",
            f"Recorded at position {head}: {event_text(requests[0].event.TYPE, 'en')}.",
        )
    else:
        text = cli.tr(
            f"Registrati insieme {len(requests)} eventi; il registro è alla posizione {head}.",
            f"Recorded {len(requests)} events together; the ledger is at position {head}.",
        )
    cli.screen.line(text)


def corrected(
    cli: Cli,
    ledger: LedgerApplication,
    wanted: str,
    *,
    changes: Mapping[str, str],
    reason: str,
    actor: str | None,
    acts: Sequence[str],
    as_of: str | None,
) -> Request:
    """Return the event that takes the place of another.

    Raises:
        UnknownEntityError: there is no such event.
        InvalidCommandError: a field is unknown or its value is not written as its type asks.
    """
    old = _find(ledger, wanted)
    event = amended(old.event, coded(changes))
    envelope = dataclasses.replace(
        old.envelope,
        as_of=ledger.today() if as_of is None else parse_day(as_of, field="--as-of"),
        actor=parse_actor(cli.actor(actor)),
        # A correction rests on the acts of what it corrects, unless it names its own.
        acts=tuple(parse_act(text) for text in acts) or old.envelope.acts,
        reason=reason,
        supersedes=old.event_id,
    )
    return Request(event=event, envelope=envelope)


def _find(ledger: LedgerApplication, wanted: str) -> RecordedEvent:
    for recorded in read_all(ledger):
        if wanted in {recorded.address, recorded.event_id}:
            return recorded
    raise UnknownEntityError(kind="event", name=wanted)


def read_requests(
    cli: Cli, ledger: LedgerApplication, path: Path, *, actor: str | None
) -> list[Request]:
    """Read a YAML file of events; see docs/cli.md for its form.

    Every scalar is read as text, so that 10.50 stays 10.50 and no is not a boolean.

    Raises:
        InvalidCommandError: the file cannot be read or an entry is not as documented; the entry
            is named by its number.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - the base loader makes texts, lists and mappings only
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise _invalid(path, "-", "", str(error)) from error
    if not isinstance(content, dict) or not isinstance(content.get("events"), list):
        raise _invalid(path, "events", "", "a file has the key `events` with a list")
    shared = {name: value for name, value in content.items() if name != "events"}
    if actor is not None:
        shared["actor"] = actor
    return [
        _request(cli, ledger, path, number=number, entry=entry, shared=shared)
        for number, entry in enumerate(content["events"], start=1)
    ]


def _request(
    cli: Cli,
    ledger: LedgerApplication,
    path: Path,
    *,
    number: int,
    entry: object,
    shared: Mapping[str, object],
) -> Request:
    if not isinstance(entry, dict) or not isinstance(entry.get("type"), str):
        raise _invalid(path, f"events[{number}]", "", "an entry has the key `type`")
    fields = entry.get("fields", {})
    common = {**shared, **{name: entry[name] for name in entry if name not in {"type", "fields"}}}
    for name in common:
        if name not in _ENVELOPE_FIELDS:
            known = ", ".join(("type", "fields", *_ENVELOPE_FIELDS))
            raise _invalid(path, f"events[{number}].{name}", "", f"unknown key; known: {known}")
    try:
        texts = coded(fields) if isinstance(fields, dict) else fields
        event = build(event_class(entry["type"], EVENT_TYPES), texts)
        return Request(event=event, envelope=envelope_of(cli, ledger, event, common))
    except InvalidCommandError as error:
        facts = error.facts
        field = f"events[{number}] {facts['subject']}.{facts['field']}"
        raise _invalid(path, field, facts["value"], facts["reason"]) from error


def _invalid(path: Path, field: str, value: str, reason: str) -> InvalidCommandError:
    return InvalidCommandError(subject=path.name, field=field, value=value, reason=reason)
