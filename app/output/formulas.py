"""A formula as people write it: `PS = 0,3 x OGE1 + 0,2 x OGE2`.

The stored text of a formula is JSON (docs/indicators.md) and stands in `--json`; this line is for
the eye only. Weights and the codes below stand in no formula: the caller knows them.

Source: ledger.formula.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import assert_never

from app.output.format import number
from app.texts.text import Lang
from app.texts.values import missing_text
from ledger.errors import FormulaError
from ledger.formula import (
    VALUE,
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
    parse_formula,
)

_PARTS = {
    "deviation": ("scostamento", "deviation"),
    "achievement": ("raggiungimento", "achievement"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Below:
    """What stands below an indicator, as far as it is known."""

    weights: Sequence[tuple[str, Decimal]] = ()
    """Code and weight in percent of each weighted part, in order."""
    children: Sequence[str] = field(default=())
    """Codes of the objectives below."""


def formula_text(text: str, *, code: str, lang: Lang, below: Below | None = None) -> str:
    """Return a formula as one line; a text that is no formula comes back as it is.

    Args:
        text: JSON, as events hold it.
        code: of the indicator.
        lang: of words and numbers.
        below: weights and codes that a mean over the objectives below refers to.
    """
    try:
        formula = parse_formula(text, subject=code)
    except FormulaError:
        return text
    return f"{code} = {_Writer(lang, below or Below()).text(formula)}"


class _Writer:
    def __init__(self, lang: Lang, below: Below) -> None:
        self._lang = lang
        self._below = below

    def _tr(self, it: str, en: str) -> str:
        return it if self._lang == "it" else en

    def text(self, formula: Formula) -> str:
        """Return a formula."""
        match formula:
            case Recorded():
                return self._tr("risultato registrato", "recorded result")
            case Flow(node):
                return self._tr(f"flusso {node}", f"flow {node}")
            case Measure(name):
                return self._tr(f"misura {name}", f"measure {name}")
            case Constant(value):
                return number(value, self._lang)
            case Indicator(code, part):
                return self._part(part, code)
            case WeightedMean(part):
                return self._weighted(part)
            case ChildrenMean(part):
                return self._children(part)
            case Unpublished(reason):
                why = missing_text(reason, self._lang)
                return self._tr(f"non ricalcolabile ({why})", f"cannot be recomputed ({why})")
            case _:
                return self._composed(formula)

    def _composed(
        self, formula: Sum | Ratio | Percent | Mean | Deviation | Achievement | Cap | Days
    ) -> str:
        match formula:
            case Sum(terms):
                return _signed([(sign, self._grouped(each)) for sign, each in terms])
            case Ratio(numerator, denominator):
                return f"{self._grouped(numerator)} / {self._grouped(denominator)}"
            case Percent(of):
                return f"100 x {self._grouped(of)}"
            case Mean(formulas):
                listed = "; ".join(self.text(each) for each in formulas)
                return self._tr(f"media di ({listed})", f"mean of ({listed})")
            case Deviation(rule, of, target):
                name = self._tr("scostamento", "deviation")
                return f"{name} {rule} ({self.text(of)}; {self.text(target)})"
            case Achievement(rule, of, target):
                name = self._tr("raggiungimento", "achievement")
                return f"{name} {rule} ({self.text(of)}; {self.text(target)})"
            case Cap():
                return self._capped(formula)
            case Days(stock, flow, days):
                per_day = f"({self._grouped(flow)} / {self._grouped(days)})"
                return f"{self._grouped(stock)} / {per_day}"
            case _:
                assert_never(formula)

    def _grouped(self, formula: Formula) -> str:
        text = self.text(formula)
        composed = isinstance(formula, Sum | Ratio | Percent | WeightedMean | Cap | Days)
        return f"({text})" if composed else text

    def _part(self, part: str, code: str) -> str:
        if part == VALUE:
            return code
        name = _PARTS.get(part)
        return f"{part}({code})" if name is None else f"{self._tr(*name)}({code})"

    def _weighted(self, part: str) -> str:
        if not self._below.weights:
            return self._tr(
                "media ponderata degli obiettivi sottostanti", "weighted mean of what stands below"
            )
        return " + ".join(
            f"{number(weight / 100, self._lang)} x {self._part(part, code)}"
            for code, weight in self._below.weights
        )

    def _children(self, part: str) -> str:
        if not self._below.children:
            return self._tr("media degli obiettivi sottostanti", "mean of what stands below")
        listed = "; ".join(self._part(part, code) for code in self._below.children)
        return self._tr(f"media di ({listed})", f"mean of ({listed})")

    def _capped(self, formula: Cap) -> str:
        bounds = [
            f"{name} {number(bound, self._lang)}"
            for name, bound in (
                (self._tr("almeno", "at least"), formula.at_least),
                (self._tr("al più", "at most"), formula.at_most),
            )
            if bound is not None
        ]
        return ", ".join([self._grouped(formula.of), *bounds])


def _signed(terms: Sequence[tuple[str, str]]) -> str:
    first_sign, first = terms[0]
    begin = f"-{first}" if first_sign == "-" else first
    return begin + "".join(f" {sign} {text}" for sign, text in terms[1:])
