"""Replays of many histories: prefixes, cuts, orders of import; and evaluation against an oracle."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.events.base import Event
from ledger.events.ledger import Envelope
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
from projections.cycle.facts import CycleFacts, fold
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


@st.composite
def histories(draw: st.DrawFn, *, slots_once: bool = False) -> list[RecordedEvent]:
    """Draw a ledger of a few indicators in any order of knowledge, with corrections.

    Objectives never hang below themselves and formulas read children only, so nothing is cyclic.

    Args:
        draw: of hypothesis.
        slots_once: no two events of one kind about one thing are known on the same day.
    """
    cycle = Cycle()
    told: set[object] = set()
    for _ in range(draw(st.integers(0, 25))):
        event = draw(EVENT)
        if keys_of(event) == ("P",) and getattr(event, "parent_code", None) is not None:
            continue
        as_of = draw(st.sampled_from(DAYS))
        slot = (event.TYPE, keys_of(event), as_of)
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


@settings(max_examples=100, deadline=None)
@given(histories(slots_once=True), CUTS, st.randoms(use_true_random=False))
def test_the_digest_is_the_same_in_another_ledger_after_another_order(
    events: list[RecordedEvent], as_of: dt.date | None, random: object
) -> None:
    order = list(events)
    getattr(random, "shuffle")(order)  # noqa: B009 - hypothesis types its source of chance loosely
    moved = renumbered(order)

    assert (
        replay(moved, year=YEAR, as_of=as_of).digest == replay(events, year=YEAR, as_of=as_of).digest
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

    def composed(inner: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
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

    return st.recursive(st.one_of(leaves), composed, max_leaves=5)


class Naive:
    """Computes by plain recursion, every indicator anew each time; None is missing."""

    def __init__(
        self, definitions: dict[str, Formula], results: dict[str, str], flows: dict[str, str]
    ) -> None:
        self.definitions = definitions
        self.results = results
        self.flows = flows

    def of(self, code: str, formula: Formula) -> Fraction | None:
        match formula:
            case Recorded():
                return self._recorded(self.results, code)
            case Flow(node):
                return self._recorded(self.flows, node)
            case Constant(value):
                return Fraction(value)
            case Indicator(other):
                return self.of(other, self.definitions[other])
            case Percent(of):
                return self._all(code, (of,), lambda values: values[0] * 100)
            case Mean(parts):
                return self._all(code, parts, lambda values: sum(values) / Fraction(len(values)))
            case Ratio(top, bottom):
                return self._all(code, (top, bottom), lambda values: values[0] / values[1])
            case Days(stock, per, days):
                return self._all(code, (stock, per, days), lambda v: v[0] / (v[1] / v[2]))
            case Cap(of, low, high):
                return self._all(code, (of,), lambda values: self._bounded(values[0], low, high))
            case Sum(terms):
                signs = [1 if sign == "+" else -1 for sign, _ in terms]
                return self._all(
                    code,
                    tuple(of for _, of in terms),
                    lambda values: Fraction(sum(s * v for s, v in zip(signs, values, strict=True))),
                )
            case _:
                raise NotImplementedError
