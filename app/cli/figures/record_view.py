"""How one record is shown in full, and what an event that is about to be recorded says."""

from app.cli.context import Cli
from app.output.fields import act_text, actor_text, rows_of, value_text
from app.output.format import day, instant
from app.output.table import Column, Table
from app.texts.events import event_text
from app.texts.words import vintage_text
from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.feed import RecordedEvent
from ledger.types import Digest

Rows = list[tuple[str, str]]


def show_record(
    cli: Cli, recorded: RecordedEvent, commitment: Digest, *, person: str | None = None
) -> None:
    """Show a record: fields by name, envelope, and what the ledger added."""
    show_event(
        cli,
        recorded.event,
        recorded.envelope,
        title=f"{recorded.position}  {_named(cli, recorded.event)}",
        person=person,
    )
    when = instant(recorded.recorded_at, cli.lang, cli.screen.zone)
    append = recorded.append
    part = cli.tr(
        f"{append.part + 1} di {append.part_count}", f"{append.part + 1} of {append.part_count}"
    )
    rows = [
        (cli.tr("registrato il", "recorded"), when),
        (cli.tr("flusso", "stream"), f"{recorded.stream}, {recorded.stream_version}"),
        (cli.tr("identità dell'evento", "event id"), recorded.event_id),
        (cli.tr("chiave", "key"), f"{append.key}, {part}"),
        (cli.tr("impegno", "commitment"), commitment.hex()),
    ]
    _table(cli, cli.tr("Registrazione", "Record"), rows)


def show_event(
    cli: Cli,
    event: Event,
    envelope: Envelope,
    *,
    title: str | None = None,
    person: str | None = None,
) -> None:
    """Show the fields of an event and what its envelope says."""
    _table(cli, title or _named(cli, event), rows_of(event, cli.lang))
    rows = envelope_rows(cli, envelope, person=person)
    _table(cli, cli.tr("Chi, quando, perché", "Who, when, why"), rows)


def envelope_rows(cli: Cli, envelope: Envelope, *, person: str | None = None) -> Rows:
    """Return what an envelope says, by name, without what it leaves open.

    Args:
        cli: language of the reader.
        envelope: of the record.
        person: what the reader is told of the person who acts; None when nobody is named.
    """
    actor, source = envelope.actor, envelope.source
    who = actor_text(actor)
    places = (source.system, source.document, source.locator)
    first, last = envelope.ref_from, envelope.ref_to
    period = " - ".join("..." if one is None else day(one, cli.lang) for one in (first, last))
    vintage = envelope.vintage
    rows: list[tuple[str, str | None]] = [
        (cli.tr("noto al", "known on"), day(envelope.as_of, cli.lang)),
        (cli.tr("periodo", "period"), None if first is None and last is None else period),
        (cli.tr("stadio", "stage"), None if vintage is None else vintage_text(vintage, cli.lang)),
        (cli.tr("da", "by"), who),
        (cli.tr("persona", "person"), person),
        (cli.tr("fonte", "source"), " ".join(place for place in places if place)),
        (cli.tr("atti", "acts"), ", ".join(act_text(act) for act in envelope.acts)),
        (cli.tr("motivo", "reason"), envelope.reason),
        (cli.tr("corregge l'evento", "corrects the event"), envelope.supersedes),
    ]
    if source.read_on is not None:
        rows.append(
            (cli.tr("letto il", "read on"), value_text("read_on", source.read_on, cli.lang))
        )
    if source.sha256 is not None:
        rows.append(("SHA-256", source.sha256.hex()))
    return [(name, value) for name, value in rows if value]


def record_json(
    recorded: RecordedEvent, commitment: Digest, *, person: dict[str, object] | None = None
) -> dict[str, object]:
    """Return a record as JSON."""
    return {
        "position": recorded.position,
        "type": recorded.event.TYPE,
        "stream": recorded.stream,
        "stream_version": recorded.stream_version,
        "event_id": recorded.event_id,
        "event": recorded.event,
        "envelope": recorded.envelope,
        "person": person,
        "recorded_at": recorded.recorded_at,
        "append_key": recorded.append.key,
        "part": recorded.append.part,
        "part_count": recorded.append.part_count,
        "commitment": commitment,
    }


def _named(cli: Cli, event: Event) -> str:
    name = event.TYPE.rpartition(".")[2]
    text = event_text(event.TYPE, cli.lang)
    return text if text == name else f"{text} ({name})"


def _table(cli: Cli, title: str, rows: Rows) -> None:
    cli.screen.table(Table(title=title, columns=(Column(""), Column("")), rows=rows))
    cli.screen.line()
