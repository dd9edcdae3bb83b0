"""Commands `registro trail`, `show`, `list` and `search`: what happened to whom, what there is."""

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.choices import AtOption, feed_of, nearest
from app.cli.context import Cli, cli_of
from app.output.format import day, instant
from app.output.table import Column, Table
from app.texts.text import Text
from app.texts.usage import both
from app.texts.words import vintage_text
from ledger.errors import InvalidCommandError, UnknownEntityError
from ledger.events.acts import ActAdopted
from ledger.events.base import Event
from ledger.events.ledger import Encrypted
from ledger.events.measurement import IndicatorDefined
from ledger.events.organisation import UnitEstablished
from ledger.events.planning import GuidelineAdopted, ObjectiveAssigned
from ledger.events.projects import ProjectApproved
from ledger.events.publication import DocumentPublished, FigurePublished
from ledger.events.risk import RiskRegistered
from ledger.feed import RecordedEvent, read_all
from ledger.types import Position

if TYPE_CHECKING:
    from ledger.application import LedgerApplication
    from ledger.privacy.persons import Person
    from projections.trail import TrailEntry


def register(root: typer.Typer, name: str) -> None:
    """Add a command to the root."""
    commands: dict[str, Callable[..., None]] = {
        "trail": trail,
        "show": show,
        "list": list_,
        "search": search,
    }
    root.command(name)(commands[name])


def trail(
    context: typer.Context,
    entity: Annotated[
        str,
        typer.Argument(
            help=both(
                "codice (OGE3), atto, documento, rischio o flusso (planning/2023)",
                "code (OGE3), act, document, risk or stream (planning/2023)",
            )
        ),
    ],
    *,
    at: AtOption = None,
) -> None:
    """Show the history of an entity: who, when, under which act, before and after."""
    from projections.trail import trail as trail_of

    cli = cli_of(context)
    ledger = cli.open()
    sealed: dict[int, Encrypted] = {}
    entries = trail_of(_noting(feed_of(ledger, at), sealed), entity=entity)
    if not entries:
        raise _unknown(feed_of(ledger, at), entity, ledger.head())
    persons = _persons(cli, ledger, entries, sealed)
    if cli.json:
        events = [_entry_json(entry, persons.get(entry.position)) for entry in entries]
        cli.answer({"entity": entity, "position": ledger.head(), "events": events})
        return
    cli.banner(sandbox=_sandbox(ledger.identity))
    cli.screen.title(
        f"{entity}: " + cli.count(len(entries), ("evento", "eventi"), ("event", "events"))
    )
    for entry in entries:
        _show_entry(cli, entry, persons.get(entry.position))


def _noting(
    events: Iterable[RecordedEvent], sealed: dict[int, Encrypted]
) -> Iterator[RecordedEvent]:
    """Yield events, and note the encrypted person of each by its position."""
    for recorded in events:
        if recorded.envelope.actor.person is not None:
            sealed[recorded.position] = recorded.envelope.actor.person
        yield recorded


def _persons(
    cli: Cli,
    ledger: "LedgerApplication",
    entries: "Iterable[TrailEntry]",
    sealed: Mapping[int, Encrypted],
) -> "dict[int, Person]":
    """Return what may be told of the persons who acted, by position."""
    from app.cli.privacy.persons import persons_of

    wanted = [entry.position for entry in entries if entry.position in sealed]
    if not wanted:
        return {}
    persons = persons_of(cli, ledger)
    return {position: persons.open(sealed[position]) for position in wanted}


def _entry_json(entry: "TrailEntry", person: "Person | None") -> dict[str, object]:
    from app.cli.privacy.persons import person_json

    values: dict[str, object] = {item.name: getattr(entry, item.name) for item in fields(entry)}
    return {**values, "person": person_json(person)}


def _unknown(events: Iterable[RecordedEvent], entity: str, head: int) -> UnknownEntityError:
    """Return the refusal of a name that no event carries, with the nearest that one does."""
    from projections.trail import keys_of

    if entity.isdecimal() and 1 <= int(entity) <= head:
        # Whoever types a number means a record.
        return UnknownEntityError(
            kind="entity", name=entity, command=f"`registro show {int(entity)}`"
        )
    known = {name for one in events for name in (one.stream, *keys_of(one.event))}
    return UnknownEntityError(kind="entity", name=entity, near=nearest(entity, known))


def _sandbox(identity: object) -> bool:
    return bool(getattr(getattr(identity, "opened", None), "sandbox", False))


def _show_entry(cli: Cli, entry: "TrailEntry", person: "Person | None") -> None:
    from app.cli.privacy.persons import person_text
    from app.output.fields import act_text, label, told
    from app.texts.events import event_text

    screen = cli.screen
    who = "" if person is None else f", {person_text(cli, person)}"
    screen.line()
    stage = f", {vintage_text(entry.vintage, cli.lang)}" if entry.vintage else ""
    screen.title(
        f"{entry.position}  {event_text(entry.event_type, cli.lang)}  "
        f"{cli.tr('noto al', 'known on')} {day(entry.as_of, cli.lang)}{stage}"
    )
    screen.line(
        cli.tr("   da ", "   by ")
        + f"{entry.actor}{who}, {cli.tr('fonte', 'source')} {entry.source}, "
        + cli.tr("registrato il ", "recorded ")
        + instant(entry.recorded_at, cli.lang, cli.screen.zone)
    )
    for act in entry.acts:
        screen.line(cli.tr("   con l'atto ", "   under act ") + act_text(act))
    if entry.supersedes:
        place = entry.supersedes_position
        what = entry.supersedes if place is None else str(place)
        screen.line(cli.tr("   corregge la ", "   corrects ") + f"{what}: {entry.reason}")
    for change in entry.changes:
        name = label(change.name, cli.lang)
        before, after = (
            told(entry.event_type, change.name, text, cli.lang)
            for text in (change.before, change.after)
        )
        if change.before is None or before == after:
            screen.line(f"   {name}: {after}")
        else:
            screen.line(f"   {name}: {before} -> {after}")
    screen.line(f"   {cli.tr('evento', 'event')} {entry.event_id}")


def show(
    context: typer.Context,
    position: Annotated[
        int, typer.Argument(help=both("posizione della registrazione", "position of the record"))
    ],
) -> None:
    """Show one record in full: fields, envelope, time of recording, commitment."""
    from app.cli.figures.record_view import record_json, show_record
    from app.cli.privacy.persons import opened, person_json, person_text

    cli = cli_of(context)
    ledger = cli.open()
    head = ledger.head()
    if not 1 <= position <= head:
        raise InvalidCommandError(
            subject="record",
            field="POSITION",
            value=str(position),
            reason=f"the last position is {head}",
        )
    place = Position(position)
    before = Position(position - 1)
    (recorded,) = ledger.read(after=before, through=place, limit=1)
    (stored,) = ledger.store.read(after=before, through=place, limit=1)
    person = opened(cli, ledger, recorded.envelope.actor.person)
    if cli.json:
        cli.answer(record_json(recorded, stored.commitment, person=person_json(person)))
        return
    cli.banner(sandbox=_sandbox(ledger.identity))
    told_person = None if person is None else person_text(cli, person)
    show_record(cli, recorded, stored.commitment, person=told_person)


class Listable(enum.StrEnum):
    """What can be listed."""

    INDICATORS = "indicators"
    OBJECTIVES = "objectives"
    GUIDELINES = "guidelines"
    PROJECTS = "projects"
    UNITS = "units"
    ACTS = "acts"
    DOCUMENTS = "documents"
    FIGURES = "figures"
    RISKS = "risks"


WHAT: Final[Mapping[Listable, Text]] = {
    Listable.INDICATORS: Text(it="indicatori", en="indicators"),
    Listable.OBJECTIVES: Text(it="obiettivi", en="objectives"),
    Listable.GUIDELINES: Text(it="linee guida", en="guidelines"),
    Listable.PROJECTS: Text(it="progetti", en="projects"),
    Listable.UNITS: Text(it="unità", en="units"),
    Listable.ACTS: Text(it="atti", en="acts"),
    Listable.DOCUMENTS: Text(it="documenti", en="documents"),
    Listable.FIGURES: Text(it="cifre", en="figures"),
    Listable.RISKS: Text(it="rischi", en="risks"),
}
"""Words for what can be listed; each may be typed in place of the name."""

Describe = Callable[[Event], tuple[str, str] | None]


def _label_of(kind: type[Event], code: str, label: str) -> Describe:
    def describe(event: Event) -> tuple[str, str] | None:
        if not isinstance(event, kind):
            return None
        return str(getattr(event, code)), str(getattr(event, label))

    return describe


_LISTS: Final[Mapping[Listable, Describe]] = {
    Listable.INDICATORS: _label_of(IndicatorDefined, "indicator_code", "label"),
    Listable.OBJECTIVES: _label_of(ObjectiveAssigned, "code", "label"),
    Listable.GUIDELINES: _label_of(GuidelineAdopted, "code", "title"),
    Listable.PROJECTS: _label_of(ProjectApproved, "project_code", "title"),
    Listable.UNITS: _label_of(UnitEstablished, "unit_code", "name"),
    Listable.ACTS: _label_of(ActAdopted, "act_key", "subject"),
    Listable.DOCUMENTS: _label_of(DocumentPublished, "document_id", "title"),
    Listable.FIGURES: _label_of(FigurePublished, "figure_id", "label"),
    Listable.RISKS: _label_of(RiskRegistered, "risk_id", "risk_event"),
}


def list_(
    context: typer.Context,
    what: Annotated[
        str | None,
        typer.Argument(
            help=both(
                "che cosa elencare; senza, dice che cosa si può elencare",
                "what to list; without it, says what can be listed",
            )
        ),
    ] = None,
) -> None:
    """List what the ledger knows of one kind."""
    cli = cli_of(context)
    chosen = None if what is None else _listable(cli, what)
    if chosen is None:
        _show_choices(cli)
        return
    ledger = cli.open()
    describe = _LISTS[chosen]
    found: dict[str, tuple[str, int]] = {}
    for recorded in read_all(ledger):
        described = describe(recorded.event)
        if described is not None:
            found[described[0]] = (described[1], recorded.position)
    if cli.json:
        items = [
            {"code": code, "label": label, "position": position}
            for code, (label, position) in found.items()
        ]
        cli.answer({"what": chosen, "position": ledger.head(), "items": items})
        return
    cli.banner(sandbox=_sandbox(ledger.identity))
    columns = (
        Column(cli.tr("codice", "code"), whole=True),
        Column(cli.tr("posizione", "position"), "right"),
        Column(cli.tr("nome", "name")),
    )
    rows = [[code, position, label] for code, (label, position) in found.items()]
    title = f"{WHAT[chosen].in_(cli.lang).capitalize()}: {len(rows)}"
    if rows:
        cli.screen.table(Table(title=title, columns=columns, rows=rows))
    else:
        cli.screen.line(title)


def _listable(cli: Cli, typed: str) -> Listable:
    wanted = typed.casefold().replace("-", " ")
    for one, text in WHAT.items():
        if wanted in {one.value, text.it, text.it.removesuffix("à") + "a", text.en}:
            return one
    known = [WHAT[one].in_(cli.lang) for one in Listable]
    raise typer.BadParameter(
        cli.tr(
            f"{typed!r} non si può elencare; si elencano {', '.join(known)}",
            f"{typed!r} cannot be listed; one of {', '.join(known)}",
        ),
        param_hint="WHAT",
    )


def _show_choices(cli: Cli) -> None:
    if cli.json:
        cli.answer({"what": list(Listable)})
        return
    columns = (Column(cli.tr("comando", "command"), whole=True), Column(cli.tr("elenca", "lists")))
    rows = [[cli.remedy(f"list {one}"), WHAT[one].in_(cli.lang)] for one in Listable]
    cli.screen.table(Table(columns=columns, rows=rows))


def search(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help=both("testo da cercare", "text to look for"))],
    *,
    at: AtOption = None,
) -> None:
    """Search the events for a text, in any field, without regard to case; exact ones first."""
    from app.output.fields import label
    from app.texts.events import event_text
    from projections.trail import keys_of

    cli = cli_of(context)
    ledger = cli.open()
    found = matching(feed_of(ledger, at), text)
    if cli.json:
        hits = [
            {
                "position": recorded.position,
                "event_type": recorded.event.TYPE,
                "stream": recorded.stream,
                "keys": keys_of(recorded.event),
                "field": field,
                "text": value,
            }
            for recorded, field, value in found
        ]
        cli.answer({"text": text, "position": ledger.head(), "hits": hits})
        return
    cli.banner(sandbox=_sandbox(ledger.identity))
    if not found:
        cli.screen.line(cli.tr(f"Nessun evento contiene '{text}'.", f"No event holds {text!r}."))
        return
    columns = (
        Column(cli.tr("posizione", "position"), "right"),
        Column(cli.tr("evento", "event")),
        Column(cli.tr("entità", "entity")),
        Column(cli.tr("campo", "field")),
        Column(cli.tr("testo", "text")),
    )
    rows = [
        [
            recorded.position,
            event_text(recorded.event.TYPE, cli.lang),
            ", ".join(keys_of(recorded.event)),
            cli.tr("posizione", "position") if field == POSITION else label(field, cli.lang),
            value,
        ]
        for recorded, field, value in found
    ]
    title = cli.count(len(rows), ("evento", "eventi"), ("event", "events"))
    cli.screen.table(Table(title=title, columns=columns, rows=rows))


POSITION: Final = "position"
"""Stands for the field in which a record's own number was found."""


def matching(
    events: Iterable[RecordedEvent], text: str
) -> Sequence[tuple[RecordedEvent, str, str]]:
    """Return the events that hold a text, with the field that does.

    The record of that position comes first, then events with a field that is the text, then those
    that only hold it somewhere; each group in order of position.
    """
    from app.output.fields import names_of
    from projections.trail import shown

    wanted = text.casefold()
    found: list[tuple[int, RecordedEvent, str, str]] = []
    for recorded in events:
        if recorded.address == text:
            found.append((0, recorded, POSITION, recorded.address))
            continue
        values = [(name, shown(getattr(recorded.event, name))) for name in names_of(recorded.event)]
        holding = [(name, value) for name, value in values if wanted in value.casefold()]
        exact = [(name, value) for name, value in holding if value.casefold() == wanted]
        if holding:
            name, value = (exact or holding)[0]
            found.append((1 if exact else 2, recorded, name, value))
    found.sort(key=lambda hit: (hit[0], hit[1].position))
    return [hit[1:] for hit in found]
