"""How replays, explanations and comparisons are shown, and their JSON."""

import datetime as dt
from collections.abc import Sequence

from app.cli.context import Cli
from app.output.format import day, number
from app.output.table import Column, Table
from app.texts.values import missing_text
from app.texts.words import unit_text, vintage_text
from projections.cycle.diff import Change, Difference
from projections.cycle.replay import IndicatorLine, Replay


def cut_text(cli: Cli, as_of: dt.date | None) -> str:
    """Return the cut in time as a phrase."""
    if as_of is None:
        return cli.tr("tutto il noto", "everything known")
    return cli.tr(f"noto al {day(as_of, 'it')}", f"known on {day(as_of, 'en')}")


def show_replay(
    cli: Cli, result: Replay, lines: Sequence[IndicatorLine], *, code_version: str
) -> None:
    """Show the table of a replay."""
    title = cli.tr(
        f"{result.body or ''} {result.year}, {cut_text(cli, result.as_of)}",
        f"{result.body or ''} {result.year}, {cut_text(cli, result.as_of)}",
    )
    cli.screen.title(title.strip())
    columns = (
        Column(cli.tr("codice", "code"), whole=True),
        Column(cli.tr("valore", "value"), "right"),
        Column(cli.tr("unità", "unit")),
        Column(cli.tr("obiettivo", "target"), "right"),
        Column(cli.tr("scost. %", "dev. %"), "right"),
        Column(cli.tr("ragg. %", "achiev. %"), "right"),
        Column(cli.tr("stadio", "stage")),
        Column(cli.tr("indicatore", "indicator")),
    )
    rows = [
        [
            line.code,
            cli.tr("n.d.", "n/a") if line.value is None else line.value,
            unit_text(line.unit, cli.lang),
            line.target,
            line.deviation_pct,
            line.achievement_pct,
            "-" if line.vintage is None else vintage_text(line.vintage, cli.lang),
            line.label,
        ]
        for line in lines
    ]
    cli.screen.table(Table(columns=columns, rows=rows))
    missing = [line for line in lines if line.value is None]
    if missing:
        cli.screen.line(
            cli.tr("n.d.: valore non disponibile, con il motivo:", "n/a: no value, and why:")
        )
        for line in missing:
            cli.screen.line(f"  {line.code}: {reason_text(cli, line)}")
    differing = [line for line in lines if line.agrees is False]
    if differing:
        cli.screen.line(
            cli.tr("Diversi dalla cifra stampata:", "Different from the printed figure:")
        )
        for line in differing:
            cli.screen.line(f"  {line.code}: {printed_text(cli, line)}")
    cli.screen.line(
        cli.tr(
            f"posizione {result.position}, registro {code_version}, impronta {result.digest}",
            f"position {result.position}, registro {code_version}, digest {result.digest}",
        )
    )


def value_text(cli: Cli, line: IndicatorLine) -> str:
    """Return a value with the decimals of its definition."""
    if line.value is None:
        return cli.tr("n.d.", "n/a")
    return number(line.value, cli.lang)


def reason_text(cli: Cli, line: IndicatorLine) -> str:
    """Return why a line has no value."""
    if line.value_missing is None:
        return ""
    text = missing_text(line.value_missing, cli.lang)
    details = [missing_text(code, cli.lang) for code in line.missing_details]
    return f"{text} ({', '.join(details)})" if details else text


def printed_text(cli: Cli, line: IndicatorLine) -> str:
    """Return the figure to compare a value with, and whether it agrees."""
    if line.printed is None:
        return "-"
    printed = number(line.printed, cli.lang)
    match line.agrees:
        case None:
            return printed
        case True:
            return cli.tr(f"{printed}, coincide", f"{printed}, agrees")
        case False:
            value = value_text(cli, line)
            return cli.tr(
                f"stampato {printed}, ricalcolato {value}: NON coincide",
                f"printed {printed}, computed {value}: does NOT agree",
            )


def replay_json(
    result: Replay, lines: Sequence[IndicatorLine], *, code_version: str
) -> dict[str, object]:
    """Return a replay as JSON; its form is documented in docs/cli.md."""
    return {
        "year": result.year,
        "as_of": result.as_of,
        "position": result.position,
        "digest": result.digest,
        "body": result.body,
        "sandbox": result.sandbox,
        "code_version": code_version,
        "indicators": [line_json(line) for line in lines],
    }


def line_json(line: IndicatorLine) -> dict[str, object]:
    """Return one indicator of a replay as JSON."""
    return {
        "code": line.code,
        "unit": line.unit,
        "label": line.label,
        "level": line.level,
        "parent": line.parent,
        "value": line.value,
        "value_missing": line.value_missing,
        "missing_details": line.missing_details,
        "target": line.target,
        "deviation_pct": line.deviation_pct,
        "achievement_pct": line.achievement_pct,
        "vintage": line.vintage,
        "definition_version": line.definition_version,
        "published": line.published,
        "printed": line.printed,
        "agrees": line.agrees,
        "sources": line.sources,
    }


def show_how_to_open(cli: Cli) -> None:
    """Say how a record whose number is shown can be read."""
    command = cli.remedy("show N")
    cli.screen.line()
    cli.screen.line(
        cli.tr(f"La registrazione N per intero: `{command}`", f"Record N in full: `{command}`")
    )


def show_difference(cli: Cli, found: Difference) -> None:
    """Show what changed between two days."""
    before, after = found.before, found.after
    span = f"{cut_text(cli, before.as_of)} -> {cut_text(cli, after.as_of)}"
    cli.screen.title(f"{after.body or ''} {found.year}: {span}".strip())
    show_changes(cli, cli.tr("Valori cambiati", "Changed values"), found.changed)
    cli.screen.line()
    title = cli.tr("Di nuova conoscenza (non sono rettifiche)", "First known (not restatements)")
    show_changes(cli, title, found.first_known)
    show_how_to_open(cli)


def show_changes(cli: Cli, title: str, changes: Sequence[Change]) -> None:
    """Show a list of changes with their causes."""
    columns = (
        Column(cli.tr("codice", "code"), whole=True),
        Column(cli.tr("prima", "before"), "right"),
        Column(cli.tr("dopo", "after"), "right"),
        Column(cli.tr("unità", "unit")),
        Column(cli.tr("variazione %", "change %"), "right"),
        Column(cli.tr("causa: registrazioni", "cause: records")),
        Column(cli.tr("indicatore", "indicator")),
    )
    rows = [
        [
            change.code,
            change.old,
            change.new,
            unit_text(change.unit, cli.lang),
            change.change_pct,
            ", ".join(change.causes) or "-",
            change.label,
        ]
        for change in changes
    ]
    if not changes:
        cli.screen.line(f"{title}: {cli.tr('nessuno', 'none')}")
        return
    cli.screen.table(Table(title=f"{title}: {len(changes)}", columns=columns, rows=rows))


def difference_json(found: Difference) -> dict[str, object]:
    """Return a comparison as JSON."""
    return {
        "year": found.year,
        "from_as_of": found.before.as_of,
        "to_as_of": found.after.as_of,
        "position": found.after.position,
        "from_digest": found.before.digest,
        "to_digest": found.after.digest,
        "changed": found.changed,
        "first_known": found.first_known,
    }
