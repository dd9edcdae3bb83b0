"""What the rows of a data folder mean: rows in, proposals of events out.

Invariants:
1. No file, no clock: the same rows over the same state give the same commands, keys included.
2. One row is one command: it is recorded whole or not at all, and its key names body, year, table
   and row, so that a second import of the same row adds nothing and a changed row is noticed.
3. Nothing is invented: an empty cell gives no event; a weight that the source derived is a
   hypothesis and is never recorded.

Source: docs/data-folder.md; rulings 17, 18, 20; the README of the worked example.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Final

from ledger.aggregates.base import Command, Proposal, act_key, exact_sum
from ledger.aggregates.measurement import INDICATORS, changes_method, indicator_stream
from ledger.aggregates.organisation import ORGANISATION, STREAM, Unit
from ledger.aggregates.planning import PLANNING, planning_stream
from ledger.envelopes import command, parse_act
from ledger.events.acts import ActAdopted
from ledger.events.base import Event
from ledger.events.ledger import Envelope, Source
from ledger.events.measurement import (
    IndicatorDefined,
    IndicatorMethodChanged,
    MeasurementSystemAdopted,
)
from ledger.events.organisation import UnitCountsReported, UnitEstablished, UnitReorganised
from ledger.events.planning import (
    AssignmentClosed,
    GuidelineAdopted,
    GuidelineStatusReported,
    ObjectiveAssigned,
    TargetSet,
    WeightSet,
)
from ledger.events.publication import DocumentPublished, FigurePublished
from ledger.events.results import (
    FlowNodeDefined,
    MoneyFlowRecorded,
    PeriodOpened,
    ResultRecorded,
)
from ledger.events.risk import MeasureCountsReported, RiskCountsReported
from ledger.intake.catalogue import Definition, flow_indicator_code
from ledger.intake.context import NO_REASON, Context
from ledger.intake.rows import (
    ActRow,
    DocumentRow,
    FigureRow,
    FlowRow,
    GuidelineRow,
    MeasureCountRow,
    ObjectiveRow,
    RiskCountRow,
    UnitRow,
)
from ledger.stages import CLOSING, PRE_CLOSING

BUDGET: Final = "BUDGET"

MEASURED: Final = "measured"
PUBLISHED: Final = "published"


def year_command(context: Context) -> Command:
    """Open the year as a period for results."""
    first, last = context.period
    event = PeriodOpened(year=context.year, period_from=first, period_to=last)
    envelope = context.envelope("dataset.toml", first)
    return command(
        context.key("dataset", "period"),
        [Proposal(event=event, envelope=envelope)],
        facts=["dataset", context.year],
    )


def system_command(context: Context) -> Command | None:
    """Adopt the measurement system that the catalogue names; None without one."""
    system = context.catalogue.system
    if system is None:
        return None
    event = MeasurementSystemAdopted(
        year=context.year, model=system.model, title=system.title, oiv_opinion=None
    )
    envelope = context.envelope("catalogue.toml", system.act.adopted_on, act=system.act)
    return command(
        context.key("catalogue", "system"),
        [Proposal(event=event, envelope=envelope)],
        facts=["catalogue", system],
    )


def act_command(context: Context, row: ActRow) -> Command:
    """Adopt an act."""
    key = act_key(row.organ, row.act_type, row.number, row.adopted_on)
    event = ActAdopted(
        act_key=key,
        organ=row.organ,
        act_type=row.act_type,
        number=row.number,
        adopted_on=row.adopted_on,
        subject=row.subject,
        effective_from=row.effective_from,
    )
    envelope = context.envelope("acts.csv", row.adopted_on, timeless=True)
    return command(
        context.shared_key("acts", key),
        [Proposal(event=event, envelope=envelope)],
        facts=["acts", row],
    )


def document_command(context: Context, row: DocumentRow) -> Command:
    """Publish a document."""
    event = DocumentPublished(
        document_id=row.document, title=row.title, tag=row.tag, published_on=row.published_on
    )
    envelope = context.envelope(
        "documents.csv",
        row.published_on,
        vintage=row.vintage,
        act=None if row.act is None else parse_act(row.act),
        document=row.document,
    )
    return command(
        context.shared_key("documents", row.document),
        [Proposal(event=event, envelope=envelope)],
        facts=["documents", row],
    )


def unit_command(context: Context, row: UnitRow) -> Command:
    """Establish a unit, reorganise one that an earlier year knows otherwise, or report a count."""
    first, _ = context.period
    if row.code is None:
        counts = UnitCountsReported(unit_type=row.unit_type, label=row.name, units=row.count or 0)
        key, listed = f"type/{row.unit_type}", list[Event]([counts])
    else:
        known = context.lookup.state(ORGANISATION, STREAM).units.get(row.code)
        key, listed = f"unit/{row.code}", list(_unit_events(row, row.code, known, first))
    envelope = context.envelope("units.csv", first)
    return command(
        context.key("units", key),
        [Proposal(event=event, envelope=envelope) for event in listed],
        facts=["units", row],
    )


def _unit_events(
    row: UnitRow, code: str, known: Unit | None, first: dt.date
) -> Iterator[UnitEstablished | UnitReorganised]:
    if known is None:
        yield UnitEstablished(
            unit_code=code,
            unit_type=row.unit_type,
            name=row.name,
            parent_code=row.parent_code,
            valid_from=first,
        )
    elif (known.name, known.unit_type, known.parent_code) != (
        row.name,
        row.unit_type,
        row.parent_code or known.parent_code,
    ):
        yield UnitReorganised(
            unit_code=code,
            name=row.name,
            unit_type=row.unit_type,
            parent_code=row.parent_code,
            valid_from=first,
        )


def flow_command(context: Context, row: FlowRow) -> Command:
    """Define a node of the money flows with its indicator, target and amounts."""
    return command(
        context.key("ieep", row.node_code),
        list(_flow_proposals(context, row)),
        facts=["ieep", row, context.catalogue.definition_of_flow(row)],
    )


def _flow_proposals(context: Context, row: FlowRow) -> Iterator[Proposal]:
    table = "ieep.csv"
    known = [day for day in (row.target_as_of, row.pre_as_of, row.closing_as_of) if day]
    first = min(known, default=context.period[0])
    code = flow_indicator_code(row.node_code)
    plan = context.envelope(table, first, vintage=BUDGET)
    node = FlowNodeDefined(
        year=context.year,
        node_code=row.node_code,
        parent_code=row.parent_code,
        label=row.label,
        sign=row.sign,
    )
    yield Proposal(event=node, envelope=plan)
    definition = context.catalogue.definition_of_flow(row)
    parent = None if row.parent_code is None else flow_indicator_code(row.parent_code)
    for event in _defined(context, definition, row.label, parent):
        yield Proposal(event=event, envelope=plan)
    if row.target is not None:
        target = TargetSet(year=context.year, indicator_code=code, target=row.target)
        envelope = context.document_envelope(
            table, row.target_as_of or first, vintage=BUDGET, locator=row.target_locator
        )
        yield Proposal(event=target, envelope=replace(envelope, vintage=BUDGET))
    amounts = (
        (row.pre_closing, row.pre_as_of, PRE_CLOSING, row.pre_locator),
        (row.closing, row.closing_as_of, CLOSING, row.closing_locator),
    )
    for amount, day, vintage, locator in amounts:
        if amount is not None:
            flow = MoneyFlowRecorded(year=context.year, node_code=row.node_code, amount=amount)
            envelope = context.document_envelope(
                table, day or context.latest, vintage=vintage, locator=locator
            )
            yield Proposal(event=flow, envelope=envelope)


def objective_commands(context: Context, row: ObjectiveRow) -> list[Command]:
    """Assign an objective with its definition, weight, target and results or printed totals."""
    assigned = command(
        context.key("objectives", row.code),
        list(_objective_proposals(context, row)),
        facts=["objectives", row, context.catalogue.definition_of(row)],
    )
    printed = _printed_command(context, row)
    return [assigned] if printed is None else [assigned, printed]


def _objective_proposals(context: Context, row: ObjectiveRow) -> Iterator[Proposal]:
    table = "objectives.csv"
    known = [day for day in (row.planned_on, row.as_of_pre, row.as_of_closing) if day]
    planned = row.planned_on or min(known, default=context.period[0])
    act = context.catalogue.act_of_plan(planned)
    plan = context.envelope(table, planned, vintage=BUDGET, locator=row.locator, act=act)
    definition = context.catalogue.definition_of(row)
    flow_node = context.catalogue.flow_node_of(row.code, context.flow_nodes)
    if flow_node is None:
        for event in _defined(context, definition, row.label, row.parent_code):
            yield Proposal(event=event, envelope=plan)
    objective = ObjectiveAssigned(
        year=context.year,
        code=row.code,
        level=row.level,
        parent_code=row.parent_code,
        label=row.label,
    )
    yield Proposal(event=objective, envelope=plan)
    if row.weight_pct is not None and row.weight_basis == PUBLISHED and row.parent_code:
        weight = WeightSet(
            year=context.year,
            parent_code=row.parent_code,
            child_code=row.code,
            weight=row.weight_pct,
            basis=PUBLISHED,
        )
        yield Proposal(event=weight, envelope=plan)
    if row.target is not None and flow_node is None:
        target = TargetSet(year=context.year, indicator_code=row.code, target=row.target)
        yield Proposal(event=target, envelope=plan)
    if row.result_basis == MEASURED and flow_node is None:
        yield from _results(context, row)


def _results(context: Context, row: ObjectiveRow) -> Iterator[Proposal]:
    table = "objectives.csv"
    for value, day, vintage, locator in _stages(row):
        if value is not None:
            result = ResultRecorded(year=context.year, indicator_code=row.code, value=value)
            envelope = context.document_envelope(
                table, day or context.latest, vintage=vintage, locator=locator
            )
            yield Proposal(event=result, envelope=envelope)
    reasons = context.reasons.get(row.code, ())
    if row.result_pre is None and row.result_closing is None and reasons:
        missing = ResultRecorded(
            year=context.year, indicator_code=row.code, value=None, missing_reasons=reasons
        )
        envelope = context.document_envelope(
            table, row.as_of_closing or context.latest, vintage=CLOSING, locator=row.locator
        )
        yield Proposal(event=missing, envelope=envelope)


def _stages(
    row: ObjectiveRow,
) -> Iterator[tuple[Decimal | None, dt.date | None, str, str | None]]:
    """Yield value, day of knowledge, stage and place of both results of a row."""
    yield row.result_pre, row.as_of_pre, PRE_CLOSING, row.locator_pre or row.locator
    yield row.result_closing, row.as_of_closing, CLOSING, row.locator


def close_commands(
    context: Context, rows: Iterable[ObjectiveRow]
) -> Iterator[tuple[ObjectiveRow, Command]]:
    """Close the assignment below every parent whose children carry published weights.

    The weights are those of the ledger after the rows were recorded, so that mended rejects
    complete what an earlier import began. An assignment that is closed is left alone.

    Yields:
        The first row of each group and the command.
    """
    state = context.lookup.state(PLANNING, planning_stream(context.year))
    groups: dict[str, list[ObjectiveRow]] = {}
    for row in rows:
        if row.weight_pct is not None and row.weight_basis == PUBLISHED and row.parent_code:
            groups.setdefault(row.parent_code, []).append(row)
    for parent, children in groups.items():
        if parent in state.closed:
            continue
        weights = state.weights_below(parent)
        event = AssignmentClosed(
            year=context.year,
            parent_code=parent,
            children=len(weights),
            total=exact_sum(weights.values()),
        )
        planned = max(
            (row.planned_on for row in children if row.planned_on), default=context.period[0]
        )
        act = context.catalogue.act_of_plan(planned)
        envelope = context.envelope("objectives.csv", planned, vintage=BUDGET, act=act)
        key = context.key("objectives", f"close/{parent}")
        facts = ["close", parent]
        yield children[0], command(key, [Proposal(event=event, envelope=envelope)], facts=facts)


def guideline_command(context: Context, row: GuidelineRow) -> Command:
    """Adopt a guideline and report its status."""
    planned = context.planned_on.get(row.code, context.period[0])
    act = context.catalogue.act_of_guidelines(planned)
    adopted = GuidelineAdopted(
        year=context.year,
        code=row.code,
        title=row.label,
        guideline_class=row.guideline_class,
        programme_codes=row.programme_codes,
        objective_code=row.oge_code,
    )
    status = GuidelineStatusReported(
        year=context.year,
        code=row.code,
        percent=row.status_pct,
        reason_codes=row.reason_code or (() if row.status_pct is not None else NO_REASON),
        note=row.footnote,
    )
    plan = context.envelope("guidelines.csv", planned, vintage=BUDGET, act=act)
    known = context.document_envelope(
        "guidelines.csv", context.latest, vintage=CLOSING, locator=row.locator
    )
    return command(
        context.key("guidelines", row.code),
        [Proposal(event=adopted, envelope=plan), Proposal(event=status, envelope=known)],
        facts=["guidelines", row],
    )


def figure_command(context: Context, row: FigureRow) -> Command:
    """Record a printed figure."""
    event = FigurePublished(
        figure_id=row.figure_id,
        document_id=row.document,
        label=row.label,
        raw=row.raw,
        value=row.value,
        measure_unit=row.unit,
        decimals=row.decimals,
    )
    envelope = Envelope(
        ref_from=row.ref_from,
        ref_to=row.ref_to,
        as_of=row.as_of,
        vintage=row.vintage,
        actor=context.actor,
        source=Source(system="import", document=row.document, locator=row.locator),
    )
    return command(
        context.shared_key("figures", row.figure_id),
        [Proposal(event=event, envelope=envelope)],
        facts=["figures", row],
    )


def _printed_command(context: Context, row: ObjectiveRow) -> Command | None:
    """Record the totals of an objective that the ledger computes, or cannot: as printed figures.

    They are compared with what the events give; they are never inputs.
    """
    if row.result_basis == MEASURED:
        return None
    proposals = []
    for value, day, vintage, locator in _stages(row):
        document = None if day is None else context.documents.get(day)
        if value is None or day is None or document is None:
            continue
        event = FigurePublished(
            figure_id=f"{document.document}.objectives.{row.code}",
            document_id=document.document,
            label=row.label,
            raw="",
            value=value,
            measure_unit=row.unit,
            decimals=row.decimals,
            indicator_code=row.code,
            aspect="value",
        )
        envelope = context.document_envelope(
            "objectives.csv", day, vintage=vintage, locator=locator
        )
        proposals.append(Proposal(event=event, envelope=envelope))
    if not proposals:
        return None
    return command(
        context.key("objectives", f"printed/{row.code}"), proposals, facts=["printed", row]
    )


def measure_count_command(context: Context, row: MeasureCountRow) -> Command:
    """Report a number of specific measures."""
    event = MeasureCountsReported(
        scope=row.scope, measure_type=row.measure_type, measures=row.measures
    )
    envelope = context.document_envelope(
        "risk_matrix.csv", context.latest, vintage=CLOSING, locator=row.locator
    )
    return command(
        context.key("risk_matrix", f"{row.scope}/{row.measure_type}"),
        [Proposal(event=event, envelope=envelope)],
        facts=["risk_matrix", row],
    )


def risk_count_command(context: Context, row: RiskCountRow) -> Command:
    """Report a number of risks."""
    event = RiskCountsReported(
        activity=row.activity, scope=row.scope, risk_level=row.risk_level, risks=row.risks
    )
    envelope = context.document_envelope(
        "risk_activity.csv", context.latest, vintage=CLOSING, locator=row.locator
    )
    return command(
        context.key("risk_activity", f"{row.activity}/{row.scope}/{row.risk_level or ''}"),
        [Proposal(event=event, envelope=envelope)],
        facts=["risk_activity", row],
    )


def _defined(
    context: Context, definition: Definition, label: str, parent: str | None
) -> Iterator[IndicatorMethodChanged | IndicatorDefined]:
    first, last = context.period
    versions = context.lookup.state(INDICATORS, indicator_stream(definition.code)).versions
    event = IndicatorDefined(
        indicator_code=definition.code,
        version=len(versions) + 1,
        label=label,
        measure_unit=definition.measure_unit,
        decimals=definition.decimals,
        direction=definition.direction,
        deviation_rule=definition.deviation_rule,
        formula=definition.formula,
        parent_code=parent,
        valid_from=first,
        valid_to=last,
        cap=definition.cap,
        basis=definition.basis,
    )
    if versions and changes_method(versions[-1], event):
        yield IndicatorMethodChanged(
            indicator_code=definition.code,
            from_version=len(versions),
            to_version=event.version,
            break_in_series=True,
            comparability="not stated by the data folder",
        )
    yield event
