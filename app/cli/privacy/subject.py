"""Commands `registro subject`, `hold` and `retention`: personal data and how long they stay.

Source: docs/privacy.md; docs/it/dati-personali.md.
"""

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final

import typer

from app.cli.choices import ActorOption, ActsOption, DryRunOption, nearest, optional_day, parse_day
from app.cli.context import Cli, cli_of
from app.cli.recording.write import recorder_of
from app.cli.recording.write_catalogue import event_class
from app.cli.recording.write_command import Texts, WriteCommand, one
from app.texts.codes import code_of
from app.texts.usage import both
from ledger.aggregates.subjects import GROUNDS
from ledger.envelopes import parse_act, parse_actor
from ledger.errors import UnknownEntityError
from ledger.events.catalogue import EVENT_TYPES
from ledger.events.ledger import Envelope, Source
from ledger.events.privacy import HoldPlaced, HoldReleased, RetentionTermSet
from ledger.feed import read_all
from ledger.privacy.footprint import Footprint, footprints

if TYPE_CHECKING:
    from ledger.aggregates.base import Proposal
    from ledger.application import LedgerApplication
    from ledger.privacy.keystore import KeyStore
    from ledger.privacy.persons import Persons


def _full_type(_: "LedgerApplication", texts: Texts) -> Texts:
    """Fill the full name of a type of event."""
    typed = texts.get("event_type", "")
    return {**texts, "event_type": event_class(str(typed), EVENT_TYPES).TYPE}


COMMANDS: Final[tuple[WriteCommand, ...]] = (
    one(
        "hold place",
        HoldPlaced,
        "hold_id hold_scope held",
        "Blocca la cancellazione: di un soggetto, di un anno o di un flusso.",
        "Forbid erasure: of a subject, a year or a stream.",
    ),
    one("hold release", HoldReleased, "hold_id", "Toglie un blocco.", "Release a hold."),
    one(
        "retention set",
        RetentionTermSet,
        "event_type term_years",
        "Fissa per quanti anni si conservano i dati personali di un tipo di evento.",
        "Set for how many years personal data in a type of event are kept.",
        complete=_full_type,
    ),
)
"""Commands that record one event of personal data as it is typed."""


def register(root: typer.Typer, name: str) -> None:
    """Add a group to the root."""
    group = typer.Typer(no_args_is_help=True)
    for command in COMMANDS:
        if command.group == name:
            help_ = both(command.help.it, command.help.en)
            group.command(command.verb, help=help_)(recorder_of(command))
    if name == "subject":
        group.command("list", help=both("Soggetti e loro dati.", "Subjects and their data."))(list_)
        group.command("erase", help=both("Cancella un soggetto.", "Erase a subject."))(erase)
    elif name == "hold":
        group.command("list", help=both("Blocchi.", "Holds."))(holds)
    else:
        group.command("list", help=both("Termini fissati.", "Terms set."))(terms)
        group.command("due", help=both("Soggetti oltre i termini.", "Subjects beyond the terms."))(
            due
        )
    root.add_typer(group, name=name)


def list_(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(help=both("solo chi ha questo nel nome", "only who has this in the name")),
    ] = None,
) -> None:
    """List the subjects of the ledger: who, how many records, in which state."""
    from app.cli.privacy.persons import person_json, person_text, persons_of
    from app.cli.privacy.subject_view import show_subjects
    from ledger.privacy.persons import Readable

    cli = cli_of(context)
    ledger = cli.open()
    persons = persons_of(cli, ledger)
    found = footprints(read_all(ledger))
    told = {key: persons.open(footprint.sample) for key, footprint in found.items()}
    if name is not None:
        wanted = name.casefold()
        told = {
            key: person
            for key, person in told.items()
            if isinstance(person, Readable) and wanted in person.text.casefold()
        }
    undone = _undone(persons, told)
    if cli.json:
        subjects = [
            {
                **_footprint_json(found[key]),
                "person": person_json(person),
                "key_to_destroy": key in undone,
            }
            for key, person in told.items()
        ]
        cli.answer({"position": ledger.head(), "subjects": subjects})
        return
    cli.banner(sandbox=_sandbox(ledger))
    rows = [(found[key], person_text(cli, person)) for key, person in told.items()]
    show_subjects(cli, rows, undone=undone)


def _undone(persons: "Persons", subjects: Iterable[str]) -> tuple[str, ...]:
    """Return erased subjects whose key is still here: an erasure stopped half-way, or a copy."""
    keys = persons.keys
    if keys is None:
        return ()
    live = {one.subject_id for one in keys.all() if one.key is not None}
    return tuple(
        subject for subject in subjects if subject in live and persons.erasure(subject) is not None
    )


def _footprint_json(footprint: Footprint) -> dict[str, object]:
    return {
        "subject_id": footprint.subject_id,
        "records": footprint.records,
        "years": footprint.years,
        "streams": footprint.streams,
        "first_position": footprint.first_position,
        "last_position": footprint.last_position,
        "last_days": footprint.last_days,
    }


def _sandbox(ledger: "LedgerApplication") -> bool:
    opened = ledger.identity.opened
    return opened is not None and opened.sandbox


def erase(
    context: typer.Context,
    subject: Annotated[
        str, typer.Argument(help=both("soggetto, come in subject list", "subject, as listed"))
    ],
    *,
    ground: Annotated[
        str,
        typer.Option(
            help=both(
                "motivo: richiesta, termine, illecito, ordine",
                "ground: " + ", ".join(GROUNDS),
            )
        ),
    ],
    legal_basis: Annotated[
        str,
        typer.Option(
            "--legal-basis", help=both("norma, per esempio art. 17", "provision, e.g. art. 17")
        ),
    ],
    reason: Annotated[str, typer.Option(help=both("perché", "why"))],
    act: ActsOption = None,
    approver: Annotated[
        list[str] | None,
        typer.Option(
            help=both(
                "ufficio che approva, RUOLO@UNITA; almeno due", "approving office; at least two"
            )
        ),
    ] = None,
    requested_on: Annotated[
        str | None,
        typer.Option(
            "--requested-on",
            metavar="AAAA-MM-GG",
            help=both("giorno della richiesta", "day of the request"),
        ),
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="AAAA-MM-GG", help=both("giorno; oggi", "day; today")),
    ] = None,
    actor: ActorOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Erase a subject: record the erasure, then destroy the key; repeated, it finishes the job."""
    from app.cli.privacy.persons import ledger_id_of, record, required_keys
    from app.cli.recording.writing import SYSTEM
    from ledger.aggregates.base import Proposal
    from ledger.privacy.erasure import erasure_of
    from ledger.privacy.persons import Persons

    cli = cli_of(context)
    asked_on = optional_day(requested_on, field="--requested-on")
    known_on = optional_day(as_of, field="--as-of")
    ledger = cli.open(read_only=dry_run)
    keys = required_keys(cli, ledger)
    persons = Persons(ledger, ledger_id=ledger_id_of(ledger), keys=keys)
    before = persons.erasure(subject)
    proposal = None
    if before is None:
        event = erasure_of(
            _footprint(ledger, subject),
            ground=code_of("ground", ground),
            legal_basis=legal_basis,
            approvers=[_office(text) for text in approver or ()],
            requested_on=asked_on,
        )
        envelope = Envelope(
            as_of=known_on or ledger.today(),
            actor=parse_actor(cli.actor(actor)),
            source=Source(system=SYSTEM),
            acts=tuple(parse_act(text) for text in act or ()),
            reason=reason,
        )
        proposal = Proposal(event=event, envelope=envelope)
        record(cli, ledger, [proposal], key=f"erasure/{subject}", dry_run=dry_run)
    _finish(cli, ledger, keys, subject, proposal, dry_run=dry_run)


def _finish(
    cli: Cli,
    ledger: "LedgerApplication",
    keys: "KeyStore",
    subject: str,
    proposal: "Proposal | None",
    *,
    dry_run: bool,
) -> None:
    """Destroy the key of a subject whose erasure is recorded, and say so."""
    from app.cli.figures.record_view import show_event
    from app.cli.privacy.persons import ledger_id_of
    from app.cli.privacy.subject_view import fate_text
    from ledger.privacy.erasure import destroy_key
    from ledger.privacy.persons import Persons

    erasure = None
    fate = None
    if not dry_run:
        erasure = Persons(ledger, ledger_id=ledger_id_of(ledger), keys=keys).erasure(subject)
        fate = destroy_key(keys, subject, at=ledger.clock.now())
    if cli.json:
        cli.answer(
            {
                "subject_id": subject,
                "dry_run": dry_run,
                "recorded": proposal is not None and not dry_run,
                "position": None if erasure is None else erasure.position,
                "key": fate,
            }
        )
        return
    if proposal is not None:
        person = cli.settings["person"] or None
        show_event(cli, proposal.event, proposal.envelope, person=person)
    if erasure is None or fate is None:
        cli.screen.line(
            cli.tr(
                "Prova: ammesso, non registrato; nessuna chiave è stata distrutta.",
                "Dry run: accepted, not recorded; no key was destroyed.",
            )
        )
        return
    cli.screen.line(fate_text(cli, erasure.position, fate, repeated=proposal is None))


def _footprint(ledger: "LedgerApplication", subject: str) -> Footprint:
    found = footprints(read_all(ledger))
    if subject not in found:
        raise UnknownEntityError(kind="subject", name=subject, near=nearest(subject, found))
    return found[subject]


def _office(text: str) -> str:
    """Return an office as it is recorded, ROLE or ROLE@UNIT."""
    from app.output.fields import actor_text

    return actor_text(parse_actor(text))


def holds(context: typer.Context) -> None:
    """List the holds, released ones included."""
    from app.cli.privacy.subject_view import show_holds
    from app.output.fields import act_text, actor_text
    from ledger.aggregates.subjects import HOLDS, HOLDS_STREAM

    cli = cli_of(context)
    ledger = cli.open()
    found = ledger.session().state(HOLDS, HOLDS_STREAM).holds
    listed = [found[name] for name in sorted(found)]
    if cli.json:
        items = [
            {
                "hold_id": hold.event.hold_id,
                "hold_scope": hold.event.hold_scope,
                "held": hold.event.held,
                "placed_on": hold.placed_on,
                "actor": actor_text(hold.placed.actor),
                "acts": [act_text(act) for act in hold.placed.acts],
                "released_on": hold.released_on,
            }
            for hold in listed
        ]
        cli.answer({"position": ledger.head(), "holds": items})
        return
    cli.banner(sandbox=_sandbox(ledger))
    show_holds(cli, listed)


def terms(context: typer.Context) -> None:
    """List the retention terms in force today."""
    from app.cli.privacy.subject_view import show_terms
    from ledger.aggregates.retention import RETENTION, RETENTION_STREAM

    cli = cli_of(context)
    ledger = cli.open()
    today = ledger.today()
    retention = ledger.session().state(RETENTION, RETENTION_STREAM)
    listed = {name: retention.years(name, today) for name in sorted(retention.terms)}
    if cli.json:
        items = [{"event_type": name, "term_years": years} for name, years in listed.items()]
        cli.answer({"position": ledger.head(), "terms": items})
        return
    cli.banner(sandbox=_sandbox(ledger))
    show_terms(cli, listed)


def due(
    context: typer.Context,
    *,
    on: Annotated[
        str | None,
        typer.Option(
            "--on",
            metavar="AAAA-MM-GG",
            help=both("giorno da guardare; oggi se manca", "day to look at; today if absent"),
        ),
    ] = None,
) -> None:
    """List the subjects all of whose records are beyond their terms and that nothing holds."""
    from app.cli.privacy.persons import person_text, persons_of
    from app.cli.privacy.subject_view import show_standings
    from ledger.aggregates.retention import RETENTION, RETENTION_STREAM
    from ledger.aggregates.subjects import HOLDS, HOLDS_STREAM
    from ledger.privacy.erasure import standings

    cli = cli_of(context)
    ledger = cli.open()
    day: dt.date = ledger.today() if on is None else parse_day(on, field="--on")
    found = footprints(read_all(ledger))
    persons = persons_of(cli, ledger)
    session = ledger.session()
    listed = standings(
        found,
        retention=session.state(RETENTION, RETENTION_STREAM),
        holds=session.state(HOLDS, HOLDS_STREAM),
        erased={subject for subject in found if persons.erasure(subject) is not None},
        on=day,
    )
    if cli.json:
        cli.answer({"on": day, "position": ledger.head(), "subjects": listed})
        return
    cli.banner(sandbox=_sandbox(ledger))
    told = {
        one.subject_id: person_text(cli, persons.open(found[one.subject_id].sample))
        for one in listed
    }
    show_standings(cli, listed, told=told, on=day)
