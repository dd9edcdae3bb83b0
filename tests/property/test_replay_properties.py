"""Replays of many histories: prefixes, cuts, orders of import; and evaluation against an oracle."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.events.base import Event
from ledger.events.ledger import Envelope
from ledger.events.planning import TargetRevised, TargetSet
from ledger.feed import RecordedEvent
from ledger.formula import (
    Cap,
    ChildrenMean,
    Constant,
    Days,
    Flow,
    Formula,
    Indicator,
    Mean,
    Percent,
    Ratio,
    Recorded,
    Sum,
    WeightedMean,
)
from projections.cycle.evaluate import Evaluator
from projections.cycle.facts import CycleFacts
from projections.cycle.replay import replay, replay_facts
from projections.cycle.values import Missing
from projections.trail import keys_of
from tests.support.cycle import (
    CLOSING,
    PLAN,
    PRE,
    YEAR,
    Cycle,
    definition,
    flow,
    no_result,
    objective,
    renumbered,
    result,
    revised,
    target,
    weight,
)
from tests.support.dataset import example_events

pytestmark = pytest.mark.property

CODES = ("P", "A", "B", "C")
DAYS = (PLAN, PRE, dt.date(2024, 4, 2), CLOSING, dt.date(2024, 7, 1))
STAGES = (None, "PRE_CONSUNTIVO", "CONSUNTIVO")
CODE = st.sampled_from(CODES)
NUMBER = st.sampled_from(["-3", "0", "0.005", "1", "60", "100", "106.921"])
FORMULA: st.SearchStrategy[Formula] = st.sampled_from(
    [
        Recorded(),
        WeightedMean(),
        WeightedMean("deviation"),
        ChildrenMean("achievement"),
        Ratio(Flow("P"), Flow("A")),
        Percent(Flow("B")),
    ]
)
EVENT: st.SearchStrategy[Event] = st.one_of(
    st.builds(objective, CODE, st.sampled_from([None, "P"]), level=st.sampled_from(["OGE", "LGG"])),
    st.builds(
        definition,
        CODE,
        FORMULA,
        rule=st.sampled_from(["DR1", "DR2", "DR3", "DR4", "DR6"]),
        version=st.integers(1, 3),
    ),
    st.builds(weight, st.just("P"), st.sampled_from(["A", "B", "C"]), NUMBER),
    st.builds(target, CODE, NUMBER),
    st.builds(revised, CODE, NUMBER, NUMBER),
    st.builds(result, CODE, NUMBER),
    st.builds(no_result, CODE, st.sampled_from(["FUNDING", "TIME"])),
    st.builds(flow, CODE, NUMBER),
)

SETS = {TargetRevised.TYPE: TargetSet.TYPE}
"""What an event sets where events of two kinds set the same: the later position wins in a day."""


@st.composite
def histories(draw: st.DrawFn, *, slots_once: bool = False) -> list[RecordedEvent]:
    """Draw a ledger of a few indicators in any order of knowledge, with corrections.

    Objectives never hang below themselves and formulas read children only, so nothing is cyclic.

    Args:
        draw: of hypothesis.
        slots_once: no two events that set one thing are known on the same day.
    """
    cycle = Cycle()
    told: set[object] = set()
    for _ in range(draw(st.integers(0, 25))):
        event = draw(EVENT)
        if keys_of(event) == ("P",) and getattr(event, "parent_code", None) is not None:
            continue
        as_of = draw(st.sampled_from(DAYS))
        slot = (SETS.get(event.TYPE, event.TYPE), keys_of(event), as_of)
        if slots_once and slot in told:
            continue
        told.add(slot)
        corrected = [e for e in cycle.events if e.stream == event.TYPE]
        wrong = draw(st.none() | st.sampled_from(corrected)) if corrected else None
        cycle.add(
            event,
            as_of,
            vintage=draw(st.sampled_from(STAGES)),
            supersedes=wrong,
            stream=event.TYPE,
        )
    return cycle.events


CUTS = st.sampled_from([*DAYS, dt.date(2023, 1, 1), None])


@settings(max_examples=60, deadline=None)
@given(histories(), CUTS)
def test_evaluating_after_each_event_is_evaluating_the_prefix(
    events: list[RecordedEvent], as_of: dt.date | None
) -> None:
    facts = CycleFacts()
    for count, event in enumerate(events, start=1):
        facts.apply(event)

        assert replay_facts(facts, year=YEAR, as_of=as_of) == replay(
            events[:count], year=YEAR, as_of=as_of
        )


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_the_worked_example_grows_the_same_event_by_event_as_at_once(data: st.DataObject) -> None:
    events = example_events()
    cuts = sorted(data.draw(st.sets(st.integers(0, len(events)), min_size=1, max_size=4)))
    as_of = data.draw(st.sampled_from([PLAN, PRE, CLOSING, None]))
    facts, done = CycleFacts(), 0
    for cut in cuts:
        for event in events[done:cut]:
            facts.apply(event)
        done = cut

        assert replay_facts(facts, year=YEAR, as_of=as_of) == replay(
            events[:cut], year=YEAR, as_of=as_of
        )


def known_by(events: Sequence[RecordedEvent], day: dt.date) -> list[RecordedEvent]:
    return [event for event in events if event.envelope.as_of <= day]


@settings(max_examples=100, deadline=None)
@given(histories(), st.sampled_from(DAYS))
def test_a_cut_shows_what_a_ledger_without_later_knowledge_shows(
    events: list[RecordedEvent], day: dt.date
) -> None:
    whole = replay(events, year=YEAR, as_of=day)
    known = replay(known_by(events, day), year=YEAR, as_of=day)

    assert whole.indicators == known.indicators
    assert whole.digest == known.digest


@settings(max_examples=20, deadline=None)
@given(st.dates(min_value=dt.date(2022, 10, 1), max_value=dt.date(2024, 6, 30)))
def test_a_cut_of_the_worked_example_shows_nothing_known_later(day: dt.date) -> None:
    events = example_events()
    whole = replay(events, year=YEAR, as_of=day)

    assert whole.indicators == replay(known_by(events, day), year=YEAR, as_of=day).indicators


def with_permutation(
    events: list[RecordedEvent],
) -> st.SearchStrategy[tuple[list[RecordedEvent], list[RecordedEvent]]]:
    return st.tuples(st.just(events), st.permutations(events))


@settings(max_examples=100, deadline=None)
@given(histories(slots_once=True).flatmap(with_permutation), CUTS)
def test_the_digest_is_the_same_in_another_ledger_after_another_order(
    orders: tuple[list[RecordedEvent], list[RecordedEvent]], as_of: dt.date | None
) -> None:
    events, shuffled = orders
    moved = renumbered(shuffled)

    assert (
        replay(moved, year=YEAR, as_of=as_of).digest
        == replay(events, year=YEAR, as_of=as_of).digest
    )


@settings(max_examples=60, deadline=None)
@given(histories(), CUTS)
def test_facts_that_no_figure_reads_change_no_digest(
    events: list[RecordedEvent], as_of: dt.date | None
) -> None:
    elsewhere = [replace(event, envelope=_retold(event.envelope)) for event in events]

    assert (
        replay(elsewhere, year=YEAR, as_of=as_of).digest
        == replay(events, year=YEAR, as_of=as_of).digest
    )


def _retold(envelope: Envelope) -> Envelope:
    return replace(
        envelope,
        actor=replace(envelope.actor, role="OIV", unit_code="DC1"),
        source=replace(envelope.source, system="other", document="d", locator="l"),
        reason="told again",
    )


Recordings = dict[tuple[str, str], Fraction]
"""Recorded numbers by kind, result or flow, and by code."""

FORMULAS_BELOW = 6
"""Indicators I0 to I5; each reads only those of a lower number."""


def formulas(number: int) -> st.SearchStrategy[Formula]:
    """Draw a formula of an indicator that reads recorded values and indicators before it."""
    leaves: list[st.SearchStrategy[Formula]] = [
        st.just(Recorded()),
        st.sampled_from(["P", "A", "ABSENT"]).map(Flow),
        NUMBER.map(lambda text: Constant(Decimal(text))),
    ]
    if number:
        leaves.append(st.integers(0, number - 1).map(lambda n: Indicator(f"I{n}")))

    def parts_of(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
        term = st.tuples(st.sampled_from(["+", "-"]), inner)
        bound = st.none() | NUMBER.map(Decimal)
        return st.one_of(
            st.builds(Sum, st.lists(term, min_size=1, max_size=3).map(tuple)),
            st.builds(Ratio, inner, inner),
            st.builds(Percent, inner),
            st.builds(Mean, st.lists(inner, min_size=1, max_size=3).map(tuple)),
            st.builds(Cap, inner, bound, bound),
            st.builds(Days, inner, inner, inner),
        )

    return st.recursive(st.one_of(leaves), parts_of, max_leaves=5)


def naive(
    formula: Formula, code: str, formulas: dict[str, Formula], numbers: Recordings
) -> Fraction:
    """Compute by plain recursion, each indicator anew every time it is read.

    Raises:
        KeyError: something is not recorded.
        ZeroDivisionError: a denominator is zero.
    """
    match formula:
        case Recorded():
            return numbers["result", code]
        case Flow(node):
            return numbers["flow", node]
        case Constant(value):
            return Fraction(value)
        case Indicator(other):
            return naive(formulas[other], other, formulas, numbers)
        case _:
            return composed(formula, lambda part: naive(part, code, formulas, numbers))


def composed(formula: Formula, of: Callable[[Formula], Fraction]) -> Fraction:
    match formula:
        case Percent(inner):
            return of(inner) * 100
        case Mean(parts):
            return sum(map(of, parts), Fraction(0)) / len(parts)
        case Ratio(top, bottom):
            return of(top) / of(bottom)
        case Days(stock, per, days):
            return of(stock) / (of(per) / of(days))
        case Sum(terms):
            return sum((of(part) * int(f"{sign}1") for sign, part in terms), Fraction(0))
        case Cap(inner, low, high):
            return bounded(of(inner), low, high)
        case _:
            raise NotImplementedError


def bounded(value: Fraction, low: Decimal | None, high: Decimal | None) -> Fraction:
    above = value if low is None else max(value, Fraction(low))
    return above if high is None else min(above, Fraction(high))


def naive_or_none(code: str, formulas: dict[str, Formula], numbers: Recordings) -> Fraction | None:
    try:
        return naive(formulas[code], code, formulas, numbers)
    except (KeyError, ZeroDivisionError):
        return None


INDICATORS = [f"I{number}" for number in range(FORMULAS_BELOW)]


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(*map(formulas, range(FORMULAS_BELOW))),
    st.dictionaries(
        st.tuples(st.just("result"), st.sampled_from(INDICATORS))
        | st.tuples(st.just("flow"), st.sampled_from(["P", "A"])),
        NUMBER,
    ),
    st.permutations(INDICATORS),
)
def test_remembering_gives_what_plain_recursion_gives(
    drawn: tuple[Formula, ...], recorded: dict[tuple[str, str], str], order: list[str]
) -> None:
    defined = dict(zip(INDICATORS, drawn, strict=True))
    cycle = Cycle().define(*(definition(code, formula) for code, formula in defined.items()))
    for (kind, code), number in recorded.items():
        cycle.define(result(code, number) if kind == "result" else flow(code, number))
    numbers = {slot: Fraction(number) for slot, number in recorded.items()}
    evaluator = Evaluator(cycle.known())

    for code in order:
        evaluation = evaluator.evaluate(code)
        found = None if isinstance(evaluation.exact, Missing) else evaluation.exact

        assert found == naive_or_none(code, defined, numbers)
        assert evaluation == cycle.evaluated(code)
        assert evaluator.evaluate(code) is evaluation


@settings(max_examples=60, deadline=None)
@given(histories(), CUTS)
def test_every_line_has_a_value_or_a_reason_and_names_known_records(
    events: list[RecordedEvent], as_of: dt.date | None
) -> None:
    known = {e.address for e in events if as_of is None or e.envelope.as_of <= as_of}

    for line in replay(events, year=YEAR, as_of=as_of).indicators:
        assert (line.value is None) == (line.value_missing is not None)
        assert line.value is not None or line.deviation_pct is line.achievement_pct is None
        assert set(line.sources) <= known
        for number in (line.value, line.deviation_pct, line.achievement_pct):
            assert number is None or number != 0 or not number.is_signed()
