"""How replays, explanations and comparisons are shown, and their JSON."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from app.cli.context import Cli
from app.output.format import day, instant, number
from app.output.table import Column, Table, Tree
from app.texts.values import missing_text
from app.texts.words import op_text, unit_text, vintage_text
from projections.cycle.diff import Change, Difference
from projections.cycle.explain import Explanation, RecordLine, Step
from projections.cycle.replay import IndicatorLine, Replay
from projections.trail import shown

APPROXIMATE_DECIMALS = 6
"""Decimals shown of a value that has no end; marked with ≈."""


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
        Column(cli.tr("codice", "code")),
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
        "indicators": [_line_json(line) for line in lines],
    }


def _line_json(line: IndicatorLine) -> dict[str, object]:
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
        "sources": line.sources,
    }


def show_explanation(cli: Cli, found: Explanation) -> None:
    """Show why a figure is what it is."""
    line = found.line
    cli.screen.title(f"{line.code} - {line.label}")
    cli.screen.line(f"{found.year}, {cut_text(cli, found.as_of)}")
    value = value_text(cli, line)
    if line.value is None:
        value += f" ({reason_text(cli, line)})"
    rows: list[list[object]] = [
        [cli.tr("valore", "value"), f"{value} {unit_text(line.unit, cli.lang)}".strip()],
        [cli.tr("obiettivo", "target"), line.target],
        [cli.tr("scostamento %", "deviation %"), line.deviation_pct],
        [cli.tr("raggiungimento %", "achievement %"), line.achievement_pct],
    ]
    if line.published is not None:
        rows.append([cli.tr("stampato", "printed"), line.published])
    if found.definition is not None and found.definition_record is not None:
        event = found.definition.event
        rows.append(
            [
                cli.tr("definizione", "definition"),
                cli.tr(
                    f"versione {event.version}, regola {event.deviation_rule}, "
                    f"registrazione {found.definition_record.address}",
                    f"version {event.version}, rule {event.deviation_rule}, "
                    f"record {found.definition_record.address}",
                ),
            ]
        )
        rows.append([cli.tr("formula", "formula"), event.formula])
    cli.screen.table(Table(columns=(Column(""), Column("")), rows=rows))
    cli.screen.line()
    cli.screen.title(cli.tr("Come si calcola", "How it is computed"))
    root = Tree(_step_text(cli, found.tree))
    _grow(cli, root, found.tree)
    cli.screen.tree(root)
    if found.targets:
        cli.screen.line()
        cli.screen.title(cli.tr("Obiettivo nel tempo", "Target over time"))
        for target in found.targets:
            cause = f", {target.cause}" if target.cause else ""
            text = f"  {number(target.target, cli.lang)}{cause}: {_record_text(cli, target.record)}"
            cli.screen.line(text)
    if found.acts:
        cli.screen.line()
        cli.screen.title(cli.tr("Atti", "Acts"))
        for act in found.acts:
            cli.screen.line(f"  {shown(act)}")
    if found.children:
        cli.screen.line()
        listed = ", ".join(found.children)
        cli.screen.line(cli.tr(f"Sotto: {listed}", f"Below: {listed}"))


def _grow(cli: Cli, node: Tree, step: Step) -> None:
    for record in step.records:
        node.add(_record_text(cli, record))
    for child in step.children:
        _grow(cli, node.add(_step_text(cli, child)), child)


def _step_text(cli: Cli, step: Step) -> str:
    parts = [part for part in (step.sign, op_text(step.op, cli.lang), step.code) if part]
    if step.label and step.label != step.code:
        parts.append(f"«{step.label}»")
    if step.weight is not None:
        parts.append(cli.tr("peso ", "weight ") + number(step.weight, cli.lang))
    return f"{' '.join(parts)} = {_exact_text(cli, step)}"


def _exact_text(cli: Cli, step: Step) -> str:
    if step.exact is None:
        return f"{cli.tr('n.d.', 'n/a')} ({missing_text(step.missing or '', cli.lang)})"
    if "/" in step.exact:
        value = Fraction(step.exact)
        near = Decimal(value.numerator) / Decimal(value.denominator)
        return f"≈ {number(near, cli.lang, decimals=APPROXIMATE_DECIMALS)}"
    return number(Decimal(step.exact), cli.lang)


def _record_text(cli: Cli, record: RecordLine) -> str:
    known = day(record.as_of, cli.lang)
    when = instant(record.recorded_at, cli.lang, cli.screen.zone)
    return cli.tr(
        f"registrazione {record.address}: {record.event_type.rpartition('.')[2]}, noto al {known}, "
        f"da {record.actor}, fonte {record.source}, registrato il {when}",
        f"record {record.address}: {record.event_type.rpartition('.')[2]}, known on {known}, "
        f"by {record.actor}, source {record.source}, recorded {when}",
    )


def explanation_json(found: Explanation) -> dict[str, object]:
    """Return an explanation as JSON."""
    definition = None
    if found.definition is not None:
        definition = {"event": found.definition.event, "record": found.definition_record}
    return {
        "year": found.year,
        "as_of": found.as_of,
        "position": found.position,
        **_line_json(found.line),
        "definition": definition,
        "targets": found.targets,
        "acts": found.acts,
        "children": found.children,
        "tree": found.tree,
    }


def show_difference(cli: Cli, found: Difference) -> None:
    """Show what changed between two days."""
    before, after = found.before, found.after
    span = f"{cut_text(cli, before.as_of)} -> {cut_text(cli, after.as_of)}"
    cli.screen.title(f"{after.body or ''} {found.year}: {span}".strip())
    show_changes(cli, cli.tr("Valori cambiati", "Changed values"), found.changed)
    cli.screen.line()
    title = cli.tr("Di nuova conoscenza (non sono rettifiche)", "First known (not restatements)")
    show_changes(cli, title, found.first_known)


def show_changes(cli: Cli, title: str, changes: Sequence[Change]) -> None:
    """Show a list of changes with their causes."""
    columns = (
        Column(cli.tr("codice", "code")),
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
