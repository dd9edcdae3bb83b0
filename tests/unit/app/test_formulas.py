"""Formulas as one readable line."""

from decimal import Decimal

import pytest

from app.output.formulas import Below, formula_text
from ledger.formula import (
    Achievement,
    Cap,
    ChildrenMean,
    Constant,
    Days,
    Deviation,
    Flow,
    Formula,
    Indicator,
    Mean,
    Measure,
    Percent,
    Ratio,
    Recorded,
    Sum,
    Unpublished,
    WeightedMean,
    format_formula,
)

A, B = Flow("A"), Flow("B")


@pytest.mark.parametrize(
    ("formula", "line"),
    [
        (Recorded(), "X = risultato registrato"),
        (A, "X = flusso A"),
        (Measure("pezzi"), "X = misura pezzi"),
        (Constant(Decimal("1.5")), "X = 1,5"),
        (Indicator("PS"), "X = PS"),
        (Indicator("PS", "deviation"), "X = scostamento(PS)"),
        (Sum((("+", A), ("-", B))), "X = flusso A - flusso B"),
        (Sum((("-", A),)), "X = -flusso A"),
        (Ratio(Sum((("+", A), ("+", B))), B), "X = (flusso A + flusso B) / flusso B"),
        (Percent(Ratio(A, B)), "X = 100 x (flusso A / flusso B)"),
        (Mean((A, B)), "X = media di (flusso A; flusso B)"),
        (Deviation("DR1", A, B), "X = scostamento DR1 (flusso A; flusso B)"),
        (Achievement("DR2", A, B), "X = raggiungimento DR2 (flusso A; flusso B)"),
        (Cap(A, at_most=Decimal(100)), "X = flusso A, al più 100"),
        (Cap(A, Decimal(0), Decimal(100)), "X = flusso A, almeno 0, al più 100"),
        (Days(A, B, Constant(Decimal(365))), "X = flusso A / (flusso B / 365)"),
        (WeightedMean(), "X = media ponderata degli obiettivi sottostanti"),
        (ChildrenMean(), "X = media degli obiettivi sottostanti"),
        (Unpublished("weights_unpublished"), "X = non ricalcolabile (pesi non pubblicati)"),
    ],
)
def test_a_formula_is_one_italian_line(formula: Formula, line: str) -> None:
    assert formula_text(format_formula(formula), code="X", lang="it") == line


def test_a_weighted_mean_names_weights_and_parts() -> None:
    below = Below(weights=(("OGE1", Decimal(20)), ("OGE2", Decimal("12.5"))))

    line = formula_text(format_formula(WeightedMean()), code="PS", lang="it", below=below)

    assert line == "PS = 0,2 x OGE1 + 0,125 x OGE2"


def test_a_plain_mean_names_what_stands_below() -> None:
    below = Below(children=("A", "B"))

    line = formula_text(
        format_formula(ChildrenMean("achievement")), code="X", lang="en", below=below
    )

    assert line == "X = mean of (achievement(A); achievement(B))"


@pytest.mark.parametrize("text", ["", "nothing", '{"op":"unheard"}', "[]"])
def test_a_text_that_is_no_formula_comes_back(text: str) -> None:
    assert formula_text(text, code="X", lang="it") == text
