"""The formula language of indicator definitions: parse, check, print. It evaluates nothing.

A formula is stored in `IndicatorDefined.formula` as canonical JSON (sorted keys, no white space):
its text is a format and is documented in docs/indicators.md.

Invariants:
1. `format_formula(parse_formula(text))` is the canonical text of the same formula.
2. Depth and size are bounded; unknown operators and stray keys are refused with their path.
3. Weights of objectives never stand in a formula: they are events of their own.

Source: docs/adr/0007-indicators.md; architecture notes, section 5.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, assert_never

from ledger.errors import FormulaError
from schemas.values import canonical_decimal, parse_decimal

DEPTH_MAX: Final = 20
NODES_MAX: Final = 500

VALUE: Final = "value"
DEVIATION: Final = "deviation"
ACHIEVEMENT: Final = "achievement"
PARTS: Final = (VALUE, DEVIATION, ACHIEVEMENT)
"""What of another indicator a formula may use, always unrounded."""

RULES: Final = ("DR1", "DR2", "DR3", "DR4", "DR5", "DR6")


@dataclass(frozen=True, slots=True)
class Recorded:
    """The result recorded for the indicator itself."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The recorded amount of a node of the money flows."""

    node: str


@dataclass(frozen=True, slots=True)
class Measure:
    """An additive measure over facts."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A number that the definition fixes."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Indicator:
    """A part of another indicator."""

    code: str
    part: str = VALUE


@dataclass(frozen=True, slots=True)
class Sum:
    """Signed sum; signs are + or -."""

    terms: tuple[tuple[str, "Formula"], ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    """Numerator over denominator."""

    numerator: "Formula"
    denominator: "Formula"


@dataclass(frozen=True, slots=True)
class Percent:
    """One hundred times a formula."""

    of: "Formula"


@dataclass(frozen=True, slots=True)
class WeightedMean:
    """Mean of a part of the objectives below this one, with the weights that events have set."""

    part: str = VALUE


@dataclass(frozen=True, slots=True)
class ChildrenMean:
    """Plain mean of a part of the objectives below this one."""

    part: str = VALUE


@dataclass(frozen=True, slots=True)
class Mean:
    """Plain mean of formulas."""

    of: tuple["Formula", ...]


@dataclass(frozen=True, slots=True)
class Deviation:
    """Deviation of a formula from another under a rule DR1 to DR6."""

    rule: str
    of: "Formula"
    target: "Formula"


@dataclass(frozen=True, slots=True)
class Achievement:
    """Achievement of a formula against another under a rule DR1 to DR6."""

    rule: str
    of: "Formula"
    target: "Formula"


@dataclass(frozen=True, slots=True)
class Cap:
    """A formula kept within bounds; None leaves a side open."""

    of: "Formula"
    at_least: Decimal | None = None
    at_most: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Days:
    """Days of work in a stock: stock over flow per day."""

    stock: "Formula"
    flow: "Formula"
    days: "Formula"


@dataclass(frozen=True, slots=True)
class Unpublished:
    """Deliberately not computable, with the code of the reason."""

    reason: str


Formula = (
    Recorded
    | Flow
    | Measure
    | Constant
    | Indicator
    | Sum
    | Ratio
    | Percent
    | WeightedMean
    | ChildrenMean
    | Mean
    | Deviation
    | Achievement
    | Cap
    | Days
    | Unpublished
)


def format_formula(formula: Formula) -> str:
    """Return the canonical text of a formula.

    Raises:
        ValueError: a number has no canonical text, see `schemas.values.canonical_decimal`.
    """
    return json.dumps(_plain(formula), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def parse_formula(text: str, *, subject: str) -> Formula:
    """Return the formula of a text.

    Args:
        text: JSON; need not be canonical.
        subject: indicator, for messages.

    Raises:
        FormulaError: not JSON, unknown operator, missing, stray or doubled key, too deep or too
            long.
    """
    try:
        data = json.loads(text, object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        # Not only JSONDecodeError: a number of thousands of digits is a plain ValueError.
        raise FormulaError(subject=subject, path="$", reason=f"not JSON: {error}") from error
    return _Parser(subject).node(data, "$", 1)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return fields


def _plain(formula: Formula) -> dict[str, object]:
    match formula:
        case Recorded():
            return {"op": "recorded"}
        case Flow(node):
            return {"op": "flow", "node": node}
        case Measure(name):
            return {"op": "measure", "name": name}
        case Constant(value):
            return {"op": "constant", "value": canonical_decimal(value)}
        case Indicator(code, part):
            return {"op": "indicator", "code": code, "part": part}
        case WeightedMean(part):
            return {"op": "weighted_mean", "part": part}
        case ChildrenMean(part):
            return {"op": "children_mean", "part": part}
        case Unpublished(reason):
            return {"op": "unpublished", "reason": reason}
        case _:
            return _plain_composed(formula)


def _plain_composed(
    formula: Sum | Ratio | Percent | Mean | Deviation | Achievement | Cap | Days,
) -> dict[str, object]:
    match formula:
        case Sum(terms):
            return {"op": "sum", "terms": [{"sign": s, "of": _plain(f)} for s, f in terms]}
        case Ratio(numerator, denominator):
            return {
                "op": "ratio",
                "numerator": _plain(numerator),
                "denominator": _plain(denominator),
            }
        case Percent(of):
            return {"op": "percent", "of": _plain(of)}
        case Mean(formulas):
            return {"op": "mean", "of": [_plain(item) for item in formulas]}
        case Deviation(rule, of, target):
            return {"op": "deviation", "rule": rule, "of": _plain(of), "target": _plain(target)}
        case Achievement(rule, of, target):
            return {"op": "achievement", "rule": rule, "of": _plain(of), "target": _plain(target)}
        case Cap(of, at_least, at_most):
            bounds = {"at_least": at_least, "at_most": at_most}
            shown = {k: canonical_decimal(v) for k, v in bounds.items() if v is not None}
            return {"op": "cap", "of": _plain(of), **shown}
        case Days(stock, flow, days):
            return {
                "op": "days",
                "stock": _plain(stock),
                "flow": _plain(flow),
                "days": _plain(days),
            }
        case _:
            assert_never(formula)


class _Parser:
    """Reads one formula; counts its nodes."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._nodes = 0

    def node(self, data: object, path: str, depth: int) -> Formula:
        """Return the formula of a JSON value."""
        self._nodes += 1
        if depth > DEPTH_MAX or self._nodes > NODES_MAX:
            raise self.error(path, f"deeper than {DEPTH_MAX} or longer than {NODES_MAX} nodes")
        if not isinstance(data, dict):
            raise self.error(path, "an object with the key 'op' is expected")
        fields = {str(key): value for key, value in data.items()}
        op = fields.pop("op", None)
        reader = _READERS.get(op) if isinstance(op, str) else None
        if reader is None:
            known = ", ".join(sorted(_READERS))
            raise self.error(path, f"unknown operator {op!r}; known: {known}")
        formula = reader(_Fields(self, fields, path, depth))
        if fields:
            raise self.error(path, f"unknown keys: {', '.join(sorted(fields))}")
        return formula

    def error(self, path: str, reason: str) -> FormulaError:
        """Return the error of a place, to be raised."""
        return FormulaError(subject=self._subject, path=path, reason=reason)


class _Fields:
    """The keys of one node; each is taken once, what is left over is refused by the parser."""

    def __init__(self, parser: _Parser, fields: dict[str, object], path: str, depth: int) -> None:
        self._parser = parser
        self._fields = fields
        self._path = path
        self._depth = depth

    def text(self, key: str, allowed: tuple[str, ...] = (), default: str | None = None) -> str:
        """Take a text, one of `allowed` when given."""
        value = self._fields.pop(key, default)
        if not isinstance(value, str) or not value or (allowed and value not in allowed):
            expected = f"one of {', '.join(allowed)}" if allowed else "a text"
            raise self._parser.error(f"{self._path}.{key}", f"{expected} is expected")
        return value

    def number(self, key: str) -> Decimal:
        """Take a number, written as canonical decimal text."""
        text = self.text(key)
        try:
            return parse_decimal(text)
        except ValueError as error:
            raise self._parser.error(f"{self._path}.{key}", str(error)) from error

    def optional_number(self, key: str) -> Decimal | None:
        """Take a number that may be absent."""
        return self.number(key) if key in self._fields else None

    def formula(self, key: str) -> Formula:
        """Take a nested formula."""
        path = f"{self._path}.{key}"
        return self._parser.node(self._fields.pop(key, None), path, self._depth + 1)

    def items(self, key: str) -> list[tuple[object, str]]:
        """Take a list that is not empty, each item with its path."""
        value = self._fields.pop(key, None)
        path = f"{self._path}.{key}"
        if not isinstance(value, list) or not value:
            raise self._parser.error(path, "a list with at least one item is expected")
        return [(item, f"{path}[{index}]") for index, item in enumerate(value)]

    def formulas(self, key: str) -> tuple[Formula, ...]:
        """Take a list of nested formulas."""
        return tuple(
            self._parser.node(item, path, self._depth + 1) for item, path in self.items(key)
        )

    def terms(self) -> tuple[tuple[str, Formula], ...]:
        """Take the signed terms of a sum."""
        terms = []
        for item, path in self.items("terms"):
            if not isinstance(item, dict):
                raise self._parser.error(path, "an object with sign and of is expected")
            inner = {str(key): value for key, value in item.items()}
            fields = _Fields(self._parser, inner, path, self._depth)
            terms.append((fields.text("sign", ("+", "-"), "+"), fields.formula("of")))
            if inner:
                raise self._parser.error(path, f"unknown keys: {', '.join(sorted(inner))}")
        return tuple(terms)

    def part(self) -> str:
        """Take the part of another indicator; the value when absent."""
        return self.text("part", PARTS, VALUE)


_READERS: Final[Mapping[str, Callable[[_Fields], Formula]]] = {
    "recorded": lambda _: Recorded(),
    "flow": lambda f: Flow(f.text("node")),
    "measure": lambda f: Measure(f.text("name")),
    "constant": lambda f: Constant(f.number("value")),
    "indicator": lambda f: Indicator(f.text("code"), f.part()),
    "sum": lambda f: Sum(f.terms()),
    "ratio": lambda f: Ratio(f.formula("numerator"), f.formula("denominator")),
    "percent": lambda f: Percent(f.formula("of")),
    "weighted_mean": lambda f: WeightedMean(f.part()),
    "children_mean": lambda f: ChildrenMean(f.part()),
    "mean": lambda f: Mean(f.formulas("of")),
    "deviation": lambda f: Deviation(f.text("rule", RULES), f.formula("of"), f.formula("target")),
    "achievement": lambda f: Achievement(
        f.text("rule", RULES), f.formula("of"), f.formula("target")
    ),
    "cap": lambda f: Cap(
        f.formula("of"), f.optional_number("at_least"), f.optional_number("at_most")
    ),
    "days": lambda f: Days(f.formula("stock"), f.formula("flow"), f.formula("days")),
    "unpublished": lambda f: Unpublished(f.text("reason")),
}
