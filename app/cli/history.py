"""Commands `registro trail`, `list` and `search`: what happened to whom, and what there is."""

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Final

import typer

from app.cli.choices import AtOption, feed_of
from app.cli.context import Cli, cli_of
from app.output.format import day, instant
from app.output.table import Column, Table
from app.texts.fields import field_text
from app.texts.usage import both
from ledger.errors import UnknownEntityError
from ledger.events.acts import ActAdopted
from ledger.events.base import Event
from ledger.events.measurement import IndicatorDefined
from ledger.events.organisation import UnitEstablished
from ledger.events.planning import GuidelineAdopted, ObjectiveAssigned
from ledger.events.projects import ProjectApproved
from ledger.events.publication import DocumentPublished, FigurePublished
from ledger.events.risk import RiskRegistered
from ledger.feed import RecordedEvent, read_all
from projections.trail import TrailEntry, keys_of, shown
from projections.trail import trail as trail_of


def register(root: typer.Typer, name: str) -> None:
    """Add a command to the root."""
    commands: dict[str, Callable[..., None]] = {"trail": trail, "list": list_, "search": search}
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
    cli = cli_of(context)
    ledger = cli.open()
    entries = trail_of(feed_of(ledger, at), entity=entity)
    if not entries:
        raise UnknownEntityError(kind="entity", name=entity)
    if cli.json:
        cli.answer({"entity": entity, "position": ledger.head(), "events": entries})
        return
    cli.banner(sandbox=_sandbox(ledger.identity))
    cli.screen.title(cli.tr(f"{entity}: {len(entries)} eventi", f"{entity}: {len(entries)} events"))
    for entry in entries:
        _show_entry(cli, entry)


def _sandbox(identity: object) -> bool:
    return bool(getattr(getattr(identity, "opened", None), "sandbox", False))


def _show_entry(cli: Cli, entry: TrailEntry) -> None:
    screen = cli.screen
    screen.line()
    stage = f", {entry.vintage}" if entry.vintage else ""
    screen.title(
        f"{entry.position}  {entry.event_type.rpartition('.')[2]}  "
        f"{cli.tr('noto al', 'known on')} {day(entry.as_of, cli.lang)}{stage}"
    )
    screen.line(
        cli.tr("   da ", "   by ")
        + f"{entry.actor}, {cli.tr('fonte', 'source')} {entry.source}, "
        + cli.tr("registrato il ", "recorded ")
        + instant(entry.recorded_at, cli.lang, cli.screen.zone)
    )
    for act in entry.acts:
        screen.line(cli.tr("   con l'atto ", "   under act ") + shown(act))
    if entry.supersedes:
        screen.line(cli.tr("   corregge ", "   corrects ") + f"{entry.supersedes}: {entry.reason}")
    for change in entry.changes:
        name = field_text(change.name, cli.lang).partition(":")[0]
        if change.before is None:
            screen.line(f"   {name}: {change.after}")
        else:
            screen.line(f"   {name}: {change.before} -> {change.after}")
    screen.line(f"   {cli.tr('evento', 'event')} {entry.event_id}")


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
    what: Annotated[Listable, typer.Argument(help=both("che cosa elencare", "what to list"))],
) -> None:
    """List what the ledger knows of one kind."""
    cli = cli_of(context)
    ledger = cli.open()
    describe = _LISTS[what]
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
        cli.answer({"what": what, "position": ledger.head(), "items": items})
        return
    cli.banner(sandbox=_sandbox(ledger.identity))
    columns = (
        Column(cli.tr("codice", "code")),
        Column(cli.tr("posizione", "position"), "right"),
        Column(cli.tr("nome", "name")),
    )
    rows = [[code, position, label] for code, (label, position) in found.items()]
    cli.screen.table(Table(title=f"{what}: {len(rows)}", columns=columns, rows=rows))


def search(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help=both("testo da cercare", "text to look for"))],
    *,
    at: AtOption = None,
) -> None:
    """Search the events for a text, in any field, without regard to case."""
    cli = cli_of(context)
    ledger = cli.open()
    found = list(matching(feed_of(ledger, at), text))
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
            recorded.event.TYPE.rpartition(".")[2],
            ", ".join(keys_of(recorded.event)),
            field,
            value,
        ]
        for recorded, field, value in found
    ]
    title = cli.tr(f"{len(rows)} eventi", f"{len(rows)} events")
    cli.screen.table(Table(title=title, columns=columns, rows=rows))


def matching(
    events: Iterable[RecordedEvent], text: str
) -> Iterable[tuple[RecordedEvent, str, str]]:
    """Yield the events that hold a text, with the first field that holds it."""
    wanted = text.casefold()
    for recorded in events:
        event = recorded.event
        for name in _names(event):
            value = shown(getattr(event, name))
            if wanted in value.casefold():
                yield recorded, name, value
                break


def _names(event: Event) -> tuple[str, ...]:
    return tuple(getattr(event, "__dataclass_fields__", ()))
