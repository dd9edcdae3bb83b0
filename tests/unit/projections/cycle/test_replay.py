"""Replay: the line of each indicator, and a digest that depends on knowledge alone."""

import csv
import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from ledger.events.base import Event
from ledger.events.planning import TargetSet, WeightSet
from ledger.events.publication import FigurePublished
from ledger.events.results import ResultRecorded
from ledger.formula import WeightedMean
from projections.cycle.deviation import deviation
from projections.cycle.evaluate import Evaluator
from projections.cycle.facts import fold
from projections.cycle.knowledge import Knowledge
from projections.cycle.replay import IndicatorLine, digest_of, line_of, replay, replay_facts
from tests.support.cycle import (
    CLOSING,
    PLAN,
    PRE,
    YEAR,
    Cycle,
    definition,
    fraction,
    no_result,
    objective,
    renumbered,
    result,
    target,
    weight,
)
from tests.support.dataset import EXAMPLE, example_events

LINE = IndicatorLine(
    code="X",
    unit="percent",
    label="Quota",
    level="OGE",
    parent="P",
    value=Decimal("1.50"),
    value_missing=None,
    missing_details=(),
    target=Decimal(2),
    deviation_pct=Decimal("-25.00"),
    achievement_pct=Decimal("75.00"),
    vintage="CONSUNTIVO",
    definition_version=1,
    rule="DR1",
    decimals=2,
    published=Decimal("1.5"),
    printed=Decimal("1.5"),
    agrees=True,
    sources=("1", "2"),
)


def small() -> Cycle:
    """Return two weighted objectives with two stages of results."""
    cycle = Cycle().define(
        objective("P"),
        definition("P", WeightedMean(), rule="DR4"),
        objective("A", "P"),
        definition("A"),
        weight("P", "A", "60"),
        target("A", "100"),
        objective("B", "P"),
        definition("B"),
        weight("P", "B", "40"),
        target("B", "100"),
    )
    for code, pre, closing in (("A", "105", "110"), ("B", "90", "100")):
        cycle.add(result(code, pre), PRE, vintage="PRE_CONSUNTIVO")
        cycle.add(result(code, closing), CLOSING, vintage="CONSUNTIVO")
    return cycle


def line(cycle: Cycle, code: str, as_of: dt.date | None = None) -> IndicatorLine:
    found = cycle.replayed(as_of).line(code)
    assert found is not None
    return found


def test_a_line_says_what_is_known_of_an_indicator() -> None:
    assert line(small(), "P") == IndicatorLine(
        code="P",
        unit="percent",
        label="label of P",
        level="OGE",
        parent=None,
        value=Decimal("106.00"),
        value_missing=None,
        missing_details=(),
        target=None,
        deviation_pct=Decimal("6.00"),
        achievement_pct=Decimal("106.00"),
        vintage="CONSUNTIVO",
        definition_version=1,
        rule="DR4",
        decimals=2,
        published=None,
        printed=None,
        agrees=None,
        sources=("5", "12", "9", "14"),
    )


def test_the_target_is_one_of_the_sources() -> None:
    assert line(small(), "A").sources == ("12", "6")
    assert line(small(), "A", PLAN).sources == ("6",)


def test_a_missing_value_carries_its_reason_and_details() -> None:
    cycle = small()
    before = line(cycle, "P", PLAN)
    cycle.add(no_result("B", "FUNDING"), CLOSING, vintage="CONSUNTIVO")

    assert (before.value, before.value_missing) == (None, "child_missing")
    assert before.missing_details == ("A", "B")
    assert (line(cycle, "B").value_missing, line(cycle, "B").missing_details) == (
        "stated",
        ("FUNDING",),
    )


def test_an_objective_without_definition_shows_its_code() -> None:
    found = line(Cycle().define(objective("A", "P", level="LEAF")), "A")

    assert (found.label, found.unit, found.level, found.parent) == ("A", "", "LEAF", "P")
    assert (found.value_missing, found.definition_version) == ("not_defined", None)
    assert (found.rule, found.decimals) == (None, 0)


def test_the_printed_value_stands_beside_and_is_no_input() -> None:
    cycle = Cycle().define(definition("X"))
    cycle.add(
        FigurePublished(
            figure_id="rp.x",
            document_id="rp",
            label="X",
            raw="7",
            value=Decimal(7),
            measure_unit="percent",
            decimals=0,
            indicator_code="X",
            aspect="value",
        ),
        CLOSING,
    )

    assert line(cycle, "X").published == 7
    assert line(cycle, "X").value is None
    assert line(cycle, "X").sources == ()


def test_an_empty_ledger_replays_to_nothing() -> None:
    replayed = replay([], year=YEAR, as_of=None)

    assert (replayed.indicators, replayed.position, replayed.body) == ((), 0, None)
    assert replayed.line("X") is None


def test_the_head_of_the_ledger_is_named() -> None:
    events = example_events()
    replayed = replay(events, year=YEAR, as_of=PRE)

    assert (replayed.position, replayed.year, replayed.as_of) == (events[-1].position, YEAR, PRE)
    assert (replayed.body, replayed.sandbox) == ("INPS", False)


@pytest.mark.parametrize("year", [2022, 2024])
def test_another_year_has_none_of_the_figures(year: int) -> None:
    cycle = small()
    replayed = cycle.replayed(year=year)

    assert all(each.value is None for each in replayed.indicators)
    assert replayed.digest != cycle.replayed().digest


def test_folding_before_changes_nothing() -> None:
    facts = fold(example_events())

    assert replay_facts(facts, year=YEAR, as_of=PRE) == replay(
        example_events(), year=YEAR, as_of=PRE
    )
    assert replay_facts(facts, year=YEAR, as_of=None) == replay(
        example_events(), year=YEAR, as_of=None
    )


def test_the_digest_is_that_of_the_documented_text() -> None:
    text = json.dumps(
        {
            "domain": "registro/replay/v1",
            "year": 2023,
            "as_of": "2024-06-14",
            "indicators": [
                {
                    "code": "X",
                    "unit": "percent",
                    "label": "Quota",
                    "value": "1.50",
                    "value_missing": None,
                    "target": "2",
                    "deviation_pct": "-25.00",
                    "achievement_pct": "75.00",
                    "vintage": "CONSUNTIVO",
                    "definition_version": 1,
                }
            ],
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )

    assert digest_of(2023, CLOSING, [LINE]) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"code": "Y"},
        {"unit": "EUR"},
        {"label": "Quotà"},
        {"value": Decimal("1.51")},
        {"value": Decimal("1.5")},
        {"value": None},
        {"value_missing": "not_recorded"},
        {"target": Decimal("2.1")},
        {"target": None},
        {"deviation_pct": Decimal("25.00")},
        {"deviation_pct": None},
        {"achievement_pct": Decimal("75.01")},
        {"achievement_pct": None},
        {"vintage": "PRE_CONSUNTIVO"},
        {"vintage": None},
        {"definition_version": 2},
        {"definition_version": None},
    ],
)
def test_the_digest_changes_with_every_hashed_member(change: dict[str, object]) -> None:
    changed = replace(LINE, **change)  # type: ignore[arg-type] # fields of a line

    assert digest_of(2023, CLOSING, [changed]) != digest_of(2023, CLOSING, [LINE])


def test_the_digest_changes_with_year_cut_and_number_of_lines() -> None:
    digests = {
        digest_of(2023, CLOSING, [LINE]),
        digest_of(2024, CLOSING, [LINE]),
        digest_of(2023, PRE, [LINE]),
        digest_of(2023, None, [LINE]),
        digest_of(2023, CLOSING, []),
        digest_of(2023, CLOSING, [LINE, LINE]),
    }

    assert len(digests) == 6


@pytest.mark.parametrize(
    "change",
    [
        {"level": None},
        {"parent": None},
        {"missing_details": ("A",)},
        {"rule": "DR2"},
        {"decimals": 3},
        {"published": None},
        {"sources": ()},
    ],
)
def test_the_digest_stays_with_every_other_member(change: dict[str, object]) -> None:
    changed = replace(LINE, **change)  # type: ignore[arg-type] # fields of a line

    assert digest_of(2023, CLOSING, [changed]) == digest_of(2023, CLOSING, [LINE])


def test_the_digest_does_not_depend_on_the_order_of_the_lines() -> None:
    other = replace(LINE, code="A")

    assert digest_of(2023, None, [LINE, other]) == digest_of(2023, None, [other, LINE])


@pytest.mark.parametrize("as_of", [PLAN, PRE, CLOSING, None])
def test_the_digest_depends_on_no_position_instant_or_identifier(as_of: dt.date | None) -> None:
    events = list(example_events())
    moved = renumbered(events)

    assert not {e.position for e in events[:50]} & {e.position for e in moved}
    assert not {e.event_id for e in events} & {e.event_id for e in moved}
    assert (
        replay(moved, year=YEAR, as_of=as_of).digest
        == replay(events, year=YEAR, as_of=as_of).digest
    )


def test_the_digest_follows_corrections_into_another_ledger() -> None:
    cycle = small()
    wrong = next(e for e in cycle.events if isinstance(e.event, ResultRecorded))
    cycle.add(result("A", "1"), CLOSING, supersedes=wrong)
    moved = renumbered(cycle.events)

    assert replay(moved, year=YEAR, as_of=None).digest == cycle.replayed().digest
    assert replay(moved, year=YEAR, as_of=PRE).digest == cycle.replayed(PRE).digest


def test_the_digest_does_not_depend_on_the_order_of_import() -> None:
    events = small().events

    for order in (list(reversed(events)), events[5:] + events[:5], events[::2] + events[1::2]):
        for as_of in (PLAN, PRE, CLOSING, None):
            expected = replay(events, year=YEAR, as_of=as_of).digest
            assert replay(renumbered(order), year=YEAR, as_of=as_of).digest == expected


def other_result(event: Event) -> Event:
    if isinstance(event, ResultRecorded) and event.value == 110:
        return replace(event, value=Decimal("110.01"))
    return event


def other_target(event: Event) -> Event:
    return replace(event, target=Decimal(101)) if isinstance(event, TargetSet) else event


def other_weight(event: Event) -> Event:
    return replace(event, weight=Decimal(41)) if isinstance(event, WeightSet) else event


@pytest.mark.parametrize("change", [other_result, other_target, other_weight])
def test_the_digest_changes_when_one_recorded_number_does(
    change: Callable[[Event], Event],
) -> None:
    events = small().events
    changed = [replace(each, event=change(each.event)) for each in events]
    digests = {replay(given, year=YEAR, as_of=None).digest for given in (events, changed)}

    assert len(digests) == 2


def test_a_line_is_that_of_the_evaluation() -> None:
    knowledge = Knowledge(facts=small().facts(), year=YEAR, as_of=PRE)
    evaluation = Evaluator(knowledge).evaluate("P")

    assert line_of(evaluation, knowledge) == line(small(), "P", PRE)


def printed(suffix: str) -> dict[str, Decimal]:
    """Return printed figures of 2023 whose identifier ends so, by their label."""
    with (EXAMPLE / "figures.csv").open(encoding="utf-8", newline="") as source:
        return {
            row["label"]: Decimal(row["value"])
            for row in csv.DictReader(source)
            if row["figure_id"].startswith("rp2023.") and row["figure_id"].endswith(suffix)
        }


def flow_rows() -> list[tuple[str, str, str]]:
    """Return code, label and sign of the rows of the money flows."""
    with (EXAMPLE / "ieep.csv").open(encoding="utf-8", newline="") as source:
        return [(r["node_code"], r["label"], r["sign"]) for r in csv.DictReader(source)]


@pytest.mark.parametrize(("node", "label", "sign"), flow_rows())
def test_each_money_flow_has_its_printed_deviation(node: str, label: str, sign: str) -> None:
    found = replay(example_events(), year=YEAR, as_of=CLOSING).line(f"IEEP.{node}")

    assert found is not None
    assert found.deviation_pct == printed(".var")[f"{label} - Var % Consuntivo/Obiettivo"]
    assert found.rule == ("DR5" if sign == "-" else "DR1")


def test_there_are_21_money_flows_of_which_one_is_inverted() -> None:
    assert len(flow_rows()) == 21
    assert [node for node, _, sign in flow_rows() if sign == "-"] == ["I.2.1"]


def test_each_part_of_the_economic_index_has_its_printed_deviation() -> None:
    replayed = replay(example_events(), year=YEAR, as_of=CLOSING)
    deviations = [
        each.deviation_pct for each in replayed.indicators if each.code.startswith("IEG.")
    ]
    index = replayed.line("IEG")

    assert deviations == [Decimal("41.88"), Decimal("-5.88"), Decimal("-5.67")]
    assert index is not None
    assert index.value == index.published == printed("rp2023.ieg.deviation").popitem()[1]


def legal_area(code: str) -> Decimal | None:
    found = replay(example_events(), year=YEAR, as_of=CLOSING).line(code)
    assert found is not None
    return found.deviation_pct


@pytest.mark.parametrize(
    ("code", "label"),
    [("LEG.1", "Produttività avvocati"), ("LEG.3", "Produttività area medico legale")],
)
def test_a_productivity_of_the_legal_area_has_its_printed_deviation(code: str, label: str) -> None:
    assert legal_area(code) == printed(".deviation")[f"{label} - Scostamento verso obiettivo"]


def test_the_one_deviation_printed_from_unprinted_digits_is_not_bent_to_fit() -> None:
    """The printed 102.13 and 80.75 give 26.4768: 26.47 rests on digits nobody published."""
    stated = printed(".deviation")[
        "Produttività amministrativi area legale - Scostamento verso obiettivo"
    ]
    half_a_unit = Fraction(5, 1000)
    lowest, highest = (
        fraction(
            deviation("DR1", Fraction("102.13") + shift, Fraction("80.75") - shift),
        )
        for shift in (-half_a_unit, half_a_unit)
    )

    assert (legal_area("LEG.2"), stated) == (Decimal("26.48"), Decimal("26.47"))
    assert lowest < Fraction(stated) < highest
