"""How subjects, holds and retention terms are shown."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import assert_never

from app.cli.context import Cli
from app.output.fields import act_text, actor_text
from app.output.format import day
from app.output.table import Column, Table
from app.texts.codes import code_text
from app.texts.events import event_text
from ledger.aggregates.subjects import Hold
from ledger.privacy.erasure import KeyFate, Standing, SubjectStanding
from ledger.privacy.footprint import Footprint


def show_subjects(
    cli: Cli, rows: Sequence[tuple[Footprint, str]], *, undone: Sequence[str]
) -> None:
    """Show subjects with what may be told of each."""
    title = cli.count(len(rows), ("soggetto", "soggetti"), ("subject", "subjects"))
    if not rows:
        cli.screen.line(title)
        return
    columns = (
        Column(cli.tr("soggetto", "subject"), whole=True),
        Column(cli.tr("persona", "person")),
        Column(cli.tr("registrazioni", "records"), "right"),
        Column(cli.tr("anni", "years")),
        Column(cli.tr("posizioni", "positions")),
    )
    listed = [
        [
            one.subject_id,
            told,
            one.records,
            ", ".join(map(str, one.years)),
            f"{one.first_position} - {one.last_position}",
        ]
        for one, told in rows
    ]
    cli.screen.table(Table(title=title, columns=columns, rows=listed))
    for subject in undone:
        cli.screen.warn(
            cli.tr(
                f"La chiave di {subject} è ancora qui benché sia cancellato: ripetere "
                "`registro subject erase` la distrugge.",
                f"The key of {subject} is still here although it is erased: repeating "
                "`registro subject erase` destroys it.",
            )
        )


def fate_text(cli: Cli, position: int, fate: KeyFate, *, repeated: bool) -> str:
    """Return what was done about a subject: its record, and its key."""
    if repeated:
        begin = cli.tr(
            f"Cancellazione già registrata alla posizione {position}; ",
            f"Erasure recorded already at position {position}; ",
        )
    else:
        begin = cli.tr(
            f"Cancellazione registrata alla posizione {position}; ",
            f"Erasure recorded at position {position}; ",
        )
    match fate:
        case KeyFate.DESTROYED:
            return begin + cli.tr("chiave distrutta.", "key destroyed.")
        case KeyFate.GONE:
            return begin + cli.tr(
                "la chiave era già stata distrutta.", "the key had been destroyed before."
            )
        case KeyFate.ABSENT:
            return begin + cli.tr(
                "questo file non ha la chiave: distruggerla dove si trova.",
                "this file has no such key: destroy it where it is.",
            )
        case _:
            assert_never(fate)


def show_holds(cli: Cli, holds: Sequence[Hold]) -> None:
    """Show holds, released ones included."""
    title = cli.count(len(holds), ("blocco", "blocchi"), ("hold", "holds"))
    if not holds:
        cli.screen.line(title)
        return
    columns = (
        Column(cli.tr("blocco", "hold"), whole=True),
        Column(cli.tr("che cosa", "what")),
        Column(cli.tr("quale", "which")),
        Column(cli.tr("dal", "from")),
        Column(cli.tr("chi", "who")),
        Column(cli.tr("atto", "act"), whole=True),
        Column(cli.tr("tolto il", "released")),
    )
    rows = [
        [
            hold.event.hold_id,
            code_text("hold_scope", hold.event.hold_scope, cli.lang),
            hold.event.held,
            day(hold.placed_on, cli.lang),
            actor_text(hold.placed.actor),
            "\n".join(act_text(act) for act in hold.placed.acts),
            "-" if hold.released_on is None else day(hold.released_on, cli.lang),
        ]
        for hold in holds
    ]
    cli.screen.table(Table(title=title, columns=columns, rows=rows))


def show_terms(cli: Cli, terms: Mapping[str, int | None]) -> None:
    """Show retention terms by type of event."""
    title = cli.count(len(terms), ("termine", "termini"), ("term", "terms"))
    if not terms:
        cli.screen.line(title)
        return
    columns = (Column(cli.tr("evento", "event")), Column(cli.tr("anni", "years"), "right"))
    rows = [[event_text(name, cli.lang), years] for name, years in terms.items()]
    cli.screen.table(Table(title=title, columns=columns, rows=rows))


def show_standings(
    cli: Cli, found: Sequence[SubjectStanding], *, told: Mapping[str, str], on: dt.date
) -> None:
    """Show who is due, then how many are not and why."""
    listed = [one for one in found if one.standing is Standing.DUE]
    when = day(on, cli.lang)
    noun = cli.count(len(listed), ("soggetto", "soggetti"), ("subject", "subjects"))
    title = cli.tr(f"Oltre i termini al {when}: {noun}", f"Beyond the terms on {when}: {noun}")
    if listed:
        columns = (
            Column(cli.tr("soggetto", "subject"), whole=True),
            Column(cli.tr("persona", "person")),
            Column(cli.tr("registrazioni", "records"), "right"),
            Column(cli.tr("conservato fino al", "kept until")),
        )
        rows = [
            [
                one.subject_id,
                told[one.subject_id],
                one.records,
                "-" if one.kept_until is None else day(one.kept_until, cli.lang),
            ]
            for one in listed
        ]
        cli.screen.table(Table(title=title, columns=columns, rows=rows))
    else:
        cli.screen.line(title)
    counts = Counter(one.standing for one in found)
    for standing in (Standing.HELD, Standing.KEPT, Standing.NO_TERM, Standing.ERASED):
        if counts[standing]:
            cli.screen.line(f"  {_standing_text(cli, standing)}: {counts[standing]}")
    waiting = [one for one in found if one.standing is Standing.NO_TERM]
    without = sorted({name for one in waiting for name in one.without_term})
    if without:
        names = ", ".join(event_text(name, cli.lang) for name in without)
        cli.screen.line(cli.tr("Tipi senza termine: ", "Types without a term: ") + names)


def _standing_text(cli: Cli, standing: Standing) -> str:
    match standing:
        case Standing.DUE:
            return cli.tr("oltre i termini", "beyond the terms")
        case Standing.HELD:
            return cli.tr("oltre i termini, ma bloccati", "beyond the terms, but held")
        case Standing.KEPT:
            return cli.tr("ancora nei termini", "within the terms")
        case Standing.NO_TERM:
            return cli.tr("senza un termine fissato", "without a term")
        case Standing.ERASED:
            return cli.tr("già cancellati", "erased already")
        case _:
            assert_never(standing)
