"""How the explanation of a figure is shown, and its JSON."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from app.cli.context import Cli
from app.cli.figures.cycle_view import (
    cut_text,
    line_json,
    printed_text,
    reason_text,
    show_how_to_open,
    value_text,
)
from app.output.format import day, instant, number
from app.output.formulas import Below, formula_text
from app.output.table import Column, Table, Tree
from app.texts.events import event_text
from app.texts.values import missing_text
from app.texts.words import op_text, unit_text
from projections.cycle.explain import Explanation, RecordLine, Step
from projections.cycle.replay import IndicatorLine
from projections.trail import shown

APPROXIMATE_DECIMALS = 6
"""Decimals shown of a value that has no end; marked with ≈."""


def show_explanation(cli: Cli, found: Explanation) -> None:
    """Show why a figure is what it is."""
    line = found.line
    cli.screen.title(f"{line.code} - {line.label}")
    cli.screen.line(f"{found.year}, {cut_text(cli, found.as_of)}")
    rows: list[list[object]] = [
        [cli.tr("valore", "value"), _valued(cli, line)],
        [cli.tr("obiettivo", "target"), line.target],
        [cli.tr("scostamento %", "deviation %"), line.deviation_pct],
        [cli.tr("raggiungimento %", "achievement %"), line.achievement_pct],
    ]
    if line.printed is not None:
        rows.append([cli.tr("stampato", "printed"), printed_text(cli, line)])
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
        written = formula_text(
            event.formula, code=line.code, lang=cli.lang, below=_below(found.tree, found.children)
        )
        rows.append([cli.tr("formula", "formula"), written])
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
    show_how_to_open(cli)


def _valued(cli: Cli, line: IndicatorLine) -> str:
    if line.value is None:
        return f"{value_text(cli, line)} ({reason_text(cli, line)})"
    return f"{value_text(cli, line)} {unit_text(line.unit, cli.lang)}".strip()


def _below(tree: Step, children: Sequence[str]) -> Below:
    weights: list[tuple[str, Decimal]] = []
    pending = [tree]
    while pending:
        step = pending.pop(0)
        weighted = [(c.code, c.weight) for c in step.children]
        weights = [(code, weight) for code, weight in weighted if code and weight is not None]
        if weights:
            break
        pending.extend(step.children)
    return Below(weights=weights, children=children)


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
    return f"{' '.join(parts)} {_exact_text(cli, step)}"


def _exact_text(cli: Cli, step: Step) -> str:
    if step.exact is None:
        why = missing_text(step.missing or "", cli.lang)
        return f"= {cli.tr('n.d.', 'n/a')} ({why})"
    if "/" in step.exact:
        value = Fraction(step.exact)
        near = Decimal(value.numerator) / Decimal(value.denominator)
        return f"≈ {number(near, cli.lang, decimals=APPROXIMATE_DECIMALS)}"
    return f"= {number(Decimal(step.exact), cli.lang)}"


def _record_text(cli: Cli, record: RecordLine) -> str:
    known = day(record.as_of, cli.lang)
    source = record.source
    if record.document_title:
        source += f" ({record.document_title})"
    corrects = ""
    if record.corrects is not None:
        corrects = cli.tr(f", corregge la {record.corrects}", f", corrects {record.corrects}")
    when = instant(record.recorded_at, cli.lang, cli.screen.zone)
    return cli.tr(
        f"registrazione {record.address}: {event_text(record.event_type, 'it')}, noto al {known}, "
        f"da {record.actor}, fonte {source}, registrato il {when}{corrects}",
        f"record {record.address}: {event_text(record.event_type, 'en')}, known on {known}, "
        f"by {record.actor}, source {source}, recorded {when}{corrects}",
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
        **line_json(found.line),
        "definition": definition,
        "targets": found.targets,
        "acts": found.acts,
        "children": found.children,
        "tree": found.tree,
    }
