"""The verdict of every relation, decided on exact numbers."""

from dataclasses import replace
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.arithmetic.audit import DuplicateRelationError, audit
from projections.arithmetic.figures import DuplicateFigureError, PrintedFigure
from projections.arithmetic.relations import QUOTIENTS, RelationId
from projections.arithmetic.verdict import Reason, RelationVerdict, Verdict
from projections.cycle.rounding import round_half_up
from tests.support.printed import claim, judged, printed

SCALES = {"EUR": 1, "EUR_MLN": 10**6, "EUR_MLD": 10**9}


def of_sum(result: str, *terms: str, params: str = "", unit: str = "EUR") -> RelationVerdict:
    names = [f"x{place}" for place in range(len(terms))]
    figures = [printed("r", result, unit), *map(printed, names, terms, [unit] * len(terms))]
    return judged(claim("sum", "r", " ".join(names), params), figures)


@pytest.mark.parametrize(
    ("kind", "result", "a", "b", "verdict"),
    [
        ("achievement_down_pct", "46.88", "49", "32", "exact"),
        ("achievement_down_pct", "53.13", "49", "32", "inconsistent"),
        ("deviation_up_pct", "26.48", "102.13", "80.75", "exact"),
        ("deviation_up_pct", "26.47", "102.13", "80.75", "rounding"),
        ("deviation_up_pct", "26.44", "102.13", "80.75", "inconsistent"),
        ("point_difference", "4.06", "82.06", "78", "exact"),
        ("change_pct", "-5.00", "95.0", "100.0", "exact"),
    ],
)
def test_judges_a_printed_percentage(kind: str, result: str, a: str, b: str, verdict: str) -> None:
    figures = [
        printed("r", result, "percent"),
        printed("a", a, "points"),
        printed("b", b, "points"),
    ]

    assert judged(claim(kind, "r", "a b"), figures).verdict == verdict


def test_shows_computed_printed_interval_and_places() -> None:
    found = judged(
        claim("achievement_down_pct", "r", "a b"),
        [printed("r", "53.13", "percent"), printed("a", "49", "days"), printed("b", "32", "days")],
    )

    assert found.computed == Decimal("46.88")
    assert found.computed_unrounded == Decimal("46.875")
    assert found.printed == Decimal("53.13")
    assert found.interval is not None
    assert Decimal("42.85") < found.interval.low < Decimal("42.86")
    assert Decimal("50.76") < found.interval.high < Decimal("50.77")
    assert (found.locator, found.unit, found.reason) == ("001:r", "percent", "beyond_interval")
    assert [(one.figure_id, one.printed, one.locator) for one in found.operands] == [
        ("a", Decimal(49), "001:a"),
        ("b", Decimal(32), "001:b"),
    ]


@pytest.mark.parametrize(
    ("params", "verdict"),
    [
        ("", "inconsistent"),
        ("compare=vintage", "restated"),
        ("compare=scope", "other_scope"),
        ("expect=agreement", "doubtful"),
        ("compare=vintage expect=agreement", "restated"),
        ("tolerance=8.9", "inconsistent"),
        ("tolerance=9", "rounding"),
        ("tolerance=8.9 compare=scope", "other_scope"),
    ],
)
def test_names_a_difference_by_the_parameters(params: str, verdict: str) -> None:
    assert of_sum("10.0", "1.0", params=params).verdict == verdict


@pytest.mark.parametrize("params", ["compare=vintage", "compare=scope", "expect=agreement"])
def test_is_exact_whatever_the_parameters_when_nothing_differs(params: str) -> None:
    assert of_sum("1.0", "1.0", params=params).verdict is Verdict.EXACT


def test_prefers_the_interval_to_the_tolerance_as_reason() -> None:
    assert of_sum("4", "1", "1", "1", params="tolerance=1").reason is Reason.WITHIN_INTERVAL


@pytest.mark.parametrize(
    ("operand", "result", "tolerance", "verdict"),
    [
        ("0.6", "2", "1", "rounding"),  # 1.4 apart before rounding, 1 after
        ("0.5", "0", "0.5", "rounding"),  # 0.5 apart before rounding, 1 after
        ("0.4", "2", "1.5", "inconsistent"),  # 1.6 and 2
    ],
)
def test_measures_the_tolerance_before_or_after_rounding(
    operand: str, result: str, tolerance: str, verdict: str
) -> None:
    figures = [printed("r", result), printed("a", operand, raw="")]

    assert judged(claim("equal", "r", "a", f"tolerance={tolerance}"), figures).verdict == verdict


def test_takes_an_exact_operand_of_more_digits_than_its_decimals() -> None:
    figures = [printed("r", "1.3"), printed("a", "1.25", decimals=1, raw="")]

    assert judged(claim("equal", "r", "a"), figures).verdict is Verdict.EXACT


def test_takes_a_tie_away_from_zero() -> None:
    figures = [printed("r", "-3", "percent"), printed("a", "-2.5", "percent", raw="")]

    assert judged(claim("equal", "r", "a"), figures).verdict is Verdict.EXACT


def test_keeps_counts_exact() -> None:
    assert of_sum("4", "1", "1", "1", unit="count").verdict is Verdict.INCONSISTENT


def test_keeps_figures_without_printed_text_exact() -> None:
    figures = [printed("r", "100.01", "percent"), printed("a", "100", "percent", raw="")]

    assert judged(claim("equal", "r", "a"), figures).verdict is Verdict.INCONSISTENT


def test_excludes_the_bounds_of_the_interval() -> None:
    # Two operands allow 1 to 3 without the ends; 0.5 to 1.5 prints 1, 2.5 to 3.5 prints 3.
    assert [of_sum(result, "1", "1").verdict.value for result in ("0", "1", "2", "3", "4")] == [
        "inconsistent",
        "rounding",
        "exact",
        "rounding",
        "inconsistent",
    ]


@pytest.mark.parametrize(
    ("operand", "verdict"), [("1234499", "inconsistent"), ("1234500", "exact")]
)
def test_rounds_half_up_to_the_thousands_printed(operand: str, verdict: str) -> None:
    figures = [printed("r", "1235000", decimals=-3), printed("a", operand, raw="")]

    assert judged(claim("equal", "r", "a"), figures).verdict == verdict


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        ("1236000", "exact"),
        ("1235000", "rounding"),
        ("1237000", "rounding"),
        ("1238000", "inconsistent"),
    ],
)
def test_widens_with_thousands(result: str, verdict: str) -> None:
    figures = [
        printed("r", result, decimals=-3),
        printed("a", "1200000", decimals=-3),
        printed("b", "35000", decimals=-3),
        printed("c", "1000", decimals=-3),
    ]

    assert judged(claim("sum", "r", "a b c"), figures).verdict == verdict


@pytest.mark.parametrize(
    ("result", "unit", "verdict"),
    [
        ("39.8", "EUR_MLD", "exact"),
        ("39.9", "EUR_MLD", "rounding"),
        ("40.0", "EUR_MLD", "inconsistent"),
        ("39800", "EUR_MLN", "exact"),
        ("39800000000", "EUR", "exact"),
        ("39849000000", "EUR", "rounding"),
        ("39851000000", "EUR", "inconsistent"),
    ],
)
def test_mixes_units_of_money(result: str, unit: str, verdict: str) -> None:
    figures = [
        printed("r", result, unit),
        printed("a", "38.6", "EUR_MLD"),
        printed("b", "1200", "EUR_MLN"),
    ]

    assert judged(claim("sum", "r", "a b"), figures).verdict == verdict


def test_decides_thirty_digits_exactly_in_any_decimal_context() -> None:
    a, b = "123456789012345678901234567890.12", "0.01"
    with localcontext() as context:
        context.prec = 5
        right = of_sum("123456789012345678901234567890.13", a, b)
        near = of_sum("123456789012345678901234567890.16", a, b)

    assert right.verdict is Verdict.EXACT
    assert right.computed == Decimal("123456789012345678901234567890.13")
    assert near.verdict is Verdict.INCONSISTENT


def test_decides_a_tie_of_a_quotient_that_rounding_would_hide() -> None:
    # 100 * a / b is below 0.5 by 1e-29, which a quotient of 28 digits does not show.
    divisor = "2" + "0" * 31
    figures = [
        printed("r", "0", "percent", decimals=0),
        printed("a", "99999999999999999999999999999", raw=""),
        printed("b", divisor, raw=""),
    ]

    found = judged(claim("share_pct", "r", "a b"), figures)

    assert (found.verdict, found.computed) == (Verdict.EXACT, Decimal(0))


@pytest.mark.parametrize("value", ["-0.4", "-0", "0"])
def test_zero_has_no_sign(value: str) -> None:
    figures = [
        printed("r", "-0", decimals=0),
        printed("a", value, decimals=len(value.partition(".")[2])),
    ]

    found = judged(claim("equal", "r", "a"), figures)

    assert found.verdict is Verdict.EXACT
    assert (str(found.computed), str(found.printed)) == ("0", "0")


class TestNotComputable:
    """A relation that cannot be checked is a verdict with a reason."""

    @pytest.mark.parametrize(
        ("figures", "reason", "subject"),
        [
            ([printed("a", "1"), printed("b", "1")], "result_missing", "r"),
            ([printed("r", "1"), printed("a", "1")], "operand_missing", "b"),
            ([], "result_missing", "r"),
            (
                [printed("r", None), printed("a", "1"), printed("b", "1")],
                "result_without_value",
                "r",
            ),
            (
                [printed("r", "1"), printed("a", "1"), printed("b", None)],
                "operand_without_value",
                "b",
            ),
            (
                [printed("r", "1.25", decimals=1), printed("a", "1"), printed("b", "1")],
                "precision_contradicted",
                "r",
            ),
            (
                [printed("r", "1"), printed("a", "1.5", decimals=0), printed("b", "1")],
                "precision_contradicted",
                "a",
            ),
            (
                [printed("r", "1", "percent"), printed("a", "1"), printed("b", "1")],
                "units_differ",
                None,
            ),
        ],
    )
    def test_says_why_and_whose_fault_it_is(
        self, figures: list[PrintedFigure], reason: str, subject: str | None
    ) -> None:
        found = judged(claim("sum", "r", "a b"), figures)

        assert found.verdict is Verdict.NOT_COMPUTABLE
        assert (found.reason, found.subject) == (reason, subject)
        assert (found.computed, found.computed_unrounded, found.interval) == (None, None, None)

    def test_comes_before_any_parameter(self) -> None:
        found = judged(claim("equal", "r", "a", "compare=vintage"), [printed("r", "1")])

        assert found.verdict is Verdict.NOT_COMPUTABLE

    def test_keeps_what_is_known(self) -> None:
        found = judged(claim("sum", "r", "a b"), [printed("r", "1.50"), printed("a", "2")])

        assert (found.printed, found.locator, found.unit) == (Decimal("1.50"), "001:r", "EUR")
        assert [(one.printed, one.unit) for one in found.operands] == [
            (Decimal(2), "EUR"),
            (None, None),
        ]

    @pytest.mark.parametrize("kind", sorted(QUOTIENTS))
    def test_refuses_to_divide_by_zero(self, kind: str) -> None:
        unit = "ratio" if kind == "ratio" else "percent"
        figures = [printed("r", "1", unit), printed("a", "1"), printed("b", "0")]

        assert judged(claim(kind, "r", "a b"), figures).reason is Reason.DIVISION_BY_ZERO

    def test_excludes_nothing_when_the_base_may_be_zero(self) -> None:
        figures = [printed("r", "50", "percent"), printed("a", "3"), printed("b", "2")]
        relation = claim("change_pct", "r", "a b", "base=increment")

        found = judged(relation, figures)

        assert found.verdict is Verdict.NOT_COMPUTABLE
        assert found.reason is Reason.DIVISOR_REACHES_ZERO
        assert found.computed == Decimal(200)

    def test_is_exact_all_the_same_when_the_base_may_be_zero_and_nothing_differs(self) -> None:
        figures = [printed("r", "200", "percent"), printed("a", "3"), printed("b", "2")]
        relation = claim("change_pct", "r", "a b", "base=increment")

        assert judged(relation, figures).verdict is Verdict.EXACT

    def test_refuses_weights_that_are_all_zero(self) -> None:
        figures = [printed("r", "1"), printed("a", "1")]

        found = judged(claim("weighted_mean_pct", "r", "0*a"), figures)

        assert found.reason is Reason.DIVISION_BY_ZERO


def test_answers_in_the_order_of_the_relations() -> None:
    figures = [printed("a", "1"), printed("b", "1")]
    names = ["z", "m", "a"]
    relations = [replace(claim("equal", "a", "b"), relation_id=RelationId(name)) for name in names]

    assert [each.relation_id for each in audit(figures, relations)] == names


def test_answers_nothing_for_no_relation() -> None:
    assert audit([printed("a", "1")], []) == ()


def test_refuses_a_relation_that_stands_twice() -> None:
    relation = claim("equal", "a", "b")

    with pytest.raises(DuplicateRelationError, match="claim stands twice"):
        audit([printed("a", "1"), printed("b", "1")], [relation, relation])


def test_refuses_a_figure_that_stands_twice() -> None:
    with pytest.raises(DuplicateFigureError):
        audit([printed("a", "1"), printed("a", "1")], [])


EXACT_VALUES = st.integers(min_value=-(10**9), max_value=10**9).map(lambda n: Fraction(n, 1000))
POSITIVE = st.integers(min_value=10**5, max_value=10**9).map(lambda n: Fraction(n, 1000))
PLACES = st.integers(min_value=-1, max_value=3)


def rounded(name: str, value: Fraction, decimals: int, unit: str = "EUR") -> PrintedFigure:
    text = format(round_half_up(value, decimals), "f")
    return printed(name, text, unit, decimals=decimals)


@pytest.mark.property
@settings(max_examples=200)
@given(
    values=st.lists(st.tuples(EXACT_VALUES, PLACES), min_size=1, max_size=6), result_places=PLACES
)
def test_a_true_sum_is_never_called_inconsistent(
    values: list[tuple[Fraction, int]], result_places: int
) -> None:
    figures = [rounded(f"x{at}", value, places) for at, (value, places) in enumerate(values)]
    total = sum((value for value, _ in values), Fraction(0))
    result = rounded("r", total, result_places)
    relation = claim("sum", "r", " ".join(figure.figure_id for figure in figures))

    # A value that lies exactly on a tie prints like a value within the open bounds, save when
    # every operand does: those are excluded by the rule of the README.
    on_tie = all(_is_tie(value, places) for value, places in values)

    assert on_tie or judged(relation, [result, *figures]).verdict in {
        Verdict.EXACT,
        Verdict.ROUNDING,
    }


def _is_tie(value: Fraction, decimals: int) -> bool:
    return (value * Fraction(10) ** decimals).denominator == 2


@pytest.mark.property
@settings(max_examples=200)
@given(
    kind=st.sampled_from(sorted(QUOTIENTS)),
    a=POSITIVE,
    b=POSITIVE,
    places=st.tuples(PLACES, PLACES),
    result_places=PLACES,
)
def test_a_true_quotient_is_never_called_inconsistent(
    kind: str, a: Fraction, b: Fraction, places: tuple[int, int], result_places: int
) -> None:
    if _is_tie(a, places[0]) and _is_tie(b, places[1]):
        return
    quotient = a / b
    value = {
        "ratio": quotient,
        "share_pct": 100 * quotient,
        "achievement_up_pct": 100 * quotient,
        "change_pct": 100 * quotient - 100,
        "deviation_up_pct": 100 * quotient - 100,
        "deviation_down_pct": 100 - 100 * quotient,
        "achievement_down_pct": 200 - 100 * quotient,
    }[kind]
    unit = "ratio" if kind == "ratio" else "percent"
    figures = [
        rounded("r", value, result_places, unit),
        rounded("a", a, places[0]),
        rounded("b", b, places[1]),
    ]

    assert judged(claim(kind, "r", "a b"), figures).verdict in {Verdict.EXACT, Verdict.ROUNDING}


@pytest.mark.property
@settings(max_examples=150)
@given(values=st.lists(EXACT_VALUES, min_size=1, max_size=4), off=EXACT_VALUES, places=PLACES)
def test_exact_is_the_half_up_rounding_and_nothing_else(
    values: list[Fraction], off: Fraction, places: int
) -> None:
    figures = [rounded(f"x{at}", value, 3) for at, value in enumerate(values)]
    result = rounded("r", sum(values, off / 10**6), places)

    found = judged(
        claim("sum", "r", " ".join(figure.figure_id for figure in figures)), [result, *figures]
    )

    half_up = round_half_up(sum(values, Fraction(0)), places)
    assert found.computed == half_up
    assert (found.verdict is Verdict.EXACT) == (found.printed == half_up)


@pytest.mark.property
@settings(max_examples=150)
@given(
    values=st.lists(st.tuples(EXACT_VALUES, PLACES), min_size=1, max_size=5),
    off=st.integers(min_value=-20, max_value=20),
    unit=st.sampled_from(["EUR_MLN", "EUR_MLD"]),
)
def test_the_scale_of_a_unit_changes_no_verdict(
    values: list[tuple[Fraction, int]], off: int, unit: str
) -> None:
    def figures(factor: int, named: str) -> list[PrintedFigure]:
        # The same amounts, first in units and then with the sign moved: 1.5 EUR_MLN, 1500000 EUR.
        moved = len(str(factor)) - 1
        total = sum((Fraction(round_half_up(v, p)) for v, p in values), Fraction(off))
        return [
            rounded("r", total * factor, 1 - moved, named),
            *(
                rounded(f"x{at}", Fraction(round_half_up(v, p)) * factor, p - moved, named)
                for at, (v, p) in enumerate(values)
            ),
        ]

    relation = claim("sum", "r", " ".join(f"x{at}" for at in range(len(values))))

    assert (
        judged(relation, figures(1, unit)).verdict
        is judged(relation, figures(SCALES[unit], "EUR")).verdict
    )


@pytest.mark.property
@settings(max_examples=150)
@given(
    values=st.lists(st.tuples(EXACT_VALUES, PLACES), min_size=1, max_size=5),
    places=PLACES,
    beyond=st.integers(min_value=1, max_value=1000),
    up=st.booleans(),
)
def test_a_result_beyond_the_interval_is_inconsistent(
    values: list[tuple[Fraction, int]], places: int, beyond: int, *, up: bool
) -> None:
    figures = [rounded(f"x{at}", value, p) for at, (value, p) in enumerate(values)]
    relation = claim("sum", "r", " ".join(figure.figure_id for figure in figures))
    probe = judged(relation, [printed("r", "0"), *figures]).interval
    assert probe is not None
    unit = 1 / Fraction(10) ** places
    edge = Fraction(probe.high if up else probe.low)
    moved = Fraction(round_half_up(edge, places)) + (beyond if up else -beyond) * unit

    found = judged(relation, [rounded("r", moved, places), *figures])

    assert found.verdict is Verdict.INCONSISTENT
